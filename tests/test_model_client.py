"""The client for OpenAI-compatible endpoints, against a real HTTP server on loopback."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from tertulia.errors import SettingsError
from tertulia.models.client import OpenAIChat
from tertulia.models.completions import body_of, encoded, is_closed, options_of, reply_in
from tertulia.models.endpoint import RAW, retry_after
from tertulia.models.records import CallFailed, RawCall, Request, Trouble

KEY = "sk-test-0123456789abcdef"
ASKED = Request(
    conversation="c-000001",
    role="assistant",
    step="agent/1/0",
    messages=(
        {"role": "system", "content": "Help."},
        {"role": "user", "content": "Where is parcel A1042? \N{PARTY POPPER}"},
    ),
)
CLOSED = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
LOOK_UP = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Find a parcel.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
    },
}


def completion(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "model": "served",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 30, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 16}},
        **more,
    }


def answer(body: Any, status: int = 200, **headers: str) -> bytes:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(sent)}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + sent


GOOD = answer(completion({"content": "It is on its way."}))


@dataclass
class Canned:
    """Sends the answers it was given, the last one for ever, and keeps what it was asked."""

    answers: list[bytes | None]  # None: silence
    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    close: bool = False  # after each answer
    reset: bool = False  # in place of closing

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode()
                length = int(text.lower().split("content-length:")[1].split()[0])
                self.heads.append(text)
                self.bodies.append(json.loads(await reader.readexactly(length)))
                sent = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if sent is not None:
                    writer.write(sent)
                    await writer.drain()
                if self.reset:
                    writer.transport.abort()
                    return
                if self.close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: bytes | None, **more: Any) -> AsyncIterator[Canned]:
    canned = Canned(list(answers), **more)
    server = await asyncio.start_server(canned.serve, "127.0.0.1", 0, limit=2**22)
    canned.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield canned
    finally:
        server.close()


async def failure(*answers: bytes | None, deadline: float = 5.0, **more: Any) -> CallFailed:
    async with serving(*answers, **more) as canned:
        with pytest.raises(CallFailed) as caught:
            await OpenAIChat(model="m", base_url=canned.url).complete(ASKED, deadline)
    return caught.value


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


# --- requests ----------------------------------------------------------------------------------------------------


async def test_every_field_of_a_request_is_on_the_wire() -> None:
    asked = ASKED.model_copy(
        update={"tools": (LOOK_UP,), "answer": CLOSED, "stop": ("\nUser:",), "seed": 7, "logprobs": True}
    )
    settings = {"temperature": 0.2, "top_p": 0.9, "max_tokens": 50, "chat_template_kwargs": {"enable_thinking": False}}
    async with serving(GOOD) as canned:
        await OpenAIChat(model="m", base_url=canned.url, settings=settings).complete(asked, 5)
    assert canned.bodies == [
        {
            "model": "m",
            "messages": list(ASKED.messages),
            **settings,
            "tools": [LOOK_UP],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": CLOSED, "strict": True},
            },
            "stop": ["\nUser:"],
            "seed": 7,
            "logprobs": True,
        }
    ]
    assert canned.heads[0].startswith("POST /v1/chat/completions HTTP/1.1")
    assert f"Authorization: Bearer {KEY}\r\n" in canned.heads[0]
    assert "Cookie" not in canned.heads[0]


def test_a_setting_of_none_takes_a_field_out() -> None:
    asked = ASKED.model_copy(update={"seed": 7, "stop": ("x",)})
    body = body_of("m", asked.messages, options_of(asked), {"seed": None, "temperature": 0})
    assert "seed" not in body
    assert body["stop"] == ("x",)
    assert body["temperature"] == 0


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"type": "array", "items": {"type": "string"}}, True),
    ],
)
def test_strict_is_asked_for_only_where_the_schema_is_closed(schema: dict[str, Any], closed: bool) -> None:
    assert is_closed(schema) is closed


def test_texts_and_numbers_that_orjson_refuses_are_sent_all_the_same() -> None:
    body = {"a": "half \ud83d pair", "b": 10**30}
    assert json.loads(encoded(body)) == body


async def test_calls_one_after_the_other_share_a_connection_and_calls_at_once_do_not_wait() -> None:
    async with serving(GOOD) as canned:
        model = OpenAIChat(model="m", base_url=canned.url)
        for _ in range(5):
            await model.complete(ASKED, 5)
        assert canned.connections == 1
    async with serving(None) as silent:
        model = OpenAIChat(model="m", base_url=silent.url)
        waiting = [asyncio.create_task(model.complete(ASKED, 60)) for _ in range(150)]
        async with asyncio.timeout(10):
            while len(silent.bodies) < 150:
                await asyncio.sleep(0.005)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_body_beyond_a_megabyte_is_sent_whole() -> None:
    large = ASKED.model_copy(update={"messages": ({"role": "user", "content": "long " * 300_000},)})
    async with serving(GOOD) as canned:
        await OpenAIChat(model="m", base_url=canned.url).complete(large, 20)
    assert len(canned.bodies[0]["messages"][0]["content"]) == 1_500_000


def test_the_session_closes_with_its_loop_and_the_next_loop_gets_its_own() -> None:
    async def twice() -> int:
        async with serving(GOOD) as canned:
            model = OpenAIChat(model="m", base_url=canned.url)
            await model.complete(ASKED, 5)
            await model.complete(ASKED, 5)
            return canned.connections

    assert [asyncio.run(twice()) for _ in range(2)] == [1, 1]  # an unclosed session would warn, and warnings are errors


# --- replies -----------------------------------------------------------------------------------------------------


def read(message: dict[str, Any], **more: Any) -> Any:
    return reply_in(json.dumps(completion(message, **more)).encode())


async def test_a_reply_tells_its_text_its_cost_and_what_came() -> None:
    async with serving(GOOD) as canned:
        reply = await OpenAIChat(model="m", base_url=canned.url).complete(ASKED, 5)
    assert (reply.text, reply.finish, reply.model) == ("It is on its way.", "stop", "served")
    assert (reply.tokens_in, reply.tokens_out, reply.cached_in, reply.counted) == (30, 7, 16, True)
    assert json.loads(reply.raw) == completion({"content": "It is on its way."})


def test_tool_calls_are_read_in_every_shape_that_is_in_use() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"order": "A1'}}
    assert read({"content": None, "tool_calls": [call]}).calls == (
        RawCall(id="call_1", name="look_up", arguments='{"order": "A1'),
    )
    as_object = {"function": {"name": "look_up", "arguments": {"order": "A1042"}}}
    assert read({"tool_calls": [as_object]}).calls == (RawCall(id="", name="look_up", arguments='{"order": "A1042"}'),)
    older = {"name": "look_up", "arguments": "{}"}
    assert read({"content": None, "function_call": older}).calls == (RawCall(id="", name="look_up", arguments="{}"),)


def test_reasoning_and_refusals_are_kept_apart_from_the_text() -> None:
    assert read({"content": "Hi", "reasoning_content": "hm"}).reasoning == "hm"
    assert read({"content": "Hi", "reasoning": "hm"}).reasoning == "hm"
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hi"}]
    listed = read({"content": parts})
    assert (listed.text, listed.reasoning) == ("Hi", "hm")
    assert read({"content": None, "refusal": "I can't help with that."}).refusal == "I can't help with that."


def test_log_probabilities_are_kept() -> None:
    choice = {"message": {"content": "Hi"}, "logprobs": {"content": [{"token": "Hi", "logprob": -0.25}]}}
    assert read({}, choices=[choice]).logprobs == (("Hi", -0.25),)
    assert read({}, choices=[{**choice, "logprobs": {"content": [{"token": 1}]}}]).logprobs == ()


def test_tokens_are_counted_where_the_endpoint_tells_none_and_the_reply_says_so() -> None:
    reply = reply_in(json.dumps(completion({"content": "abcdefgh"}, usage=None)).encode(), asked=400)
    assert (reply.tokens_in, reply.tokens_out, reply.counted) == (100, 2, False)
    silly = reply_in(
        json.dumps(completion({"content": "x"}, usage={"prompt_tokens": -5, "completion_tokens": 1e99})).encode()
    )
    assert silly.tokens_in >= 0
    assert not silly.counted
    deepseek = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 8}
    assert read({"content": "x"}, usage=deepseek).cached_in == 8


def test_half_a_surrogate_pair_does_not_cost_the_reply() -> None:
    assert reply_in(b'{"choices": [{"message": {"content": "ok \\ud83d"}}]}').text == "ok ?"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'"text"',
        b"\xff",
        b"[" * 100_000,
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"content": [1]}}]}',
        b'{"choices": [{"message": {"tool_calls": [1]}}]}',
    ],
)
def test_whatever_is_no_completion_is_malformed(body: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        reply_in(body)
    assert caught.value.trouble is Trouble.MALFORMED
    assert len(caught.value.raw) <= RAW


MESSAGE = ["content", "tool_calls", "function", "name", "arguments", "type", "text", "refusal", "reasoning"]
AROUND = ["usage", "prompt_tokens", "prompt_tokens_details", "cached_tokens", "logprobs", "finish_reason", "error"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MESSAGE + AROUND), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, json_values, json_values)
def test_no_json_whatever_breaks_the_reader(message: Any, choice: Any, whole: Any) -> None:
    wrapped = {"choices": [{**(choice if isinstance(choice, dict) else {}), "message": message}]}
    for value in (whole, wrapped, {**wrapped, **(whole if isinstance(whole, dict) else {})}):
        troubles, reply = [], None
        try:
            reply = reply_in(json.dumps(value).encode(), 10)
        except CallFailed as failed:
            troubles = [failed.trouble]
        assert reply is None or reply.tokens_in >= reply.cached_in >= 0
        assert set(troubles) <= {Trouble.MALFORMED, Trouble.SERVER_ERROR, Trouble.RATE_LIMITED}


# --- what goes wrong ---------------------------------------------------------------------------------------------


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (429, error("slow down"), Trouble.RATE_LIMITED),
        (429, error("pay first", code="insufficient_quota"), Trouble.DENIED),
        (500, b"oops", Trouble.SERVER_ERROR),
        (503, b"", Trouble.SERVER_ERROR),
        (529, error("overloaded"), Trouble.SERVER_ERROR),
        (408, b"", Trouble.TIMEOUT),
        (401, error("who are you"), Trouble.DENIED),
        (404, error("no such model"), Trouble.DENIED),
        (422, b'{"detail": [{"msg": "bad"}]}', Trouble.DENIED),
        (307, b"", Trouble.DENIED),
        (400, error("bad"), Trouble.DENIED),
        (400, error("too many tokens", code="context_length_exceeded"), Trouble.TOO_LONG),
        (400, {"message": "This model's maximum context length is 4096 tokens"}, Trouble.TOO_LONG),
        (400, error("filtered", code="content_filter"), Trouble.REFUSED),
        (200, error("upstream is down"), Trouble.SERVER_ERROR),
        (200, error("upstream limits", code=429), Trouble.RATE_LIMITED),
        (200, b"<html>", Trouble.MALFORMED),
        (200, b'{"choices": [{"mess', Trouble.MALFORMED),
    ],
)
async def test_each_answer_has_its_trouble(status: int, body: Any, trouble: Trouble) -> None:
    failed = await failure(answer(body, status))
    assert failed.trouble is trouble
    assert failed.status == (status if status != 200 else 0)
    assert failed.raw == (body.decode() if isinstance(body, bytes) else json.dumps(body))


async def test_what_an_error_keeps_of_a_body_is_bounded() -> None:
    failed = await failure(answer(b"x" * 1_000_000, 500))
    assert len(failed.raw) == RAW
    assert len(str(failed)) < 400


async def test_a_base_url_without_v1_is_said_to_be_the_likely_cause_of_a_404() -> None:
    async with serving(answer(b"", 404)) as canned:
        with pytest.raises(CallFailed, match="mostly end in /v1"):
            await OpenAIChat(model="m", base_url=canned.url.removesuffix("/v1")).complete(ASKED, 5)


async def test_silence_ends_at_the_deadline() -> None:
    failed = await failure(None, deadline=0.05)
    assert failed.trouble is Trouble.TIMEOUT


async def test_an_answer_that_breaks_off_is_malformed_and_a_reset_is_a_broken_connection() -> None:
    assert (await failure(GOOD[:-10], close=True)).trouble is Trouble.MALFORMED
    assert (await failure(b"", close=True)).trouble is Trouble.CONNECTION
    assert (await failure(b"", reset=True)).trouble is Trouble.CONNECTION
    assert (await failure(b"SSH-2.0-OpenSSH\r\n\r\n")).trouble is Trouble.MALFORMED


async def test_nobody_listening_is_a_broken_connection() -> None:
    async with serving(GOOD) as canned:
        url = canned.url
    with pytest.raises(CallFailed) as caught:
        await OpenAIChat(model="m", base_url=url).complete(ASKED, 5)
    assert caught.value.trouble is Trouble.CONNECTION


async def test_how_long_to_wait_comes_with_the_error() -> None:
    assert (await failure(answer(b"", 429, Retry_After="7"))).retry_after == 7
    assert (await failure(answer(b"", 503))).retry_after is None


def test_retry_after_is_read_as_seconds_milliseconds_and_dates() -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    dated = {"date": format_datetime(now, usegmt=True)}
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": "1.5"}) == 1.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after({"retry-after": later, **dated}) == 90
    assert retry_after({"retry-after": dated["date"], "date": later}) == 0
    assert retry_after({"retry-after": "-3"}) == 0
    for text in ("", "soon", "nan", "inf", "99999999999999 Foo 2026"):
        assert retry_after({"retry-after": text}) is None


# --- keys --------------------------------------------------------------------------------------------------------


async def test_the_key_is_nowhere_but_in_the_header(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echoes = [answer(error(f"bad key {KEY}"), 401), answer(f"{KEY} is it".encode(), 500)]
    echoes.append(answer(completion({"content": f"your key is {KEY}"})))
    async with serving(*echoes) as canned:
        model = OpenAIChat(model="m", base_url=canned.url)
        shown = [
            repr(model),
            str(model),
            repr(model.model_dump()),
            repr(model._endpoint),
            str(model._identifying_params),
        ]
        for _ in range(2):
            with pytest.raises(CallFailed) as caught:
                await model.complete(ASKED, 5)
            shown += [str(caught.value), repr(caught.value), caught.value.raw]
        reply = await model.complete(ASKED, 5)
    shown += [reply.text, reply.raw, caplog.text]
    assert not any(KEY in text for text in shown)
    assert all(f"Bearer {KEY}" in head for head in canned.heads)


@pytest.mark.parametrize("placeholder", ["x", "EMPTY", "none"])
async def test_what_stands_for_no_key_is_not_blotted_out_of_replies(
    placeholder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", placeholder)
    said = f"Your next box is {placeholder}."
    async with serving(answer(completion({"content": said}))) as canned:
        assert (await OpenAIChat(model="m", base_url=canned.url).complete(ASKED, 5)).text == said


def test_a_key_is_asked_for_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(SettingsError, match="environment variable OPENAI_API_KEY"):
        OpenAIChat(model="m")
    with pytest.raises(SettingsError, match="environment variable MY_KEY"):
        OpenAIChat(model="m", base_url="http://127.0.0.1:1/v1", key_env="MY_KEY")
    OpenAIChat(model="m", base_url="http://127.0.0.1:1/v1")  # local servers mostly want none
    monkeypatch.setenv("MY_KEY", "two\nlines")
    with pytest.raises(SettingsError, match="MY_KEY has characters") as caught:
        OpenAIChat(model="m", key_env="MY_KEY")
    assert "lines" not in str(caught.value)


# --- as a LangChain model ----------------------------------------------------------------------------------------


class Listening(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.heard.append("start")

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.heard.append("end")


CALLING = answer(
    completion(
        {
            "content": "",
            "reasoning_content": "look first",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"order": "A1"}'}}
            ],
        }
    )
)


async def test_both_paths_ask_and_read_the_same() -> None:
    before = {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c0", "type": "function", "function": {"name": "look_up", "arguments": '{"order": "A0"}'}}
        ],
    }
    asked = ASKED.model_copy(
        update={
            "messages": (*ASKED.messages, before, {"role": "tool", "tool_call_id": "c0", "content": "{}"}),
            "tools": (LOOK_UP,),
            "stop": ("\nUser:",),
            "seed": 3,
        }
    )
    listening = Listening()
    async with serving(CALLING) as canned:
        straight = await OpenAIChat(model="m", base_url=canned.url).complete(asked, 5)
        heard = await OpenAIChat(model="m", base_url=canned.url, callbacks=[listening]).complete(asked, 5)
    assert listening.heard == ["start", "end"]
    assert canned.bodies[0] == canned.bodies[1]
    same = {"raw"}
    assert heard.model_dump(exclude=same) == straight.model_dump(exclude=same)


async def test_callbacks_of_the_context_are_heard() -> None:
    async with serving(GOOD) as canned:
        model = OpenAIChat(model="m", base_url=canned.url)
        assert not model.watched()
        with get_usage_metadata_callback() as usage:
            await model.complete(ASKED, 5)
    assert usage.usage_metadata["served"]["input_tokens"] == 30


async def test_a_cache_answers_the_second_time() -> None:
    async with serving(GOOD) as canned:
        model = OpenAIChat(model="m", base_url=canned.url, cache=InMemoryCache())
        replies = [await model.complete(ASKED, 5) for _ in range(2)]
    assert [reply.text for reply in replies] == ["It is on its way."] * 2
    assert len(canned.bodies) == 1


async def test_a_watched_call_keeps_its_deadline_and_its_troubles() -> None:
    async with serving(None) as silent:
        with pytest.raises(CallFailed) as caught:
            await OpenAIChat(model="m", base_url=silent.url, callbacks=[Listening()]).complete(ASKED, 0.05)
    assert caught.value.trouble is Trouble.TIMEOUT
    async with serving(answer(b"", 500)) as failing:
        with pytest.raises(CallFailed) as caught:
            await OpenAIChat(model="m", base_url=failing.url, callbacks=[Listening()]).complete(ASKED, 5)
    assert caught.value.trouble is Trouble.SERVER_ERROR


async def test_it_is_an_ordinary_chat_model() -> None:
    @tool
    def look_up(order: str) -> str:
        """Find a parcel."""
        return order

    async with serving(CALLING) as canned:
        model = OpenAIChat(model="m", base_url=canned.url)
        message = await model.bind_tools([look_up], tool_choice="any").ainvoke([HumanMessage("Where is A1?")])
        blocking = await asyncio.to_thread(model.invoke, "Where is A1?", stop=["."])
    assert isinstance(message, AIMessage)
    assert message.tool_calls == [{"name": "look_up", "args": {"order": "A1"}, "id": "c1", "type": "tool_call"}]
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == 30
    assert canned.bodies[0]["tool_choice"] == "required"
    assert canned.bodies[0]["tools"][0]["function"]["name"] == "look_up"
    assert canned.bodies[1]["stop"] == ["."]
    assert blocking.tool_calls == message.tool_calls
