"""Whether a row shows its reader what the assistant must not have known: a plan, a script, another party's card.

What the assistant heard, and what its own briefing and tools tell, is no secret. Only what a model is given or learns
to say is looked at: a draft that was sent back may leak, for that may be why it was sent back.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tertulia.language.wording import stands_in
from tertulia.records import Conversation
from tertulia.scenario import Party, Scenario
from tertulia.setting import Setting
from tertulia.views import briefing, heard_by

__all__ = ["conversation_of", "hidden_texts", "leaks", "prompt_texts"]

WORDS = 3  # of a text from which on its repetition is no chance
PROMPTS = (
    "messages",
    "prompt",
    "chosen",
    "conversations",
    "system",
    "instruction",
    "input",
    "output",
    "query",
    "trajectory",
)


def conversation_of(row: Mapping[str, Any]) -> str:
    """The id of the conversation that a row, or its line in a sidecar, comes from; empty: it does not say."""
    for place in (row, *(row.get(name) for name in ("meta", "provenance", "metadata"))):
        if isinstance(place, Mapping) and isinstance(place.get("conversation"), str):
            return str(place["conversation"])
    return ""


def prompt_texts(row: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a row that a model is given or learns to say."""
    if row.get("role") not in (None, "assistant"):
        return  # a critic's row about a user or colleague: what that party knows is its own
    for name in PROMPTS:
        value = row.get(name)
        yield from main_path(value) if isinstance(value, Mapping) and "replies" in value else texts_in(value)
    if isinstance(row.get("fields"), Mapping):
        yield from texts_in(row["fields"].get("history"))
    if row.get("label") is True:
        yield from texts_in(row.get("completion"))


def main_path(node: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a tree along the replies that were accepted."""
    while True:
        yield str(node["text"])
        replies = node.get("replies") or []
        if not replies:
            return
        node = replies[0]


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a value, calls included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def hidden_texts(setting: Setting, talk: Conversation) -> dict[str, str]:
    """Text -> whose it is: what no assistant of a conversation heard or was told."""
    scenario = setting.scenario
    assistants = [name for name, role in talk.roles.items() if role == "assistant"]
    hidden = {step: "a step of the plan" for step in (talk.plan.steps if talk.plan else ()) if long(step)}
    hidden |= {text: "what must never be said" for text in scenario.script.never_say if long(text)}
    for name, party in scenario.cast.items():
        if name not in assistants:
            hidden |= {text: f"what {name!r} holds" for text in card_of(party)}
    known = folded(" ".join(told_to(setting, scenario, talk, name) for name in assistants))
    return {text: whose for text, whose in hidden.items() if not stands_in(folded(text), known)}


def card_of(party: Party) -> Iterator[str]:
    """What a party must not tell, and what makes it who it is."""
    if long(party.persona):
        yield party.persona
    yield from (decision.because for decision in party.decides if long(decision.because))
    for key in party.secret:
        value = party.knows.get(key)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if len(text) >= WORDS:
            yield text


def told_to(setting: Setting, scenario: Scenario, talk: Conversation, name: str) -> str:
    """All that an assistant heard, was told and could look up beforehand, as one text."""
    heard = (
        f"{m.text} {json.dumps([call.args for call in m.calls], ensure_ascii=False)}"
        for m in heard_by(talk.messages, name)
    )
    tools = (json.dumps(tool.openai(), ensure_ascii=False) for tool in setting.tools[name])
    return " ".join([briefing(setting, name), *tools, *heard])


def leaks(row: Mapping[str, Any], hidden: Mapping[str, str]) -> Iterator[str]:
    """What of the hidden texts stands in what a row gives to a model."""
    shown = folded(" ".join(prompt_texts(row))) if hidden else ""
    for text, whose in hidden.items():
        if stands_in(folded(text), shown):
            yield f"it shows {whose}: {text[:60]!r}"


def long(text: str) -> bool:
    return len(text.split()) >= WORDS


def folded(text: str) -> str:
    return " ".join(text.casefold().split())
