"""Schemas of OpenAPI documents as JSON Schema 2020-12: references resolved, `allOf` merged, 3.0's own words replaced.

What cannot be meant (`type: int`, `required: true` inside a property, a limit that is a text) is read as it is most
likely meant, or left out; either way a note says so. Where the same part is referred to again inside itself, or a
schema written out in full would be very large, `$defs` hold the parts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from tertulia.worlds.openapi_keywords import keywords, merged, nullable

__all__ = ["Schemas", "Steps", "resolve"]

Steps = tuple[str | int, ...]
Note = Callable[[Steps, str], None]

META = Draft202012Validator(Draft202012Validator.META_SCHEMA)
MOST_NODES = 3_000  # of a schema that is written out in full
MOST_LEVELS = 60
MOST_MENDS = 30
ONE, SOME = ("items", "not", "contains"), ("oneOf", "anyOf", "allOf", "prefixItems")  # keywords with schemas


def resolve(document: Any, pointer: str) -> tuple[Steps, Any]:
    """What a local reference such as `#/components/schemas/Pet` stands for, and where it is.

    Raises:
        LookupError: when it stands for nothing, with the words to say so."""
    if not isinstance(pointer, str) or not pointer.startswith("#"):
        raise LookupError(f"the reference {pointer!r} leads out of the document")
    value, at = document, []
    for raw in pointer[1:].split("/")[1:]:
        step: str | int = unquote(raw).replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and str(step).isdecimal() and int(step) < len(value):
            step = int(step)
        elif not isinstance(value, Mapping) or step not in value:
            raise LookupError(f"the reference {pointer!r} stands for nothing")
        value = value[step]
        at.append(step)
    return tuple(at), value


class _TooLarge(Exception):
    """The schema is to be written with `$defs`."""


@dataclass
class Schemas:
    """The schemas of one document."""

    document: Any
    note: Note

    def read(self, schema: Any, at: Steps, *, sent: bool = False) -> dict[str, Any]:
        """A schema of the document, sound and whole. `sent` leaves out what only answers hold, else what only
        requests do."""
        reading = _Reading(self, sent)
        try:
            made = reading.whole(schema, at)
        except _TooLarge:
            reading = _Reading(self, sent, shared=True)
            made = reading.whole(schema, at)
        return self._sound(made, at)

    def _sound(self, schema: dict[str, Any], at: Steps) -> dict[str, Any]:
        """The schema without what no JSON Schema may say."""
        for _ in range(MOST_MENDS):
            wrong = next(META.iter_errors(schema), None)
            if wrong is None:
                return schema
            path = list(wrong.absolute_path)
            self.note(at, f"left out {'.'.join(map(str, path))}: {wrong.message[:120]}")
            if not path:
                return {}
            parent: Any = schema
            for step in path[:-1]:
                parent = parent[step]
            del parent[path[-1]]
        return {}


@dataclass
class _Reading:
    """One schema being read."""

    schemas: Schemas
    sent: bool
    shared: bool = False
    defs: dict[str, Any] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)  # pointer -> its name among the $defs
    stack: list[str] = field(default_factory=list)
    nodes: int = 0

    def whole(self, schema: Any, at: Steps) -> dict[str, Any]:
        made = self.of(schema, at)
        done: set[str] = set()
        while waiting := [pointer for pointer in self.wanted if pointer not in done]:
            for pointer in waiting:
                done.add(pointer)
                self.stack = [pointer]
                where, target = resolve(self.schemas.document, pointer)
                self.defs[self.wanted[pointer]] = self.of(target, where)
        return made | {"$defs": self.defs} if self.defs else made

    def of(self, schema: Any, at: Steps, level: int = 0) -> dict[str, Any]:
        self.nodes += 1
        if self.nodes > MOST_NODES and not self.shared:
            raise _TooLarge
        if schema is True:
            return {}
        if not isinstance(schema, Mapping):
            self.note(at, f"expected a schema, got {type(schema).__name__}; anything goes there")
            return {}
        if level > MOST_LEVELS:
            self.note(at, f"nested more than {MOST_LEVELS} levels deep; anything goes below")
            return {}
        if "$ref" in schema:
            return self._referred(schema, at, level)
        return self._plain(schema, at, level)

    def note(self, at: Steps, words: str) -> None:
        self.schemas.note(at, words)

    def _referred(self, schema: Mapping[str, Any], at: Steps, level: int) -> dict[str, Any]:
        pointer = schema["$ref"]
        try:
            where, target = resolve(self.schemas.document, pointer)
        except LookupError as error:
            self.note((*at, "$ref"), f"{error}; anything goes there")
            return {}
        beside = {key: schema[key] for key in ("description", "default", "title") if isinstance(schema.get(key), str)}
        if pointer in self.stack or (self.shared and isinstance(target, Mapping)):
            return {"$ref": f"#/$defs/{self._name(pointer)}"} | beside
        self.stack.append(pointer)
        made = self.of(target, where, level + 1)
        self.stack.pop()
        return made | beside if beside else made

    def _name(self, pointer: str) -> str:
        if pointer not in self.wanted:
            name = re.sub(r"\W+", "_", pointer.removeprefix("#/components/schemas/")).strip("_") or "root"
            taken = set(self.wanted.values())
            while name in taken:
                name += "_"
            self.wanted[pointer] = name
        return self.wanted[pointer]

    def _plain(self, schema: Mapping[str, Any], at: Steps, level: int) -> dict[str, Any]:
        made = keywords(schema, lambda words: self.note(at, words))
        for key in ONE:
            if isinstance(schema.get(key), Mapping | bool):
                made[key] = self.of(schema[key], (*at, key), level + 1)
        for key in SOME:
            if isinstance(schema.get(key), list) and schema[key]:
                made[key] = [self.of(one, (*at, key, nth), level + 1) for nth, one in enumerate(schema[key])]
        if isinstance(schema.get("properties"), Mapping):
            self._properties(made, schema["properties"], at, level)
        if isinstance(extra := schema.get("additionalProperties"), Mapping | bool):
            made["additionalProperties"] = extra if isinstance(extra, bool) else self._extra(extra, at, level)
        if made.get("type") == "array" and "items" not in made and "prefixItems" not in made:
            made["items"] = {}
        made = merged(made)
        return nullable(made) if schema.get("nullable") is True else made

    def _extra(self, extra: Mapping[str, Any], at: Steps, level: int) -> dict[str, Any] | bool:
        return self.of(extra, (*at, "additionalProperties"), level + 1) if extra else True

    def _properties(self, made: dict[str, Any], given: Mapping[str, Any], at: Steps, level: int) -> None:
        only_other_way = "readOnly" if self.sent else "writeOnly"
        required = list(made.pop("required", ()))
        made["properties"] = {}
        for name, schema in given.items():
            if isinstance(schema, Mapping) and schema.get(only_other_way) is True:
                required = [key for key in required if key != name]
                continue
            if isinstance(schema, Mapping) and schema.get("required") is True:  # as in JSON Schema's third draft
                required.append(name)
            made["properties"][name] = self.of(schema, (*at, "properties", name), level + 1)
        made.setdefault("type", "object")
        if required:
            made["required"] = list(dict.fromkeys(required))
