"""A speaker's view rebuilt from the chat messages that a model is sent: what the model can know, and no more."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from tertulia.contracts import Neighbour, View
from tertulia.language.wording import verb
from tertulia.models.prompts import BEGIN
from tertulia.models.tool_form import written_calls
from tertulia.principles import Principle, bundled_principles
from tertulia.records import Message, Plan, ToolCall
from tertulia.scenario import Party, Script
from tertulia.world import ToolSpec

__all__ = ["view_of"]

LINE = re.compile(r"^([a-z][a-z0-9_-]*): ", re.MULTILINE)
RESULT = re.compile(r"<tool_result>\n(.*?)\n</tool_result>", re.DOTALL)
TO = re.compile(r"^((?:@[a-z][a-z0-9_-]* )+)")
READING = {"check", "count", "find", "get", "list", "look", "read", "search", "see", "show", "test", "track", "view"}

Known = Mapping[str, Any]


def view_of(asked: Mapping[str, Any], known: Known, role: str) -> View:
    """What the party with this role sees; `known` are the blocks of its messages."""
    you = known.get("you") or {}
    name = str(you.get("name") or {"assistant": "agent", "colleague": "colleague"}.get(role, "customer"))
    others = tuple(neighbours(known, role))
    messages = list(heard(asked, name, role, others))
    return View(
        name=name,
        party=party_of(known, role, str(you.get("persona") or "")),
        others=others,
        messages=messages,
        tools=tuple(tools_of(asked, known)),
        policy="",
        principles=tuple(principles_of(known)),
        rng=Random(json.dumps(asked, sort_keys=True)),
        script=script_of(known, name, messages) if role == "user" else None,
        plan=Plan(opening="", style=known["plan"].get("style", "plain")) if "plan" in known else None,
    )


def party_of(known: Known, role: str, persona: str) -> Party:
    """The card that the blocks tell of."""
    given = {"knows": known.get("facts"), "secret": known.get("secret"), "decides": known.get("decides")}
    return Party.model_validate({"role": role, "persona": persona} | {key: it for key, it in given.items() if it})


def neighbours(known: Known, role: str) -> Iterator[Neighbour]:
    """The others; with nobody named, the one whom such a party talks with."""
    for other in known.get("others") or ():
        yield Neighbour(other["name"], other["role"], decides=tuple(other.get("decides") or ()))
    if not known.get("others"):
        yield Neighbour("customer", "user") if role == "assistant" else Neighbour("agent", "assistant")


def principles_of(known: Known) -> Iterator[Principle]:
    """Bundled principles by id; others have no detector that a rule part could look at."""
    for entry in known.get("principles") or ():
        if entry["id"] in bundled_principles():
            yield bundled_principles()[entry["id"]]


def script_of(known: Known, name: str, messages: list[Message]) -> Script:
    """The user's script; its opening is what it said first."""
    wants = [
        {
            "call": want["call"],
            "with": want.get("with") or {},
            "by": want.get("by") or "",
            "say": want.get("say") or "",
            **({"change": want["when_asked_to_confirm"]} if want.get("when_asked_to_confirm") else {}),
        }
        for want in known.get("wants") or ()
    ]
    opening = next((m.text for m in messages if m.speaker == name and m.text), "Hello, I need some help.")
    return Script.model_validate({"opening": opening, "wants": wants, "never_say": known.get("never_say") or ()})


def tools_of(asked: Mapping[str, Any], known: Known) -> Iterator[ToolSpec]:
    """The tools that were sent, or told of in the prompt. That a tool only reads is guessed from its verb."""
    given = [tool["function"] for tool in asked.get("tools") or ()] or known.get("tools") or ()
    for tool in given:
        yield ToolSpec(
            name=tool["name"],
            description=tool.get("description") or "",
            parameters=tool.get("parameters") or {"type": "object", "properties": {}},
            writes=verb(tool["name"]) not in READING,
        )


def heard(asked: Mapping[str, Any], name: str, role: str, others: tuple[Neighbour, ...]) -> Iterator[Message]:
    """The conversation so far as this party has heard it."""
    names = {other.name: other.role for other in others}
    own: Any = role
    called: dict[str, str] = {}
    for message in without_mending(as_native(asked["messages"])):
        text = message.get("content") or ""
        match message["role"]:
            case "assistant":
                calls = tuple(calls_of(message))
                called |= {call.id: call.name for call in calls}
                text, to = addressees(text)
                yield Message(speaker=name, role=own, text=text, to=to, audience=(name, *names), calls=calls)
            case "tool":
                key = message["tool_call_id"]
                failed = text.startswith('{"error"')
                speaker = called.get(key, "tool")
                yield Message(speaker=speaker, role="tool", text=text, audience=(name,), answers=key, error=failed)
            case "user" if text != BEGIN:
                yield from said_by_others(text, name, names)


def as_native(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The messages with calls and results that are told in words (see `tool_form`) as calls and results."""
    open_calls: list[str] = []
    for at, message in enumerate(messages):
        text = message.get("content") or ""
        words, calls = written_calls(text) if message["role"] == "assistant" else (text, ())
        if calls:
            open_calls = [f"call_{at}_{nth}" for nth in range(len(calls))]
            made = [{"name": call.name, "arguments": call.arguments} for call in calls]
            told = [{"id": key, "function": call} for key, call in zip(open_calls, made, strict=True)]
            yield {"role": "assistant", "content": words, "tool_calls": told}
        elif open_calls and message["role"] == "user":
            for key, result in zip(open_calls, RESULT.findall(text), strict=False):
                yield {"role": "tool", "tool_call_id": key, "content": result}
            open_calls = []
            if rest := RESULT.sub("", text).strip():
                yield {"role": "user", "content": rest}
        else:
            yield message


def without_mending(messages: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages without drafts that were sent back: each is the party's own, and the remark on it in brackets."""
    kept = list(messages)
    while len(kept) > 1 and kept[-1]["role"] == "user" and in_brackets(kept[-1].get("content") or ""):
        kept.pop()
        while len(kept) > 1 and kept[-1]["role"] == "tool":
            kept.pop()
        if kept[-1]["role"] == "assistant":
            kept.pop()
    return kept


def in_brackets(text: str) -> bool:
    return text.startswith("(") and text.endswith(")") and text != BEGIN


def said_by_others(text: str, name: str, names: dict[str, Any]) -> Iterator[Message]:
    """Words of others. With several of them, each line begins with its speaker's name."""
    if len(names) == 1:
        speaker, role = next(iter(names.items()))
        yield Message(speaker=speaker, role=role, text=text, audience=(name, speaker))
        return
    marks = [mark for mark in LINE.finditer(text) if mark[1] in names]
    for nth, mark in enumerate(marks):
        end = marks[nth + 1].start() if nth + 1 < len(marks) else len(text)
        words, to = addressees(text[mark.end() : end].strip())
        yield Message(speaker=mark[1], role=names[mark[1]], text=words, to=to, audience=(name, *names))


def addressees(text: str) -> tuple[str, tuple[str, ...]]:
    """The words without the `@name` in front, and whom they address."""
    found = TO.match(text)
    return (text[found.end() :], tuple(found[1].replace("@", "").split())) if found else (text, ())


def calls_of(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    for call in message.get("tool_calls") or ():
        yield ToolCall(id=call["id"], name=call["function"]["name"], args=json.loads(call["function"]["arguments"]))
