"""The state machine: where drafts go, how often they come back, and what is kept of everything."""

import asyncio
import re
import runpy
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tertulia.contracts import Hearing, Planned, PlanView, Utterance, View
from tertulia.errors import PartError
from tertulia.graph import Item, Stage, after_commit
from tertulia.recipe import Recipe, bundled_recipe
from tertulia.records import Conversation, Draft, EndReason, Marker, Message, Plan, Signal, ToolCall
from tertulia.scenario import Scenario
from tertulia.table import Table

ROOT = Path(__file__).resolve().parent.parent
BYE = Utterance("Thanks, that is all.", signal=Signal.GOAL_REACHED)
ASK = Utterance("Where is A1042?")
LOOK = Utterance(calls=(ToolCall(id="", name="find_order", args={"order": "A1042"}),))
TELL = Utterance("It is on its way.")
Given = TypeVar("Given")


class Lines:
    """A speaker that says its lines one after the other, the last of them again and again."""

    def __init__(self, *lines: Utterance) -> None:
        self.lines = lines
        self.views: list[View] = []
        self.heard: list[tuple[str, ...]] = []

    async def speak(self, view: View) -> Utterance:
        self.views.append(replace(view, messages=tuple(view.messages)))
        self.heard.append(tuple(message.text for message in view.messages))
        return self.lines[min(len(self.views), len(self.lines)) - 1]


class Plans:
    """A planner whose plans are numbered."""

    def __init__(self) -> None:
        self.views: list[PlanView] = []

    async def plan(self, view: PlanView) -> Planned:
        self.views.append(view)
        return Planned(Plan(opening="Where is A1042?", steps=(f"plan {len(self.views)}",)))


class MarksFirst:
    """A critic that marks the first drafts of a role: so many of them, over the whole conversation."""

    def __init__(self, revise: bool = True, **times: int) -> None:
        self.left = Counter(times)
        self.revise = revise
        self.hearings: list[Hearing] = []

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        self.hearings.append(replace(hearing, seen=tuple(hearing.seen), spoken=tuple(hearing.spoken)))
        if not self.left[hearing.role]:
            return ()
        self.left[hearing.role] -= 1
        mark = Marker(
            principle="be_better",
            turn=hearing.turn,
            draft=hearing.draft,
            severity="medium",
            evidence="not good enough",
            critic="fake",
            revise=self.revise,
        )
        return (mark,)


class Breaks:
    """A part that raises."""

    async def speak(self, view: View) -> Utterance:
        raise RuntimeError("the lights went out")

    async def plan(self, view: PlanView) -> Planned:
        raise RuntimeError("the lights went out")

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        raise RuntimeError("the lights went out")


def scenario(**fields: Any) -> Scenario:
    raw: dict[str, Any] = {
        "id": "where-is-it",
        "kind": "single_call",
        "tools": [
            {"name": "find_order", "returns": {"day": "friday"}},
            {"name": "cancel_order", "writes": True, "returns": "cancelled"},
            {"name": "restart_router", "owner": "user", "returns": "restarted"},
        ],
        "policy": "Be brief.",
        "cast": {
            "customer": {"role": "user", "tools": ["restart_router"]},
            "agent": {"role": "assistant"},
        },
        "script": {"opening": "Where is A1042?"},
    }
    return Scenario.model_validate(raw | fields)


def trio(**fields: Any) -> Scenario:
    cast = {"customer": {"role": "user"}, "agent": {"role": "assistant"}, "lead": {"role": "colleague"}}
    return scenario(cast=cast, floor="addressed", **fields)


def stage(
    user: Any = None,
    assistant: Any = None,
    colleague: Any = None,
    critic: Any = None,
    planner: Any = None,
    recipe: Recipe | None = None,
) -> Stage:
    """The real machine with parts of our own."""
    made = Stage(recipe or bundled_recipe("user_script"))
    made.planner = planner or Plans()
    made.speakers = {
        "user": user or Lines(ASK, BYE),
        "assistant": assistant or Lines(TELL),
        "colleague": colleague or Lines(Utterance("Yes.")),
    }
    made.critic_part = critic or MarksFirst()
    return made


async def within(work: Awaitable[Given], seconds: float = 10) -> Given:
    async with asyncio.timeout(seconds):
        return await work


async def played(made: Stage, file: Scenario | None = None) -> Conversation:
    table = made.seat(Item(0, "where-is-it-000000", file or scenario(), {}, seed=7))
    return await within(made.play(table))


def texts(talk: Conversation) -> list[str]:
    return [message.text for message in talk.messages]


# --- the way without detours --------------------------------------------------------------------------------------


async def test_a_conversation_is_plan_turns_tools_and_close():
    talk = await played(stage(assistant=Lines(LOOK, TELL)))
    assert [turn.speaker for turn in talk.turns] == ["customer", "agent", "agent", "customer"]
    assert texts(talk) == ["Where is A1042?", "", '{"day": "friday"}', "It is on its way.", "Thanks, that is all."]
    assert talk.end_reason is EndReason.GOAL_REACHED
    assert talk.plan == Plan(opening="Where is A1042?", steps=("plan 1",))
    assert talk.roles == {"customer": "user", "agent": "assistant"}


async def test_calls_without_an_id_get_one_that_their_results_answer():
    two = Utterance(calls=(LOOK.calls[0], ToolCall(id="mine", name="find_order")))
    talk = await played(stage(assistant=Lines(two, TELL)))
    assert [call.id for call in talk.turns[1].message.calls] == ["call_1_0", "mine"]
    assert [result.answers for result in talk.turns[1].results] == ["call_1_0", "mine"]


async def test_ids_that_a_part_gives_twice_are_given_anew():
    mine, other = (ToolCall(id="mine", name="find_order", args={"order": order}) for order in ("A1042", "B2077"))
    first, again = Utterance(calls=(mine, other)), Utterance(calls=(ToolCall(id="call_2_1", name="find_order"), mine))
    talk = await played(stage(assistant=Lines(first, again, TELL)))
    assert [call.id for call in talk.turns[1].message.calls] == ["mine", "call_1_1"]
    assert [call.id for call in talk.turns[2].message.calls] == ["call_2_1", "call_2_2"]
    for turn in talk.turns[1:3]:
        assert [result.answers for result in turn.results] == [call.id for call in turn.message.calls]


async def test_the_critic_reviews_the_plan_and_every_draft_before_it_is_heard():
    critic = MarksFirst()
    await played(stage(assistant=Lines(LOOK, TELL), critic=critic))
    assert [(h.role, h.turn, h.draft) for h in critic.hearings] == [
        ("plan", -1, 0),
        ("user", 0, 0),
        ("assistant", 1, 0),
        ("assistant", 2, 0),
        ("user", 3, 0),
    ]
    assert [len(hearing.spoken) for hearing in critic.hearings] == [0, 0, 1, 3, 4]


# --- the three back edges -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "limit"), [("assistant", "revisions"), ("user", "user_revisions")])
async def test_a_turn_comes_back_as_often_as_its_budget_allows_and_every_draft_is_kept(role: str, limit: str):
    lines = Lines(*(Utterance(f"version {n}") for n in range(4)), BYE)
    talk = await played(stage(**{role: lines}, critic=MarksFirst(**{role: 3})), scenario(limits={limit: 3, "turns": 4}))
    turn = next(turn for turn in talk.turns if turn.drafts[-1].message.role == role)
    assert [draft.message.text for draft in turn.drafts] == ["version 0", "version 1", "version 2", "version 3"]
    assert [draft.sent_back for draft in turn.drafts] == [True, True, True, False]
    assert turn.drafts[0].critique == "be_better: not good enough"
    assert [view.sent_back for view in lines.views[:4]] == [tuple(turn.drafts[:n]) for n in range(4)]
    assert talk.end_reason is not EndReason.REJECTED


@pytest.mark.parametrize(("role", "limit"), [("assistant", "revisions"), ("user", "user_revisions")])
async def test_past_its_budget_the_conversation_is_rejected_and_the_open_turn_is_kept(role: str, limit: str):
    lines = Lines(*(Utterance(f"version {n}") for n in range(5)))
    talk = await played(stage(**{role: lines}, critic=MarksFirst(**{role: 4})), scenario(limits={limit: 3}))
    assert talk.end_reason is EndReason.REJECTED
    assert [draft.message.text for draft in talk.turns[-1].drafts] == [f"version {n}" for n in range(4)]
    assert all(draft.sent_back for draft in talk.turns[-1].drafts)
    assert talk.turns[-1].index == len(talk.turns) - 1


async def test_a_draft_that_was_sent_back_is_heard_by_nobody():
    user = Lines(ASK, BYE)
    await played(stage(user=user, assistant=Lines(Utterance("Never."), TELL), critic=MarksFirst(assistant=1)))
    assert user.heard[-1] == ("Where is A1042?", "It is on its way.")


async def test_the_plan_comes_back_to_the_planner_with_its_markers():
    planner = Plans()
    talk = await played(stage(planner=planner, critic=MarksFirst(plan=2)))
    assert [len(view.sent_back) for view in planner.views] == [0, 1, 2]
    assert [draft.sent_back for draft in talk.plan_drafts] == [True, True, False]
    assert talk.plan is not None
    assert talk.plan.steps == ("plan 3",)
    assert talk.end_reason is EndReason.GOAL_REACHED


async def test_a_plan_past_its_budget_ends_the_conversation_before_anybody_speaks():
    talk = await played(stage(critic=MarksFirst(plan=9)), scenario(limits={"plan_revisions": 1}))
    assert talk.end_reason is EndReason.REJECTED
    assert (len(talk.plan_drafts), talk.turns) == (2, ())


async def test_a_budget_of_zero_rejects_at_the_first_marker():
    talk = await played(stage(critic=MarksFirst(assistant=1)), scenario(limits={"revisions": 0}))
    assert talk.end_reason is EndReason.REJECTED
    assert len(talk.turns[-1].drafts) == 1


async def test_each_turn_has_a_budget_of_its_own():
    class EveryFirst(MarksFirst):
        async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
            self.left[hearing.role] = int(hearing.draft == 0)
            return await super().review(hearing)

    limits = {"revisions": 1, "user_revisions": 1, "plan_revisions": 1, "turns": 6}
    talk = await played(stage(user=Lines(ASK), critic=EveryFirst()), scenario(limits=limits))
    assert talk.end_reason is EndReason.TURN_LIMIT
    assert [len(turn.drafts) for turn in talk.turns] == [2] * 6


async def test_a_marker_that_only_labels_sends_nothing_back():
    talk = await played(stage(critic=MarksFirst(revise=False, assistant=1, user=1, plan=1)))
    assert talk.end_reason is EndReason.GOAL_REACHED
    assert [len(turn.drafts) for turn in talk.turns] == [1, 1, 1]
    assert len(list(talk.markers)) == 3


async def test_a_call_that_was_sent_back_is_not_made():
    cancel = Utterance(calls=(ToolCall(id="", name="cancel_order"),))
    talk = await played(stage(assistant=Lines(cancel, TELL), critic=MarksFirst(assistant=1)))
    assert not any(turn.results for turn in talk.turns)
    assert talk.turns[1].drafts[0].message.calls


# --- how conversations end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (Signal.GOAL_REACHED, EndReason.GOAL_REACHED),
        (Signal.SCRIPT_EXHAUSTED, EndReason.SCRIPT_EXHAUSTED),
        (Signal.GAVE_UP, EndReason.DONE_BY_USER),
        (Signal.CLOSED, EndReason.DONE_BY_ASSISTANT),
    ],
)
async def test_every_signal_ends_the_conversation_for_its_reason(signal: Signal, reason: EndReason):
    last = Utterance("Goodbye.", signal=signal)
    talk = await played(stage(assistant=Lines(last)) if signal is Signal.CLOSED else stage(user=Lines(ASK, last)))
    assert talk.end_reason is reason
    assert texts(talk)[-1] == "Goodbye."


async def test_the_turn_limit_counts_utterances_and_not_tool_rounds():
    talk = await played(stage(user=Lines(ASK), assistant=Lines(LOOK, TELL)), scenario(limits={"turns": 3}))
    assert talk.end_reason is EndReason.TURN_LIMIT
    assert [bool(turn.message.calls) for turn in talk.turns] == [False, True, False, False]


async def test_too_many_tool_rounds_in_a_row_end_it_with_their_results_kept():
    talk = await played(stage(assistant=Lines(LOOK)), scenario(limits={"rounds": 2}))
    assert talk.end_reason is EndReason.ROUND_LIMIT
    assert [len(turn.results) for turn in talk.turns] == [0, 1, 1, 1]


async def test_words_between_tool_rounds_begin_the_count_anew():
    lines = Lines(LOOK, LOOK, TELL, LOOK, LOOK, TELL)
    talk = await played(stage(user=Lines(ASK, ASK, BYE), assistant=lines), scenario(limits={"rounds": 2}))
    assert talk.end_reason is EndReason.GOAL_REACHED


async def test_calls_past_the_limit_are_refused_and_end_it():
    three = Utterance(calls=(*LOOK.calls, *LOOK.calls, *LOOK.calls))
    talk = await played(stage(assistant=Lines(three)), scenario(limits={"tool_calls": 2}))
    assert talk.end_reason is EndReason.ROUND_LIMIT
    assert [result.error for result in talk.turns[-1].results] == [False, False, True]
    assert "No more calls" in talk.turns[-1].results[-1].text


@pytest.mark.parametrize(
    "limits",
    [
        {"turns": 9, "revisions": 6, "user_revisions": 6, "plan_revisions": 3, "tool_calls": 0, "rounds": 1},
        {"turns": 3, "revisions": 0, "user_revisions": 0, "plan_revisions": 0, "tool_calls": 4, "rounds": 4},
        {"turns": 6, "revisions": 3, "user_revisions": 1, "plan_revisions": 0, "tool_calls": 500, "rounds": 2},
    ],
)
async def test_a_conversation_that_uses_up_its_limits_is_played_to_its_end(limits: dict[str, int]):
    drafts = {"assistant": limits["revisions"], "user": limits["user_revisions"], "plan": limits["plan_revisions"]}

    class MarksAllButTheLast(MarksFirst):
        async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
            self.left[hearing.role] = int(hearing.draft < drafts[hearing.role])
            return await super().review(replace(hearing, seen=(), spoken=()))

    class CallsFirst(Lines):
        async def speak(self, view: View) -> Utterance:
            since = list(takewhile(lambda message: message.speaker != "customer", reversed(view.messages)))
            return LOOK if limits["tool_calls"] and len(since) < 2 * limits["rounds"] else TELL

    made = stage(user=Lines(ASK), assistant=CallsFirst(), critic=MarksAllButTheLast())
    talk = await played(made, scenario(limits=limits))
    assert talk.end_reason is EndReason.TURN_LIMIT
    assert {len(turn.drafts) - 1 for turn in talk.turns if turn.speaker == "agent"} == {limits["revisions"]}


async def test_the_machine_goes_on_for_as_long_as_the_widest_limits_allow():
    told = []

    class Graph:
        async def astream(self, state: Any, config: dict[str, int], *, stream_mode: list[str]) -> AsyncIterator[None]:
            told.append(config["recursion_limit"])
            yield None

    made = stage()
    made.graph = Graph()
    await played(made, scenario(limits={"turns": 500, "revisions": 20}))
    assert told[0] > 500 * 21 * 2  # every draft is spoken and reviewed


async def test_as_many_calls_as_the_limit_are_fine():
    two = Utterance(calls=(*LOOK.calls, *LOOK.calls))
    talk = await played(stage(assistant=Lines(two, TELL)), scenario(limits={"tool_calls": 2}))
    assert talk.end_reason is EndReason.GOAL_REACHED


async def test_a_recipe_may_stop_at_the_first_violation_but_still_revises_plans():
    strict = bundled_recipe("user_script").model_copy(update={"stop_at_violation": True})
    talk = await played(stage(recipe=strict, critic=MarksFirst(plan=1, assistant=1)))
    assert talk.end_reason is EndReason.VIOLATION_FOUND
    assert len(talk.plan_drafts) == 2
    assert talk.turns[-1].drafts[-1].sent_back


@pytest.mark.parametrize("where", ["user", "assistant", "critic", "planner"])
async def test_a_part_that_raises_leaves_a_record_of_what_there_was(where: str):
    made = stage(**{where: Breaks()})
    table = made.seat(Item(0, "where-is-it-000000", scenario(), {}, seed=7))
    with pytest.raises(RuntimeError, match="lights went out"):
        await within(made.play(table))
    talk = table.record("the trace")
    assert (talk.end_reason, talk.error) == (EndReason.FAILED, "the trace")
    assert texts(talk) == (["Where is A1042?"] if where == "assistant" else [])


async def test_a_part_that_raises_while_a_turn_is_open_leaves_its_drafts():
    class Fades(Lines):
        async def speak(self, view: View) -> Utterance:
            if self.views:
                raise RuntimeError("the lights went out")
            return await super().speak(view)

    made = stage(assistant=Fades(TELL), critic=MarksFirst(assistant=1))
    table = made.seat(Item(0, "where-is-it-000000", scenario(), {}, seed=7))
    with pytest.raises(RuntimeError):
        await within(made.play(table))
    talk = table.record("the trace")
    assert [len(turn.drafts) for turn in talk.turns] == [1, 1]
    assert talk.turns[-1].drafts[0].sent_back


def test_fewer_faults_are_planted_in_a_draft_that_is_made_anew():
    made = stage()
    tables = [made.seat(Item(n, f"where-is-it-{n:06d}", scenario(), {}, seed=n, slips=0.6)) for n in range(300)]
    for table in tables:
        table.floor = "agent"
    first = sum(table.view().slips for table in tables)
    for table in tables:
        table.drafts.append(Draft(message=Message(speaker="agent", role="assistant", text="What?")))
    again = sum(table.view().slips for table in tables)

    assert 150 < first < 210
    assert 35 < again < 85


def test_a_draft_without_an_utterance_is_the_parts_fault():
    table = Table.laid(Item(0, "x", scenario(), {}, 7), stage().settings.of(scenario()))
    table.floor = "agent"
    with pytest.raises(PartError, match="said nothing"):
        after_commit(table)


# --- tools --------------------------------------------------------------------------------------------------------


async def test_an_injected_fault_fails_its_first_calls_only_and_nobody_sees_that_it_was_planted():
    assistant = Lines(LOOK, LOOK, LOOK, TELL)
    faults = [{"tool": "find_order", "error": "Timeout.", "times": 2}]
    talk = await played(stage(assistant=assistant), scenario(faults=faults))
    results = [result for turn in talk.turns for result in turn.results]
    assert [(r.error, r.injected) for r in results] == [(True, True), (True, True), (False, False)]
    assert "Timeout." in results[0].text
    seen = [message for message in assistant.views[-1].messages if message.role == "tool"]
    assert [message.text for message in seen] == [result.text for result in results]
    assert not any(message.injected or message.changes for message in seen)


async def test_what_a_call_changed_is_recorded_and_shown_to_nobody():
    file = scenario(
        tools=[], policy="", world="parcels", cast={"customer": {"role": "user"}, "agent": {"role": "assistant"}}
    )
    move = Utterance(calls=(ToolCall(id="", name="set_safe_place", args={"order": "A1042", "place": "porch"}),))
    assistant = Lines(move, TELL)
    talk = await played(stage(assistant=assistant), file)
    assert talk.turns[1].results[0].changes
    assert not any(message.changes for view in assistant.views for message in view.messages)


async def test_a_party_can_call_its_own_tools_alone():
    foreign = Utterance(calls=(ToolCall(id="", name="restart_router"), ToolCall(id="", name="made_up")))
    user = Lines(Utterance(calls=(ToolCall(id="", name="restart_router"),)), BYE)
    talk = await played(stage(user=user))
    assert not talk.turns[0].results[0].error
    talk = await played(stage(assistant=Lines(foreign, TELL)))
    assert [result.error for result in talk.turns[1].results] == [True, True]
    assert "no tool called 'made_up'" in talk.turns[1].results[1].text


async def test_results_are_for_their_caller_alone():
    user = Lines(ASK, BYE)
    talk = await played(stage(user=user, assistant=Lines(LOOK, TELL)))
    assert talk.turns[1].results[0].audience == ("agent",)
    assert user.heard[-1] == ("Where is A1042?", "It is on its way.")


async def test_the_caller_keeps_the_floor_until_it_speaks():
    talk = await played(stage(assistant=Lines(LOOK, LOOK, TELL)))
    assert [turn.speaker for turn in talk.turns] == ["customer", "agent", "agent", "agent", "customer"]


# --- who sees what ------------------------------------------------------------------------------------------------


async def test_nobody_calls_and_ends_the_conversation_in_one():
    with pytest.raises(PartError, match="agent makes calls and ends the conversation in one: closed"):
        await played(stage(assistant=Lines(replace(LOOK, signal=Signal.CLOSED))))


@pytest.mark.parametrize(
    ("to", "complaint"),
    [
        (("boss",), "agent addresses 'boss', who is not in the cast: customer, agent, lead"),
        (("agent",), "agent addresses nobody but itself"),
    ],
)
async def test_an_utterance_to_somebody_who_is_not_there_breaks_the_contract(to: tuple[str, ...], complaint: str):
    with pytest.raises(PartError, match=complaint):
        await played(stage(assistant=Lines(Utterance("Hello?", to=to))), trio(private=True))


async def test_everybody_is_addressed_once_and_a_speaker_never_itself():
    both = Utterance("Hello?", to=("lead", "agent", "lead"))
    talk = await played(stage(assistant=Lines(both, TELL)), trio(private=True))
    message = talk.turns[1].message
    assert (message.to, message.audience) == (("lead",), ("agent", "lead"))
    assert talk.turns[2].speaker == "lead"


async def test_a_private_message_reaches_its_addressees_alone():
    user = Lines(ASK, BYE)
    assistant = Lines(Utterance("May I?", to=("lead",)), Utterance("It comes friday.", to=("customer",)))
    colleague = Lines(Utterance("Yes.", to=("agent",)))
    talk = await played(stage(user=user, assistant=assistant, colleague=colleague), trio(private=True))
    assert [m.audience for m in talk.messages][1:4] == [("agent", "lead"), ("agent", "lead"), ("customer", "agent")]
    assert user.heard[-1] == ("Where is A1042?", "It comes friday.")
    assert colleague.heard[-1] == ("Where is A1042?", "May I?")


async def test_in_an_open_scenario_everybody_hears_what_is_addressed_to_one():
    user = Lines(ASK, BYE)
    assistant = Lines(Utterance("May I?", to=("lead",)), Utterance("It comes friday.", to=("customer",)))
    colleague = Lines(Utterance("Yes.", to=("agent",)))
    await played(stage(user=user, assistant=assistant, colleague=colleague), trio())
    assert user.heard[-1] == ("Where is A1042?", "May I?", "Yes.", "It comes friday.")


async def test_plan_and_script_are_for_the_user_and_never_for_assistants_and_colleagues():
    user, assistant = Lines(ASK, BYE), Lines(Utterance("May I?", to=("lead",)), Utterance("Done.", to=("customer",)))
    colleague = Lines(Utterance("Yes.", to=("agent",)))
    await played(stage(user=user, assistant=assistant, colleague=colleague), trio())
    assert all(view.script is not None and view.plan is not None for view in user.views)
    assert assistant.views
    assert colleague.views
    assert all(view.script is None and view.plan is None for view in (*assistant.views, *colleague.views))
    assert {view.policy for view in assistant.views} == {"Be brief."}
    assert {view.policy for view in (*user.views, *colleague.views)} == {""}


async def test_the_critic_hears_what_everybody_said_and_what_the_speaker_has_seen():
    critic = MarksFirst()
    await played(stage(assistant=Lines(LOOK, TELL), critic=critic))
    last = critic.hearings[-1]
    assert [m.role for m in last.seen] == ["user", "assistant"]
    assert [m.role for m in last.spoken] == ["user", "assistant", "tool", "assistant"]


async def test_planted_slips_are_kept_with_their_place_and_out_of_the_critics_sight():
    slipped = Utterance("It came.", slip="false_claim", breaks=("be_honest",), slip_detail="it did not")
    critic = MarksFirst(assistant=1)
    talk = await played(stage(assistant=Lines(slipped, TELL), critic=critic))
    assert [(s.kind, s.speaker, s.turn, s.draft, s.breaks) for s in talk.slips] == [
        ("false_claim", "agent", 1, 0, ("be_honest",))
    ]
    assert not any("false_claim" in repr(hearing) or "it did not" in repr(hearing) for hearing in critic.hearings)


async def test_the_same_seed_gives_every_draft_the_same_stream_of_its_own():
    class Draws(Lines):
        async def speak(self, view: View) -> Utterance:
            drawn.append(view.rng.random())
            return await super().speak(view)

    runs = []
    for _ in range(2):
        drawn: list[float] = []
        await played(stage(assistant=Draws(TELL), user=Draws(ASK, ASK, BYE), critic=MarksFirst(assistant=1)))
        runs.append(drawn)
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == len(runs[0]) == 6


async def test_conversations_played_at_once_do_not_touch_each_other():
    made = stage(user=Lines(ASK), assistant=Lines(LOOK))
    tables = [made.seat(Item(n, f"x-{n}", scenario(limits={"rounds": n + 1}), {}, n)) for n in range(8)]
    talks = await within(asyncio.gather(*map(made.play, tables)))
    assert [(talk.index, len(talk.turns)) for talk in talks] == [(n, n + 3) for n in range(8)]


# --- the picture --------------------------------------------------------------------------------------------------


def test_the_picture_in_the_architecture_page_is_the_compiled_graph():
    picture = runpy.run_path(str(ROOT / "docs" / "picture.py"))["picture"]
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawn = re.search(r"<!-- graph:begin -->\n(.*?)\n<!-- graph:end -->", page, re.DOTALL)
    assert drawn, "ARCHITECTURE.md has no block for the picture"
    assert drawn[1] == picture(), "the graph has changed: run `python docs/picture.py`"
