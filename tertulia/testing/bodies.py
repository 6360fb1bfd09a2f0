"""Chat completions as an endpoint sends them: good ones, and every kind of bad one."""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from tertulia.models.records import RawCall, Reply
from tertulia.testing.faults import Fault

__all__ = ["completion", "random_json", "random_text", "spoiled", "tokens"]

GARBAGE = (
    "lorem lorem lorem lorem the the the",
    "}} ]] -- END OF RECORD -- [[ {{",
    "As requested, here is a recipe for pancakes: flour, milk, eggs.",
    "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} 0x7f 0x00 segmentation fault",
)
FRAGMENT = '{"markers": [{"principle": "be_'
DEEPEST = 3


def tokens(characters: int) -> int:
    """A rough count: a token for every four characters."""
    return -(-characters // 4)


def completion(reply: Reply, *, key: str, model: str, tokens_in: int, cached: int = 0) -> dict[str, Any]:
    """A reply in OpenAI's shape. `key` becomes its id, so that a stored reply names the request it answers."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ]
    if reply.refusal:
        message["refusal"] = reply.refusal
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    written = len(reply.text) + len(reply.reasoning) + sum(len(c.name) + len(c.arguments) for c in reply.calls)
    out = reply.tokens_out or tokens(written)
    return {
        "id": key,
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": out,
            "total_tokens": tokens_in + out,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def spoiled(fault: Fault, reply: Reply, asked: Mapping[str, Any], rng: Random) -> Reply:
    """What a model that goes wrong in this way writes in place of a good reply."""
    if fault in CALL_FAULTS:
        return spoiled_calls(fault, reply, asked, rng)
    match fault:
        case Fault.EMPTY:
            return Reply()
        case Fault.LENGTH:
            whole = reply.text or FRAGMENT
            return reply.model_copy(update={"text": whole[: len(whole) // 2], "calls": (), "finish": "length"})
        case Fault.REFUSAL:
            return Reply(refusal="I'm sorry, I can't help with that.")
        case Fault.REASONING_LEAK:
            return reply.model_copy(update={"text": f"<think>What would they want to hear?</think>\n{reply.text}"})
        case Fault.WRONG_SCHEMA:
            return Reply(text=json.dumps({"answer": {"nested": [1, None]}, "confidence": "high"}))
        case Fault.JSON_IN_PROSE:
            return reply.model_copy(update={"text": f"Sure! Here it is:\n```json\n{reply.text}\n```\nAnything else?"})
        case Fault.RANDOM_BYTES:
            return Reply(text=random_text(rng))
        case Fault.RANDOM_JSON:
            return Reply(text=json.dumps(random_json(rng)))
    return Reply(text=rng.choice(GARBAGE))


CALL_FAULTS = {Fault.UNKNOWN_TOOL, Fault.WRONG_ARGUMENTS, Fault.SEVERAL_CALLS, Fault.CALL_AND_TEXT}


def spoiled_calls(fault: Fault, reply: Reply, asked: Mapping[str, Any], rng: Random) -> Reply:
    """Faults of tool calls; a request without tools gets an unknown one."""
    named: Sequence[str] = [tool["function"]["name"] for tool in asked.get("tools") or ()]
    if fault is Fault.UNKNOWN_TOOL or not named:
        return Reply(calls=(RawCall(id="call_x", name="consult_oracle", arguments="{}"),), finish="tool_calls")
    good = reply.calls[0] if reply.calls else RawCall(id="call_x", name=rng.choice(named), arguments="{}")
    if fault is Fault.WRONG_ARGUMENTS:
        bad = rng.choice(('{"order": [1, {"two": 3}]}', '["not", "an", "object"]', '{"order": "A10', "null"))
        return Reply(calls=(good.model_copy(update={"arguments": bad}),), finish="tool_calls")
    if fault is Fault.CALL_AND_TEXT:
        return Reply(text="One moment, let me look.", calls=(good,), finish="tool_calls")
    return Reply(calls=(good, good.model_copy(update={"id": f"{good.id}_again"})), finish="tool_calls")


def random_text(rng: Random) -> str:
    """Random bytes as far as they can travel in JSON: control characters, half surrogates, anything."""
    return "".join(chr(rng.choice((rng.randrange(256), rng.randrange(0x110000)))) for _ in range(rng.randrange(1, 200)))


def random_json(rng: Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kinds = ("text", "number", "bool", "null") + (("list", "object", "object") if depth < DEEPEST else ())
    match rng.choice(kinds):
        case "text":
            return "".join(rng.choice("abc {}[]\"'\\\n\0é漢") for _ in range(rng.randrange(12)))
        case "number":
            return rng.choice((0, -1, 3.5, 10**30, 1e-300, rng.randrange(-1000, 1000)))
        case "bool":
            return rng.random() < 0.5
        case "list":
            return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
        case "object":
            return {rng.choice(KEYS): random_json(rng, depth + 1) for _ in range(rng.randrange(5))}
    return None


KEYS = ("markers", "principle", "text", "say", "opening", "steps", "signal", "passed", "score", "reason", "calls", "")
