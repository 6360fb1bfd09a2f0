"""Values drawn from a JSON Schema by seed: of the right type, format and range, and fitting the name they go by."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

__all__ = ["bare", "draw", "first_type", "pointed", "split_name"]

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_.\-/]+")
MOST_LEVELS = 3
MOST_LENGTH = 2_000  # characters of a text, whatever `minLength` says
MOST_ITEMS = 50
FIRST_DAY = date(2025, 1, 6)
FIRST_LIST = (
    "Ada Bruno Carla Dario Edith Farid Greta Hugo Ines Jonas Kira Luis Mona Nils Olga Pavel Rosa Sami Tilda Ugo"
)
LAST_LIST = "Adler Brandt Costa Duarte Egger Falk Gomez Hansen Ivanov Jensen Keller Lindt Moser Novak Olsen Peters Ruiz"
PLACES_LIST = "Aarhus Bilbao Cork Dijon Essen Faro Ghent Haarlem Izmir Jena Kaunas Leeds Malmo Nantes Oulu Porto Riga"
QUALITIES_LIST = "Amber Bright Calm Deep Early Fair Golden Hidden Ivory Jade Keen Light Merry Noble Old Pale Quiet Red"
THINGS_LIST = "Anchor Bridge Cedar Dune Ember Field Garden Harbour Island Jetty Kite Lantern Meadow North Orchard Pine"
FIRST = FIRST_LIST.split()
LAST = LAST_LIST.split()
PLACES = PLACES_LIST.split()
QUALITIES = QUALITIES_LIST.split()
THINGS = THINGS_LIST.split()
TOLD = ("A short note on the {0} {1}.", "All about the {0} {1}.", "The {0} {1} and what came of it.")
LONG = {"description", "synopsis", "summary", "text", "content", "body", "comment", "bio", "fact", "overview", "note"}
NAMED = {"name", "title", "label", "username", "author", "actor", "role", "character"}
COUNTED = {
    "page": (1, 1),
    "rating": (1, 5),
    "score": (0, 100),
    "percentage": (0, 100),
    "age": (18, 80),
    "year": (1990, 2025),
}


def split_name(name: str) -> list[str]:
    """The words of a name in lower case: `getUserProfile` -> get, user, profile."""
    return [word.lower() for word in CAMEL.split(name) if word]


def bare(name: str) -> str:
    """A name without case and separators, so that `user_id` and `userId` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def pointed(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a `$ref` into the root's `$defs`; an empty one for what is none."""
    for _ in range(20):
        if not isinstance(schema, Mapping):
            return {}
        if "$ref" not in schema:
            return schema
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = root.get("$defs", {}).get(name, {})
    return {}


def first_type(schema: Mapping[str, Any]) -> str:
    """The type to draw: the first that is not null; an empty text for any."""
    kind = schema.get("type", "")
    kinds = kind if isinstance(kind, list) else [kind]
    first = next((one for one in kinds if one != "null"), "null")
    if first or "properties" not in schema:
        return "array" if not first and "items" in schema else str(first)
    return "object"


def draw(schema: Any, rng: Random, name: str = "", root: Mapping[str, Any] | None = None, level: int = 0) -> Any:
    """A value that fits the schema, where its keywords are of the usual kind. `name` is what it is called by."""
    root = schema if root is None and isinstance(schema, Mapping) else root or {}
    schema = pointed(schema, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return rng.choice([one for one in schema["enum"] if one is not None] or [None])
    if schema.get("examples"):
        return rng.choice(schema["examples"])
    for key in ("oneOf", "anyOf"):
        branches = sorted(schema.get(key, ()), key=lambda one: pointed(one, root).get("type") == "null")
        if branches:
            rest = {k: v for k, v in schema.items() if k != key}
            return draw(rest | dict(pointed(branches[0], root)), rng, name, root, level)
    if schema.get("allOf"):
        whole: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            whole = _both(whole, pointed(part, root))
        return draw(whole, rng, name, root, level)
    return _of_type(first_type(schema), schema, rng, name, root, level)


def _both(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(other) | one
    if "properties" in one and "properties" in other:
        made["properties"] = {**other["properties"], **one["properties"]}
    made["required"] = [*one.get("required", ()), *other.get("required", ())]
    return made


def _of_type(kind: str, schema: Mapping[str, Any], rng: Random, name: str, root: Mapping[str, Any], level: int) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        if level > 3 * MOST_LEVELS:
            return {}
        wanted = schema.get("required", ()) if level >= MOST_LEVELS else properties
        return {key: draw(properties.get(key, {}), rng, key, root, level + 1) for key in wanted}
    if kind == "array":
        count = 0 if level >= MOST_LEVELS else rng.randint(1, 2)
        count = max(min(schema.get("minItems", 0), MOST_ITEMS), min(count, schema.get("maxItems", count)))
        if level > 3 * MOST_LEVELS:
            return []
        drawn: list[Any] = []
        for _ in range(count):
            one = draw(schema.get("items", {}), rng, name, root, level + 1)
            if not (schema.get("uniqueItems") and one in drawn):
                drawn.append(one)
        return drawn
    if kind in ("integer", "number"):
        return number(schema, rng, name, whole=kind == "integer")
    if kind == "boolean":
        return True if bare(name) in ("success", "ok", "successful", "completed", "synced") else rng.random() < 0.5
    return None if kind == "null" else text(schema, rng, name)


def number(schema: Mapping[str, Any], rng: Random, name: str, *, whole: bool) -> int | float:
    """A number within the schema's limits."""
    last = (split_name(name) or [""])[-1]
    low, high = COUNTED.get(last, (1000, 9999) if last == "id" else (1, 100))
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf") or (1 if whole else 0)
    if least is not None:
        least = (
            least + (step or 0.01) if "exclusiveMinimum" in schema and least == schema["exclusiveMinimum"] else least
        )
        low, high = (least, max(high, least + 50)) if not least <= low <= high else (low, high)
    if most is not None:
        most = most - (step or 0.01) if "exclusiveMaximum" in schema and most == schema["exclusiveMaximum"] else most
        high, low = min(high, most), min(low, most if least is None else max(least, min(low, most)))
    if step:
        first, last_one = math.ceil(low / step), max(math.ceil(low / step), math.floor(high / step))
        drawn = rng.randint(first, last_one) * step
        return int(drawn) if whole else drawn
    return round(rng.uniform(low, high), 2)


def text(schema: Mapping[str, Any], rng: Random, name: str) -> str:
    """A text of the schema's format and length."""
    made = formatted(schema.get("format", ""), rng, name) or worded(rng, name)
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    while len(made) < min(least, MOST_LENGTH):
        made += made or "x"
    return made[:most] if isinstance(most, int) else made


def formatted(form: str, rng: Random, name: str) -> str:
    """A text of a format, or of one that its name tells."""
    words = split_name(name) or [""]
    last = words[-1]
    day = FIRST_DAY + timedelta(days=rng.randrange(330))
    clock = time(rng.randrange(7, 20), 5 * rng.randrange(12))
    if form == "date" or (not form and last == "date"):
        return day.isoformat()
    if form == "date-time" or (not form and (last in ("timestamp", "datetime") or name.endswith(("At", "_at")))):
        return datetime.combine(day, clock, UTC).isoformat().replace("+00:00", "Z")
    if form == "time":
        return clock.isoformat() + "Z"
    if form == "uuid":
        return str(UUID(int=rng.getrandbits(128), version=4))
    if form == "email" or last == "email":
        return f"{rng.choice(FIRST)}.{rng.choice(LAST)}@example.org".lower()
    if form in ("uri", "url") or last in ("url", "uri", "link", "logo", "image", "thumbnail", "website"):
        return f"https://example.org/{last or 'page'}/{rng.randrange(1000, 9999)}"
    if form in ("ipv4", "hostname", "ipv6") or last == "ip":
        return {
            "hostname": f"host{rng.randrange(100)}.example.org",
            "ipv6": f"2001:db8::{rng.randrange(1, 9999):x}",
        }.get(form, f"192.0.2.{rng.randrange(1, 255)}")
    return ""


def worded(rng: Random, name: str) -> str:
    """Words that fit a name."""
    words = split_name(name) or [""]
    last = words[-1]
    if last in ("id", "token", "code", "key", "number", "reference"):
        head = "".join(word[:3] for word in words[:-1][-1:]) or last[:3]
        return f"{head}_{rng.getrandbits(24):06x}"
    if last in LONG:
        return rng.choice(TOLD).format(rng.choice(QUALITIES).lower(), rng.choice(THINGS).lower())
    if last in ("city", "town", "place", "location"):
        return rng.choice(PLACES)
    if set(words) & {"person", "author", "actor", "user", "customer", "owner", "member"} or last in (
        "username",
        "actors",
    ):
        return f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    if last == "phone":
        return f"+49 30 {rng.randrange(100_000, 999_999)}"
    return f"{rng.choice(QUALITIES)} {rng.choice(THINGS)}" if last in NAMED else rng.choice(THINGS).lower()
