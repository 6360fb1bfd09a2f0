"""Which tool a message is about."""

import pytest

from tertulia.language.matching import about, best_tools, same_action
from tertulia.world import ToolSpec


def spec(name: str, description: str = "", **properties: object) -> ToolSpec:
    return ToolSpec(name=name, description=description, parameters={"type": "object", "properties": properties})


SHOP = (
    spec("cancel_order", "Cancel an order that has not been sent.", order={"type": "string"}),
    spec("reschedule_delivery", "Move a delivery to another day.", order={"type": "string"}, day={"type": "string"}),
    spec("trackParcel", "Where a parcel is.", parcel={"type": "string"}),
    spec("request-refund", "Pay money back to the customer.", amount={"type": "number"}),
    spec("set_notification", "How we tell news.", channel={"type": "string", "enum": ["email", "sms", "none"]}),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Please cancel my order A1041.", "cancel_order"),
        ("I won't be in, could you move the delivery to friday?", "reschedule_delivery"),
        ("Where is my parcel? Has it been lost?", "trackParcel"),
        ("I want my money back.", "request-refund"),
        ("From now on send me an SMS when there is news.", "set_notification"),
        ("Could you use trackParcel?", "trackParcel"),
    ],
)
def test_the_tool_that_a_request_is_about_comes_first(text: str, name: str) -> None:
    assert best_tools(text, SHOP)[0].tool.name == name


@pytest.mark.parametrize("text", ["Hello there!", "Thanks, that is all.", ""])
def test_small_talk_is_about_no_tool(text: str) -> None:
    assert best_tools(text, SHOP) == []


def test_a_word_that_many_tools_share_counts_less_than_one_that_few_have() -> None:
    tools = (spec("get_user_role"), spec("get_user_name"), spec("get_user_avatar"))

    assert best_tools("the user's avatar", tools)[0].tool.name == "get_user_avatar"


def test_matches_depend_on_the_tools_given_and_not_on_those_of_an_earlier_call() -> None:
    first = best_tools("cancel the order", SHOP[:1])
    second = best_tools("cancel the order", SHOP[1:])

    assert [match.tool.name for match in first] == ["cancel_order"]
    assert "cancel_order" not in [match.tool.name for match in second]


def test_about_is_the_share_of_the_name_that_is_said() -> None:
    assert about("I have cancelled the order", "cancel_order") == 1.0
    assert about("the order is late", "cancel_order") == 0.5
    assert about("nothing of the kind", "cancel_order") == 0.0


def test_the_verb_alone_speaks_of_the_action() -> None:
    assert same_action("It has been rescheduled.", "reschedule_delivery")
    assert not same_action("It has been paid.", "reschedule_delivery")


@pytest.mark.parametrize(("text", "name"), [("Please get the pets.", "get_pets"), ("Get the pet Rex.", "getPet")])
def test_of_tools_with_one_stem_that_one_comes_first_which_is_spelt_as_the_message(text: str, name: str) -> None:
    assert best_tools(text, (spec("getPet"), spec("get_pets")))[0].tool.name == name
