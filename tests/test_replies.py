"""Whatever a model replies is read as one thing or refused for one reason, by rule."""

import asyncio
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.contracts import Neighbour, Utterance, View
from tertulia.models.answers import NotJson, WrongSchema, clean, find_json, fits, parse_json, validator
from tertulia.models.arguments import fitted, parse_arguments
from tertulia.models.asking import Reading, ask_for, read_answer
from tertulia.models.records import BadReply, RawCall, Reply, Request, Trouble
from tertulia.models.replies import (
    addressees,
    admitted,
    cut_other_sides,
    cut_reasoning,
    goodbye_loop,
    halted,
    inverted,
    pleasantry,
    stop_word,
)
from tertulia.models.speaking import read_speech
from tertulia.models.tool_form import in_words, written_calls
from tertulia.principles import Principle
from tertulia.records import Message, Signal
from tertulia.scenario import Party, Role
from tertulia.testing.scripted import Scripted
from tertulia.world import ToolSpec

MOVE = ToolSpec(
    name="move_delivery",
    description="Move a delivery.",
    parameters={
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "day": {"type": "string", "enum": ["monday", "friday"]},
            "boxes": {"type": "integer"},
            "weight": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "fragile": {"type": "boolean"},
            "address": {"type": "object", "properties": {"zip": {"type": "string"}}},
            "tags": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["order"],
    },
)
ANSWER = {
    "type": "object",
    "properties": {"score": {"type": "integer"}},
    "required": ["score"],
    "additionalProperties": False,
}
HONEST = Principle(id="be_honest", text="Say only what is true.", source="made for tests", topic="honesty")


def view(role: Role = "assistant", said: tuple[tuple[str, Role, str], ...] = (), several: bool = False) -> View:
    """A view of a talk between a customer and an agent, and a supervisor where there are several."""
    cast: dict[str, Role] = {"customer": "user", "agent": "assistant"}
    if several:
        cast["supervisor"] = "colleague"
    name = next(name for name, its in cast.items() if its == role)
    return View(
        name=name,
        party=Party(role=role),
        others=tuple(Neighbour(other, its) for other, its in cast.items() if other != name),
        messages=[Message(speaker=who, role=its, text=text, audience=tuple(cast)) for who, its, text in said],
        tools=(MOVE,) if role == "assistant" else (),
        policy="",
        principles=(HONEST,),
        rng=Random(0),
        conversation="c",
        step=f"{name}/1/0",
    )


def spoken(text: str, role: Role = "assistant", **fields: Any) -> Reading[Utterance]:
    return read_speech(Reply(text=text), view(role, **fields), role)


def called(name: str, arguments: Any, text: str = "") -> Reading[Utterance]:
    told = arguments if isinstance(arguments, str) else json.dumps(arguments)
    reply = Reply(text=text, calls=(RawCall(id="x", name=name, arguments=told),), finish="tool_calls")
    return read_speech(reply, view(), "assistant")


# --- nothing to use ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (Reply(), Trouble.EMPTY),
        (Reply(text=" \n\t "), Trouble.EMPTY),
        (Reply(reasoning="They want a refund."), Trouble.EMPTY),
        (Reply(text="<think>They want a refund."), Trouble.EMPTY),
        (Reply(text="Your parcel will", finish="length"), Trouble.TRUNCATED),
        (Reply(refusal="I can't help with that."), Trouble.REFUSED),
        (Reply(text="Sure", finish="content_filter"), Trouble.REFUSED),
        (Reply(text='{"thought": "what now"}'), Trouble.WRONG_SCHEMA),
        (Reply(text="[1, 2]"), Trouble.WRONG_SCHEMA),
        (Reply(text="Customer: Yes, please do that."), Trouble.ROLE_INVERSION),
        (Reply(text="All done. [GOAL REACHED]"), Trouble.ROLE_INVERSION),
    ],
)
def test_a_reply_that_says_nothing_usable_is_refused_for_its_reason(reply: Reply, trouble: Trouble) -> None:
    with pytest.raises(BadReply) as caught:
        read_speech(reply, view(), "assistant")

    assert caught.value.trouble is trouble


def test_a_reply_that_was_cut_off_while_calling_is_truncated() -> None:
    assert halted(Reply(calls=(RawCall(id="1", name="a", arguments="{"),), finish="length"), "") is Trouble.TRUNCATED


# --- thinking ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>They are angry.</think>Sorry about that.", "Sorry about that."),
        ("Sorry <thinking mode='deep'>hm\nhm</thinking>about that.", "Sorry about that."),
        ("They are angry.</think>\n\nSorry about that.", "Sorry about that."),
        ("Sorry about that. <reasoning>and now", "Sorry about that."),
        ("<THINK>a</THINK><think>b</think>Sorry.", "Sorry."),
    ],
)
def test_thinking_in_tags_is_cut_out_of_what_is_said(text: str, left: str) -> None:
    assert cut_reasoning(text) == (left, True)
    assert Trouble.REASONING_LEAK in spoken(text).troubles


def test_other_tags_and_the_word_itself_are_left_alone() -> None:
    assert cut_reasoning("I think <b>friday</b> is a <thinkpad> day.") == (
        "I think <b>friday</b> is a <thinkpad> day.",
        False,
    )


def test_reasoning_in_a_field_of_its_own_is_never_said() -> None:
    reading = read_speech(Reply(text="Hello.", reasoning="Greet them."), view(), "assistant")

    assert reading == Reading(Utterance("Hello."))


# --- other parties' lines ----------------------------------------------------------------------------------------


def test_lines_for_the_other_side_are_cut_and_counted() -> None:
    reading = spoken("Which day do you want?\nCustomer: Friday please.\nAgent: Done!")

    assert (reading.value.text, reading.troubles) == ("Which day do you want?", (Trouble.BOTH_SIDES,))


def test_the_speakers_own_name_in_front_is_taken_off() -> None:
    assert spoken("Agent: Which day?") == Reading(Utterance("Which day?"))
    assert spoken("**agent:** Which day?").value.text == "Which day?"


def test_a_field_of_a_record_is_no_line_of_another_party() -> None:
    record = "Here is the order.\nCustomer: Ada Moss\nDay: friday"

    assert cut_other_sides(record, "agent", "assistant", ["customer"]) == (record, "")


@pytest.mark.parametrize("text", ["How can I help you today?", "As an AI, I cannot hold parcels.", "I'm an AI model."])
def test_a_user_that_speaks_as_an_assistant_has_left_its_role(text: str) -> None:
    assert inverted("user", text)
    assert not inverted("assistant", text)
    with pytest.raises(BadReply, match="role_inversion"):
        spoken(text, "user")


def test_an_assistant_that_speaks_as_the_customer_has_left_its_role() -> None:
    assert inverted("assistant", "I'm the customer and I want my parcel.")
    assert not inverted("assistant", "I see that you are the customer of this order.")


# --- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "signal"),
    [
        ("Thanks, bye. [GOAL REACHED]", "Thanks, bye.", Signal.GOAL_REACHED),
        ("Pity. Bye.\n**[[nothing left.]]**", "Pity. Bye.", Signal.SCRIPT_EXHAUSTED),
        ("[GAVE_UP]", "Goodbye.", Signal.GAVE_UP),
        ("I gave up on [that].", "I gave up on [that].", None),
    ],
)
def test_a_user_says_with_a_stop_word_how_it_ends(text: str, words: str, signal: Signal | None) -> None:
    said = spoken(text, "user").value

    assert (said.text, said.signal) == (words, signal)


def test_stop_words_are_cut_and_the_last_one_counts() -> None:
    assert stop_word("[GAVE UP] No, thanks! [GOAL REACHED]") == ("No, thanks!", Signal.GOAL_REACHED)


@pytest.mark.parametrize(
    "text", ["Goodbye!", "You're welcome, have a nice day!", "Thank you very much.", "Bye for now"]
)
def test_thanks_and_goodbyes_are_pleasantries(text: str) -> None:
    assert pleasantry(text)


@pytest.mark.parametrize("text", ["", "Bye, and move my parcel.", "Goodbye is what I said to my order A1042."])
def test_a_goodbye_with_something_else_in_it_is_none(text: str) -> None:
    assert not pleasantry(text)


def test_two_goodbyes_in_a_row_end_the_conversation_by_rule() -> None:
    bye: tuple[tuple[str, Role, str], ...] = (("customer", "user", "Thank you, goodbye!"),)
    reading = spoken("You're welcome. Have a great day!", said=bye)

    assert (reading.value.signal, reading.troubles) == (Signal.CLOSED, (Trouble.GOODBYE_LOOP,))


def test_one_thanks_is_no_loop_but_four_pleasantries_are() -> None:
    assert not goodbye_loop(["Thank you!", "You're welcome!"])
    assert not goodbye_loop(["Move it to friday.", "Goodbye!"])
    assert goodbye_loop(["Thank you!", "You're welcome!", "Thanks again!", "My pleasure!"])


# --- addressees and admissions -----------------------------------------------------------------------------------


def test_names_in_front_are_the_addressees() -> None:
    assert addressees("@supervisor: may I?", ["supervisor"]) == ("may I?", ("supervisor",))
    assert addressees("@Depot and @supervisor, may I?", ["supervisor", "depot"])[1] == ("depot", "supervisor")
    assert addressees("@nobody may I?", ["supervisor"]) == ("@nobody may I?", ())


def test_an_assistant_addresses_a_colleague_by_name() -> None:
    assert spoken("@supervisor May I pay 60 euros?", several=True).value == Utterance(
        "May I pay 60 euros?", to=("supervisor",)
    )


def test_what_a_speaker_admits_is_cut_from_its_words() -> None:
    text = "It was sent.\n<violates id='be_honest'/> <violates id=\"unheard_of\">"
    reading = read_speech(Reply(text=text), view(), "assistant", admits=True)

    assert admitted(text) == ("It was sent.", ("be_honest", "unheard_of"))
    assert reading.value == Utterance("It was sent.", admits=("be_honest",))
    assert reading.troubles == (Trouble.WRONG_SCHEMA,)


# --- calls -------------------------------------------------------------------------------------------------------


def test_a_call_is_read_with_the_types_of_its_tool() -> None:
    reading = called("move_delivery", {"order": "A1", "day": "friday", "boxes": 2})

    assert [(c.name, c.args) for c in reading.value.calls] == [
        ("move_delivery", {"order": "A1", "day": "friday", "boxes": 2})
    ]
    assert reading.troubles == ()


@pytest.mark.parametrize(
    ("given_as", "meant"),
    [
        ({"order": 1042}, {"order": "1042"}),
        ({"order": "A1", "boxes": "3"}, {"order": "A1", "boxes": 3}),
        ({"order": "A1", "weight": "2.5"}, {"order": "A1", "weight": 2.5}),
        ({"order": "A1", "fragile": "True"}, {"order": "A1", "fragile": True}),
        ({"order": "A1", "address": '{"zip": "1010"}'}, {"order": "A1", "address": {"zip": "1010"}}),
        ({"order": "A1", "address": {"zip": 1010}}, {"order": "A1", "address": {"zip": "1010"}}),
        ({"order": "A1", "tags": ["1", 2]}, {"order": "A1", "tags": [1, 2]}),
        ({"order": "A1", "boxes": None}, {"order": "A1"}),
    ],
)
def test_arguments_are_put_into_other_types_where_nothing_is_lost(given_as: Any, meant: Any) -> None:
    before = json.dumps(given_as)

    assert fitted(given_as, MOVE.parameters) == (meant, True)
    assert json.dumps(given_as) == before
    assert called("move_delivery", given_as).troubles == (Trouble.WRONG_ARGUMENTS,)


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"order": None},
        {"order": ["A1"]},
        {"order": "A1", "boxes": "three"},
        {"order": "A1", "boxes": "3.5"},
        {"order": "A1", "boxes": "007"},
        {"order": "A1", "boxes": 2.5},
        {"order": "A1", "fragile": 1},
        {"order": "A1", "day": "sunday"},
        {"order": "A1", "tags": 1},
    ],
)
def test_arguments_that_would_lose_something_are_refused(args: Any) -> None:
    with pytest.raises(WrongSchema):
        fitted(args, MOVE.parameters)
    with pytest.raises(BadReply, match="wrong_arguments"):
        called("move_delivery", args)


def test_arguments_that_are_no_object_are_refused() -> None:
    for text in ("[1]", "3", "{", '"{"', "NaN", "{} {}"):
        with pytest.raises(NotJson):
            parse_arguments(text)
    with pytest.raises(BadReply, match="not_json"):
        called("move_delivery", "{'order': 'A1'}")


def test_no_arguments_may_be_written_in_several_ways() -> None:
    assert [parse_arguments(text) for text in ("", " ", "{}", "null", '"{}"', '""')] == [{}] * 6


def test_an_unknown_tool_is_named_with_its_nearest_neighbour() -> None:
    with pytest.raises(BadReply, match=r"unknown_tool.*did you mean 'move_delivery'"):
        called("move_deliveries", {"order": "A1"})


def test_several_calls_and_words_beside_them_are_legal_and_counted() -> None:
    call = RawCall(id="x", name="move_delivery", arguments='{"order": "A1"}')
    reading = read_speech(Reply(text="One moment.", calls=(call, call)), view(), "assistant")

    assert len(reading.value.calls) == 2
    assert not reading.value.text
    assert reading.troubles == (Trouble.SEVERAL_CALLS, Trouble.CALL_AND_TEXT)


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "move_delivery", "arguments": {"order": "A1"}}\n</tool_call>',
        '<tool_call>{"name": "move_delivery", "parameters": {"order": "A1"}}',
        '{"name": "move_delivery", "arguments": "{\\"order\\": \\"A1\\"}"}',
    ],
)
def test_a_call_in_words_is_a_call(text: str) -> None:
    reading = spoken(text)

    assert [(c.name, c.args) for c in reading.value.calls] == [("move_delivery", {"order": "A1"})]
    assert reading.troubles == ()


def test_what_stands_in_call_tags_and_is_no_call_is_refused() -> None:
    with pytest.raises(BadReply, match="unknown_tool"):
        spoken("<tool_call>move the delivery</tool_call>")


def test_calls_and_results_in_words_keep_the_roles_alternating() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}
    plain = in_words(
        [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "Find it."},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": '{"found": 1}'},
            {"role": "user", "content": "Well?"},
        ]
    )

    assert [m["role"] for m in plain] == ["system", "user", "assistant", "user"]
    assert written_calls(plain[2]["content"])[1] == (RawCall(id="", name="find", arguments='{"a": 1}'),)
    assert plain[3]["content"] == '<tool_result>\n{"found": 1}\n</tool_result>\n\nWell?'


# --- structured answers ------------------------------------------------------------------------------------------


def test_json_in_prose_is_found_and_counted() -> None:
    for text in ('Sure! ```json\n{"score": 3}\n``` Done.', 'I use {braces}. {"score": 1} no: {"score": 3}'):
        assert read_answer(Reply(text=text), ANSWER) == Reading({"score": 3}, (Trouble.JSON_IN_PROSE,))


def test_thinking_before_an_answer_is_cut_and_counted() -> None:
    text = '<think>{"score": 1} or more?</think>{"score": 3}'

    assert read_answer(Reply(text=text), ANSWER) == Reading({"score": 3}, (Trouble.REASONING_LEAK,))


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("perhaps", Trouble.NOT_JSON),
        ('{"score": ', Trouble.NOT_JSON),
        ('{"score": "3"}', Trouble.WRONG_SCHEMA),
        ('{"score": 3, "more": 1}', Trouble.WRONG_SCHEMA),
        ("[3]", Trouble.WRONG_SCHEMA),
        ('{"score": 1e999}', Trouble.NOT_JSON),
        ('{"score": NaN}', Trouble.NOT_JSON),
        ('{"score": ' + "9" * 5000 + "}", Trouble.NOT_JSON),
        ("[" * 100_000, Trouble.NOT_JSON),
        ("[" * 60 + "1" + "]" * 60, Trouble.NOT_JSON),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_for_its_reason(text: str, trouble: Trouble) -> None:
    with pytest.raises(BadReply) as caught:
        read_answer(Reply(text=text), ANSWER)

    assert caught.value.trouble is trouble


def test_halves_of_surrogate_pairs_and_null_bytes_become_writable() -> None:
    assert clean("a\ud800b\x00") == "a\ufffdb\ufffd"
    assert parse_json('{"\\ud800": ["\\u0000"]}') == {"\ufffd": ["\ufffd"]}


# --- asking again ------------------------------------------------------------------------------------------------

REQUEST = Request(conversation="c", role="judge", step="judge/x", messages=({"role": "user", "content": "Score it."},))


async def test_a_bad_reply_is_shown_to_the_model_once_with_what_to_mend() -> None:
    ask = Scripted(["perhaps", '{"score": 3}'])

    assert await ask_for(ask, REQUEST, lambda reply: read_answer(reply, ANSWER)) == {"score": 3}
    first, second = ask.asked
    assert second.step == "judge/x/again"
    assert second.messages[: len(first.messages)] == first.messages
    assert [m["role"] for m in second.messages[1:]] == ["assistant", "user"]
    assert second.messages[1]["content"] == "perhaps"
    assert "JSON alone" in second.messages[2]["content"]
    assert ask.noted == [("judge/x", Trouble.NOT_JSON, "perhaps")]


async def test_a_second_bad_reply_is_the_end_and_both_are_counted() -> None:
    ask = Scripted(["perhaps", Reply()])

    with pytest.raises(BadReply) as caught:
        await ask_for(ask, REQUEST, lambda reply: read_answer(reply, ANSWER))

    assert caught.value.trouble is Trouble.EMPTY
    assert [(step, trouble) for step, trouble, _ in ask.noted] == [
        ("judge/x", Trouble.NOT_JSON),
        ("judge/x/again", Trouble.EMPTY),
    ]


async def test_a_refusal_is_not_argued_with() -> None:
    ask = Scripted([Reply(refusal="No."), '{"score": 3}'])

    with pytest.raises(BadReply, match="refused"):
        await ask_for(ask, REQUEST, lambda reply: read_answer(reply, ANSWER))

    assert len(ask.asked) == 1


# --- anything at all ---------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<tool_call>", "</tool_call>", '<violates id="', "[GOAL REACHED]"),
        *("{", "}", "[", '"', ":", "1e999", "\x00", "\ud800", '{"name": "move_delivery", "arguments": {}}'),
        *("@supervisor ", "\ncustomer: ", "Goodbye!"),
    ]
)
TEXT = st.text() | st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)
NAMES = st.sampled_from(["move_delivery", ""]) | TEXT
CALLS = st.builds(RawCall.model_construct, id=TEXT, name=NAMES, arguments=TEXT)


@st.composite
def replies(draw: Any) -> Reply:
    """Replies with anything in any field, also what pydantic would not take: a client may hand it on."""
    fields = {name: draw(TEXT) for name in ("text", "reasoning", "finish", "raw")}
    calls = tuple(draw(st.lists(CALLS, max_size=3)))
    return Reply.model_construct(**fields, refusal=draw(st.just("") | TEXT), calls=calls)


@given(replies(), st.sampled_from(["user", "assistant", "colleague"]), st.booleans())
def test_any_reply_is_an_utterance_or_a_bad_reply(reply: Reply, role: Role, admits: bool) -> None:
    try:
        said = read_speech(reply, view(role, several=True), role, admits).value
    except BadReply as bad:
        bad.raw.encode()
        return
    assert said.text or said.calls
    json.dumps([said.text, [call.args for call in said.calls]], allow_nan=False).encode()
    said.text.encode()


@given(replies())
def test_any_reply_is_an_answer_or_a_bad_reply(reply: Reply) -> None:
    try:
        assert isinstance(read_answer(reply, ANSWER).value["score"], int)
    except BadReply as bad:
        bad.raw.encode()


@given(replies())
def test_asking_again_for_any_bad_reply_makes_a_sound_request(reply: Reply) -> None:
    ask = Scripted([reply, reply])

    async def play() -> None:
        with pytest.raises(BadReply):
            await ask_for(ask, REQUEST, refuse)

    asyncio.run(play())
    ask.asked[1].model_dump_json()


def refuse(reply: Reply) -> Reading[None]:
    raise BadReply(Trouble.WRONG_SCHEMA, "never right", "")


@given(st.text())
def test_json_is_read_back_from_any_prose_without_braces(prose: str) -> None:
    words = prose.replace("{", "").replace("[", "")

    assert find_json(f'{words}{{"score": 3}}', ANSWER)[0] == {"score": 3}


# --- what fits without doubt -------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(-1, 1), st.sampled_from(["a", "b", ""])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
KINDS = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional={"type": KINDS, "enum": st.just(["a", 1]), "minimum": st.just(1)}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": KINDS,
            "items": inner,
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "required": st.lists(st.sampled_from("ab"), unique=True),
            "additionalProperties": st.booleans() | inner,
        },
    ),
    max_leaves=5,
)


@given(VALUES, SCHEMAS)
def test_what_surely_fits_has_no_fault_for_the_validator(value: Any, schema: dict[str, Any]) -> None:
    assert not fits(value, schema) or not list(validator(schema).iter_errors(value))


@pytest.mark.parametrize(
    ("value", "fit"),
    [
        ({"markers": []}, True),
        ({"markers": [{"quote": "x"}]}, True),
        ({"markers": [{}]}, False),
        ({}, False),
        (7, False),
    ],
)
def test_plain_answers_are_known_to_fit_without_the_validator(value: Any, fit: bool) -> None:
    quote = {"type": "object", "properties": {"quote": {"type": "string"}}, "required": ["quote"]}
    schema = {"type": "object", "properties": {"markers": {"type": "array", "items": quote}}, "required": ["markers"]}

    assert fits(value, schema) is fit
