"""Chats as columns and as texts: for formats that know tool calls, and for those that know words alone."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tertulia.exporting.columns import Column
from tertulia.exporting.rows import as_line
from tertulia.views import Chat

__all__ = ["CHAT", "META", "called", "in_tags", "line", "taught", "tools_text", "transcript"]

# Messages differ in their keys (calls, ids, weights), and a null for a key that is not there breaks chat templates.
CHAT: Column = ["json"]
META: dict[str, Column] = {
    "conversation": "text",
    "scenario": "text",
    "seed": "int",
    "end_reason": "text",
    "success": "bool",
}
LABELS = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}
HOW = (
    "You can call these functions. Their signatures are JSON Schemas:\n<tools>\n{tools}\n</tools>\n"
    'To call one, answer with a JSON object in tags:\n<tool_call>\n{"name": NAME, "arguments": OBJECT}\n</tool_call>\n'
    "What it gives comes back between <tool_response> and </tool_response>."
)


def tools_text(tools: Sequence[Mapping[str, Any]]) -> str | None:
    """Tools as JSON text, for a column that holds texts; null when there are none."""
    return as_line(list(tools)) if tools else None


# --- in Hermes' notation -----------------------------------------------------------------------------------------


def taught(system: str, tools: Sequence[Mapping[str, Any]]) -> str:
    """A system prompt that tells of the tools, in the tags that NousResearch's Hermes models were trained with."""
    if not tools:
        return system
    told = HOW.replace("{tools}", "\n".join(map(as_line, tools)))
    return f"{system}\n\n{told}" if system else told


def in_tags(message: Mapping[str, Any]) -> str:
    """What an assistant says and calls as one text; each call in `<tool_call>`."""
    calls = [f"<tool_call>\n{called(call)}\n</tool_call>" for call in message.get("tool_calls", ())]
    return "\n".join([*([message["content"]] if message["content"] or not calls else []), *calls])


def called(call: Mapping[str, Any]) -> str:
    """A call as a JSON object with `name` and `arguments`."""
    function = call["function"]
    arguments = function["arguments"]
    made = json.loads(arguments) if isinstance(arguments, str) else arguments
    return as_line({"name": function["name"], "arguments": made})


# --- in words ----------------------------------------------------------------------------------------------------


def line(message: Mapping[str, Any]) -> str:
    """A message as a labelled text; calls stand in `<tool_call>`."""
    said = in_tags(message) if message["role"] == "assistant" else message["content"]
    return f"{LABELS[message['role']]}: {said}"


def transcript(chat: Iterable[Mapping[str, Any]]) -> str:
    """A chat as one text. One that is a single user message is that message, without a label."""
    messages: Chat = [dict(message) for message in chat]
    if [message["role"] for message in messages] == ["user"]:
        return str(messages[0]["content"])
    return "\n\n".join(map(line, messages))
