"""The values by which an action is told from another: what a text or a call states, and what contradicts it."""

import re
from functools import lru_cache

from tertulia.language.wording import KEPT, WEEKDAYS, forms, leaves, words
from tertulia.memo import Memo
from tertulia.records import ToolCall

__all__ = ["call_marks", "contradicted", "marks", "shape", "stated", "states_all"]

DAYS = frozenset(WEEKDAYS)


@lru_cache(maxsize=KEPT)
def marks(text: str) -> frozenset[str]:
    """What identifies an action in a text: its values and weekdays."""
    return forms(text) | (DAYS.intersection(words(text)))


_marks: Memo[frozenset[str]] = Memo(1024)  # calls


def call_marks(call: ToolCall) -> frozenset[str]:
    """The values of a call's arguments, as `marks` of a text would show them."""
    return _marks.of((call,), lambda: frozenset().union(*(marks(str(v)) | _phrase(v) for v in leaves(call.args))))


def _phrase(leaf: object) -> frozenset[str]:
    return frozenset({leaf.lower()}) if isinstance(leaf, str) and len(leaf) > 2 else frozenset()


@lru_cache(maxsize=KEPT)
def shape(mark: str) -> str:
    """What kind of value a mark is, so that two of a kind can contradict each other; empty for plain numbers."""
    if mark in WEEKDAYS:
        return "weekday"
    if mark.replace(".", "").isdecimal() or not any(c.isdecimal() for c in mark):
        return ""
    return re.sub(r"\d+", "9", mark)


def contradicted(call: ToolCall, *said: str) -> bool:
    """Whether a call uses a value although another one of its kind, and not this one, was spoken of."""
    spoken = frozenset().union(*map(marks, said))
    kinds = {shape(mark) for mark in spoken} - {""}
    return any(mark not in spoken and shape(mark) in kinds for mark in call_marks(call) if shape(mark))


def stated(call: ToolCall, text: str) -> frozenset[str]:
    """The values of a call that a text states."""
    lowered, found = text.lower(), marks(text)
    return frozenset(m for m in call_marks(call) if (m in found if shape(m) else len(m) > 2 and m in lowered))


def states_all(call: ToolCall, text: str) -> bool:
    """Whether a text states every value of a call, and the call has one."""
    lowered, found = text.lower(), marks(text)
    values = [str(leaf) for leaf in leaves(call.args) if leaf is not None and not isinstance(leaf, bool)]
    return bool(values) and all(
        value.lower() in lowered or (marks(value) and marks(value) <= found) for value in values
    )
