"""The rule assistant, one visible situation at a time."""

import json

import pytest

from tertulia.agents.assistants.form import Form
from tertulia.contracts import Neighbour, View
from tertulia.language.wording import acting_on, is_plural
from tertulia.principles import Principle, bundled_principles
from tertulia.records import Draft, Marker, Message, ToolCall
from tertulia.scenario import Party
from tertulia.slip_wordings import slip_wordings
from tertulia.streams import stream
from tertulia.world import ToolSpec

TEXT = {"type": "string"}


def tool(name, writes=False, required=(), output=None, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ToolSpec(name=name, description="", parameters=schema, writes=writes, output=output or {})


MOVE = tool(
    "move_booking",
    writes=True,
    required=("booking", "day"),
    booking={"type": "string", "pattern": r"^B\d+$"},
    day={"type": "string", "enum": ["monday", "friday"]},
)
SHOW = tool("show_booking", required=("booking",), booking={"type": "string", "pattern": r"^B\d+$"})
FIND = tool(
    "find_bookings",
    required=("email",),
    output={"type": "object", "properties": {"booking": TEXT}},
    email={"type": "string", "format": "email"},
)


def user(text):
    return Message(speaker="guest", role="user", text=text, audience=("guest", "desk"))


def own(text, to=()):
    return Message(speaker="desk", role="assistant", text=text, to=to, audience=("guest", "desk"))


def called(name, args, answer, *, error=False, nth=0):
    call = ToolCall(id=f"c{nth}", name=name, args=args)
    return (
        Message(speaker="desk", role="assistant", calls=(call,), audience=("desk",)),
        Message(speaker=name, role="tool", text=json.dumps(answer), answers=f"c{nth}", error=error, audience=("desk",)),
    )


def view(*messages, tools=(MOVE, SHOW, FIND), principles=(), others=None, slips=False, sent_back=(), seed=1):
    known = bundled_principles()
    return View(
        name="desk",
        party=Party(role="assistant"),
        others=others or (Neighbour("guest", "user"),),
        messages=messages,
        tools=tools,
        policy="",
        principles=tuple(known[p] if isinstance(p, str) else p for p in principles),
        rng=stream(seed, "test"),
        slips=slips,
        slip_rng=stream(seed, "slip"),
        sent_back=sent_back,
    )


async def says(*messages, **settings):
    return await Form().speak(view(*messages, **settings))


async def test_a_missing_value_is_asked_for_before_anything_is_called():
    said = await says(user("Please move my booking."))

    assert not said.calls
    assert "booking" in said.text
    assert said.text.endswith("?")


async def test_a_write_is_confirmed_with_all_its_values():
    said = await says(user("Please move booking B12 to friday."))

    assert not said.calls
    assert "B12" in said.text
    assert "friday" in said.text


async def test_a_yes_leads_to_the_call_with_exactly_the_confirmed_values():
    asked = await says(user("Please move booking B12 to friday."))
    said = await says(user("Please move booking B12 to friday."), own(asked.text), user("Yes, please go ahead."))

    assert [(c.name, c.args) for c in said.calls] == [("move_booking", {"booking": "B12", "day": "friday"})]


async def test_a_changed_value_is_confirmed_again():
    opening = user("Please move booking B12 to friday.")
    asked = await says(opening)
    said = await says(opening, own(asked.text), user("Not quite: the day should be monday."))

    assert not said.calls
    assert "monday" in said.text
    assert "friday" not in said.text


async def test_a_read_is_called_without_confirmation():
    said = await says(user("Can you show me booking B12?"))

    assert [(c.name, c.args) for c in said.calls] == [("show_booking", {"booking": "B12"})]


async def test_a_value_nobody_knows_is_found_through_another_tool():
    opening = user("Please show my booking.")
    asked = await says(opening)
    unknown = user("I don't know, sorry.")
    step = await says(opening, own(asked.text), unknown)

    assert "email" in step.text
    given = user("It's ana@example.org.")
    call = await says(opening, own(asked.text), unknown, own(step.text), given)

    assert [(c.name, c.args) for c in call.calls] == [("find_bookings", {"email": "ana@example.org"})]
    found = called("find_bookings", {"email": "ana@example.org"}, {"booking": "B77"})
    goal = await says(opening, own(asked.text), unknown, own(step.text), given, *found)

    assert [(c.name, c.args) for c in goal.calls] == [("show_booking", {"booking": "B77"})]


async def test_a_refusing_tool_is_reported_with_its_reason_and_not_claimed():
    opening = user("Can you show me booking B12?")
    failed = called("show_booking", {"booking": "B12"}, {"error": "The booking is closed."}, error=True)
    said = await says(opening, *failed)

    assert not said.calls
    assert "The booking is closed." in said.text
    assert "I have" not in said.text


async def test_a_passing_failure_is_tried_again_and_not_forever():
    opening = user("Can you show me booking B12?")
    tries = [called("show_booking", {"booking": "B12"}, {"error": "timed out"}, error=True, nth=n) for n in range(3)]
    once = await says(opening, *tries[0])
    thrice = await says(opening, *tries[0], *tries[1], *tries[2])

    assert once.calls
    assert not thrice.calls


async def test_a_request_no_tool_serves_is_declined():
    said = await says(user("What is the meaning of life?"))

    assert not said.calls
    assert "else" in said.text


async def test_the_assistant_tells_a_user_to_use_its_own_tool():
    guest = Neighbour("guest", "user", (tool("press_reset_button"),))
    said = await says(user("Shall I press the reset button?"), others=(guest,))

    assert not said.calls
    assert "press the reset button" in said.text


async def test_a_call_a_colleague_decides_on_waits_for_its_yes():
    manager = Neighbour("manager", "colleague", decides=("move_booking",))
    guest = Neighbour("guest", "user")
    opening = user("Please move booking B12 to friday.")
    settings = {"principles": ("approval_before_change",), "others": (guest, manager)}
    asked = await says(opening, **settings)
    agreed = user("Yes.")
    consults = await says(opening, own(asked.text, asked.to), agreed, **settings)

    assert consults.to == ("manager",)
    no = Message(speaker="manager", role="colleague", text="No. We are full.", to=("desk",), audience=("desk",))
    declined = await says(opening, own(asked.text, asked.to), agreed, own(consults.text, consults.to), no, **settings)

    assert declined.to == ("guest",)
    assert "We are full." in declined.text


async def test_without_slips_nothing_is_planted():
    for seed in range(20):
        assert not (await says(user("Please move booking B12 to friday."), principles=("courteous",), seed=seed)).slip


async def test_a_slip_names_a_principle_in_force():
    kinds = set()
    for seed in range(60):
        said = await says(
            user("Please move booking B12 to friday."),
            principles=("courteous", "confirm_before_change", "no_false_claims"),
            slips=True,
            seed=seed,
        )
        assert said.slip
        assert set(said.breaks) <= {"courteous", "confirm_before_change", "no_false_claims"}
        kinds.add(said.slip)
    assert kinds == {"courteous", "skip_confirmation", "claim_undone"}


async def test_with_no_principle_to_break_the_draft_stays_honest():
    honest = await says(user("Please move booking B12 to friday."), seed=3)
    said = await says(user("Please move booking B12 to friday."), slips=True, seed=3)

    assert not said.slip
    assert said.text.split("(")[1].split(")")[0] == honest.text.split("(")[1].split(")")[0]


@pytest.mark.parametrize(
    "change", ["Actually, make it B34.", "Sorry, I meant B34.", "Better take B34.", "No, B34 please."]
)
async def test_a_code_that_corrects_a_confirmation_needs_no_label(change):
    opening = user("Please move booking B12 to friday.")
    asked = await says(opening)
    said = await says(opening, own(asked.text), user(change))

    assert "B34" in said.text
    assert "B12" not in said.text


async def test_a_request_in_other_words_is_recognised_by_its_values():
    rooms = tool("reserve_room", writes=True, required=("room",), room={"type": "string", "pattern": r"^R-\d{4}$"})
    said = await says(user("The one by the lake sounds lovely, can I have R-7781?"), tools=(rooms, FIND))

    assert "R-7781" in said.text
    assert "reserve the room" in said.text


async def test_thanks_are_not_taken_for_a_request():
    said = await says(user("Good news, everything works again! Thanks, I don't need anything."))

    assert not said.calls
    assert "sorry" not in said.text


# --- how it words things -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["days", "opening_hours", "item_ids", "terms"])
def test_several_things_are_asked_for_in_the_plural(label):
    assert is_plural(label.replace("_", " "))


@pytest.mark.parametrize("label", ["address", "status", "analysis", "day", "gps", "sms", "cost basis", "boss"])
def test_one_thing_that_ends_in_s_is_no_plural(label):
    assert not is_plural(label)


async def test_a_plural_label_never_stands_beside_is():
    stay = tool("estimate_stay", required=("days",), days={"type": "integer"})
    said = {(await says(user("Please estimate the stay."), tools=(stay,), seed=seed)).text for seed in range(30)}

    assert any("What are the days?" in text for text in said)
    assert not any("What is the days" in text for text in said)


async def test_choices_are_named_in_their_own_spelling():
    book = tool("book_visit", required=("kind",), kind={"type": "string", "enum": ["check-up", "same_day", "X-ray"]})
    said = await says(user("Please book a visit."), tools=(book,))

    assert "check-up, same day or X-ray" in said.text


async def test_a_result_that_is_a_sentence_gets_no_second_full_stop():
    opening = user("Can you show me booking B12?")
    for text in ("The booking was found.", "The booking was found!", "The booking was found"):
        result = called("show_booking", {"booking": "B12"}, text)
        said = [(await says(opening, *result, seed=seed)).text for seed in range(10)]

        assert all(text + ("" if text[-1] in ".!" else ".") + " " in one for one in said)
        assert not any(".." in one or "!." in one for one in said)


async def test_a_greeting_is_answered_with_a_greeting():
    for hello in ("Hello", "Hi there!", "Good morning."):
        said = await says(user(hello))

        assert said.text.startswith(("Hello!", "Good day!"))


# --- planted faults ----------------------------------------------------------------------------------------------


async def test_what_is_planted_changes_no_honest_wording():
    opening, principles = user("Please move booking B12 to friday."), ("courteous", "no_false_claims")
    for seed in range(40):
        honest = await says(opening, principles=principles, seed=seed)
        drafted = await says(opening, principles=principles, slips=True, seed=seed)
        if not drafted.slip:
            assert drafted == honest
        elif drafted.slip == "courteous":
            assert drafted.text.endswith(honest.text)


async def test_a_third_of_the_planted_words_are_held_out():
    opening = user("Please move booking B12 to friday.")
    said = [await says(opening, principles=("courteous",), slips=True, seed=seed) for seed in range(300)]
    wordings = slip_wordings().principles["courteous"]

    assert 0.25 < sum(one.held_out for one in said) / len(said) < 0.42
    assert all(one.slip_detail in wordings.of(one.held_out) for one in said)


async def test_a_principle_of_ones_own_brings_sentences_that_break_it():
    own_rule = Principle(
        id="no_weather",
        text="Never talk about the weather.",
        source="tests",
        topic="tone",
        broken_by=("Nice sun today.",),
    )
    said = await says(user("Please move booking B12 to friday."), principles=(own_rule,), slips=True)

    assert (said.slip, said.breaks) == ("no_weather", ("no_weather",))
    assert said.text.startswith("Nice sun today. ")


async def test_a_made_up_argument_after_a_yes_breaks_what_it_breaks_and_no_more():
    opening, principles = user("Please move booking B12 to friday."), ("confirm_before_change", "grounded_arguments")
    asked = await says(opening)
    said = [
        await says(opening, own(asked.text), user("Yes."), principles=principles, slips=True, seed=seed)
        for seed in range(20)
    ]

    assert {(one.slip, one.breaks) for one in said} == {("invent_argument", ("grounded_arguments",))}


# --- drafts that were sent back ----------------------------------------------------------------------------------


def back(text="", *quotes, principle="courteous", calls=()):
    """A draft that was sent back for these quotes."""
    marks = tuple(
        Marker(principle=principle, turn=1, draft=0, severity="high", quote=quote, critic="c") for quote in quotes
    )
    return Draft(message=Message(speaker="desk", role="assistant", text=text, calls=calls), markers=marks)


async def test_an_honest_draft_that_was_sent_back_is_said_otherwise():
    opening = user("Please move booking B12 to friday.")
    for seed in range(20):
        honest = await says(opening, seed=seed)
        anew = await says(
            opening, seed=seed, sent_back=(back(honest.text, " ".join(honest.text.split()[:4]) + " ..."),)
        )

        assert anew.text != honest.text
        assert not anew.text.startswith(" ".join(honest.text.split()[:4]))
        assert "B12" in anew.text


async def test_a_value_that_was_quoted_is_left_out_of_a_report():
    opening = user("Can you show me booking B12?")
    shown = called("show_booking", {"booking": "B12"}, {"booking": "B12", "guest": "Ida Rook", "day": "friday"})
    honest = await says(opening, *shown)
    anew = await says(opening, *shown, sent_back=(back(honest.text, "Ida Rook"),))

    assert "Ida Rook" in honest.text
    assert "Ida Rook" not in anew.text
    assert "friday" in anew.text


async def test_a_call_that_was_sent_back_for_want_of_a_yes_is_asked_about():
    opening = user("Please move booking B12 to friday.")
    asked, agreed = await says(opening), user("Yes, please go ahead.")
    call = (await says(opening, own(asked.text), agreed)).calls
    refused = back("", "move_booking", principle="confirm_before_change", calls=call)
    anew = await says(
        opening, own(asked.text), agreed, principles=("confirm_before_change",), sent_back=(refused,), seed=4
    )

    assert call
    assert not anew.calls
    assert "move the booking" in anew.text


async def test_a_value_of_a_call_that_was_sent_back_is_asked_for():
    opening = user("Can you show me booking B12?")
    call = (await says(opening)).calls
    refused = back("", "show_booking: booking='B12'", principle="grounded_arguments", calls=call)
    anew = await says(opening, principles=("grounded_arguments",), sent_back=(refused,))

    assert not anew.calls
    assert "booking" in anew.text
    assert anew.text.endswith("?")


@pytest.mark.parametrize(
    ("rest", "said"),
    [(["up"], "sign up"), (["in", "guest"], "sign in the guest"), (["form"], "sign the form"), ([], "sign")],
)
def test_a_particle_stays_with_its_verb(rest, said):
    assert acting_on("sign", rest) == said
