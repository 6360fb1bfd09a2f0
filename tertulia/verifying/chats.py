"""Rules that chat messages must keep, whoever reads them: roles, calls and their answers, nothing empty.

any      a system message stands first alone; every call names a tool that the row has, and is answered before the
         next message of another role; an answer belongs to a call; contents are texts; nothing is said by nobody
openai   besides, what the documentation of OpenAI's fine-tuning asks for (names, ids, weights, parallel calls)
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["chat_faults", "lesson_faults", "openai_faults", "parsed_tools", "said"]

Message = Mapping[str, Any]
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ID = 40  # characters of a call's id, at most
TOOLS = 128  # tools of a row, at most
ROLES = {"system", "user", "assistant", "tool"}
KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "weight"},
    "tool": {"role", "content", "tool_call_id"},
}


def parsed_tools(given: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The tools of a row, from a list or its JSON text, and what is wrong with them."""
    if given is None:
        return [], []
    try:
        tools = json.loads(given) if isinstance(given, str) else given
    except ValueError as error:
        return [], [f"tools are no JSON: {error}"]
    if not isinstance(tools, list) or not all(isinstance(tool, dict) and "function" in tool for tool in tools):
        return [], ["tools are no list of functions"]
    return tools, list(tool_faults(tools))


def tool_faults(tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [tool["function"].get("name") for tool in tools]
    if len(set(names)) < len(names):
        yield "two tools have one name"
    for tool in tools:
        function = tool["function"]
        if hollow(function.get("parameters")):
            yield f"the schema of {function.get('name')!r} holds a null where a key should be absent"


def hollow(schema: Any) -> bool:
    """Whether a loader has filled nulls into a schema. A null that is a value (`default`, `enum`, `const`) is none."""
    if isinstance(schema, list):
        return any(hollow(inner) for inner in schema)
    if not isinstance(schema, dict):
        return False
    valued = {"default", "enum", "const", "examples", "example"}
    return any(value is None or hollow(value) for key, value in schema.items() if key not in valued)


def chat_faults(chat: Any, tools: Sequence[Mapping[str, Any]] | None, *, whole: bool = True) -> Iterator[str]:
    """What is wrong with a chat. One that is not `whole` is a prompt, and may end with a question or a result.

    Without `tools` any name may be called."""
    if not isinstance(chat, list) or not chat:
        yield "no messages"
        return
    names = None if tools is None else {tool["function"]["name"] for tool in tools}
    waiting: dict[str, str] = {}
    for at, message in enumerate(chat):
        wrong = shape_fault(message)
        if wrong:
            yield f"message {at}: {wrong}"
            return
        if message["role"] == "system" and at:
            yield f"message {at}: a system message that is not the first"
        if message["role"] == "tool":
            if waiting.pop(message["tool_call_id"], None) is None:
                yield f"message {at}: the result {message['tool_call_id']!r} answers no call"
            continue
        if waiting:
            yield f"message {at}: the call {next(iter(waiting))!r} is not answered before it"
            waiting = {}
        for call in message.get("tool_calls", ()):
            yield from (f"message {at}: {fault}" for fault in call_faults(call, names, waiting))
            waiting[call["id"]] = call["function"]["name"]
    if waiting and whole:
        yield f"the call {next(iter(waiting))!r} is never answered"


def shape_fault(message: Any) -> str:
    """Why something is no message of a chat, or an empty text."""
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        return f"no message with a known role: {str(message)[:60]!r}"
    if extra := sorted(set(message) - KEYS[message["role"]]):
        return f"a {message['role']} message with the key {extra[0]!r}"
    if not isinstance(message.get("content"), str):
        return "the content is no text"
    if message["role"] == "tool":
        return "" if isinstance(message.get("tool_call_id"), str) else "a result without the id of its call"
    if not message["content"].strip() and not message.get("tool_calls"):
        return "it says and calls nothing"
    return ""


def call_faults(call: Mapping[str, Any], names: set[str] | None, waiting: Mapping[str, str]) -> Iterator[str]:
    function = call.get("function", {})
    if names is not None and function.get("name") not in names:
        yield f"a call of {function.get('name')!r}, which is no tool of the row"
    if call.get("id") in waiting:
        yield f"two calls have the id {call.get('id')!r}"
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            yield f"the arguments of {function.get('name')!r} are no JSON"
            return
    if not isinstance(arguments, dict):
        yield f"the arguments of {function.get('name')!r} are no object"


def lesson_faults(chat: Sequence[Message]) -> Iterator[str]:
    """What keeps a whole conversation from being learnt from."""
    spoken = [message["role"] for message in chat if message["role"] != "system"]
    if spoken[:1] != ["user"]:
        yield "the first message after the system's is not a user's"
    if spoken[-1:] != ["assistant"] or "tool_calls" in chat[-1]:
        yield "the last message is not words of the assistant"


def openai_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What OpenAI's fine-tuning would refuse of a row whose chat is sound."""
    present = {key for key, value in row.items() if value is not None}
    yield from (f"the key {key!r} is none of the format" for key in sorted(present - {*OPENAI}))
    tools = row.get("tools") or []
    if len(tools) > TOOLS:
        yield f"{len(tools)} tools; at most {TOOLS} are taken"
    if not tools and "parallel_tool_calls" in present:
        yield "parallel_tool_calls without tools"
    for tool in tools:
        if tool.get("type") != "function" or not NAME.fullmatch(tool["function"]["name"]):
            yield f"the tool name {tool['function']['name']!r} is not 1 to 64 letters, digits, _ and -"
        parameters = tool["function"].get("parameters", {"type": "object"})
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            yield f"the parameters of {tool['function']['name']!r} are no JSON Schema of an object"
    yield from message_faults(row["messages"], parallel=bool(row.get("parallel_tool_calls")))


OPENAI = ("messages", "tools", "parallel_tool_calls")


def message_faults(chat: Sequence[Message], *, parallel: bool) -> Iterator[str]:
    weights = [message["weight"] for message in chat if "weight" in message]
    if any(weight not in (0, 1) or isinstance(weight, bool) for weight in weights):
        yield "a weight that is neither 0 nor 1"
    if weights and not any(weights):
        yield "no message has weight, so there is nothing to learn"
    for at, message in enumerate(chat):
        calls = message.get("tool_calls", ())
        if len(calls) > 1 and not parallel:
            yield f"message {at}: two calls at once, and parallel_tool_calls is false"
        for call in calls:
            if not isinstance(call["function"]["arguments"], str):
                yield f"message {at}: the arguments are no JSON text"
            if call.get("type") != "function" or len(call["id"]) > ID:
                yield f"message {at}: the call {call['id']!r} has no type function, or an id over {ID} characters"


def said(message: Message) -> str:
    """What a message says and calls, for comparing; ids of calls and spacing make no difference."""
    calls = []
    for call in message.get("tool_calls", ()):
        arguments = call["function"]["arguments"]
        calls.append([call["function"]["name"], json.loads(arguments) if isinstance(arguments, str) else arguments])
    return json.dumps([" ".join(message["content"].split()), calls], sort_keys=True)
