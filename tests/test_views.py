"""Who sees what, and how a conversation reads from one party's side."""

import json

import pytest
from examples import scenario, shop, three_party, three_party_scenario, two_party

from tertulia.setting import Setting
from tertulia.views import as_chat, audience_of, briefing, heard_by, tool_list

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

CAST = ("customer", "agent", "lead")


def test_calls_are_for_the_caller_alone():
    assert audience_of("agent", CAST, calls=True, to=("lead",)) == {"agent"}


def test_words_are_for_everybody_unless_a_private_scenario_addresses_somebody():
    assert audience_of("agent", CAST, calls=False, to=("lead",)) == set(CAST)
    assert audience_of("agent", CAST, calls=False, to=("lead",), private=True) == {"agent", "lead"}
    assert audience_of("agent", CAST, calls=False, private=True) == set(CAST)


def test_a_party_hears_only_what_its_name_is_on():
    talk = three_party()
    assert [m.text for m in heard_by(talk.messages, "customer")] == [
        "I want my money back for order B2077.",
        "You get 35 euros back.",
        "Great, thanks.",
    ]
    assert "Great, thanks." not in [m.text for m in heard_by(talk.messages, "lead")]


def test_the_assistant_reads_users_as_user_and_itself_as_assistant():
    talk = two_party()
    chat = as_chat(talk.messages, "agent", talk.roles)
    assert [m["role"] for m in chat] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert chat[0]["content"] == "Can my parcel come on another day?"


def test_a_result_follows_its_call_and_arguments_are_json_text():
    talk = two_party()
    chat = as_chat(talk.messages, "agent", talk.roles)
    call = chat[5]["tool_calls"][0]
    assert call["type"] == "function"
    assert json.loads(call["function"]["arguments"]) == {"order": "A1042", "day": "friday"}
    assert chat[5]["content"] == ""
    assert chat[6] == {"role": "tool", "tool_call_id": call["id"], "content": '"moved"'}


def test_the_user_reads_the_same_talk_the_other_way_round_without_tools():
    talk = two_party()
    chat = as_chat(talk.messages, "customer", talk.roles)
    assert [m["role"] for m in chat] == ["assistant", "user", "assistant", "user", "assistant", "user", "assistant"]


def test_with_three_parties_lines_are_named_and_addressed():
    talk = three_party()
    chat = as_chat(talk.messages, "agent", talk.roles)
    assert [m["content"] for m in chat[:3]] == [
        "customer: I want my money back for order B2077.",
        "@lead May I refund order B2077?",
        "lead: @agent Yes, under ticket RF-9310.",
    ]


def test_others_who_speak_in_a_row_share_one_user_message():
    talk = three_party()
    public = [m.model_copy(update={"audience": CAST}) for m in talk.messages if m.text and m.role != "tool"]
    chat = as_chat(public, "customer", talk.roles)
    assert [m["role"] for m in chat] == ["assistant", "user", "assistant"]
    assert chat[1]["content"] == (
        "agent: @lead May I refund order B2077?\n\n"
        "lead: @agent Yes, under ticket RF-9310.\n\n"
        "agent: @customer You get 35 euros back."
    )


def test_the_briefing_holds_policy_and_the_assistants_principles_alone():
    text = briefing(Setting.of(scenario()), "agent")
    assert text.startswith("You work for a shop.")
    assert "- Ask for a clear yes before you change anything." in text
    assert "Speak only for yourself" not in text
    for hidden in ("carpenter", "K7731", "brother", "A1042"):
        assert hidden not in text


def test_the_briefing_holds_the_partys_own_card():
    card = {"role": "assistant", "persona": "You are terse.", "knows": {"code": "X1", "n": 2}, "secret": ["code"]}
    text = briefing(Setting.of(scenario(cast={"customer": {"role": "user"}, "agent": card})), "agent")
    assert "You are terse.\n\nYou know:\n- code: X1 (never tell it)\n- n: 2\n\nHold to" in text


def test_the_briefing_names_the_others_only_when_there_are_several():
    assert "@name" not in briefing(Setting.of(scenario()), "agent")
    assert "customer (user), lead (colleague)" in briefing(Setting.of(three_party_scenario()), "agent")


def test_tools_have_the_shape_of_openai():
    tools = tool_list(Setting.of(scenario()), "agent")
    assert {tool["type"] for tool in tools} == {"function"}
    assert {tool["function"]["name"] for tool in tools} == {"find_order", "move_delivery", "refund"}
    assert tool_list(Setting.of(scenario()), "customer") == []
