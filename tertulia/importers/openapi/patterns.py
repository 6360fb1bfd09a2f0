"""A text that a regular expression matches, drawn by a random stream."""

import re
import warnings
from collections.abc import Sequence
from random import Random
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Any

__all__ = ["matching"]

MOST = 6  # more repetitions than asked for; values are to be said by people
TRIES = 20
SHOWN = ascii_letters + digits + "-_.@/ "
CLASSES = {sre.CATEGORY_DIGIT: digits, sre.CATEGORY_WORD: ascii_lowercase + digits, sre.CATEGORY_SPACE: " "}


def matching(pattern: str, rng: Random) -> str | None:
    """A short text in which the pattern is found; None where none was met in a few tries."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # sets that a later Python may read otherwise
            tree = parser.parse(pattern)
            wanted = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    for _ in range(TRIES):
        text = "".join(_written(tree, rng, {}))
        if text and wanted.search(text):
            return text
    return None


def _written(tree: Any, rng: Random, groups: dict[int, str]) -> list[str]:
    return [_piece(op, value, rng, groups) for op, value in tree]


def _piece(op: Any, value: Any, rng: Random, groups: dict[int, str]) -> str:
    if op is sre.LITERAL:
        return chr(value)
    if op is sre.ANY:
        return rng.choice(ascii_lowercase + digits)
    if op is sre.IN or op is sre.NOT_LITERAL:
        return rng.choice(_choices(value if op is sre.IN else [(sre.NEGATE, None), (sre.LITERAL, value)]))
    if op is sre.BRANCH:
        return "".join(_written(rng.choice(value[1]), rng, groups))
    if op is sre.SUBPATTERN:
        text = groups[value[0] or 0] = "".join(_written(value[3], rng, groups))
        return text
    if op is sre.GROUPREF:
        return groups.get(value, "")
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", None)):
        least, most, inner = value
        times = rng.randint(least, min(most, max(least, MOST)))
        return "".join("".join(_written(inner, rng, groups)) for _ in range(times))
    if op is getattr(sre, "ATOMIC_GROUP", None):
        return "".join(_written(value, rng, groups))
    return ""  # an anchor, or a look around: the whole is tried afterwards


def _choices(members: Sequence[tuple[Any, Any]]) -> str:
    found = ""
    for op, value in members:
        if op is sre.LITERAL:
            found += chr(value)
        elif op is sre.RANGE:
            found += "".join(map(chr, range(value[0], min(value[1], value[0] + 120) + 1)))
        elif op is sre.CATEGORY:
            found += CLASSES.get(value, ascii_uppercase)
    if any(op is sre.NEGATE for op, _ in members):
        return "".join(c for c in SHOWN if c not in found) or "x"
    return found or "x"
