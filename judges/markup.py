"""Damage in texts: unclosed fences and tags, tokens of chat templates, gaps that nobody filled, wrong encodings."""

import re
from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["Markup"]

TEMPLATE = re.compile(
    r"<\|[a-z_]{2,}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|</?(?:think|tool_call|tool_response)>"
)
GAP = re.compile(
    r"\{\{\s*\w+\s*\}\}|\$\{\w+\}|\[(?:your|insert|customer|user|company|agent)[ _][\w ]*\]", re.IGNORECASE
)
MOJIBAKE = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac[\u0153\u009d\u2122\u201c\u2026]|\ufffd|[\ud800-\udfff]"
)
ESCAPED = re.compile(r"\\n|\\u[0-9a-fA-F]{4}|\\\"")
ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{2,5});")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
TAG = re.compile(r"<(/?)(b|i|em|strong|p|div|span|ul|ol|li|a|code|pre|table|tr|td|h[1-6])(?:\s[^<>]*)?>", re.IGNORECASE)
PAIRED = re.compile(r"(?<!\*)\*\*(?!\*)")


def unclosed_tags(text: str) -> bool:
    """Whether some HTML tag opens and does not close, or the other way round."""
    opened: Counter[str] = Counter()
    for closing, name in TAG.findall(text):
        opened[name.lower()] += -1 if closing else 1
    return any(opened.values())


CHECKS: dict[str, Callable[[str], bool]] = {
    "fence": lambda text: text.count("```") % 2 == 1,
    "bold": lambda text: len(PAIRED.findall(text)) % 2 == 1,
    "tags": unclosed_tags,
    "template": lambda text: bool(TEMPLATE.search(text)),
    "gap": lambda text: bool(GAP.search(text)),
    "encoding": lambda text: bool(MOJIBAKE.search(text)),
    "escapes": lambda text: "```" not in text and bool(ESCAPED.search(text)),
    "entities": lambda text: "```" not in text and bool(ENTITY.search(text)),
    "control": lambda text: bool(CONTROL.search(text)),
}


class Markup:
    """Passes when no message of words is damaged. The score is the share of those that are whole.

    Sorts, in messages each: `fence` (``` not closed), `bold` (** not closed), `tags` (HTML not closed), `template`
    (tokens of a chat template), `gap` ({{name}}, ${name}, [your name]), `encoding` (mojibake, U+FFFD), `escapes`
    (a written-out \\n or \\u00e9 outside of code), `entities` (&amp;), `control` (control characters).
    `detail`: the counts, and `messages` looked at."""

    heuristic: ClassVar[bool] = True

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        said = [message.text for message in talk.messages if message.role != "tool" and message.text]
        sorts = [[name for name, broken in CHECKS.items() if broken(text)] for text in said]
        counts = Counter(name for found in sorts for name in found)
        damaged = sum(map(bool, sorts))
        return Verdict(
            judge="markup",
            passed=not damaged,
            score=1 - damaged / len(said) if said else None,
            reason=", ".join(f"{name} {count}" for name, count in sorted(counts.items())),
            detail={**{name: counts[name] for name in CHECKS}, "messages": len(said)},
        )
