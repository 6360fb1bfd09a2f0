"""LangChain models of other providers, called through the same door."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from tertulia.errors import SettingsError
from tertulia.models import langchain
from tertulia.models.langchain import LangChainChat, Provider, message_of, opened, reply_of
from tertulia.models.records import CallFailed, RawCall, Reply, Request, Trouble

KEY = "sk-foreign-0123456789"
ASKED = Request(
    conversation="c",
    role="assistant",
    step="agent/1/0",
    messages=({"role": "system", "content": "Help."}, {"role": "user", "content": "Where is A1042?"}),
    stop=("\nUser:",),
)
TOOL = {"type": "function", "function": {"name": "look_up", "description": "Find.", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


class ProviderError(Exception):
    def __init__(self, text: str, **more: Any) -> None:
        self.__dict__.update(more)
        super().__init__(text)


class Foreign(BaseChatModel):
    """A provider's model as their packages write them."""

    model: str = "foreign"
    temperature: float = 1.0
    max_retries: int = 5
    answer: Any = AIMessage("Hello.")
    asked: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "foreign"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=tools, **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.asked.append((messages, stop, kwargs))
        if isinstance(self.answer, Exception):
            raise self.answer
        return ChatResult(generations=[ChatGeneration(message=self.answer)])


class Toolless(Foreign):
    bind_tools = BaseChatModel.bind_tools


def door(answer: Any, kind: type[Foreign] = Foreign) -> tuple[LangChainChat, Foreign]:
    model = kind(answer=answer, asked=[])
    return LangChainChat(model, (ProviderError,)), model


async def failure(
    answer: Any, asked: Request = ASKED, kind: type[Foreign] = Foreign, deadline: float = 5.0
) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await door(answer, kind)[0].complete(asked, deadline)
    return caught.value


async def test_a_reply_tells_text_reasoning_calls_and_usage() -> None:
    answer = AIMessage(
        content=[{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "One moment."}],
        tool_calls=[{"name": "look_up", "args": {"order": "A1042"}, "id": "t1"}],
        invalid_tool_calls=[{"name": "look_up", "args": '{"order', "id": None, "error": "cut"}],
        response_metadata={"stop_reason": "tool_use", "model_name": "foreign-2"},
        usage_metadata={
            "input_tokens": 30,
            "output_tokens": 7,
            "total_tokens": 37,
            "input_token_details": {"cache_read": 12},
        },
    )
    chat, model = door(answer)
    reply = await chat.complete(ASKED.model_copy(update={"tools": (TOOL,)}), 5)
    assert (reply.text, reply.reasoning, reply.finish, reply.model) == ("One moment.", "hm", "tool_calls", "foreign-2")
    assert reply.calls == (
        RawCall(id="t1", name="look_up", arguments='{"order": "A1042"}'),
        RawCall(id="", name="look_up", arguments='{"order'),
    )
    assert (reply.tokens_in, reply.tokens_out, reply.cached_in, reply.counted) == (30, 7, 12, True)
    assert "One moment." in reply.raw
    messages, stop, more = model.asked[0]
    assert [message.type for message in messages] == ["system", "human"]
    assert (stop, more["tools"]) == (["\nUser:"], [TOOL])


@pytest.mark.parametrize(("told", "finish"), [("max_tokens", "length"), ("SAFETY", "content_filter"), ("STOP", "stop")])
async def test_finish_reasons_are_those_of_openai(told: str, finish: str) -> None:
    chat, _ = door(AIMessage("Hi", response_metadata={"finish_reason": told}))
    reply = await chat.complete(ASKED, 5)
    assert reply.finish == finish
    assert not reply.counted


async def test_a_structured_answer_is_the_text_of_the_reply() -> None:
    answer = AIMessage("", tool_calls=[{"name": "answer", "args": {"ok": True}, "id": "t1"}])
    reply = await door(answer)[0].complete(ASKED.model_copy(update={"answer": SCHEMA}), 5)
    assert (json.loads(reply.text), reply.calls) == ({"ok": True}, ())
    plain = await door(AIMessage('{"ok": 1}'), Toolless)[0].complete(ASKED.model_copy(update={"answer": SCHEMA}), 5)
    assert plain.text == '{"ok": 1}'


async def test_a_model_without_tools_says_so() -> None:
    failed = await failure(AIMessage("Hi"), ASKED.model_copy(update={"tools": (TOOL,)}), Toolless)
    assert failed.trouble is Trouble.DENIED
    assert "prompt form" in str(failed)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ProviderError("slow down", status_code=429), Trouble.RATE_LIMITED),
        (ProviderError("overloaded", status_code=529), Trouble.SERVER_ERROR),
        (ProviderError("no", response=SimpleNamespace(status_code=401, headers={})), Trouble.DENIED),
        (ProviderError("quota", code=429), Trouble.RATE_LIMITED),
        (ProviderError("quota", status_code=429, code="insufficient_quota"), Trouble.DENIED),
        (ProviderError("exceeds the maximum context length", status_code=400), Trouble.TOO_LONG),
        (ProviderError("gone"), Trouble.CONNECTION),
        (ConnectionResetError("reset"), Trouble.CONNECTION),
        (json.JSONDecodeError("cut", "{", 1), Trouble.MALFORMED),
        (KeyError("choices"), Trouble.MALFORMED),
        (
            ProviderError("throttled", response={"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": 503}}),
            Trouble.SERVER_ERROR,
        ),
    ],
)
async def test_what_providers_raise_has_its_trouble(error: Exception, trouble: Trouble) -> None:
    assert (await failure(error)).trouble is trouble


async def test_how_long_to_wait_comes_with_the_error() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    dates = {"retry-after": format_datetime(now + timedelta(seconds=5), usegmt=True), "date": format_datetime(now)}
    for headers in ({"retry-after": "5"}, dates):
        answer = SimpleNamespace(status_code=429, headers=headers)
        assert (await failure(ProviderError("slow down", response=answer))).retry_after == 5


async def test_a_bug_in_a_package_is_no_failed_call() -> None:
    with pytest.raises(ZeroDivisionError):
        await door(ZeroDivisionError())[0].complete(ASKED, 5)


async def test_no_key_of_the_environment_gets_into_an_error_or_a_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN_API_KEY", KEY)
    failed = await failure(ProviderError(f"bad request to https://host/?key={KEY}", status_code=400))
    assert failed.__cause__ is None
    assert failed.__suppress_context__
    assert KEY not in str(failed) + failed.raw
    assert KEY not in reply_of(AIMessage(KEY)).raw


def test_a_reply_survives_the_way_to_a_message_and_back() -> None:
    calls = (RawCall(id="a", name="f", arguments='{"x": 1}'), RawCall(id="b", name="g", arguments='{"x'))
    reply = Reply(text="Hi", calls=calls, reasoning="hm", refusal="no", finish="length", model="m")
    reply = reply.model_copy(update={"tokens_in": 9, "tokens_out": 3, "cached_in": 2})
    assert reply_of(message_of(reply)).model_copy(update={"raw": ""}) == reply


# --- providers ---------------------------------------------------------------------------------------------------


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a provider's package, for one test."""

    def put(provider: str, module: str, **names: Any) -> None:
        made = ModuleType(module)
        made.__dict__.update(names)
        monkeypatch.setitem(sys.modules, module, made)
        found = langchain.find_spec
        monkeypatch.setattr(langchain, "find_spec", lambda name: made if name == module else found(name))
        monkeypatch.setitem(
            langchain.PROVIDERS, provider, Provider(module.replace("_", "-"), "ChatForeign", (f"{module}:Oops",))
        )

    return put


async def test_a_provider_is_opened_with_its_settings_and_without_retries_of_its_own(
    install: Callable[..., None],
) -> None:
    install("foreign", "langchain_foreign", ChatForeign=Foreign, Oops=ProviderError)
    chat = opened("foreign", "large", {"temperature": 0.25})
    assert isinstance(chat.model, Foreign)
    assert (chat.model.model, chat.model.temperature, chat.model.max_retries) == ("large", 0.25, 0)
    assert ProviderError in chat.errors


def test_what_a_provider_says_against_the_settings_is_told_without_the_key(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(**settings: Any) -> None:
        raise ProviderError(f"no account for {os.environ['FOREIGN_API_KEY']}")

    monkeypatch.setenv("FOREIGN_API_KEY", KEY)
    kind = type("ChatForeign", (Foreign,), {"__new__": lambda cls, **settings: refusing(**settings)})
    install("foreign", "langchain_foreign", ChatForeign=kind, Oops=ProviderError)
    with pytest.raises(SettingsError, match="cannot open 'large': no account for") as caught:
        opened("foreign", "large", {})
    assert KEY not in str(caught.value)
