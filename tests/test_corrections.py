"""How user and assistant find to each other again: corrections, wrong tools, values that the user does not have."""

from typing import Any

from tertulia.graph import Item, Stage
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation
from tertulia.scenario import Scenario

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
STAGE = Stage(bundled_recipe("user_script"))


def tool(
    name: str, required: list[str], returns: Any = None, writes: bool = False, **properties: Any
) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "parameters": parameters, "returns": returns or {"ok": True}, "writes": writes}


async def played(opening: str, *tools: dict[str, Any], wants: list[dict[str, Any]]) -> Conversation:
    scenario = Scenario.model_validate(
        {
            "id": "tiny",
            "kind": "single_call",
            "tools": tools,
            "cast": {"client": {"role": "user"}, "agent": {"role": "assistant"}},
            "script": {"opening": opening, "wants": wants},
        }
    )
    return await STAGE.play(STAGE.seat(Item(0, "tiny-0", scenario, {}, 7, 0.0)))


def calls(talk: Conversation) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, call.args) for message in talk.messages for call in message.calls]


def said(talk: Conversation, speaker: str) -> list[str]:
    return [message.text for message in talk.messages if message.speaker == speaker and message.text]


SEARCH = tool("search_images", [], color=TEXT, size={"enum": ["small", "large"]}, page=WHOLE)


async def test_one_correction_names_all_that_is_missing_and_what_was_right_is_kept() -> None:
    wanted = {"color": "red", "size": "small", "page": 2}
    talk = await played("Please search small images.", SEARCH, wants=[{"call": "search_images", "with": wanted}])

    assert calls(talk) == [("search_images", {"size": "small"}), ("search_images", wanted)]
    assert said(talk, "client")[1] == "Not quite: the color should be red; the page should be 2."


async def test_a_value_that_the_user_says_it_lacks_is_got_through_another_tool() -> None:
    find = tool("find_user", ["query"], [{"id": "u77"}], query=TEXT)
    avatar = tool("make_avatar", ["userId"], writes=True, userId=TEXT)
    talk = await played(
        'Make an avatar for "JohnEve233", please. I don\'t know his UserId.',
        find,
        avatar,
        wants=[
            {"call": "find_user", "with": {"query": "JohnEve233"}},
            {"call": "make_avatar", "with": {"userId": "u77"}},
        ],
    )

    assert ("find_user", {"query": "JohnEve233"}) in calls(talk)
    assert ("make_avatar", {"userId": "u77"}) in calls(talk)
    assert ("make_avatar", {"userId": "JohnEve233"}) not in calls(talk)


async def test_a_user_that_is_not_understood_calls_its_wish_by_name() -> None:
    talk = await played(
        "Hello there, it is about this and that, you know.",
        SEARCH,
        tool("list_owners", []),
        wants=[{"call": "list_owners"}],
    )

    assert "list owners" in said(talk, "client")[1]
    assert calls(talk) == [("list_owners", {})]


async def test_a_user_notices_that_another_thing_was_done_than_it_asked_for() -> None:
    verify = tool("verify_address", ["street"], street=TEXT)
    standardize = tool("translate_address", ["street"], street=TEXT)
    talk = await played(
        'Can you translate the address "Mill Lane"?',
        verify,
        standardize,
        wants=[{"call": "verify_address", "with": {"street": "Mill Lane"}}],
    )

    assert [name for name, _ in calls(talk)] == ["translate_address", "verify_address"]
    assert said(talk, "client")[1].startswith("No, that's")


async def test_an_opening_that_no_longer_needs_something_is_a_wish_and_no_withdrawal() -> None:
    talk = await played(
        'I no longer need the role "role456", can you delete that role?',
        tool("delete_role", ["role"], writes=True, role=TEXT),
        SEARCH,
        wants=[{"call": "delete_role", "with": {"role": "role456"}}],
    )

    assert calls(talk) == [("delete_role", {"role": "role456"})]
    assert "delete the role" in said(talk, "agent")[0]


async def test_a_correction_that_names_its_value_changes_no_other_that_looks_like_it() -> None:
    wanted = {"orderId": "A1041", "note": "B2288"}
    talk = await played(
        "Please book the delivery, the order id is A1041.",
        tool("book_delivery", ["orderId"], writes=True, orderId=TEXT, note=TEXT),
        SEARCH,
        wants=[{"call": "book_delivery", "with": wanted}],
    )

    assert "Not quite: the note should be B2288." in said(talk, "client")
    assert calls(talk) == [("book_delivery", wanted)]
    assert not any("order id B2288" in text for text in said(talk, "agent"))
