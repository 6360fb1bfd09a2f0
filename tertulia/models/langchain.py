"""LangChain chat models of other providers, called as tertulia calls its own: requests and replies in their messages.

A provider's package is imported when a model of it is opened, and its retries are switched off: tertulia counts and
bounds its own.
"""

import json
import os
from asyncio import timeout
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from pydantic import ValidationError

from tertulia.errors import SettingsError, did_you_mean
from tertulia.models.completions import RAW, spoken
from tertulia.models.endpoint import cause, retry_after
from tertulia.models.records import CallFailed, RawCall, Reply, Request, Trouble
from tertulia.models.tokens import rough

__all__ = ["PROVIDERS", "LangChainChat", "message_of", "opened", "reply_of"]


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider's chat model is, and what it raises."""

    package: str
    chat: str
    errors: tuple[str, ...] = ()  # module:class


OPENAI_ERRORS = ("openai:OpenAIError",)
PROVIDERS = {
    "anthropic": Provider("langchain-anthropic", "ChatAnthropic", ("anthropic:AnthropicError",)),
    "azure_openai": Provider("langchain-openai", "AzureChatOpenAI", OPENAI_ERRORS),
    "bedrock_converse": Provider(
        "langchain-aws", "ChatBedrockConverse", ("botocore.exceptions:ClientError", "botocore.exceptions:BotoCoreError")
    ),
    "cohere": Provider("langchain-cohere", "ChatCohere", ("cohere.core.api_error:ApiError",)),
    "deepseek": Provider("langchain-deepseek", "ChatDeepSeek", OPENAI_ERRORS),
    "google_genai": Provider(
        "langchain-google-genai",
        "ChatGoogleGenerativeAI",
        ("google.genai.errors:APIError", "langchain_google_genai.chat_models:ChatGoogleGenerativeAIError"),
    ),
    "groq": Provider("langchain-groq", "ChatGroq", ("groq:GroqError",)),
    "mistralai": Provider("langchain-mistralai", "ChatMistralAI"),
    "ollama": Provider("langchain-ollama", "ChatOllama", ("ollama:ResponseError",)),
    "together": Provider("langchain-together", "ChatTogether", OPENAI_ERRORS),
    "xai": Provider("langchain-xai", "ChatXAI", OPENAI_ERRORS),
}
ANYWHERE = ("httpx:HTTPError", "httpx2:HTTPError", "aiohttp:ClientError")  # raised by the HTTP clients beneath
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)  # what packages raise over an answer of another shape
FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "complete": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "refusal": "content_filter",
    "safety": "content_filter",
    "prohibited_content": "content_filter",
    "guardrail_intervened": "content_filter",
}
SECRETIVE = ("KEY", "TOKEN", "SECRET", "PASSWORD")
SHORTEST = 8  # characters of a secret; anything shorter is a word


def opened(provider: str, name: str, settings: Mapping[str, Any]) -> "LangChainChat":
    """A provider's model.

    Raises:
        SettingsError: if the provider is unknown or its package is missing, or the package refuses the settings."""
    known = PROVIDERS.get(provider)
    if known is None:
        listed = ", ".join(sorted([*PROVIDERS, "openai"]))
        raise SettingsError(f"no provider is called {provider!r}{did_you_mean(provider, PROVIDERS)}; known: {listed}")
    module = known.package.replace("-", "_")
    if find_spec(module) is None:
        raise SettingsError(f"models of {provider} need the package {known.package}: pip install {known.package}")
    made: type[BaseChatModel] = getattr(import_module(module), known.chat)
    once = {"max_retries": 1 if provider == "google_genai" else 0} if "max_retries" in made.model_fields else {}
    errors: tuple[type[Exception], ...] = tuple(found_classes((*known.errors, *ANYWHERE)))
    refusals: tuple[type[Exception], ...] = (ValueError, TypeError, *errors)  # a ValidationError is a ValueError
    try:
        return LangChainChat(made(model=name, **{**once, **settings}), errors)
    except refusals as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise SettingsError(f"{known.package} cannot open {name!r}: {hidden(said)[:300]}") from None


def found_classes(names: Iterable[str]) -> Iterable[type[Exception]]:
    """Those of these classes whose packages are installed."""
    for name in names:
        module, _, kind = name.partition(":")
        if find_spec(module.partition(".")[0]) is not None:
            try:
                yield getattr(import_module(module), kind)
            except (ImportError, AttributeError):
                continue  # another version of the package


class LangChainChat:
    """Any LangChain chat model as something that `tertulia` can call.

    `errors` are the exceptions with which its provider tells that a call failed; any other is taken for a bug."""

    def __init__(self, model: BaseChatModel, errors: tuple[type[Exception], ...] = ()) -> None:
        self.model = model
        self.errors: tuple[type[Exception], ...] = (ConnectionError, *errors)

    async def complete(self, request: Request, deadline: float) -> Reply:
        """One call. A request for tools and for JSON at once is sent with its tools alone.

        Raises:
            CallFailed: with the trouble that kept a reply from coming."""
        if request.wants != "reply":
            raise CallFailed(Trouble.DENIED, f"only models of openai:... give {request.wants}")
        try:
            async with timeout(deadline):
                return await self.asked(request)
        except TimeoutError:
            raise CallFailed(Trouble.TIMEOUT, f"no answer in {deadline:g} s") from None
        except self.errors as error:
            raise failure_of(error) from None  # its own text may hold an address with a key in it
        except NotImplementedError:
            kind = type(self.model).__name__
            raise CallFailed(Trouble.DENIED, f"{kind} takes no tools; use the prompt form of tools") from None
        except UNREADABLE as error:
            told = f"{type(error).__name__}: {hidden(str(error))[:300]}"
            raise CallFailed(Trouble.MALFORMED, f"the answer could not be read: {told}") from None

    async def asked(self, request: Request) -> Reply:
        messages = convert_to_messages(list(request.messages))
        stop = list(request.stop) or None
        if request.tools:
            return reply_of(await self.model.bind_tools(list(request.tools)).ainvoke(messages, stop=stop))
        if request.answer is None or type(self.model).bind_tools is BaseChatModel.bind_tools:
            return reply_of(await self.model.ainvoke(messages, stop=stop))
        schema = {"title": "answer", "description": "The answer.", **request.answer}
        told = await self.model.with_structured_output(schema, include_raw=True).ainvoke(messages)
        assert isinstance(told, dict)
        return structured(reply_of(told["raw"]), told["parsed"])


def structured(reply: Reply, parsed: Any) -> Reply:
    """The JSON asked for as the reply's text, also where the provider gave it as a call of a tool."""
    if not reply.calls:
        return reply
    text = reply.calls[0].arguments if parsed is None else json.dumps(parsed, ensure_ascii=False)
    return reply.model_copy(update={"text": text, "calls": (), "finish": "stop"})


# --- messages ----------------------------------------------------------------------------------------------------


def message_of(reply: Reply) -> AIMessage:
    """A reply as LangChain's message."""
    extra = {"reasoning_content": reply.reasoning, "refusal": reply.refusal}
    calls, broken = [], []
    for call in reply.calls:
        args = arguments_of(call)
        if args is None:
            broken.append({"id": call.id, "name": call.name, "args": call.arguments, "error": "not a JSON object"})
        else:
            calls.append({"id": call.id, "name": call.name, "args": args})
    return AIMessage(
        content=reply.text,
        tool_calls=calls,
        invalid_tool_calls=broken,
        additional_kwargs={name: value for name, value in extra.items() if value},
        response_metadata={"finish_reason": reply.finish, "model_name": reply.model, "logprobs": reply.logprobs},
        usage_metadata=UsageMetadata(
            input_tokens=reply.tokens_in,
            output_tokens=reply.tokens_out,
            total_tokens=reply.tokens_in + reply.tokens_out,
            input_token_details=InputTokenDetails(cache_read=reply.cached_in),
        ),
    )


def arguments_of(call: RawCall) -> dict[str, Any] | None:
    try:
        args = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return args if isinstance(args, dict) else None


def reply_of(message: AIMessage) -> Reply:
    """LangChain's message as a reply."""
    text, thought = spoken(message.content)
    extra, about = message.additional_kwargs, message.response_metadata
    usage = message.usage_metadata
    finish = str(about.get("finish_reason") or about.get("stop_reason") or about.get("done_reason") or "stop")
    return Reply(
        text=text,
        calls=tuple(calls_of(message)),
        reasoning=str(extra.get("reasoning_content") or thought),
        refusal=str(extra.get("refusal") or ""),
        finish=FINISHES.get(finish.lower(), finish.lower()),
        tokens_in=usage["input_tokens"] if usage else 0,
        tokens_out=usage["output_tokens"] if usage else rough(len(text)),
        cached_in=usage.get("input_token_details", {}).get("cache_read") or 0 if usage else 0,
        counted=usage is not None,
        model=str(about.get("model_name") or about.get("model") or ""),
        raw=hidden(message.model_dump_json()),
    )


def calls_of(message: AIMessage) -> Iterable[RawCall]:
    for call in message.tool_calls:
        yield RawCall(id=call["id"] or "", name=call["name"], arguments=json.dumps(call["args"], ensure_ascii=False))
    for broken in message.invalid_tool_calls:
        yield RawCall(id=broken["id"] or "", name=broken["name"] or "", arguments=broken["args"] or "")


# --- failures ----------------------------------------------------------------------------------------------------


def failure_of(error: Exception) -> CallFailed:
    """What a provider's exception says, as a typed failure. The conventions are those of the SDKs built on httpx, and
    botocore's."""
    answer = getattr(error, "response", None)
    said = hidden(str(error))
    if isinstance(answer, dict):
        about = answer.get("ResponseMetadata", {})
        status, headers, code = about.get("HTTPStatusCode"), about.get("HTTPHeaders", {}), answer["Error"]["Code"]
    else:
        status = getattr(error, "status_code", None) or getattr(answer, "status_code", None)
        status = status or getattr(error, "code", None)
        headers, code = getattr(answer, "headers", None) or {}, getattr(error, "code", None)
    if not isinstance(status, int):
        late = "timeout" in type(error).__name__.lower()
        return CallFailed(Trouble.TIMEOUT if late else Trouble.CONNECTION, f"{type(error).__name__}: {said[:300]}")
    trouble = cause(status, {str(code)}, said)
    return CallFailed(trouble, f"status {status}: {said[:300]}", said[:RAW], status, retry_after(headers))


def hidden(text: str) -> str:
    """A text without any secret that the environment holds."""
    for name, value in os.environ.items():
        if len(value) >= SHORTEST and any(word in name.upper() for word in SECRETIVE):
            text = text.replace(value, "[key]")
    return text
