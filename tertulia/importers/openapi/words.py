"""How the people of made scripts say what they want: a call as a request, and values as sentences."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from tertulia.importers.openapi.vocabulary import (
    ADDITIONS,
    ASKING,
    CHANGES,
    INDIFFERENT,
    MANNERS,
    OCCUPATIONS,
    PEOPLE,
    PLAINER,
    PURPOSES,
    THEN,
)
from tertulia.language.filling import label_of
from tertulia.language.saying import render
from tertulia.language.wording import VERBS, acting_on, humanize, is_plural
from tertulia.world import ToolSpec

__all__ = ["addition", "asked", "deed", "indifferent", "mention", "persona", "recanted", "sequel"]

MOST_WORDS = 14
VERSION = re.compile(r"v\d+")
CLAUSE = re.compile(
    r"\s*(?:[.;:(\n]|,? (?:based on|including|such as|using|by providing|by specifying|with information|depending on"
    r"|given the|if |when |which |that |so that|along with)\b).*",
    re.IGNORECASE | re.DOTALL,
)


def deed(tool: ToolSpec, rng: Random) -> str:
    """A call as an order: `look up the details of a specific anime`. Out of the description, or of the name."""
    described = _from_description(tool.description, rng)
    named = _from_name(tool, rng)
    return rng.choice((described, described, named)) if described else named


def _from_description(text: str, rng: Random) -> str:
    clause = CLAUSE.sub("", " ".join(text.split()), count=1).split()
    if not 2 <= len(clause) <= MOST_WORDS:
        return ""
    action, rest = _base(clause[0].lower()), clause[1:]
    if action not in VERBS and action not in PLAINER:
        return ""
    if f"{action} {rest[0]}" in PLAINER:
        action, rest = f"{action} {rest[0]}", rest[1:]
    return " ".join([rng.choice(PLAINER.get(action, (action,))), *rest])


def _from_name(tool: ToolSpec, rng: Random) -> str:
    said = [word for word in humanize(tool.name).split() if not VERSION.fullmatch(word)]
    action = next((word for word in said if word in VERBS), "")
    rest = [word for word in said if word != action]
    action = action or ("do" if tool.writes else "get")
    action = rng.choice(PLAINER.get(action, (action,)))
    return acting_on(action, rest)


def _base(word: str) -> str:
    """`creates` -> `create`."""
    if word in VERBS or not word.endswith("s"):
        return word
    return next((base for base in (word[:-1], word[:-2]) if base in VERBS), word)


def asked(tool: ToolSpec, values: Mapping[str, Any], rng: Random) -> str:
    """A request for a call that mentions these values to the letter."""
    return " ".join([rng.choice(ASKING).format(deed=deed(tool, rng)), *mention(values)])


def addition(tool: ToolSpec, values: Mapping[str, Any], rng: Random) -> str:
    """A second request in the same breath."""
    return " ".join([rng.choice(ADDITIONS).format(deed=deed(tool, rng)), *mention(values)])


def sequel(tool: ToolSpec, values: Mapping[str, Any], picked: str, rng: Random) -> str:
    """The next request, once the one before it is answered; `picked` says of which of its results."""
    return " ".join(filter(None, (rng.choice(THEN).format(deed=deed(tool, rng)), picked, *mention(values))))


def mention(values: Mapping[str, Any]) -> list[str]:
    """A sentence for each value."""
    return [_stated(name, value) for name, value in values.items()]


def _stated(name: str, value: Any) -> str:
    label = label_of((name,))
    if isinstance(value, bool):
        return f"As for {label}: {'yes' if value else 'no'}."
    if isinstance(value, int | float) and is_plural(label):
        return f"The number of {label} is {render(value)}."
    be = "are" if is_plural(label) else "is"
    said = render(value)
    return f"The {label} {be} {said}{'' if said.endswith(('.', '!', '?')) else '.'}"


def indifferent(name: str, rng: Random) -> str:
    """Words with which somebody says that it has no value for a parameter."""
    return rng.choice(INDIFFERENT).format(label=label_of((name,)))


def recanted(name: str, value: Any, rng: Random) -> str:
    """Words with which somebody takes a value back and gives another."""
    return rng.choice(CHANGES).format(label=label_of((name,)), value=render(value))


def persona(rng: Random, title: str) -> str:
    """Who the user is, what led to the request, and what for (the Character, Background and Purpose of AutoDE)."""
    who, what = rng.choice(PEOPLE), rng.choice(OCCUPATIONS)
    return f"{who}, a {what} {rng.choice(MANNERS)}. Uses {title} now and then, and {rng.choice(PURPOSES)}."
