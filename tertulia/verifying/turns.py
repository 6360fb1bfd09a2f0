"""Rules for formats without tool calls: turns alternate, tags hold JSON, calls in tags are answered."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["dialogue_faults", "sharegpt_faults", "text_faults", "turn_faults"]

CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
RESPONSE = re.compile(r"<tool_response>\n(.*?)\n</tool_response>", re.DOTALL)


def sharegpt_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the turns of human, gpt and tool."""
    turns = [(turn["from"], turn["value"]) for turn in row["conversations"]]
    if turns and turns[0][0] == "system":
        turns = turns[1:]
    yield from turn_faults(turns, first="human", model="gpt", others={"human", "tool"})


def turn_faults(turns: Sequence[tuple[str, str]], *, first: str, model: str, others: set[str]) -> Iterator[str]:
    """What is wrong with turns as (role, text); the model's and the others' alternate, and calls are answered."""
    if not turns or turns[0][0] != first:
        yield f"the first turn is not by {first}"
        return
    if turns[-1][0] != model:
        yield f"the last turn is not by {model}"
    for at, (role, text) in enumerate(turns):
        if role not in {model, *others}:
            yield f"turn {at}: {role!r} is no role of the format"
        if at and (role == model) == (turns[at - 1][0] == model):
            yield f"turn {at}: {role} follows {turns[at - 1][0]}"
        if not text.strip():
            yield f"turn {at}: it says nothing"
        if role in (model, "tool"):
            yield from (f"turn {at}: {fault}" for fault in tag_faults(text))
        calls = CALL.findall(text) if role == model else []
        if calls and at + 1 < len(turns) and "tool" in others and turns[at + 1][0] != "tool":
            yield f"turn {at}: its call is not answered by the next turn"


def tag_faults(text: str) -> Iterator[str]:
    for name, pattern, wanted in (("tool_call", CALL, "arguments"), ("tool_response", RESPONSE, "content")):
        for inside in pattern.findall(text):
            try:
                made = json.loads(inside)
            except ValueError:
                yield f"<{name}> holds no JSON"
                continue
            if not isinstance(made, dict) or set(made) != {"name", wanted}:
                yield f"<{name}> holds no object with name and {wanted}"


def dialogue_faults(messages: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What is wrong with messages of words: they alternate and say something."""
    for at, message in enumerate(messages):
        if message["role"] not in ("user", "assistant"):
            yield f"message {at}: {message['role']!r} is neither user nor assistant"
        if at and message["role"] == messages[at - 1]["role"]:
            yield f"message {at}: {message['role']} follows itself"
        if not message["content"].strip():
            yield f"message {at}: it says nothing"


def text_faults(row: Mapping[str, Any], *names: str) -> Iterator[str]:
    """Which of these texts of a row are empty."""
    yield from (f"{name} is empty" for name in names if not str(row.get(name) or "").strip())
