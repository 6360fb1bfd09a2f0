"""The kinds of parameter values: what a leaf of a JSON Schema holds, by its enum, type, format and name."""

from collections.abc import Mapping
from typing import Any, Literal

from tertulia.language.wording import humanize

__all__ = ["ID_WORDS", "Kind", "Schema", "kind_of", "normal_schema"]

Schema = Mapping[str, Any]
Kind = Literal[
    "enum",
    "boolean",
    "integer",
    "number",
    "email",
    "url",
    "ip",
    "date",
    "day",
    "time",
    "code",
    "text",
    "list",
    "object",
]
TYPES: dict[str, Kind] = {
    "boolean": "boolean", "integer": "integer", "number": "number", "array": "list", "object": "object",
}  # fmt: skip
FORMATS: dict[str, Kind] = {
    "email": "email", "uri": "url", "url": "url", "ipv4": "ip", "date": "date", "date-time": "date", "time": "time",
}  # fmt: skip
NAMED: dict[str, Kind] = {
    "email": "email", "mail": "email", "url": "url", "uri": "url", "link": "url", "website": "url", "ip": "ip",
    "date": "date", "day": "day", "weekday": "day", "time": "time",
}  # fmt: skip
ID_WORDS = frozenset(
    ("id", "number", "code", "token", "key", "reference", "ref", "sku", "iban", "isbn", "postcode", "zip")
)


def normal_schema(schema: Schema, root: Schema, depth: int = 0) -> Schema:
    """A schema with its reference followed and the null alternative of an optional value dropped."""
    if depth > 8 or not isinstance(schema, Mapping):
        return schema if isinstance(schema, Mapping) else {}
    if "$ref" in schema:
        target: Any = root
        for step in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            target = target if not step else target.get(step, {}) if isinstance(target, Mapping) else {}
        target = target if isinstance(target, Mapping) else {}
        return normal_schema({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        options = [o for o in schema.get(key, ()) if isinstance(o, Mapping) and o.get("type") != "null"]
        if options:
            rest = {k: v for k, v in schema.items() if k != key}
            return normal_schema({**options[0], **rest}, root, depth + 1)
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        schema = {**schema, "type": kinds[0] if kinds else "string"}
    if isinstance(schema.get("items"), Mapping):
        return {**schema, "items": _entry_schema(schema["items"], root, depth + 1)}
    return schema


def _entry_schema(schema: Schema, root: Schema, depth: int) -> Schema:
    """The schema of a list's entries, normal all the way down: an entry is read as a whole."""
    schema = normal_schema(schema, root, depth)
    inner = schema.get("properties")
    if not inner or depth > 8:
        return schema
    return {**schema, "properties": {name: _entry_schema(one, root, depth + 1) for name, one in inner.items()}}


def kind_of(name: str, schema: Schema) -> Kind:
    """The kind of a leaf: by enum, type and format, then by the words of its name."""
    if [choice for choice in schema.get("enum", ()) if choice is not None] or schema.get("const") is not None:
        return "enum"
    if schema.get("type") in TYPES:
        return TYPES[schema["type"]]
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    if schema.get("pattern"):
        return "code"
    said = humanize(name).split()
    for word in reversed(said):
        if word in NAMED:
            return NAMED[word]
    return "code" if said and said[-1] in ID_WORDS else "text"
