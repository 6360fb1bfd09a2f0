"""The shape of OpenAI's chat completions: a request as the body to send, and an answer as a reply."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from tertulia.memo import Memo
from tertulia.models.records import CallFailed, RawCall, Reply, Request, Trouble
from tertulia.models.tokens import rough

__all__ = ["RAW", "body_of", "encoded", "options_of", "reply_in"]

RAW = 20_000  # bytes of an answer that an error keeps
MOST = 2**53  # a larger count of tokens is nonsense


# --- what is sent ------------------------------------------------------------------------------------------------


def body_of(model: str, messages: Any, options: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request. A setting that is None takes its field out, for endpoints that do not know it."""
    body = {"model": model, "messages": messages, **settings, **options}
    for name, value in settings.items():
        if value is None:
            body.pop(name, None)
    return body


def options_of(request: Request) -> dict[str, Any]:
    """The fields of the body that a request sets, beside its messages."""
    options: dict[str, Any] = {}
    if request.tools:
        options["tools"] = request.tools
    if request.answer is not None:
        options["response_format"] = response_format(request.answer)
    if request.stop:
        options["stop"] = request.stop
    if request.seed is not None:
        options["seed"] = request.seed
    if request.logprobs:
        options["logprobs"] = True
    return options


_FORMATS: Memo[dict[str, Any]] = Memo()


def response_format(schema: dict[str, Any]) -> dict[str, Any]:
    """Ask for JSON of a schema; strictly where the schema allows it, since OpenAI then enforces it."""
    return _FORMATS.of((schema,), lambda: made_format(schema))


def made_format(schema: dict[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"name": "answer", "schema": schema}
    if is_closed(schema):
        wanted["strict"] = True
    return {"type": "json_schema", "json_schema": wanted}


def is_closed(schema: Any) -> bool:
    """Whether every object in a schema requires all its properties and allows no others (OpenAI's strict mode)."""
    if isinstance(schema, list):
        return all(map(is_closed, schema))
    if not isinstance(schema, dict):
        return True
    fields = schema.get("properties")
    if isinstance(fields, dict):
        required = schema.get("required")
        exact = isinstance(required, list) and set(required) == set(fields)
        return exact and schema.get("additionalProperties") is False and all(map(is_closed, fields.values()))
    if schema.get("type") == "object":
        return False
    return all(is_closed(schema[key]) for key in ("items", "anyOf", "$defs") if key in schema) and "allOf" not in schema


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON."""
    try:
        return orjson.dumps(body)
    except TypeError:  # half a surrogate pair, or a number beyond 64 bits
        return json.dumps(body).encode()


# --- what comes back ---------------------------------------------------------------------------------------------


def reply_in(body: bytes, asked: int = 0) -> Reply:
    """The reply in an endpoint's answer. Where it tells no usage, tokens are counted from `asked`, the bytes sent.

    Raises:
        CallFailed: when the answer is not a chat completion."""
    answer = decoded(body)
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text, thought = spoken(message.get("content"))
        calls = raw_calls(message)
        reasoning = text_in(message, "reasoning_content") or text_in(message, "reasoning") or thought
        refusal = text_in(message, "refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise not_a_completion(answer, body) from None
    written = len(text) + len(reasoning) + sum(len(call.name) + len(call.arguments) for call in calls)
    return Reply(
        text=text,
        calls=calls,
        reasoning=reasoning,
        refusal=refusal,
        finish=text_in(choice, "finish_reason") or "stop",
        model=text_in(answer, "model"),
        raw=body.decode("utf-8", "replace"),
        logprobs=logprobs_of(choice.get("logprobs")),
        **usage_of(answer.get("usage"), asked, written),
    )


def decoded(body: bytes) -> Any:
    """The JSON of an answer; half surrogate pairs, which models do write, become question marks."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return orjson.loads(json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise CallFailed(Trouble.MALFORMED, "the endpoint's answer is not JSON", excerpt(body)) from None


def excerpt(body: bytes) -> str:
    """The beginning of a body, for errors."""
    return body[:RAW].decode("utf-8", "replace")


def not_a_completion(answer: Any, body: bytes) -> CallFailed:
    """Some gateways send their errors with status 200."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not error:
        return CallFailed(Trouble.MALFORMED, "the endpoint's answer is not a chat completion", excerpt(body))
    code = error.get("code") if isinstance(error, dict) else None
    trouble = Trouble.RATE_LIMITED if code in (429, "429", "rate_limit_exceeded") else Trouble.SERVER_ERROR
    said = text_in(error, "message") if isinstance(error, dict) else str(error)
    return CallFailed(trouble, f"the endpoint says: {said[:300]}", excerpt(body))


def spoken(content: Any) -> tuple[str, str]:
    """What is said and what is thought in a message's content, which is a text, null, or a list of parts."""
    if content is None or isinstance(content, str):
        return content or "", ""
    said, thought = [], []
    for part in content:
        if isinstance(part, str):
            said.append(part)
        elif part.get("type") in ("thinking", "reasoning"):
            inner = part.get("thinking") or part.get("reasoning") or part.get("text")
            thought.append(inner if isinstance(inner, str) else spoken(inner)[0])
        else:
            said.append(text_in(part, "text"))
    return "".join(said), "".join(thought)


def raw_calls(message: Mapping[str, Any]) -> tuple[RawCall, ...]:
    """The tool calls of a message, also in the older form of a single `function_call`."""
    listed = message.get("tool_calls") or []
    if not listed and message.get("function_call"):
        listed = [{"function": message["function_call"]}]
    return tuple([raw_call(call, call["function"]) for call in listed])


def raw_call(call: Mapping[str, Any], function: Mapping[str, Any]) -> RawCall:
    given = function.get("arguments")
    if not isinstance(given, str):
        given = "" if given is None else json.dumps(given, ensure_ascii=False)
    return RawCall(id=text_in(call, "id"), name=text_in(function, "name"), arguments=given)


def text_in(record: Mapping[str, Any], name: str) -> str:
    """A field's text; empty when it holds anything else."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def logprobs_of(given: Any) -> tuple[tuple[str, float], ...]:
    """Each token with its log probability."""
    if not given:
        return ()
    try:
        return tuple((str(token["token"]), float(token["logprob"])) for token in given["content"])
    except (KeyError, TypeError, ValueError):
        return ()


def usage_of(usage: Any, asked: int, written: int) -> dict[str, Any]:
    """Tokens in, out and cached, as OpenAI, DeepSeek and their likes tell them, or as we count them."""
    told = usage if isinstance(usage, dict) else {}
    tokens_in, tokens_out = whole(told.get("prompt_tokens")), whole(told.get("completion_tokens"))
    if not tokens_in:
        return {"tokens_in": rough(asked), "tokens_out": tokens_out or rough(written), "counted": False}
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    cached_in = whole(cached) or whole(told.get("prompt_cache_hit_tokens"))
    return {"tokens_in": tokens_in, "tokens_out": tokens_out, "cached_in": min(cached_in, tokens_in)}


def whole(count: Any) -> int:
    """A count that can be believed, or 0."""
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < MOST else 0
