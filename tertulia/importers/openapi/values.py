"""Values for the parameters of an API, as people would say them: drawn by seed, and held against the schema.

A value comes from the first of these that gives one which fits: a constant or choice, an example of the document (also
one that the description quotes after `e.g.`), the pattern, the format, the words of the parameter's name, its type.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from tertulia.checks.tool_values import misfits
from tertulia.importers.openapi.patterns import matching
from tertulia.importers.openapi.vocabulary import (
    AMOUNTS,
    NAMED_NUMBERS,
    NAMED_TEXTS,
    NOUNS,
    PEOPLE,
    QUALITIES,
    SENTENCES,
)
from tertulia.language.kinds import kind_of, normal_schema
from tertulia.language.wording import humanize

__all__ = ["drawn"]

TRIES = 12
QUOTED_EXAMPLE = re.compile(r"(?:e\.g\.|for example|such as|like)[^)]*?((?:'[^']{1,40}'|\"[^\"]{1,40}\")[^)]*)", re.I)
ONE_QUOTED = re.compile(r"'([^']{1,40})'|\"([^\"]{1,40})\"")
FIRST_DAY = date(2026, 1, 5)
LEVELS = 4  # of objects inside objects
Schema = Mapping[str, Any]


def drawn(name: str, schema: Schema, root: Schema, rng: Random, taken: set[str] | None = None) -> Any:
    """A value for one parameter, of another text than those taken; None where nothing that fits was found.

    `root` is the schema that references in `schema` point into."""
    taken = taken if taken is not None else set()
    about = {**root, "properties": {name: schema}, "required": [name]}
    plain = normal_schema(schema, root)
    found = None
    for value in _candidates(name, plain, root, rng, 0):
        if any(misfits(about, {name: value})) or value == plain.get("default"):
            continue
        found = value
        if str(value).lower() not in taken:
            break
    if found is not None and not isinstance(found, bool):
        taken.add(str(found).lower())
    return found


def _candidates(name: str, schema: Schema, root: Schema, rng: Random, level: int) -> Iterator[Any]:
    kind = kind_of(name, schema)
    if schema.get("const") is not None:
        yield schema["const"]
    choices = [choice for choice in schema.get("enum", ()) if choice is not None]
    yield from rng.sample(choices, len(choices))
    if choices or "const" in schema:
        return
    examples = list(_examples(schema))
    yield from rng.sample(examples, len(examples))
    for _ in range(TRIES):
        if isinstance(schema.get("pattern"), str) and (text := matching(schema["pattern"], rng)) is not None:
            yield text
        value = _of_kind(kind, name, schema, root, rng, level)
        yield value
        if isinstance(value, str):
            yield from _resized(value, schema)


def _examples(schema: Schema) -> Iterator[Any]:
    if "example" in schema:
        yield schema["example"]
    given = schema.get("examples")
    yield from given if isinstance(given, list) else given.values() if isinstance(given, Mapping) else ()
    if schema.get("type", "string") == "string" and "format" not in schema:
        for match in QUOTED_EXAMPLE.finditer(str(schema.get("description", ""))):
            yield from (one or other for one, other in ONE_QUOTED.findall(match[1]) if not re.search(r"\betc\b", one))


def _resized(text: str, schema: Schema) -> Iterator[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1_000)
    if len(text) > most:
        yield text[:most].strip()
    if len(text) < least:
        yield (text + "x" * least)[:least]


def _of_kind(kind: str, name: str, schema: Schema, root: Schema, rng: Random, level: int) -> Any:
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("integer", "number"):
        return _number(name, schema, rng, whole=kind == "integer")
    if kind == "list":
        return _list(name, schema, root, rng, level)
    if kind == "object":
        return _object(schema, root, rng, level)
    return _text(kind, name, schema, rng)


def _number(name: str, schema: Schema, rng: Random, *, whole: bool) -> int | float:
    said = humanize(name).split()
    low: float
    high: float
    low, high = next((NAMED_NUMBERS[word] for word in reversed(said) if word in NAMED_NUMBERS), (2, 60))
    if said and said[-1] in ("id", "number", "code"):
        low, high = 1_000, 99_999
    least = _bound(schema, "minimum", "exclusiveMinimum", 1)
    most = _bound(schema, "maximum", "exclusiveMaximum", -1)
    if least is not None and low < least:
        low, high = least, max(high, least + 50)
    if most is not None and high > most:
        low, high = min(low, most) if least is None else least, most
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and step > 0:
        times = rng.randint(-(-int(low) // max(1, int(step))), max(1, int(high / step)))
        return times * step
    if whole:
        return rng.randint(int(low), max(int(low), int(high)))
    if AMOUNTS.intersection(said):
        return round(rng.uniform(low, high), 2)
    return round(rng.uniform(low, high), 1)


def _bound(schema: Schema, inside: str, outside: str, step: int) -> float | None:
    if isinstance(schema.get(outside), int | float) and not isinstance(schema[outside], bool):
        return float(schema[outside] + step)
    return schema.get(inside)


def _list(name: str, schema: Schema, root: Schema, rng: Random, level: int) -> list[Any]:
    if level >= LEVELS:
        return []
    items = normal_schema(schema.get("items") or {"type": "string"}, root)
    single = name[:-1] if name.endswith("s") and not name.endswith("ss") else name
    least, most = schema.get("minItems", 1), schema.get("maxItems", 3)
    size = max(least, min(most, rng.choice((1, 2, 2)) if items.get("type") != "object" else 1))
    found: list[Any] = []
    for _ in range(TRIES * size):
        value = next(_candidates(single, items, root, rng, level + 1), None)
        if value is not None and value not in found:
            found.append(value)
        if len(found) == size:
            break
    return found


def _object(schema: Schema, root: Schema, rng: Random, level: int) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    if not properties:
        key, values = rng.choice((("category", NOUNS), ("status", QUALITIES), ("title", NOUNS)))
        return {key: rng.choice(values)}
    chosen = [key for key in properties if key in required] or list(properties)[:2]
    found = {}
    for key in chosen if level < LEVELS else ():
        inner = normal_schema(properties[key], root)
        value = next(_candidates(key, inner, root, rng, level + 1), None)
        if value is not None:
            found[key] = value
    return found


def _text(kind: str, name: str, schema: Schema, rng: Random) -> str:
    said = humanize(name).split()
    day = FIRST_DAY + timedelta(days=rng.randrange(330))
    special: dict[str, Callable[[], str]] = {
        "email": lambda: f"{rng.choice(PEOPLE).split()[0].lower()}{rng.randrange(10, 99)}@example.com",
        "url": lambda: f"https://example.com/{rng.choice(NOUNS)}{rng.randrange(10, 999)}",
        "ip": lambda: f"203.0.113.{rng.randrange(2, 250)}",
        "day": lambda: rng.choice(("monday", "tuesday", "wednesday", "thursday", "friday")),
        "time": lambda: f"{rng.randrange(8, 20):02d}:{rng.choice((0, 15, 30, 45)):02d}",
        "date": lambda: day.isoformat(),
    }
    formats: dict[str, Callable[[], str]] = {
        "date-time": lambda: f"{day.isoformat()}T{rng.randrange(8, 20):02d}:{rng.choice((0, 15, 30, 45)):02d}:00Z",
        "uuid": lambda: str(UUID(int=rng.getrandbits(128), version=4)),
        "hostname": lambda: f"{rng.choice(NOUNS)}.example.com",
        "ipv6": lambda: f"2001:db8::{rng.randrange(1, 9999):x}",
        "time": lambda: f"{rng.randrange(8, 20):02d}:{rng.choice((0, 15, 30, 45)):02d}:00Z",
    }
    if schema.get("format") in formats:
        return formats[schema["format"]]()
    if kind in special and schema.get("format", "") not in ("password", "byte", "binary"):
        return special[kind]()
    for word in said[-1:] if kind == "code" else reversed(said):
        if word in NAMED_TEXTS:
            return rng.choice(NAMED_TEXTS[word])
    if kind == "code":
        head = next((word for word in said if word not in ("id", "number", "code", "key", "token")), "x")
        return f"{head[:2].upper()}{rng.randrange(1_000, 99_999)}"
    if SENTENCE_NAMES.intersection(said):
        return rng.choice(SENTENCES)
    return f"{rng.choice(QUALITIES)} {rng.choice(NOUNS)}"


SENTENCE_NAMES = frozenset(("comment", "description", "message", "text", "note", "notes", "body", "content", "reason"))
