"""The rule user: what it says to each act of the assistant, from its own script alone."""

import pytest

from tertulia.agents.planners.agenda import Agenda as Planner
from tertulia.agents.users.agenda import Agenda
from tertulia.contracts import PlanView, View
from tertulia.principles import bundled_principles
from tertulia.records import Draft, Marker, Message, Plan, Signal
from tertulia.scenario import Party, Scenario, Script
from tertulia.streams import stream
from tertulia.world import ToolSpec

SCRIPT = Script.model_validate(
    {
        "opening": "Hi, can you move my table?",
        "wants": [
            {"call": "move_table", "with": {"table": 7, "day": "friday", "window": True}},
            {"call": "add_guest", "with": {"name": "Mo Field"}, "say": "And one more guest, please."},
        ],
        "never_say": ["PLUM-88"],
    }
)
PARTY = Party(role="user", knows={"phone": "555-0100", "pin": "9931"}, secret=("pin",))


def theirs(text, to=()):
    return Message(speaker="desk", role="assistant", text=text, to=to, audience=("guest", "desk"))


def mine(text):
    return Message(speaker="guest", role="user", text=text, audience=("guest", "desk"))


async def says(*messages, script=SCRIPT, party=PARTY, tools=(), principles=(), slips=False, sent_back=(), seed=1):
    known = bundled_principles()
    view = View(
        name="guest",
        party=party,
        others=(),
        messages=messages,
        tools=tools,
        policy="",
        principles=tuple(known[p] for p in principles),
        rng=stream(seed, "test"),
        script=script,
        plan=Plan(opening="", style="plain"),
        slips=slips,
        slip_rng=stream(seed, "slip"),
        sent_back=sent_back,
    )
    return await Agenda().speak(view)


OPENING = mine(SCRIPT.opening)


async def test_an_aside_is_said_between_wants_and_the_next_want_comes_after_it():
    script = Script.model_validate(
        SCRIPT.model_dump(by_alias=True) | {"asides": [{"say": "Nice weather today.", "after": 1}]}
    )
    moved = theirs("I have moved table 7 to friday, with window.")
    aside = await says(OPENING, moved, script=script)
    after = await says(OPENING, moved, mine(aside.text), theirs("It is lovely indeed."), script=script)

    assert (aside.text, after.text) == ("Nice weather today.", "And one more guest, please.")


async def test_an_aside_waits_until_what_is_wanted_now_is_dealt_with():
    script = Script.model_validate(SCRIPT.model_dump(by_alias=True) | {"asides": [{"say": "Nice weather today."}]})

    said = await says(OPENING, theirs("Which day would you like?"), script=script)
    assert "friday" in said.text


async def test_the_first_message_is_the_fixed_opening():
    assert (await says()).text == SCRIPT.opening


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is the table?", "7"),
        ("Could you tell me the day, please?", "friday"),
        ("What is your phone number?", "555-0100"),
    ],
)
async def test_a_value_is_released_when_it_is_asked_for(question, value):
    said = await says(OPENING, theirs(question))

    assert value in said.text


async def test_only_the_value_asked_for_is_released():
    said = await says(OPENING, theirs("What is the day?"))

    assert "7" not in said.text
    assert "555" not in said.text


async def test_what_it_does_not_know_it_says_it_does_not_know():
    said = await says(OPENING, theirs("What is your shoe size?"))

    assert "know" in said.text.lower() or "sure" in said.text.lower()


async def test_a_secret_is_never_told_even_when_asked():
    said = await says(OPENING, theirs("What is your pin?"))

    assert "9931" not in said.text


async def test_a_yes_or_no_value_is_answered_with_yes_or_no():
    said = await says(OPENING, theirs("One question on the window: does that apply?"))

    assert said.text.startswith("Yes")


async def test_a_right_confirmation_is_affirmed():
    text = "I am about to move the table (table 7, day friday, window yes). Shall I go ahead?"
    said = await says(OPENING, theirs(text))

    assert said.text.startswith("Yes")


async def test_a_wrong_confirmation_is_corrected():
    text = "I am about to move the table (table 7, day monday, window yes). Shall I go ahead?"
    said = await says(OPENING, theirs(text))

    assert "friday" in said.text
    assert not said.text.startswith("Yes")


async def test_another_action_than_the_one_wanted_is_refused():
    said = await says(OPENING, theirs("I am about to cancel the dinner. Shall I go ahead?"))

    assert said.text.startswith("No")
    assert "move table" in said.text


async def test_the_next_want_follows_a_report():
    report = theirs("I have moved the table (table 7, day friday, window yes). Is there anything else?")
    said = await says(OPENING, report)

    assert said.text == "And one more guest, please."


async def test_the_user_leaves_when_everything_is_done():
    first = theirs("I have moved the table (table 7, day friday, window yes). Is there anything else?")
    second = theirs("I have added the guest (name Mo Field). Is there anything else?")
    said = await says(OPENING, first, mine("And one more guest, please."), second)

    assert said.signal is Signal.GOAL_REACHED


async def test_a_refusal_ends_as_an_exhausted_script():
    first = theirs("I'm sorry, that was not possible. The table is taken. Is there anything else?")
    second = theirs("I have added the guest (name Mo Field). Is there anything else?")
    said = await says(OPENING, first, mine("And one more guest, please."), second)

    assert said.signal is Signal.SCRIPT_EXHAUSTED


async def test_patience_ends():
    noise = [m for _ in range(4) for m in (theirs("Thank you."), mine("Please move the table."))]
    said = await says(OPENING, *noise, theirs("Thank you."))

    assert said.signal is Signal.GAVE_UP


async def test_a_change_of_mind_comes_at_the_confirmation_and_only_once():
    script = Script.model_validate(
        {
            "opening": "Move table 7 to friday.",
            "wants": [{"call": "move_table", "with": {"day": "friday"}, "change": {"with": {"day": "monday"}}}],
        }
    )
    first = theirs("I am about to move the table (day friday). Shall I go ahead?")
    said = await says(mine(script.opening), first, script=script)

    assert "monday" in said.text
    second = theirs("I am about to move the table (day monday). Shall I go ahead?")
    agreed = await says(mine(script.opening), first, mine(said.text), second, script=script)

    assert agreed.text.startswith("Yes")


async def test_the_user_uses_its_own_tool_when_told_to_and_tells_what_it_saw():
    script = Script.model_validate(
        {"opening": "No light.", "wants": [{"call": "press_switch", "with": {"times": 2}, "by": "guest"}]}
    )
    tool = ToolSpec(name="press_switch", parameters={"type": "object", "properties": {"times": {"type": "integer"}}})
    told = theirs("Please press the switch at your end and tell me what you see.")
    said = await says(mine("No light."), told, script=script, tools=(tool,))

    assert [(c.name, c.args) for c in said.calls] == [("press_switch", {"times": 2})]
    call = Message(speaker="guest", role="user", calls=said.calls, audience=("guest",))
    result = Message(speaker="press_switch", role="tool", text='{"light": "green"}', audience=("guest",))
    told_back = await says(mine("No light."), told, call, result, script=script, tools=(tool,))

    assert "green" in told_back.text


async def test_every_user_slip_breaks_a_principle_in_force():
    principles = ("stays_in_role_user", "invents_nothing_user", "never_says_forbidden")
    slips = set()
    for seed in range(40):
        said = await says(OPENING, theirs("What is the day?"), principles=principles, slips=True, seed=seed)
        assert set(said.breaks) <= set(principles)
        slips.add(said.slip)
    assert slips == {"role_inversion", "invent_fact", "blurt_secret"}


def scenario():
    return Scenario.model_validate(
        {
            "id": "x",
            "kind": "multi_call",
            "cast": {"guest": {"role": "user"}, "desk": {"role": "assistant"}, "boss": {"role": "colleague"}},
            "tools": [{"name": "move_table"}, {"name": "add_guest"}],
            "script": SCRIPT.model_dump(by_alias=True),
        }
    )


async def test_the_plan_opens_as_the_script_does_and_names_every_want():
    planned = await Planner().plan(PlanView(scenario(), (), stream(1, "plan")))

    assert planned.plan.opening == SCRIPT.opening
    assert ["move_table" in s for s in planned.plan.steps] == [True, False]
    assert planned.plan.order == ("guest", "desk", "boss", "desk")


async def test_a_planted_plan_leaves_out_one_want():
    principles = (bundled_principles()["plan_covers_wants"],)
    planned = await Planner().plan(PlanView(scenario(), principles, stream(1, "plan"), slips=True))

    assert planned.slip == "drop_want"
    assert len(planned.plan.steps) == 1


def back(text, quote, principle="never_says_forbidden"):
    marker = Marker(principle=principle, turn=1, draft=0, severity="high", quote=quote, critic="c")
    return Draft(message=Message(speaker="guest", role="user", text=text), markers=(marker,))


async def test_an_answer_that_was_sent_back_is_given_in_other_words():
    question = theirs("I am about to move the table (table 7, day friday, window yes). Shall I go ahead?")
    for seed in range(20):
        honest = await says(OPENING, question, seed=seed)
        anew = await says(OPENING, question, sent_back=(back(honest.text, honest.text),), seed=seed)

        assert anew.text != honest.text
        assert anew.text.startswith("Yes")


async def test_a_value_that_was_quoted_is_not_said_again():
    said = await says(OPENING, theirs("What is the day?"), sent_back=(back("It's friday.", "friday"),))

    assert said.text
    assert "friday" not in said.text


async def test_the_fixed_opening_stays_as_it_is():
    assert (await says(sent_back=(back(SCRIPT.opening, "move my table"),))).text == SCRIPT.opening


async def test_a_plan_that_was_sent_back_for_a_value_keeps_it_out():
    sent_back = (back("plan", "Mo Field", "plan_keeps_secrets"),)
    planned = await Planner().plan(PlanView(scenario(), (), stream(1, "plan"), sent_back=sent_back))

    assert "Mo Field" not in " ".join(planned.plan.steps)
    assert "add_guest" in planned.plan.steps[1]
    assert "friday" in planned.plan.steps[0]
