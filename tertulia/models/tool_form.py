"""Tool calls in plain text, for models that know no others: told of in the prompt, written between tags, read back."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tertulia.models.answers import NotJson, objects_in, parse_json
from tertulia.models.prompts import block, fill_prompt, read_prompt
from tertulia.models.records import RawCall
from tertulia.world import ToolSpec

__all__ = ["in_words", "told", "whole_call", "written_calls"]

TEXT = read_prompt("tertulia.models", "tool_form.txt")
CALL = re.compile(r"<tool_calls?>\s*(.*?)\s*(?:</tool_calls?>|\Z)", re.DOTALL | re.IGNORECASE)


def told(tools: Sequence[ToolSpec]) -> str:
    """What a model is told of its tools; an empty text when it has none."""
    cards = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in tools]
    return fill_prompt(TEXT, {"tools": block("tools", cards)}) if cards else ""


def in_words(chat: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A chat with calls and results as text; messages of one role that come to follow each other are joined."""
    plain: list[dict[str, Any]] = []
    for message in chat:
        role, content = _plain(message)
        if plain and plain[-1]["role"] == role and role != "system":
            plain[-1]["content"] += f"\n\n{content}"
        else:
            plain.append({"role": role, "content": content})
    return plain


def _plain(message: Mapping[str, Any]) -> tuple[str, str]:
    if message["role"] == "tool":
        return "user", f"<tool_result>\n{message['content']}\n</tool_result>"
    calls = [
        f'<tool_call>\n{{"name": {json.dumps(call["function"]["name"])}, '
        f'"arguments": {call["function"]["arguments"]}}}\n</tool_call>'
        for call in message.get("tool_calls", ())
    ]
    return message["role"], "\n".join((*filter(None, (message["content"],)), *calls))


def written_calls(text: str) -> tuple[str, tuple[RawCall, ...]]:
    """The words around calls in tags, and these calls, unchecked. What a tag holds that is no call gets no name."""
    if "<tool_call" not in text.lower():
        return text, ()
    calls = tuple(call for body in CALL.findall(text) for call in _calls(body))
    return CALL.sub("", text).strip(), calls


def _calls(body: str) -> list[RawCall]:
    found = [bare_call(value) for value in objects_in(body)]
    return [call for call in found if call] or [RawCall(id="", name="", arguments=body)]


def bare_call(value: Any) -> RawCall | None:
    """A JSON value that is a call, as one."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if arguments is None:
        return None
    told_as = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return RawCall(id="", name=value["name"], arguments=told_as)


def whole_call(text: str) -> RawCall | None:
    """The call that a text consists of, if it is one."""
    try:
        return bare_call(parse_json(text)) if text.startswith("{") else None
    except NotJson:
        return None
