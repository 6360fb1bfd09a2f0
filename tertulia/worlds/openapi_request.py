"""The arguments of one operation: parameters and body in one JSON Schema, and where in the request each goes."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tertulia.scenario import Place
from tertulia.worlds.openapi_schema import Schemas, Steps

__all__ = ["Arguments"]

PLACES = ("path", "query", "header", "cookie")
IGNORED = ("accept", "content-type", "authorization")  # header parameters that the specification has ignored
OWN = ("type", "format", "enum", "items", "default", "minimum", "maximum", "pattern", "properties")
WHOLE_BODY = "body"
Target = Callable[[Any, Steps], tuple[Steps, Mapping[str, Any]]]


class Arguments:
    """Filled from the parts of an operation, path before query, header, cookie and body."""

    def __init__(self, schemas: Schemas, target: Target, note: Callable[[Steps, str], None]) -> None:
        self.schemas, self.target, self.note = schemas, target, note
        self.properties: dict[str, dict[str, Any]] = {}
        self.places: dict[str, list[Place]] = {}
        self.required: list[str] = []
        self.defs: dict[str, Any] = {}
        self.media = ""

    def parameters(self, path: str, lists: Sequence[tuple[Any, Steps]]) -> None:
        """Parameters of the path and of the operation; the latter replace the former."""
        found: dict[tuple[str, str], tuple[Mapping[str, Any], Steps]] = {}
        for given, at in lists:
            for nth, one in enumerate(given if isinstance(given, list) else ()):
                where, parameter = self.target(one, (*at, nth))
                name, place = parameter.get("name"), parameter.get("in")
                if not isinstance(name, str) or not name:
                    self.note(where, "a parameter without a name; left out")
                elif place in ("body", "formData"):
                    self.body(parameter, where)
                else:
                    found[name, self._place(path, name, place, where)] = parameter, where
        for (name, place), (parameter, where) in sorted(found.items(), key=lambda one: PLACES.index(one[0][1])):
            if place != "header" or name.lower() not in IGNORED:
                self._parameter(name, place, parameter, where)

    def _place(self, path: str, name: str, given: Any, at: Steps) -> str:
        if given in PLACES:
            return str(given)
        meant = "path" if f"{{{name}}}" in path else "query"
        self.note(at, f"parameter {name!r} is in {given!r}; read as a {meant} parameter")
        return meant

    def _parameter(self, name: str, place: str, given: Mapping[str, Any], at: Steps) -> None:
        schema, where = given.get("schema"), (*at, "schema")
        content = given.get("content")
        if schema is None and isinstance(content, Mapping) and content:
            kind = next(iter(content))
            schema = content[kind].get("schema") if isinstance(content[kind], Mapping) else None
            where = (*at, "content", kind, "schema")
        if schema is None:  # as Swagger 2 had it
            schema, where = {key: given[key] for key in OWN if key in given}, at
        made = dict(self.schemas.read(schema, where, sent=True))
        if isinstance(given.get("description"), str) and "description" not in made:
            made["description"] = " ".join(given["description"].split())
        if "example" in given and "examples" not in made:
            made["examples"] = [given["example"]]
        style, explode = given.get("style"), given.get("explode")
        self._add(
            name,
            made,
            Place(
                at=place,
                name=name,
                style=style if isinstance(style, str) else "",
                explode=explode if isinstance(explode, bool) else None,
            ),
            required=place == "path" or given.get("required") is True,
        )

    def body(self, given: Mapping[str, Any], at: Steps) -> None:
        """A request body: its properties are arguments, or it is one as a whole."""
        content = given.get("content")
        schema, where = given.get("schema"), (*at, "schema")
        self.media = "application/json"
        if isinstance(content, Mapping) and content:
            self.media = str(min(content, key=lambda kind: "json" not in str(kind)))
            inner = content[self.media] if self.media in content else next(iter(content.values()))
            schema = inner.get("schema") if isinstance(inner, Mapping) else None
            where = (*at, "content", self.media, "schema")
        if schema is None:
            self.note(at, "a body without a schema; anything goes there" if content else "an empty body; left out")
            if not content:
                self.media = ""
                return
            schema = {}
        made = self.schemas.read(schema, where, sent=True)
        optional = given.get("required") is False
        if made.get("type") == "object" and made.get("properties") and not {"oneOf", "anyOf", "allOf"} & set(made):
            self.defs |= made.get("$defs", {})
            required = () if optional else made.get("required", ())
            for name, one in made["properties"].items():
                self._add(name, one, Place(at="body", name=name), required=name in required)
        else:
            text = given.get("description")
            if isinstance(text, str) and "description" not in made:
                made = made | {"description": " ".join(text.split())}
            name = WHOLE_BODY if WHOLE_BODY not in self.properties else "request_body"
            self._add(name, made, Place(at="body"), required=not optional)

    def _add(self, name: str, schema: Mapping[str, Any], place: Place, *, required: bool) -> None:
        """One argument. The same name in two parts of the request is the same value in both."""
        made = dict(schema)
        self.defs |= made.pop("$defs", {})
        made.pop("required", None) if not isinstance(made.get("required"), list) else None
        known = self.properties.get(name)
        self.properties[name] = made if known is None else {**made, **known}
        self.places.setdefault(name, []).append(place)
        if required and name not in self.required:
            self.required.append(name)

    def check_path(self, path: str, at: Steps) -> None:
        """Every {name} of the path is an argument, whether it is described or not."""
        for name in re.findall(r"\{([^{}/]+)\}", path):
            if not any(place.at == "path" and place.name == name for one in self.places.values() for place in one):
                self.note(at, f"path parameter {name!r} is not described; read as a text")
                self._add(name, {"type": "string"}, Place(at="path", name=name), required=True)

    def schema(self) -> dict[str, Any]:
        """All arguments as one JSON Schema of an object."""
        made: dict[str, Any] = {"type": "object", "properties": self.properties}
        if self.required:
            made["required"] = self.required
        return made | {"$defs": self.defs} if self.defs else made
