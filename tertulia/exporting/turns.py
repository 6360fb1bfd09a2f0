"""A chat as turns of text, for formats without tool calls: roles alternate, calls and results stand in tags.

The tags are those of NousResearch's Hermes models: `<tool_call>` and `<tool_response>` around JSON objects.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tertulia.exporting.chats import in_tags
from tertulia.exporting.lessons import LOSES_MORE
from tertulia.exporting.rows import as_line

__all__ = ["LOSES", "Turned", "sharegpt", "turned"]

LOSES = LOSES_MORE | {
    "call_ids": "ids of calls",
    "message_boundaries": "places where messages of one role follow each other, which are one turn",
}


FROM = {"user": "human", "assistant": "gpt", "tool": "tool"}  # ShareGPT's roles


@dataclass(slots=True)
class Turned:
    """One turn of a role: user, assistant or tool."""

    role: str
    text: str


def turned(
    chat: Sequence[Mapping[str, Any]], lost: Counter[str], *, tags: bool = True, results_as: str = "tool"
) -> list[Turned]:
    """A chat without its system message as alternating turns.

    Messages of one role that follow each other become one turn, with a line break between. With `tags` a result is a
    JSON object with `name` and `content` in `<tool_response>`, otherwise the bare text. `results_as` is the role whose
    turns hold the results. `lost` counts the boundaries and the ids of calls, which texts have no place for."""
    made: list[Turned] = []
    names: dict[str, str] = {}
    for message in chat:
        for call in message.get("tool_calls", ()):
            names[call["id"]] = call["function"]["name"]
            lost["call_ids"] += 1
        role, text = message["role"], message["content"]
        if role == "assistant":
            text = in_tags(message)
        elif role == "tool":
            name = names.get(message["tool_call_id"], "")
            role, text = results_as, response(name, text) if tags else text
        if made and made[-1].role == role:
            made[-1].text += f"\n{text}"
            lost["message_boundaries"] += 1
        else:
            made.append(Turned(role, text))
    return made


def sharegpt(system: str, turns: Sequence[Turned]) -> list[dict[str, str]]:
    """ShareGPT's turns, `{from, value}`: a `system` turn where there is something to say in it, then the others."""
    first = [{"from": "system", "value": system}] if system else []
    return [*first, *({"from": FROM[turn.role], "value": turn.text} for turn in turns)]


def response(name: str, text: str) -> str:
    return f"<tool_response>\n{as_line({'name': name, 'content': text})}\n</tool_response>"
