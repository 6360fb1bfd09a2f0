"""Values in words: how a JSON value is said, so that `tertulia.language.shapes` reads it back to the letter."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tertulia.language.wording import humanize, scalar

__all__ = ["LEAD", "render"]

LISTING = re.compile(r"[,&;:()]|\band\b|^\s*$|^(?:none|nothing|yes|no)$", re.IGNORECASE)  # needs quotes in a list
LEAD = re.compile(
    r"^\W*(?:(?:sure|yes|ok|okay|well|of course|certainly)\W+)*"
    r"(?:(?:it|that|this)(?:'s| is| should be| would be)|(?:my|the|our|its) [\w' ]{1,40}? (?:is|are|was|should be)"
    r"|(?:make it|make that|let's say|say|i'd like|i want|please use|use))?\s*:?\s*",
    re.IGNORECASE,
)
NEEDS_QUOTES = re.compile(
    r"^\W|[.,:]$|[.,:]\s|[;!?\"`()\0]|(?<!\w)'|[^\S ]|(?:\S+ ){5}|\b(?:and|but|so|please)\b", re.IGNORECASE
)


def render(value: Any) -> str:
    """A value as it is said; `KINDS[...].answer` reads it back.

    Objects are said as `name: value, name: value`, parted by semicolons in a list; inner ones stand in brackets."""
    if isinstance(value, Mapping):
        return ", ".join(f"{humanize(str(k))}: {_inner(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        if any(isinstance(entry, Mapping) for entry in value):
            return "; ".join(render(entry) for entry in value)
        said = [in_quotes(e) if isinstance(e, str) and LISTING.search(e) else render(e) for e in value]
        if not said:
            return "none"
        return said[0] if len(said) == 1 else ", ".join(said[:-1]) + f" and {said[-1]}"
    if isinstance(value, float) and not value.is_integer():
        return format(Decimal(repr(value)), "f")
    if isinstance(value, str) and (NEEDS_QUOTES.search(value) or LEAD.match(value)[0]):  # type: ignore[index]
        return in_quotes(value)
    return scalar(value)


def _inner(value: Any) -> str:
    nested = isinstance(value, Mapping) or (isinstance(value, list | tuple) and any(map(_is_object, value)))
    said = in_quotes(value) if isinstance(value, str) and LISTING.search(value) else render(value)
    return f"({said})" if nested else said


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def in_quotes(text: str) -> str:
    """A text in quotes that it does not hold itself."""
    return f"\u201c{text}\u201d" if '"' in text else f'"{text}"'
