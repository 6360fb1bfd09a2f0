"""What the judges of form, visibility, markers and success find, and what they leave alone."""

from typing import Any

import pytest
from examples import (
    START,
    Scene,
    marker,
    scenario,
    shop,
    three_party,
    three_party_scenario,
    two_party,
    with_tool_error,
)

from tertulia.gold import end_state, gold_of, measure, state_faults
from tertulia.judges.leaks import Leaks
from tertulia.judges.markers import Markers
from tertulia.judges.structure import Structure
from tertulia.judges.success import Success
from tertulia.records import Change, Conversation, Draft, EndReason, Message, Plan, Slip, ToolCall, Verdict
from tertulia.scenario import Scenario
from tertulia.worlds import open_world

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

WANT = {"call": "move_delivery", "with": {"order": "A1042", "day": "friday"}}


async def verdict(judge: Any, talk: Conversation, played: Scenario | None = None) -> Verdict:
    result: Verdict = await judge().judge(played or scenario(), talk)
    return result


def changed(talk: Conversation, at: int, **fields: Any) -> Conversation:
    """The talk with fields of one turn replaced."""
    turns = list(talk.turns)
    turns[at] = turns[at].model_copy(update=fields)
    return talk.model_copy(update={"turns": tuple(turns)})


def said(talk: Conversation, at: int, **fields: Any) -> Conversation:
    """The talk with fields of one turn's accepted message replaced."""
    *earlier, last = talk.turns[at].drafts
    message = last.message.model_copy(update=fields)
    return changed(talk, at, drafts=(*earlier, last.model_copy(update={"message": message})))


@pytest.mark.parametrize("judge", [Structure, Leaks, Markers, Success])
@pytest.mark.parametrize(
    ("talk", "played"),
    [(two_party, scenario), (three_party, three_party_scenario), (with_tool_error, scenario)],
)
async def test_a_good_conversation_passes_every_judge(judge, talk, played):
    result = await verdict(judge, talk(), played())
    assert (result.passed, result.reason) == (True, "")


# --- structure ---------------------------------------------------------------------------------------------------


async def fault(talk: Conversation, rule: str) -> str:
    result = await verdict(Structure, talk)
    assert not result.passed
    assert [name for name, holds in result.detail.items() if not holds] == [rule]
    return result.reason


async def test_roles_are_those_of_the_cast():
    assert "roles" in await fault(two_party(roles={"customer": "user", "agent": "colleague"}), "roles")


async def test_a_message_is_its_turns_speakers_and_in_its_role():
    assert "speaks as user" in await fault(said(two_party(), 1, role="user"), "roles")
    assert "'customer' speaks in the turn of 'agent'" in await fault(said(two_party(), 1, speaker="customer"), "roles")


async def test_an_empty_turn_is_found():
    assert "turn 1, draft 0 is empty" in await fault(said(two_party(), 1, text="  "), "turns")


async def test_a_wrong_turn_index_is_found():
    talk = two_party()
    assert "turn 2 carries the index 7" in await fault(changed(talk, 2, index=7), "turns")


async def test_a_missing_draft_shows_by_its_markers_and_by_its_slip():
    talk = two_party()
    reason = await fault(changed(talk, 6, drafts=talk.turns[6].drafts[1:]), "drafts")
    assert "turn 6, draft 0: a marker names another draft" in reason
    gone = Slip(kind="claim", speaker="agent", turn=1, draft=1, breaks=("no_empty_claims",))
    assert "draft 1, in which 'claim' was planted, is missing" in await fault(two_party(slips=(gone,)), "drafts")


async def test_only_a_draft_that_was_sent_back_has_a_successor():
    talk = two_party()
    first, last = talk.turns[3].drafts
    quiet = first.model_copy(update={"markers": ()})
    assert "was not sent back" in await fault(changed(talk, 3, drafts=(quiet, last)), "drafts")


async def test_every_call_has_exactly_one_result():
    talk = two_party()
    results = talk.turns[5].results
    assert "has 0 results" in await fault(changed(talk, 5, results=()), "calls")
    assert "has 2 results" in await fault(changed(talk, 5, results=results * 2), "calls")


async def test_a_result_without_a_call_is_found():
    talk = two_party()
    stray = talk.turns[5].results[0]
    assert "which is no call of its turn" in await fault(changed(talk, 6, results=(stray,)), "calls")


async def test_a_result_speaks_in_the_name_of_its_tool():
    talk = two_party()
    foreign = talk.turns[5].results[0].model_copy(update={"speaker": "refund"})
    assert "is answered by 'refund'" in await fault(changed(talk, 5, results=(foreign,)), "calls")


async def test_call_ids_are_unique():
    talk = with_tool_error()
    call = talk.turns[1].message.calls[0].id
    again = said(talk, 4, calls=(talk.turns[4].message.calls[0].model_copy(update={"id": call}),))
    result = talk.turns[4].results[0].model_copy(update={"answers": call})
    assert "is used 2 times" in await fault(changed(again, 4, results=(result,)), "calls")


async def test_a_speaker_hears_itself():
    assert "nobody hears it" in await fault(said(two_party(), 0, audience=()), "audience")
    assert "does not hear it" in await fault(said(two_party(), 0, audience=("agent",)), "audience")


async def test_the_party_that_ends_the_conversation_has_the_last_word():
    assert "ended by done_by_assistant" in await fault(two_party(end_reason=EndReason.DONE_BY_ASSISTANT), "end")
    assert "nobody has the last word" in (await fault(two_party(turns=(), slips=()), "end")).replace("'", "")


# --- leaks -------------------------------------------------------------------------------------------------------


async def leak(talk: Conversation, question: str, played: Scenario | None = None) -> str:
    result = await verdict(Leaks, talk, played)
    assert not result.passed
    assert [name for name, holds in result.detail.items() if not holds] == [question]
    return result.reason


async def test_a_call_or_result_that_another_party_sees_is_a_leak():
    talk = two_party()
    both = ("customer", "agent")
    assert "'customer' must not see a call" in await leak(said(talk, 5, audience=both), "audience")
    open_result = talk.turns[5].results[0].model_copy(update={"audience": both})
    assert "the result of move_delivery" in await leak(changed(talk, 5, results=(open_result,)), "audience")


async def test_a_private_message_that_a_third_party_hears_is_a_leak():
    talk = said(three_party(), 1, audience=("customer", "agent", "lead"))
    assert "turn 1: 'customer' must not see" in await leak(talk, "audience", three_party_scenario())


async def test_a_stranger_in_the_audience_is_a_leak():
    talk = said(two_party(), 1, audience=("customer", "agent", "neighbour"))
    assert "'neighbour'" in await leak(talk, "audience")


async def test_an_assistant_that_knows_a_gold_value_too_early_is_a_leak():
    reason = await leak(said(two_party(), 1, text="Is it about order A1042?"), "values")
    assert "turn 1: 'agent' cannot know 'A1042'" in reason


async def test_a_leak_in_the_arguments_of_a_call_is_found():
    scene = Scene(scenario())
    scene.say("customer", "Can my parcel come on another day?")
    scene.call("agent", "find_order", order="A1042")
    assert "'A1042'" in await leak(scene.end(EndReason.TURN_LIMIT), "values")


async def test_a_value_that_nobody_holds_is_an_invention_and_no_leak():
    assert (await verdict(Leaks, said(two_party(), 1, text="Is it order Q9999?"))).passed


async def test_a_value_written_in_another_way_was_seen():
    talk = said(two_party(), 2, text="Order a-1042, on friday please.")
    assert (await verdict(Leaks, talk)).passed


async def test_part_of_a_number_that_was_seen_is_not_known():
    cast = {
        "customer": {"role": "user", "knows": {"order": "12345678", "pin": "34567"}},
        "agent": {"role": "assistant"},
    }
    played = scenario(cast=cast, script={"opening": "It is about order 12345678."}, success={})
    for guessed, passes in (("34567", False), ("1234 5678", True), ("12345", True)):  # nobody holds the last
        scene = Scene(played)
        scene.say("customer", "It is about order 12345678.")
        scene.say("agent", f"Is it {guessed}?")
        assert (await verdict(Leaks, scene.end(EndReason.TURN_LIMIT), played)).passed is passes


async def test_a_value_behind_a_line_break_in_a_result_was_seen():
    note = {"role": "assistant", "knows": {"note": "Their orders:\nQ44871, Q44872"}}
    played = scenario(cast={"customer": {"role": "user", "knows": {"order": "Q44871"}}, "agent": note})
    talk = said(two_party(), 1, text="Is it about Q44871?")
    result = talk.turns[5].results[0].model_copy(update={"text": '{"orders": "first\\nQ44871"}'})
    heard = changed(said(two_party(), 6, text="Q44871 comes on friday."), 5, results=(result,))
    cast = {
        "customer": {"role": "user", "knows": {"order": "A1042", "other": "Q44871"}},
        "agent": {"role": "assistant"},
    }

    assert (await verdict(Leaks, talk, played)).passed
    assert (await verdict(Leaks, heard, scenario(cast=cast))).passed


async def test_a_secret_that_the_user_never_told_is_a_leak_and_one_that_it_told_is_not():
    talk = said(two_party(), 6, text="Done. The door code K7731 is noted.")
    assert "K7731" in await leak(talk, "values")
    assert (await verdict(Leaks, said(talk, 4, text="Yes. The code is K7731."))).passed


async def test_a_text_of_the_script_in_the_assistants_mouth_is_a_leak():
    talk = said(two_party(), 1, text="Could it be that my brother took it?")
    assert "'my brother took it', which stands in the script" in await leak(talk, "values")


async def test_a_user_that_repeats_what_only_the_assistant_saw_is_a_leak():
    talk = said(three_party(), 6, text="Great, ticket RF-9310 then.")
    assert "'customer' cannot know 'RF-9310'" in await leak(talk, "values", three_party_scenario())


async def test_a_tool_result_is_a_fair_source_for_who_got_it():
    talk = said(three_party(), 5, text="You get 35 euros back, ticket RF-9310.")
    assert (await verdict(Leaks, talk, three_party_scenario())).passed


async def test_script_and_secrets_in_the_system_prompt_are_leaks_unless_said_aloud():
    told = scenario(policy="Careful: the customer may claim my brother took it. Their order is A1042.")
    reason = await leak(two_party(), "prompt", told)
    assert "'my brother took it'" in reason
    assert "A1042" not in reason


async def test_a_gold_value_in_the_scenarios_own_policy_is_a_leak_when_the_user_does_not_say_it():
    told = scenario(policy="Their order is A1042.")
    scene = Scene(told)
    scene.say("customer", "Can my parcel come on another day?")
    assert "holds 'A1042'" in await leak(scene.end(), "prompt", told)


async def test_what_is_on_the_assistants_own_card_is_no_leak():
    card = {"role": "assistant", "knows": {"discount": "PLUM-88"}, "secret": ["discount"]}
    played = scenario(cast={"customer": {"role": "user", "knows": {"order": "A1042"}}, "agent": card})
    assert (await verdict(Leaks, said(two_party(), 1, text="Take PLUM-88. Which order?"), played)).passed


async def test_a_plan_step_that_reaches_the_assistant_through_a_tool_is_a_leak():
    talk = two_party(plan=Plan(opening="Hello", steps=("Stall until they give up",)))
    result = talk.turns[5].results[0].model_copy(update={"text": '"Stall until they give up"'})
    assert "'move_delivery' reads 'agent' the step" in await leak(changed(talk, 5, results=(result,)), "prompt")


# --- markers -----------------------------------------------------------------------------------------------------


async def test_a_marker_that_revises_may_not_stay_on_an_accepted_draft():
    talk = two_party()
    marked = Draft(message=talk.turns[1].message, markers=(marker("confirm_first", 1, 0),))
    result = await verdict(Markers, changed(talk, 1, drafts=(marked,)))
    assert not result.passed
    assert result.reason == "turn 1 breaks confirm_first"
    assert result.detail["left"] == {"confirm_first": 1}


async def test_a_label_may_stay_and_is_counted():
    result = await verdict(Markers, with_tool_error())
    assert result.passed
    assert result.detail["labels"] == {"no_empty_claims": 1}


async def test_a_plan_that_was_accepted_with_a_marker_fails():
    plan = Draft(message=Message(speaker="planner", role="user", text="plan"), markers=(marker("whole", -1, 0),))
    result = await verdict(Markers, two_party(plan_drafts=(plan,)))
    assert result.reason == "the plan breaks whole"


# --- success -----------------------------------------------------------------------------------------------------


def playing(*calls: tuple[str, dict[str, Any]], **fields: Any) -> tuple[Scenario, Conversation]:
    """A scenario in which the agent makes these calls, and says that it comes on friday."""
    played = scenario(**fields)
    scene = Scene(played)
    scene.say("customer", "Order A1042, on friday please, and yes.")
    for name, args in calls:
        scene.call("agent", name, **args)
    scene.say("agent", "It comes on Friday.")
    scene.say("customer", "Thanks.")
    return played, scene.end()


def expecting(match: str, **success: Any) -> dict[str, Any]:
    return {"success": {"calls": {"match": match}, **success}}


async def failing(played: Scenario, talk: Conversation) -> dict[str, str]:
    result = await verdict(Success, talk, played)
    failed = [part for part, holds in result.detail.items() if holds is False]
    assert result.passed == (not failed)
    assert all(f"{part}: " in result.reason for part in failed)
    return dict.fromkeys(failed, result.reason)


GOOD = ("move_delivery", {"order": "A1042", "day": "friday"})
LOOK = ("find_order", {"order": "A1042"})
WRONG = ("move_delivery", {"order": "B2077", "day": "friday"})


@pytest.mark.parametrize(
    ("match", "calls", "failed"),
    [
        ("strict", (GOOD,), set()),
        ("strict", (LOOK, GOOD), {"calls"}),
        ("unordered", (GOOD,), set()),
        ("unordered", (LOOK, GOOD), {"calls"}),
        ("superset", (LOOK, GOOD), set()),
        ("superset", (LOOK,), {"calls"}),
        ("superset", (GOOD, WRONG), {"writes"}),
        ("superset", (GOOD, GOOD), {"writes"}),
        ("subset", (), set()),
        ("subset", (LOOK,), set()),
        ("subset", (WRONG,), {"calls", "writes"}),
        ("none", (WRONG,), set()),
    ],
)
async def test_calls_match_by_mode(match, calls, failed):
    assert set(await failing(*playing(*calls, **expecting(match)))) == failed


async def test_strict_wants_the_order_and_unordered_does_not():
    script = {"opening": "Hello there", "wants": [{"call": "find_order", "with": {"order": "A1042"}}, WANT]}
    assert set(await failing(*playing(GOOD, LOOK, script=script, **expecting("strict")))) == {"calls"}
    assert not await failing(*playing(GOOD, LOOK, script=script, **expecting("unordered")))


async def test_a_wanted_read_is_required_by_superset():
    script = {"opening": "Hello there", "wants": [{"call": "find_order", "with": {"order": "A1042"}}]}
    assert set(await failing(*playing(script=script, **expecting("superset")))) == {"calls"}


async def test_a_call_that_failed_did_not_happen():
    script = {"opening": "Hello there", "wants": [{"call": "find_order", "with": {"order": "C9"}}]}
    reason = await failing(*playing(("find_order", {"order": "C9"}), script=script, **expecting("superset")))
    assert 'missing: find_order(order="C9") by agent' in reason["calls"]


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"order": "B2077", "amount": 35.0}, True),
        ({"order": " B2077 ", "amount": "35"}, True),
        ({"order": "B2077", "amount": 35, "note": None}, True),
        ({"order": "B2077", "amount": 35, "note": "x"}, False),
        ({"order": "b2077", "amount": 35}, False),
        ({"order": "B2077"}, False),
    ],
)
def test_arguments_are_compared_exactly_after_light_normalisation(given, same):
    played = scenario(
        script={"opening": "Hello there", "wants": [{"call": "refund", "with": {"order": "B2077", "amount": 35}}]},
        success={},
    )
    call = ToolCall(id="c", name="refund", args=given)
    messages = [
        Message(speaker="agent", role="assistant", audience=("agent",), calls=(call,)),
        Message(speaker="refund", role="tool", text="1", audience=("agent",), answers="c"),
    ]
    assert measure(played, open_world(played), messages).passed is same


def called(args: dict[str, Any], want: dict[str, Any], properties: dict[str, Any]) -> bool:
    """Whether a call with these arguments is the one that is wanted, of a tool with these properties."""
    tool = {"name": "note", "parameters": {"type": "object", "properties": properties}}
    script = {"opening": "Hello there", "wants": [{"call": "note", "with": want}]}
    played = scenario(world="", tools=[tool], script=script, success={})
    messages = [
        Message(
            speaker="agent", role="assistant", audience=("agent",), calls=(ToolCall(id="c", name="note", args=args),)
        ),
        Message(speaker="note", role="tool", text="1", audience=("agent",), answers="c"),
    ]
    return measure(played, open_world(played), messages).passed


def test_a_parameter_may_be_anything_by_a_boolean_schema():
    assert called({"text": "x", "n": "5"}, {"text": "x", "n": 5}, {"text": True, "n": {"anyOf": [{"type": "integer"}]}})
    assert called({"n": 5}, {"n": 5}, {"n": {"anyOf": [True, {"type": "string"}]}})
    assert not called({"text": "y"}, {"text": "x"}, {"text": True})


@pytest.mark.parametrize(
    ("given", "want", "same"),
    [
        ("1234567890123456789", 1234567890123456789, True),  # an id of a distributed service: beyond a float's digits
        ("1234567890123456788", 1234567890123456789, False),
        (1234567890123456788, "1234567890123456789", False),
        ("12.50", 12.5, True),
        ("1e3", 1000, True),
        (" 7 ", 7, True),
        ("-0.1", -0.1, True),
        ("0.30000000000000004", 0.3, False),
        ("1_000", 1000, False),
        ("nan", "nan", True),
        ("1e999", "1e999", True),
        ("twelve", 12, False),
    ],
)
def test_a_numeric_text_is_its_number_digit_by_digit(given, want, same):
    assert called({"n": given}, {"n": want}, {"n": {"type": ["integer", "number", "null"]}}) is same


async def test_an_argument_that_equals_the_default_may_be_given_or_left_out():
    stated = ("move_delivery", {"order": "A1042", "day": "friday", "notify": True})
    other = ("move_delivery", {"order": "A1042", "day": "friday", "notify": False})
    assert not await failing(*playing(stated))
    assert "calls" in await failing(*playing(other))


async def test_a_call_by_the_wrong_party_is_missing():
    cast = {"customer": {"role": "user", "tools": ["move_delivery"]}, "agent": {"role": "assistant"}}
    script = {"opening": "Hello there", "wants": [{**WANT, "by": "customer"}]}
    assert set(await failing(*playing(GOOD, cast=cast, script=script, success={}))) == {"calls", "writes"}


async def test_a_change_of_mind_changes_the_gold():
    script = {"opening": "Hello there", "wants": [{**WANT, "change": {"with": {"day": "sunday"}}}]}
    sunday = ("move_delivery", {"order": "A1042", "day": "sunday"})
    assert not await failing(*playing(sunday, script=script, success={}))
    assert "writes" in await failing(*playing(GOOD, script=script, success={}))


async def test_a_want_that_must_be_refused_may_not_happen():
    script = {"opening": "Hello there", "wants": [{**WANT, "outcome": "refused"}]}
    refusing = {"script": script, "success": {"unchanged": True}}
    assert not await failing(*playing(LOOK, **refusing))
    assert set(await failing(*playing(GOOD, **refusing))) == {"refused", "writes", "unchanged"}


async def test_the_end_state_is_the_start_with_every_change():
    reason = await failing(*playing(WRONG, **expecting("none", state={"orders.A1042.day": "friday"})))
    assert "orders.A1042.day is 'monday', not 'friday'" in reason["state"]
    assert not await failing(*playing(GOOD, **expecting("none", state={"orders.A1042.day": "friday"})))


async def test_the_words_must_reach_the_user():
    assert not await failing(*playing(GOOD, success={"says": ["COMES  on friday"]}))
    assert "not said to the user: saturday" in (await failing(*playing(GOOD, success={"says": ["saturday"]})))["says"]
    assert set(await failing(*playing(GOOD, success={"never_says": ["friday"]}))) == {"never_says"}
    played, talk = three_party_scenario(success={"says": ["May I refund"]}), three_party()
    assert set(await failing(played, talk)) == {"says"}


@pytest.mark.parametrize(
    ("text", "said", "holds"),
    [
        ("12", "It comes on the 12.", True),
        ("12", "It comes in 2012.", False),
        ("12", "It comes on the 12th.", False),
        ("$12.50", "You get US$12.50 back.", True),
        ("$12.50", "You get $12.505 back.", False),
        ("cat", "We concatenate them.", False),
    ],
)
def test_texts_to_say_and_never_to_say_are_whole_words(text, said, holds):
    for name in ("says", "never_says"):
        played = scenario(script={"opening": "Hello there"}, success={name: [text]})
        message = Message(speaker="agent", role="assistant", text=said, audience=("customer", "agent"))
        assert measure(played, open_world(played), [message]).passed is (holds == (name == "says"))


async def test_a_forbidden_call_counts_even_when_it_fails():
    tried = ("find_order", {"order": "C9"})
    assert set(await failing(*playing(GOOD, tried, success={"never_calls": ["find_order"]}))) == {"never_calls"}


async def test_a_conversation_that_stopped_at_a_limit_fails_and_has_no_slots():
    played, talk = playing(GOOD)
    result = await verdict(Success, talk.model_copy(update={"end_reason": EndReason.TURN_LIMIT}), played)
    assert result.reason == "ended: stopped by turn_limit"
    assert result.detail["slot_f1"] == 0.0


@pytest.mark.parametrize(
    ("calls", "precision", "recall"),
    [
        ((), 0.0, 0.0),
        ((GOOD,), 1.0, 1.0),
        ((LOOK, GOOD), 1.0, 1.0),
        ((WRONG,), 0.5, 0.5),
        ((WRONG, GOOD), 0.5, 1.0),
        ((("move_delivery", {"order": "A1042", "day": "friday", "notify": False}),), 2 / 3, 1.0),
    ],
)
async def test_slots_count_arguments(calls, precision, recall):
    played, talk = playing(*calls, **expecting("none"))
    detail = (await verdict(Success, talk, played)).detail
    assert (detail["slot_precision"], detail["slot_recall"]) == (pytest.approx(precision), pytest.approx(recall))
    both = precision + recall
    assert detail["slot_f1"] == pytest.approx(2 * precision * recall / both if both else 0.0)


def test_doing_nothing_is_perfect_where_nothing_is_wanted():
    played = scenario(script={"opening": "Hello there"}, success={"unchanged": True})
    nothing = measure(played, open_world(played), ())
    assert nothing.passed
    assert nothing.slots.f1 == 1.0


def test_gold_lists_what_is_due_and_what_must_not_happen():
    wants = [WANT, {"call": "refund", "with": {"order": "A1042", "amount": 9}, "outcome": "refused"}]
    gold = gold_of(scenario(script={"opening": "Hello there", "wants": wants}))
    assert [(call.name, call.by) for call in gold.calls] == [("move_delivery", "agent")]
    assert [call.name for call in gold.not_calls] == ["refund"]


async def test_a_call_that_one_want_asks_for_and_another_must_not_get_is_right_when_it_happens():
    script = {
        "opening": "Hello there",
        "wants": [WANT, {**WANT, "outcome": "refused"}, {**WANT, "change": {"drop": True}}],
    }
    assert not gold_of(scenario(script=script)).not_calls
    assert not await failing(*playing(GOOD, script=script, success={}))


def test_changes_reach_keys_with_dots_new_keys_and_removed_ones():
    start: dict[str, Any] = {"mail": {"a.b@c.org": {"open": True}}, "old": 1, **START}
    changes = (
        Change(path="mail.a.b@c.org.open", before=True, after=False),
        Change(path="mail.x.y@z.org", before=None, after={"open": True}),
        Change(path="old", before=1, after=None),
    )
    end = end_state(start, [Message(speaker="t", role="tool", changes=changes)])
    assert end == {"mail": {"a.b@c.org": {"open": False}, "x.y@z.org": {"open": True}}, **START}
    assert not list(state_faults({"mail.a.b@c.org.open": False, "mail.x.y@z.org.open": True, "old": None}, end))


# --- nothing else ------------------------------------------------------------------------------------------------

MOVED = {"calls": {"match": "none"}, "state": {"orders.A1042.day": "friday"}}
REFUND = ("refund", {"order": "B2077", "amount": 5})


@pytest.mark.parametrize(
    ("nothing_else", "calls", "failed"),
    [
        (True, (GOOD,), set()),
        (False, (GOOD, REFUND), set()),
        (True, (GOOD, REFUND), {"nothing_else"}),
        (True, (), {"state"}),
    ],
)
async def test_a_change_that_success_does_not_name_fails_where_nothing_else_may_change(
    nothing_else: bool, calls: tuple[tuple[str, dict[str, Any]], ...], failed: set[str]
) -> None:
    fields = {"success": MOVED | {"nothing_else": nothing_else}}

    assert set(await failing(*playing(*calls, **fields))) == failed
