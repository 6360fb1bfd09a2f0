"""What an evaluation names when agents have other defects than the reference agents': the cause, and where it shows."""

from collections import Counter
from dataclasses import replace

import pytest
from evaluations import bundled, played

from tertulia.contracts import Utterance
from tertulia.language.acts import Act, act_of, negates
from tertulia.records import Message, Signal, ToolCall
from tertulia.testing.reference_agents import Defective, changes


def with_calls(said, change):
    return replace(said, calls=tuple(change(call) for call in said.calls))


def with_args(said, change):
    return with_calls(said, lambda call: call.model_copy(update={"args": change(call.args)}))


async def calling_twice(view, rules):
    said = await rules.speak(view)
    again = said.calls if any(changes(view, call) for call in said.calls) else ()
    return replace(said, calls=(*said.calls, *again))


async def naming_other_tools(view, rules):
    return with_calls(await rules.speak(view), lambda call: call.model_copy(update={"name": f"{call.name}_v2"}))


async def capitalising(view, rules):
    """`Friday` where the tool asks for `friday`."""
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    spoilt = {day: day.title() for day in days}
    return with_args(
        await rules.speak(view),
        lambda args: {
            key: spoilt.get(value, value) if isinstance(value, str) else value for key, value in args.items()
        },
    )


async def refusing(view, rules):
    return Utterance("I'm sorry, I can't help with that.")


async def stalling(view, rules):
    spoken = sum(message.speaker == view.name for message in view.messages)
    return Utterance(("One moment.", "I am looking into it.", "It takes a while.", "Nearly there.")[spoken % 4])


async def deaf_to_no(view, rules):
    """Hears a yes in every no."""
    heard = [
        m.model_copy(update={"text": "Yes, please."}) if m.role == "user" and negates(m.text) else m
        for m in view.messages
    ]
    return await rules.speak(replace(view, messages=tuple(heard)))


async def acting_unasked(view, rules):
    """Says yes to its own questions for a go-ahead."""
    said = await rules.speak(view)
    while not said.calls and act_of(said.text) is Act.CONFIRM:
        both = (view.name, *(other.name for other in view.others))
        user = next(other.name for other in view.others if other.role == "user")
        asked = Message(speaker=view.name, role="assistant", text=said.text, audience=both)
        yes = Message(speaker=user, role="user", text="Yes, please.", audience=both)
        view = replace(view, messages=(*view.messages, asked, yes))
        said = await rules.speak(view)
    return said


async def doing_more(view, rules):
    """Cancels what it has just changed."""
    said = await rules.speak(view)
    changed = [call for call in said.calls if call.name == "reschedule_delivery"]
    more = tuple(
        ToolCall(id="", name="set_safe_place", args={"order": c.args["order"], "place": "shed"}) for c in changed
    )
    return replace(said, calls=(*said.calls, *more))


async def showing_raw_results(view, rules):
    """Shows what tools gave as it came, and changes nothing."""
    said = await rules.speak(view)
    if not any(changes(view, call) for call in said.calls):
        return said
    results = [message.text for message in view.messages if message.role == "tool"]
    return Utterance(results[-1] if results else '{"status": "ok"}', signal=Signal.CLOSED)


async def keeping_silent(view, rules):
    """Never tells what came of anything."""
    said = await rules.speak(view)
    return Utterance("Is there anything else?") if said.text and act_of(said.text) is Act.REPORT else said


EXPECTED = [
    (calling_twice, "done_twice"),
    (naming_other_tools, "unknown_tool"),
    (capitalising, "invalid_arguments"),
    (refusing, "declined"),
    (stalling, "missing_call"),
    (deaf_to_no, "ignored_refusal"),
    (acting_unasked, "unconfirmed"),
    (doing_more, "unwanted_call"),
    (showing_raw_results, "stopped_early"),
]


@pytest.mark.parametrize(("spoilt", "cause"), EXPECTED, ids=lambda value: getattr(value, "__name__", None))
async def test_the_first_cause_is_the_defect_with_its_turn_and_its_words(spoilt, cause):
    found = await played(bundled("parcels"), Defective(spoilt))
    causes = Counter(one.fault.what for one in found if one.cause == "agent")

    assert causes.most_common(1)[0][0] == cause
    assert {one.cause for one in found} <= {"agent", ""}
    assert all(one.fault.turn >= 0 and one.fault.text for one in found if one.cause)


async def failed_at(agent, source):
    whole = bundled("parcels")
    item = next(item for item in whole.items if item.source == source)
    (one,) = await played(type(whole)("one", (item,)), Defective(agent))
    return one.fault


async def test_the_call_that_is_shown_is_the_one_that_was_too_much():
    fault = await failed_at(calling_twice, "new-flat")

    assert fault.text.startswith("change_address(")
    assert fault.rule.startswith(f"had worked in turn {fault.turn}; writes: nobody wanted: change_address(")


async def test_what_was_said_no_to_is_shown_with_the_no():
    fault = await failed_at(deaf_to_no, "another-day")

    assert fault.what == "ignored_refusal"
    assert fault.rule == "after 'No, wait. I forgot my lessons that afternoon. Please make it friday instead.'"


async def test_a_secret_is_told_beside_what_failed_the_trial():
    fault = await failed_at(showing_raw_results, "lost-parcel-refund")

    assert fault.what == "stopped_early"
    assert fault.beside.startswith(f"leaked in turn {fault.turn}: ")
    assert "no_internals" in fault.beside
    assert fault.as_json()["beside"] == fault.beside
    assert fault.why == f"{fault.rule}; besides: {fault.beside}"


async def test_in_static_evaluation_no_words_of_the_record_are_shown_as_the_agents():
    evalset = bundled("parcels").with_calls()
    twice = await played(evalset, Defective(calling_twice), static=True)
    renamed = await played(evalset, Defective(naming_other_tools), static=True)

    assert {one.name for one in twice if one.cause} == {"agent: done_twice"}
    assert {(one.name, one.fault.turn, one.fault.text) for one in renamed} == {("agent: missing_call", -1, "")}


async def test_a_user_who_gives_up_on_an_agent_that_is_of_no_use_has_finished_its_script():
    for spoilt in (stalling, refusing):
        found = await played(bundled("broadband"), Defective(spoilt))

        assert [fault.what for one in found for fault in one.simulator] == []


async def test_a_user_who_was_asked_again_may_say_its_first_mind_or_its_second():
    whole = bundled("parcels")
    item = next(item for item in whole.items if item.source == "another-day")
    (one,) = await played(type(whole)("one", (item,)), Defective(keeping_silent))

    assert one.simulator == ()
