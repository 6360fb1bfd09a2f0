"""A conversation as lines for somebody who was not part of it: a critic or a judge."""

import json
from typing import Any

from tertulia.records import Message

__all__ = ["as_line", "occurs"]


def as_line(message: Message) -> dict[str, Any]:
    """One message: what was said, called or returned, without what is shown to nobody."""
    if message.role == "tool":
        return {"tool": message.speaker, "result": message.text}
    if message.calls:
        calls = [{"name": call.name, "arguments": call.args} for call in message.calls]
        return {"speaker": message.speaker, "calls": calls}
    line: dict[str, Any] = {"speaker": message.speaker, "says": message.text}
    return line | ({"to": message.to} if message.to else {})


def occurs(quote: str, message: Message) -> bool:
    """Whether a message holds these words: any case, any spacing. No words at all stand for something missing."""
    said = [message.text, *(f"{call.name} {json.dumps(call.args, ensure_ascii=False)}" for call in message.calls)]
    values = [str(value) for call in message.calls for value in call.args.values()]
    return plain(quote) in plain("\n".join((*said, *values)))


def plain(text: str) -> str:
    """A text as it is compared: small letters, single spaces, straight quotes."""
    straight = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return " ".join(straight.casefold().split())
