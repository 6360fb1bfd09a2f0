"""Dialogue acts, read from words alone."""

import pytest

from tertulia.language.acts import Act, act_of, affirms, drops, negates, question, substance

SENTENCES = {
    "What is the order number?": Act.ASK,
    "May I have the e-mail address, please?": Act.ASK,
    "Please tell me the postcode.": Act.ASK,
    "I still need the date of birth.": Act.ASK,
    "Which size would you like: small, medium or large?": Act.ASK,
    "Thank you! And the street?": Act.ASK,
    "I am about to cancel the order (order A1). Shall I go ahead?": Act.CONFIRM,
    "I would move it to friday. Is that right?": Act.CONFIRM,
    "Would you like me to book the room?": Act.CONFIRM,
    "You want it on Friday, correct? Shall I proceed?": Act.CONFIRM,
    "Please restart the router and tell me what you see.": Act.INSTRUCT,
    "Unplug the cable, then let me know what happens.": Act.INSTRUCT,
    "I'm sorry, I can't do that. The parcel is on its way.": Act.REFUSE,
    "Unfortunately that is not possible for this fare.": Act.REFUSE,
    "I'm afraid the supervisor did not agree.": Act.REFUSE,
    "I have moved the delivery to friday. Is there anything else I can help you with?": Act.REPORT,
    "Your parcel A1 arrives on monday.": Act.REPORT,
    "Here is what I found: status: delivered. What else can I do for you?": Act.REPORT,
    "I have looked: the line does not work at your end, an engineer comes at 3pm.": Act.REPORT,
    "Goodbye!": Act.CLOSE,
    "Have a nice day.": Act.CLOSE,
    "You're welcome. Can I help you with anything else?": Act.OTHER,
    "Hello! How can I help you?": Act.OTHER,
    "Is there anything else?": Act.OTHER,
    "": Act.OTHER,
}


@pytest.mark.parametrize(("text", "act"), SENTENCES.items())
def test_a_message_does_what_its_words_do(text: str, act: Act) -> None:
    assert act_of(text) is act


@pytest.mark.parametrize(
    "text", ["Yes.", "Yes, please go ahead.", "OK, do it.", "Sure!", "Perfect, yes.", "That's right.", "Go ahead"]
)
def test_a_yes_affirms(text: str) -> None:
    assert affirms(text)
    assert not negates(text)


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "No, that's not what I meant.",
        "Not quite: the day should be friday.",
        "Actually, make it monday.",
        "Wait, hold on.",
    ],
)
def test_a_no_or_a_correction_negates(text: str) -> None:
    assert negates(text)
    assert not affirms(text)


@pytest.mark.parametrize(
    "text", ["It's A1041.", "Know what? Friday.", "Nothing was said.", "Yesterday.", "Surely blue"]
)
def test_a_value_is_neither_yes_nor_no(text: str) -> None:
    assert not affirms(text)
    assert not negates(text)


def test_a_yes_that_withdraws_the_wish_is_no_yes() -> None:
    text = "OK, forget it then."

    assert drops(text)
    assert not affirms(text)


@pytest.mark.parametrize("text", ["Never mind.", "I don't need that any more, forget about it.", "Please leave it."])
def test_a_wish_is_dropped(text: str) -> None:
    assert drops(text)


def test_substance_leaves_out_offers_of_more_help() -> None:
    assert substance("It is done. Is there anything else I can help you with?") == "It is done."


def test_question_keeps_only_what_is_asked_outside_of_brackets() -> None:
    text = "You have two orders. Which order (A1 or A2) do you mean?"

    assert question(text) == "Which order  do you mean?"
    assert question("The order is late.") == "The order is late."
