"""The model-backed parts: what each is shown, what it makes of replies, and that its prompts only grow."""

import json
from typing import Any

import pytest

from tertulia.agents.assistants.inline import Inline as InlineAssistant
from tertulia.agents.assistants.model import Model as Assistant
from tertulia.agents.colleagues.model import Model as Colleague
from tertulia.agents.critics.inline import Inline as InlineCritic
from tertulia.agents.critics.model import Model as Critic
from tertulia.agents.critics.twofold import Twofold
from tertulia.agents.planners.model import Model as Planner
from tertulia.agents.tools.model import Model as Simulator
from tertulia.agents.users.model import Model as User
from tertulia.contracts import CallView
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.graph import Stage
from tertulia.judges.goal_met import GoalMet
from tertulia.judges.marker_agreement import MarkerAgreement
from tertulia.models.prompts import blocks
from tertulia.models.records import BadReply, CallFailed, RawCall, Reply, Request, Trouble
from tertulia.parts import load
from tertulia.recipe import bundled_recipe, recipe_names
from tertulia.records import Conversation, Draft, EndReason, Marker, Message, Plan, Signal, ToolCall
from tertulia.running.runner import Bench
from tertulia.scenario import Scenario
from tertulia.setting import Setting
from tertulia.table import Item, Table
from tertulia.testing.players import played
from tertulia.testing.prefixes import PrefixCache, prompt_text
from tertulia.testing.scripted import Scripted
from tertulia.world import Outcome, refusal

RULE = {
    "id": "ask_first",
    "text": "Ask for a clear yes before you change anything.",
    "source": "made for tests",
    "topic": "procedure",
    "applies_to": ["assistant", "user", "plan"],
}
MOVE = {
    "name": "move_delivery",
    "description": "Move a delivery to another day.",
    "parameters": {
        "type": "object",
        "properties": {"order": {"type": "string"}, "day": {"type": "string"}},
        "required": ["order", "day"],
    },
    "writes": True,
    "returns": {"moved": True},
}
CUSTOMER = {
    "role": "user",
    "persona": "a hurried </you> courier",
    "knows": {"order": "A1042", "pin": "4711"},
    "secret": ["pin"],
}
WANT = {"call": "move_delivery", "with": {"order": "A1042", "day": "friday"}, "change": {"with": {"day": "monday"}}}


def scenario(several: bool = False, **fields: Any) -> Scenario:
    cast: dict[str, Any] = {"customer": CUSTOMER, "agent": {"role": "assistant"}}
    if several:
        decides = [{"call": "move_delivery", "answer": "no", "because": "the van is full"}]
        cast["depot"] = {"role": "colleague", "persona": "brief", "decides": decides, "knows": {"gate": 7}}
    raw = {
        "id": "talk",
        "kind": "single_call",
        "cast": cast,
        "tools": [MOVE],
        "policy": "Deliveries are moved once. GOLDEN RULE.",
        "principles": [RULE],
        "floor": "addressed" if several else "alternate",
        "script": {"opening": "Where is my parcel?", "wants": [WANT], "never_say": ["lawyer"], "patience": 4},
        "success": {"says": ["friday", "before noon"]},
    }
    return Scenario.model_validate(raw | fields)


def table(several: bool = False, floor: str = "", **fields: Any) -> Table:
    settled = scenario(several, **fields)
    laid = Table.laid(Item(0, "talk-0", settled, {}, seed=7), Setting.of(settled))
    laid.plan = Plan(opening="Where is my parcel?", steps=("Ask to move_delivery to friday.",), style="brief")
    laid.floor = floor
    return laid


def say(laid: Table, speaker: str, text: str = "", to: tuple[str, ...] = (), **calls: Any) -> Table:
    """One committed turn, with its results when it calls."""
    made = tuple(ToolCall(id=f"call_{len(laid.spoken)}", name=name, args=args) for name, args in calls.items())
    role = laid.item.scenario.cast[speaker].role
    audience = (speaker,) if made else tuple(laid.item.scenario.cast)
    laid.floor = speaker
    laid.drafts = [Draft(message=Message(speaker=speaker, role=role, text=text, to=to, audience=audience, calls=made))]
    laid.commit()
    for call in made:
        answer = Message(speaker=call.name, role="tool", text='{"moved": true}', audience=(speaker,), answers=call.id)
        laid.answered((answer,))
    return laid


def begun(several: bool = False, floor: str = "agent", **fields: Any) -> Table:
    laid = say(table(several, **fields), "customer", "Where is my parcel?")
    laid.floor = floor
    return laid


def system(request: Request | None) -> str:
    assert request is not None
    return str(request.messages[0]["content"])


def whole(request: Request | None) -> str:
    assert request is not None
    return prompt_text({"tools": request.tools, "messages": request.messages})


# --- every part --------------------------------------------------------------------------------------------------


def first_requests() -> dict[str, Request | None]:
    ask = Scripted([])
    user = say(begun(), "agent", "Which one?")
    user.floor = "customer"
    called = begun(several=True)
    say(called, "agent", "May I?", to=("depot",))
    called.floor = "depot"
    reviewed = begun()
    message = Message(speaker="agent", role="assistant", text="Moved.", audience=("agent", "customer"))
    return {
        "planner": Planner(ask).prompt(table().plan_view()),
        "user": User(ask).prompt(user.view()),
        "assistant": Assistant(ask).prompt(begun().view()),
        "colleague": Colleague(ask).prompt(called.view()),
        "critic": Critic(ask).prompt(reviewed.hearing(message)),
    }


def test_the_system_prompt_of_every_part_begins_with_its_role() -> None:
    for role, request in first_requests().items():
        assert system(request).startswith(f"You are the {role} in a simulated conversation"), role
        assert request is not None
        assert request.role == role
        assert "{{" not in system(request)


def test_roles_alternate_in_every_request() -> None:
    for request in first_requests().values():
        assert request is not None
        assert [m["role"] for m in request.messages][:2] == ["system", "user"]


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_part_that_a_recipe_names_exists(recipe: str) -> None:
    for cast in bundled_recipe(recipe).casts.values():
        for kind in ("planner", "user", "assistant", "colleague", "critic"):
            load(f"{kind}s", getattr(cast, kind))
    for judge in bundled_recipe(recipe).judges:
        load("judges", judge)


# --- the planner -------------------------------------------------------------------------------------------------

PLAN = {"style": "polite", "steps": ["move_delivery to friday", " "], "order": []}


async def test_the_planner_keeps_the_opening_of_the_script() -> None:
    planned = await Planner(Scripted([PLAN])).plan(table().plan_view())

    assert planned.plan == Plan(opening="Where is my parcel?", steps=("move_delivery to friday",), style="polite")


async def test_the_planner_is_not_told_what_success_is() -> None:
    ask = Scripted([PLAN])
    await Planner(ask).plan(table().plan_view())

    known = blocks(system(ask.asked[0]))["scenario"]
    assert "before noon" not in system(ask.asked[0])
    assert known["wants"][0]["when_asked_to_confirm"] == {"with": {"day": "monday"}}


async def test_an_order_that_names_nobody_is_asked_for_again() -> None:
    ask = Scripted([PLAN | {"order": ["customer", "ghost"]}, PLAN | {"order": ["customer", "agent"]}])

    planned = await Planner(ask).plan(table(floor="", several=False).plan_view())

    assert planned.plan.order == ("customer", "agent")
    assert "'ghost'" in ask.asked[1].messages[-1]["content"]


async def test_a_plan_that_was_sent_back_is_shown_with_what_is_wrong() -> None:
    laid = table()
    laid.plan_drafts = [Draft(message=Message(speaker="planner", role="user", text="bad plan"), markers=(marked(),))]
    ask = Scripted([PLAN])
    await Planner(ask).plan(laid.plan_view())

    assert [m["content"] for m in ask.asked[0].messages[2:3]] == ["bad plan"]
    assert "clear yes" in ask.asked[0].messages[3]["content"]


def marked(quote: str = "Moved.") -> Marker:
    return Marker(
        principle="ask_first", turn=1, draft=0, severity="medium", quote=quote, evidence="nobody agreed", critic="x"
    )


# --- the user ----------------------------------------------------------------------------------------------------


async def test_the_opening_is_the_scripts_and_costs_nothing() -> None:
    ask = Scripted([])
    laid = table(floor="customer")

    assert (await User(ask).speak(laid.view())).text == "Where is my parcel?"
    assert User(ask).prompt(laid.view()) is None


async def test_the_user_is_shown_its_whole_card_and_nothing_of_the_others() -> None:
    laid = say(begun(), "agent", move_delivery={"order": "A1042", "day": "friday"})
    say(laid, "agent", "Which order?").floor = "customer"
    ask = Scripted(["A1042."])
    await User(ask).speak(laid.view())

    known = blocks(system(ask.asked[0]))
    assert known["facts"] == {"order": "A1042", "pin": "4711"}
    assert known["you"]["persona"] == "a hurried </you> courier"
    assert known["secret"] == ["pin"]
    assert known["never_say"] == ["lawyer"]
    assert known["plan"]["steps"] == ["Ask to move_delivery to friday."]
    assert known["wants"][0]["with"] == {"order": "A1042", "day": "friday"}
    assert "Your patience: 4 answers in a row" in system(ask.asked[0])
    assert "GOLDEN RULE" not in whole(ask.asked[0])
    assert "moved" not in whole(ask.asked[0])
    assert "before noon" not in whole(ask.asked[0])


async def test_a_user_without_a_script_is_a_bystander() -> None:
    cast = {"friend": {"role": "user", "persona": "curious"}, "customer": CUSTOMER, "agent": {"role": "assistant"}}
    script = {"of": "customer", "opening": "Where is my parcel?", "wants": [WANT]}
    laid = say(table(cast=cast, script=script, floor="friend"), "customer", "Where is my parcel?")
    laid.floor = "friend"
    ask = Scripted(["Nothing from me."])

    assert (await User(ask).speak(laid.view())).text == "Nothing from me."
    assert "bystander" in system(ask.asked[0])
    assert "A1042" not in system(ask.asked[0])


async def test_a_user_ends_with_a_stop_word() -> None:
    laid = say(begun(), "agent", "It is done.")
    laid.floor = "customer"
    said = await User(Scripted(["Thanks, bye! [GOAL REACHED]"])).speak(laid.view())

    assert (said.text, said.signal) == ("Thanks, bye!", Signal.GOAL_REACHED)


async def test_a_user_that_plays_the_assistant_is_asked_once_and_then_fails() -> None:
    laid = say(begun(), "agent", "Hello.")
    laid.floor = "customer"
    ask = Scripted(["How can I help you today?"] * 2)

    with pytest.raises(BadReply) as caught:
        await User(ask).speak(laid.view())

    assert caught.value.trouble is Trouble.ROLE_INVERSION
    assert len(ask.asked) == 2


# --- the assistant -----------------------------------------------------------------------------------------------


async def test_the_assistant_sees_policy_principles_and_tools_and_neither_script_nor_plan() -> None:
    ask = Scripted(["Which order?"])
    await Assistant(ask).speak(begun().view())

    seen = whole(ask.asked[0])
    assert "GOLDEN RULE" in seen
    assert blocks(system(ask.asked[0]))["principles"] == [{"id": "ask_first", "text": RULE["text"]}]
    assert ask.asked[0].tools[0]["function"]["name"] == "move_delivery"
    assert not any(hidden in seen for hidden in ("A1042", "4711", "friday", "courier", "lawyer", "before noon"))


async def test_the_assistant_calls_its_tools_natively_or_in_words() -> None:
    args = {"order": "A1042", "day": "friday"}
    native = Scripted([Reply(calls=(RawCall(id="x1", name="move_delivery", arguments=json.dumps(args)),))])
    words = Scripted([f'<tool_call>{{"name": "move_delivery", "arguments": {json.dumps(args)}}}</tool_call>'], "prompt")
    for ask in (native, words):
        said = await Assistant(ask).speak(begun().view())
        assert said.calls == (ToolCall(id="", name="move_delivery", args=args),)
    assert "tools" not in blocks(system(native.asked[0]))
    assert not words.asked[0].tools
    assert blocks(system(words.asked[0]))["tools"][0]["parameters"] == MOVE["parameters"]


async def test_results_come_back_natively_or_in_words() -> None:
    laid = say(begun(), "agent", move_delivery={"order": "A1042", "day": "friday"})
    native, words = Scripted(["Done."]), Scripted(["Done."], "prompt")
    await Assistant(native).speak(laid.view())
    await Assistant(words).speak(laid.view())

    assert [m["role"] for m in native.asked[0].messages] == ["system", "user", "assistant", "tool"]
    assert [m["role"] for m in words.asked[0].messages] == ["system", "user", "assistant", "user"]
    assert "<tool_result>" in words.asked[0].messages[-1]["content"]


async def test_a_draft_that_was_sent_back_is_shown_with_what_is_wrong() -> None:
    laid = begun()
    message = Message(speaker="agent", role="assistant", text="Moved.")
    calling = Message(speaker="agent", role="assistant", calls=(ToolCall(id="call_9", name="move_delivery"),))
    laid.drafts = [Draft(message=message, markers=(marked(),)), Draft(message=calling, markers=(marked(""),))]
    ask = Scripted(["May I move it?"])
    await Assistant(ask).speak(laid.view())

    roles = [m["role"] for m in ask.asked[0].messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "tool", "user"]
    assert "clear yes" in ask.asked[0].messages[3]["content"]
    assert "Moved.; nobody agreed" in ask.asked[0].messages[3]["content"]


async def test_the_assistant_addresses_a_colleague() -> None:
    ask = Scripted(["@depot: may I move it to friday?"])
    said = await Assistant(ask).speak(begun(several=True).view())

    assert (said.text, said.to) == ("may I move it to friday?", ("depot",))
    assert {"name": "depot", "role": "colleague", "decides": ["move_delivery"]} in blocks(system(ask.asked[0]))[
        "others"
    ]


async def test_a_self_marking_assistant_admits_what_it_breaks() -> None:
    ask = Scripted(['Moved it. <violates id="ask_first"/>'])
    said = await InlineAssistant(ask).speak(begun().view())

    assert (said.text, said.admits) == ("Moved it.", ("ask_first",))
    assert '<violates id="ID"/>' in system(ask.asked[0])


# --- the colleague -----------------------------------------------------------------------------------------------


async def test_a_colleague_answers_whoever_asked_and_knows_its_decisions() -> None:
    laid = say(begun(several=True), "agent", "May I move it to friday?", to=("depot",))
    laid.floor = "depot"
    ask = Scripted(["No, the van is full."])
    said = await Colleague(ask).speak(laid.view())

    assert (said.text, said.to) == ("No, the van is full.", ("agent",))
    known = blocks(system(ask.asked[0]))
    assert known["decides"] == [{"call": "move_delivery", "answer": "no", "because": "the van is full"}]
    assert known["facts"] == {"gate": 7}
    assert "4711" not in whole(ask.asked[0])


# --- critics -----------------------------------------------------------------------------------------------------


def draft(text: str = "I have moved it.", **fields: Any) -> Message:
    return Message(speaker="agent", role="assistant", text=text, audience=("agent", "customer"), **fields)


def remark(principle: str = "ask_first", quote: str = "moved it") -> dict[str, str]:
    return {"principle": principle, "quote": quote, "evidence": "nobody agreed"}


async def test_the_critic_marks_what_the_model_names() -> None:
    ask = Scripted([{"markers": [remark(), remark(), remark(quote="")]}])
    markers = await Critic(ask).review(begun().hearing(draft()))

    assert [(m.principle, m.quote, m.critic, m.revise) for m in markers] == [
        ("ask_first", "moved it", "model", True),
        ("ask_first", "", "model", True),
    ]
    last = blocks(ask.asked[0].messages[1]["content"])
    assert last["draft"] == {"speaker": "agent", "says": "I have moved it."}
    assert last["transcript"] == [{"speaker": "customer", "says": "Where is my parcel?"}]


async def test_unknown_principles_and_made_up_quotes_are_dropped_and_counted() -> None:
    ask = Scripted([{"markers": [remark("be_funny"), remark(quote="I cancelled it"), remark()]}])
    markers = await Critic(ask).review(begun().hearing(draft()))

    assert len(markers) == 1
    assert [trouble for _, trouble, _ in ask.noted] == [Trouble.WRONG_SCHEMA] * 2


async def test_a_quote_may_be_a_value_of_a_call() -> None:
    call = ToolCall(id="1", name="move_delivery", args={"order": "A1042", "day": "Friday"})
    ask = Scripted([{"markers": [remark(quote="friday"), remark(quote='move_delivery {"order"')]}])

    assert len(await Critic(ask).review(begun().hearing(draft("", calls=(call,))))) == 2


async def test_nothing_is_asked_where_nothing_can_be_marked() -> None:
    opening = Message(speaker="customer", role="user", text="Where is my parcel?")
    laid = table(floor="customer")

    assert await Critic(Scripted([])).review(laid.hearing(opening)) == ()
    assert await Critic(Scripted([])).review(begun(principles=[]).hearing(draft())) == ()


async def test_an_unreadable_review_is_a_failure_and_no_acquittal() -> None:
    with pytest.raises(BadReply, match="not_json"):
        await Critic(Scripted(["fine by me", "really"])).review(begun().hearing(draft()))


async def test_inline_markers_decide_alone_and_label_beside_a_review() -> None:
    hearing = begun().hearing(draft(admits=("ask_first", "be_funny")))
    alone = await InlineCritic().review(hearing)
    beside = await Twofold(Scripted([{"markers": [remark()]}])).review(hearing)

    assert [(m.principle, m.critic, m.revise) for m in alone] == [("ask_first", "inline", True)]
    assert [(m.critic, m.revise) for m in beside] == [("model", True), ("inline", False)]


# --- tool simulator ----------------------------------------------------------------------------------------------

ARGS = {"order": "A1042", "day": "friday"}


def simulated(laid: Table) -> CallView:
    return laid.call_view(ToolCall(id="call_9", name="move_delivery", args=ARGS), ())


async def test_the_simulator_is_shown_the_earlier_calls_of_its_conversation_and_no_others() -> None:
    laid = say(begun(), "agent", move_delivery={"order": "A1042", "day": "monday"})
    ask = Scripted([{"status": "ok", "result": {"moved": "to friday"}}])
    outcome = await Simulator(ask).answer(simulated(laid))

    assert outcome == Outcome('{"moved": "to friday"}')
    roles = [m["role"] for m in ask.asked[0].messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert blocks(ask.asked[0].messages[1]["content"])["call"]["arguments"]["day"] == "monday"
    assert json.loads(ask.asked[0].messages[2]["content"]) == {"status": "ok", "result": {"moved": True}}
    assert blocks(ask.asked[0].messages[3]["content"])["call"] == {"name": "move_delivery", "arguments": ARGS}
    assert "parcel" not in whole(ask.asked[0])


async def test_a_refusal_of_the_simulator_is_a_tool_error() -> None:
    ask = Scripted([{"status": "error", "result": "The van has left."}])

    assert await Simulator(ask).answer(simulated(begun())) == refusal("The van has left.")


async def test_a_result_that_the_tool_cannot_give_is_asked_for_again() -> None:
    output = {"type": "object", "properties": {"moved": {"type": "boolean"}}, "required": ["moved"]}
    laid = begun(tools=[MOVE | {"output": output}])
    ask = Scripted([{"status": "ok", "result": {"moved": "yes"}}, {"status": "ok", "result": {"moved": True}}])

    assert (await Simulator(ask).answer(simulated(laid))).text == '{"moved": true}'
    assert [(step, trouble) for step, trouble, _ in ask.noted] == [("agent/0/tool/0", Trouble.WRONG_SCHEMA)]


@pytest.mark.parametrize(("returns", "asked"), [(None, 1), ({"moved": True}, 0)])
async def test_only_calls_without_a_fixed_answer_are_simulated(returns: Any, asked: int) -> None:
    ask = Scripted(answered)
    (talk,) = await play(ask, [scenario(principles=[], success={}, tools=[MOVE | {"returns": returns}])])

    assert talk.rejected_by == ""
    assert [request.role for request in ask.asked].count("tool") == asked


# --- judges ------------------------------------------------------------------------------------------------------


def over(*drafts: Draft) -> Conversation:
    laid = begun()
    laid.drafts = list(drafts) or [Draft(message=draft("It comes on friday."))]
    laid.commit()
    laid.end_reason = EndReason.GOAL_REACHED
    return laid.record()


def fact(number: int, holds: bool) -> dict[str, Any]:
    return {"number": number, "evidence": "It comes on friday.", "holds": holds}


async def test_the_score_is_the_share_of_facts_that_were_told() -> None:
    ask = Scripted([{"facts": [fact(2, False), fact(1, True)]}])
    verdict = await GoalMet(ask).judge(scenario(), over())

    assert (verdict.passed, verdict.score, verdict.reason) == (False, 0.5, "not told: before noon")
    assert blocks(system(ask.asked[0]))["facts"] == {"1": "friday", "2": "before noon"}


@pytest.mark.parametrize("facts", [[fact(1, True)], [fact(1, True), fact(1, True)], [fact(n, True) for n in (1, 2, 3)]])
async def test_an_unreadable_verdict_is_an_error_and_no_score(facts: list[dict[str, Any]]) -> None:
    ask = Scripted([{"facts": facts}, "perhaps"])
    verdict = await GoalMet(ask).judge(scenario(), over())

    assert (verdict.passed, verdict.score, verdict.detail) == (False, None, {"error": "not_json"})
    assert [trouble for _, trouble, _ in ask.noted] == [Trouble.WRONG_SCHEMA, Trouble.NOT_JSON]


async def test_a_judge_that_cannot_be_reached_gives_no_score() -> None:
    verdict = await GoalMet(Scripted([CallFailed(Trouble.TIMEOUT, "no answer in 60 s")])).judge(scenario(), over())

    assert (verdict.score, verdict.detail) == (None, {"error": "timeout"})


async def test_without_facts_nobody_is_asked() -> None:
    verdict = await GoalMet(Scripted([])).judge(scenario(success={}), over())

    assert (verdict.passed, verdict.score) == (True, None)


async def test_agreement_counts_drafts_that_both_mark_alike() -> None:
    review, own = marked(), marked().model_copy(update={"critic": "inline"})
    talk = over(
        Draft(message=draft(), markers=(review, own)),
        Draft(message=draft(), markers=(own,)),
        Draft(message=draft(), markers=(review,)),
        Draft(message=draft()),
    )
    verdict = await MarkerAgreement().judge(scenario(), talk)

    assert verdict.score == 0.5
    assert verdict.detail == {
        "both": {"ask_first": 1},
        "inline": {"ask_first": 1},
        "review": {"ask_first": 1},
        "drafts": 4,
    }


# --- whole conversations -----------------------------------------------------------------------------------------


def answered(request: Request) -> Reply:
    return played({"messages": list(request.messages), "tools": list(request.tools)})


async def play(ask: Scripted, scenarios: list[Scenario], recipe: str = "user_script") -> list[Conversation]:
    stage = Stage(bundled_recipe(recipe), "models", lambda role: ask)
    bench = Bench(bundled_recipe(recipe))
    items = [Item(nth, f"{its.id}-{nth}", its, {}, seed=nth) for nth, its in enumerate(scenarios)]
    return [await bench.judged(item.scenario, await stage.play(stage.seat(item))) for item in items]


async def test_a_model_cast_plays_a_scenario_to_its_goal() -> None:
    ask = Scripted(answered)
    (talk,) = await play(ask, [scenario(principles=[], success={})])

    assert (talk.end_reason, talk.rejected_by) == (EndReason.GOAL_REACHED, "")
    assert [call.args for m in talk.messages for call in m.calls] == [{"order": "A1042", "day": "monday"}]
    assert {request.role for request in ask.asked} == {"planner", "user", "assistant"}
    assert ask.noted == []


async def test_own_markers_and_those_of_the_review_meet_in_the_record() -> None:
    def reply(request: Request) -> Reply:
        given = answered(request)
        if request.role == "assistant" and not given.calls:
            return given.model_copy(update={"text": f'{given.text} <violates id="ask_first"/>'})
        return given

    (talk,) = await play(Scripted(reply), [scenario()], "sdsd")

    agreement = next(verdict for verdict in talk.verdicts if verdict.judge == "marker_agreement")
    assert agreement.score == 0
    assert agreement.detail["inline"]["ask_first"] == agreement.detail["drafts"] > 0
    assert "<violates" not in talk.model_dump_json()


async def test_each_request_begins_with_the_last_one_of_the_same_party() -> None:
    ask = Scripted(answered)
    await play(ask, [load_scenario(bundled_scenarios()["late-and-redirected"])])
    last: dict[str, tuple[dict[str, Any], ...]] = {}
    for request in ask.asked:
        party = f"{request.role} {request.step.split('/')[0]}"
        before = last.get(party, ())
        if request.role in ("user", "assistant", "colleague"):
            assert request.messages[: len(before)] == before
        elif before:
            grown = "".join(m["content"] for m in request.messages)
            kept = "".join(m["content"] for m in before).partition("</transcript>")[0]
            assert grown.startswith(kept)
        last[party] = request.messages


async def test_a_prefix_cache_serves_nine_tenths_of_all_prompts() -> None:
    ask = Scripted(answered)
    parcels = [path for path in bundled_scenarios().values() if path.parent.name == "parcels"]
    await play(ask, [load_scenario(path) for path in parcels])
    cache = PrefixCache()
    prompts = [whole(request) for request in ask.asked]

    assert sum(map(cache.shared, prompts)) / sum(map(len, prompts)) >= 0.9
