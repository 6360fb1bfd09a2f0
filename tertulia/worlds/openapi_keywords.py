"""Keywords of one OpenAPI schema as those of JSON Schema 2020-12: types, limits, `nullable`, `allOf`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["keywords", "merged", "nullable"]

TYPES = {
    "int": "integer",
    "long": "integer",
    "int32": "integer",
    "int64": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "str": "string",
    "text": "string",
    "file": "string",
    "list": "array",
    "dict": "object",
    "map": "object",
}
KNOWN = ("string", "integer", "number", "boolean", "array", "object", "null")
FORMATS = ("date", "date-time", "time", "uuid", "uri", "url", "email", "binary", "byte", "password")  # given as types
ANY = ("type", "title", "description", "default", "enum", "const", "examples", "deprecated", "readOnly", "writeOnly")
TEXTS = ("format", "minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType")
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
MANY = ("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required")
KEPT = frozenset((*ANY, *TEXTS, *NUMBERS, *MANY))
MOST_PATTERN = 300  # characters
NESTED = re.compile(r"[+*}]\??[^()]*\)[+*{]|\|[^()]*\)[+*{]")  # (a+)+ or (a|a)+, which may search for ever
WILD = re.compile(r"(?:\.|\]|\\[wdsWDS])[+*].*(?:\.|\]|\\[wdsWDS])[+*].*(?:\.|\]|\\[wdsWDS])[+*].*[+*]")
SIDES = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
Note = Callable[[str], None]


def keywords(schema: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """What a schema says of its own value, without its parts. `note` hears what is read otherwise than it stands."""
    made = {key: value for key, value in schema.items() if key in KEPT}
    _type(made, note)
    _limits(made)
    _pattern(made, note)
    if "required" in made:
        named = made.pop("required")
        made["required"] = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    if isinstance(made.get("enum"), list) and len(made["enum"]) == 0:
        made.pop("enum")
    if isinstance(made.get("enum"), list):
        made["enum"] = [value for nth, value in enumerate(made["enum"]) if value not in made["enum"][:nth]]
    examples = made.pop("examples", None)
    if isinstance(examples, Mapping):
        examples = [one.get("value", one) if isinstance(one, Mapping) else one for one in examples.values()]
    if not isinstance(examples, list):
        examples = [schema["example"]] if "example" in schema else []
    return made | {"examples": examples} if examples else made


def _type(made: dict[str, Any], note: Note) -> None:
    """Only JSON Schema's types, whatever others they are called by."""
    if "type" not in made:
        return
    given = made["type"]
    kinds = []
    for kind in given if isinstance(given, list) else [given]:
        word = str(kind).strip().lower()
        if word in FORMATS:
            made.setdefault("format", word)
            word = "string"
        word = TYPES.get(word, word)
        if word in KNOWN:
            kinds.append(word)
        elif word != "any":
            note(f"unknown type {kind!r}; anything goes there")
    if not kinds:
        made.pop("type")
    else:
        made["type"] = kinds if len(kinds) > 1 else kinds[0]


def _limits(made: dict[str, Any]) -> None:
    """OpenAPI 3.0 says `exclusiveMinimum: true` beside `minimum`."""
    for exclusive, side in SIDES.items():
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and side in made:
            made[exclusive] = made.pop(side)


def _pattern(made: dict[str, Any], note: Note) -> None:
    """Leave out a pattern that is none in Python, or that might be searched for without end."""
    pattern = made.get("pattern")
    if pattern is None:
        return
    try:
        risky = not isinstance(pattern, str) or len(pattern) > MOST_PATTERN or slow(pattern)
        if not risky:
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        risky = True
    if risky:
        note(f"left out the pattern {str(pattern)[:60]!r}: no safe regular expression")
        made.pop("pattern")


def slow(pattern: str) -> bool:
    """Whether a search for it may take for ever: a repetition of a repetition, or many open ones in a row."""
    return bool(NESTED.search(pattern) or WILD.search(pattern))


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with null allowed, as 3.0's `nullable` means it."""
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]} if schema else schema
    kinds = kind if isinstance(kind, list) else [kind]
    made = schema | {"type": [*kinds, "null"] if "null" not in kinds else kinds}
    if isinstance(made.get("enum"), list) and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    return made


def merged(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with `allOf` written into it, where its parts can be one."""
    parts = schema.get("allOf")
    if not parts:
        return schema
    whole: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts:
        joined = _joined(whole, part)
        if joined is None:
            return schema
        whole = joined
    return whole


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """Two schemas that both hold, as one; None where that takes an `allOf`."""
    made = dict(one)
    for key, value in other.items():
        if key not in made or key in ("title", "description", "examples", "default"):
            made.setdefault(key, value)
        elif key == "properties":
            if any(made[key].get(name, schema) != schema for name, schema in value.items()):
                return None
            made[key] = made[key] | value
        elif key == "required":
            made[key] = list(dict.fromkeys([*made[key], *value]))
        elif made[key] != value:
            return None
    return made
