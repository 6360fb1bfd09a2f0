"""OpenAPI 3.0 and 3.1 documents as tools: each operation a tool with one JSON Schema of all its arguments.

    paths            tool                   operationId, or verb and path, as a name
    parameters       parameters             path, query, header and cookie parameters and the body's properties in one
    requestBody        + operation.places   object; `places` keeps where in the request each argument goes
    responses        output, responses      the schema of the first success; every status with schema and examples
    the verb         writes                 GET, HEAD, OPTIONS and TRACE read (RFC 9110, 9.2.1)

Documents that people have are seldom sound. Where one can be read as it was meant, it is, and `notes` say what was
read otherwise than it stands; only what leaves nothing to work with is an error.
https://spec.openapis.org/oas/v3.1.1.html, https://spec.openapis.org/oas/v3.0.4.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tertulia.errors import Fault, ScenarioError
from tertulia.scenario import Credential, Operation, Response, ToolSchema
from tertulia.source import Source
from tertulia.strict_yaml import Bounds, Document, document_of, read_document
from tertulia.worlds.openapi_parts import (
    MOST_NAME,
    content_of,
    described,
    filled,
    listed,
    mapped,
    plain,
    status_of,
    valid_name,
)
from tertulia.worlds.openapi_request import Arguments
from tertulia.worlds.openapi_schema import Schemas, Steps, resolve

__all__ = ["Api", "Scheme", "api_of", "read_api"]

BOUNDS = Bounds(size=16 << 20, values=300_000, levels=100, number_keys=True)
MOST_PLACED = 2 << 20  # bytes of a JSON document whose lines are looked up
MOST_NOTES = 200
MOST_OPERATIONS = 2_000
VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
STATUS = re.compile(r"[1-5]([0-9]{2}|XX)|default")
SCHEME_KINDS = ("apiKey", "http", "oauth2", "openIdConnect", "mutualTLS")


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a request shows that it may be made."""

    kind: str  # apiKey, http, oauth2, openIdConnect or mutualTLS
    at: str = ""  # for apiKey: query, header or cookie
    name: str = ""  # for apiKey: its name there; for http: basic, bearer ...


@dataclass(frozen=True)
class Api:
    """What a document describes."""

    title: str
    description: str
    servers: tuple[str, ...]
    tools: tuple[ToolSchema, ...]  # each with `operation` and `responses`
    schemes: dict[str, Scheme] = field(default_factory=dict)
    notes: tuple[Fault, ...] = ()  # what was read otherwise than it stands, each with its line


def read_api(path: Path) -> Api:
    """The API that a file describes, JSON or YAML. Scenarios that share a document share what is read of it.

    Raises:
        ScenarioError: when the file cannot be read, or describes no operation; with every reason and its line."""
    try:
        told = path.stat()
    except (OSError, ValueError):
        return _read(path, 0, 0)
    return _read(path, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=32)
def _read(path: Path, changed: int, size: int) -> Api:
    """The API of a file as it was last changed."""
    document = read_document(path, BOUNDS) if path.suffix != ".json" else None
    if document is None or document.value is None:
        text = _text(path, document)
        return api_of(text, str(path))
    return _api(Source(str(path), document.value, document.places, document.keys), document.faults)


def api_of(text: str, name: str) -> Api:
    """The API that a text describes, JSON or YAML; `name` stands for the file in errors.

    Raises:
        ScenarioError: as `read_api` does."""
    if len(text) > BOUNDS.size:
        raise ScenarioError([Fault(name, 1, 1, f"the document is larger than {BOUNDS.size >> 20} MiB", rule="openapi")])
    if not text.lstrip().startswith("{"):
        document = document_of(name, text, BOUNDS)
        if document.value is None:
            raise ScenarioError(document.faults)
        return _api(Source(name, document.value, document.places, document.keys), document.faults)
    return _api(_json(text, name), ())


def _text(path: Path, failed: Document | None) -> str:
    """A JSON file's text. A YAML file that could not be read raises what is wrong with it."""
    if failed is not None:
        raise ScenarioError(failed.faults)
    try:
        with path.open("rb") as stream:
            return stream.read(BOUNDS.size + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError([Fault(str(path), 1, 1, f"cannot be read: {reason}", rule="openapi")]) from error


def _json(text: str, name: str) -> Source:
    """A JSON text with the lines of its parts, where it is small enough to look them up."""
    try:
        value = json.loads(text, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        fault = Fault(name, error.lineno, error.colno, f"not valid JSON: {error.msg}", rule="openapi")
        raise ScenarioError([fault]) from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError([Fault(name, 1, 1, f"not valid JSON: {str(error)[:120]}", rule="openapi")]) from error
    placed = document_of(name, text, BOUNDS) if len(text) <= MOST_PLACED else Document(None, {}, {}, ())
    return Source(name, value, placed.places, placed.keys)


def _not_json(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _api(source: Source, faults: tuple[Fault, ...]) -> Api:
    reading = _Reading(source, list(faults))
    value = source.value
    if not isinstance(value, Mapping) or not isinstance(value.get("paths"), Mapping):
        raise ScenarioError([*faults, source.fault((), reading.strange(value), rule="openapi")])
    if "swagger" in value:
        message = f"Swagger {value['swagger']} is not OpenAPI 3; convert the document first (swagger2openapi does)"
        raise ScenarioError([source.fault(("swagger",), message, rule="openapi", on_key=True)])
    tools = tuple(reading.tools())
    if not tools:
        why = source.fault(("paths",), "no operation can be read", rule="openapi", on_key=True)
        raise ScenarioError([*reading.notes, why])
    info = mapped(value.get("info"))
    return Api(
        title=plain(info.get("title")) or Path(source.file).stem,
        description=plain(info.get("description")),
        servers=tuple(reading.servers(value)),
        tools=tools,
        schemes=reading.known_schemes,
        notes=tuple(reading.notes[:MOST_NOTES]),
    )


class _Reading:
    """One document being read."""

    def __init__(self, source: Source, notes: list[Fault]) -> None:
        self.source, self.notes = source, notes
        self.document: Mapping[str, Any] = source.value
        self.schemas = Schemas(source.value, self.note)
        self.names: set[str] = set()
        self.known_schemes = self.schemes() if isinstance(source.value, Mapping) else {}

    def note(self, at: Steps, words: str) -> None:
        """What is read otherwise than it stands; where the line is unknown, the JSON pointer says where."""
        if not self.source.places:
            pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in at)
            words = f"{pointer}: {words}"
        fault = self.source.fault(at, words, rule="openapi")
        if fault not in self.notes[-20:]:
            self.notes.append(fault)

    def strange(self, value: Any) -> str:
        if not isinstance(value, Mapping):
            return f"expected an OpenAPI document, got {'a text' if isinstance(value, str) else 'a list'}"
        return "no OpenAPI document: it has no `paths`"

    def target(self, value: Any, at: Steps) -> tuple[Steps, Mapping[str, Any]]:
        """A part of the document itself, behind references."""
        for _ in range(20):
            if not isinstance(value, Mapping):
                self.note(at, "expected a mapping; left out")
                return at, {}
            if "$ref" not in value:
                return at, value
            try:
                at, value = resolve(self.document, value["$ref"])
            except LookupError as error:
                self.note((*at, "$ref"), f"{error}; left out")
                return at, {}
        self.note(at, "a reference that leads back to itself; left out")
        return at, {}

    def tools(self) -> Iterator[ToolSchema]:
        version = self.document.get("openapi")
        if not str(version).startswith("3."):
            self.note(("openapi",), f"the version is {version!r}; read as OpenAPI 3")
        for path, item in self.document["paths"].items():
            if str(path).startswith("x-"):
                continue
            at, item = self.target(item, ("paths", path))
            for verb in item:
                if str(verb).lower() in VERBS:
                    if len(self.names) >= MOST_OPERATIONS:
                        self.note(at, f"more than {MOST_OPERATIONS} operations; the rest is left out")
                        return
                    yield self.tool(str(path), item, str(verb), at)

    def tool(self, path: str, item: Mapping[str, Any], verb: str, at: Steps) -> ToolSchema:
        where, operation = self.target(item[verb], (*at, verb))
        arguments = Arguments(self.schemas, self.target, self.note)
        arguments.parameters(
            path, [(item.get("parameters"), (*at, "parameters")), (operation.get("parameters"), (*where, "parameters"))]
        )
        if "requestBody" in operation:
            arguments.body(*self.target(operation["requestBody"], (*where, "requestBody"))[::-1])
        arguments.check_path(path, where)
        known, needed = self.known_schemes, self.security(operation)
        servers = [*self.servers(operation), *self.servers(item), *self.servers(self.document)]
        route = Operation(
            method=verb.lower(),
            path=path if path.startswith("/") else f"/{path}",
            server=servers[0] if servers else "",
            places={name: tuple(places) for name, places in arguments.places.items()},
            media=arguments.media,
            security=needed,
            credentials=tuple(credential(name, known[name]) for name in needed if name in known),
            tags=tuple(tag for tag in listed(operation.get("tags")) if isinstance(tag, str)),
        )
        responses = tuple(self.responses(operation, where))
        return ToolSchema(
            name=self.name(operation, verb, path, where),
            description=described(operation, item),
            parameters=arguments.schema(),
            output=next((one.body for one in responses if one.status[0] == "2"), {}),
            writes=not route.reads,
            operation=route,
            responses=responses,
        )

    def name(self, operation: Mapping[str, Any], verb: str, path: str, at: Steps) -> str:
        given = operation.get("operationId")
        name = base = valid_name(given if isinstance(given, str) and given.strip() else f"{verb} {path}")
        nth = 2
        while name in self.names:
            tail = f"_{nth}"
            name, nth = base[: MOST_NAME - len(tail)] + tail, nth + 1
        if isinstance(given, str) and name != given:
            self.note((*at, "operationId"), f"the tool of {given!r} is called {name!r}")
        self.names.add(name)
        return name

    def responses(self, operation: Mapping[str, Any], at: Steps) -> Iterator[Response]:
        """What is documented for each status, successes first."""
        given = operation.get("responses")
        if not isinstance(given, Mapping):
            return
        statuses = [(status_of(status), status) for status in given]
        for status, key in sorted(statuses, key=lambda pair: (pair[0][:1] != "2", pair[0] == "default", pair[0])):
            if not str(key).startswith("x-"):
                if not STATUS.fullmatch(status):
                    self.note((*at, "responses", key), f"{key!r} is no status; left out")
                    continue
                yield self.response(status, *self.target(given[key], (*at, "responses", key)))

    def response(self, status: str, at: Steps, given: Mapping[str, Any]) -> Response:
        media, content = content_of(given)
        at = (*at, "content", media)
        body = self.schemas.read(content["schema"], (*at, "schema")) if "schema" in content else {}
        examples = [content["example"]] if "example" in content else []
        for name, example in mapped(content.get("examples")).items():
            _, example = self.target(example, (*at, "examples", name))
            examples += [example["value"]] if "value" in example else []
        description = plain(given.get("description"))
        return Response(status=status, description=description, body=body, examples=tuple(examples), media=media)

    def servers(self, holder: Mapping[str, Any]) -> Iterator[str]:
        """The URLs of the servers, with their variables at their defaults."""
        for server in listed(holder.get("servers")):
            if isinstance(server, Mapping) and isinstance(server.get("url"), str):
                variables = mapped(server.get("variables"))
                defaults = {k: str(v.get("default", "")) for k, v in variables.items() if isinstance(v, Mapping)}
                yield filled(server["url"], defaults).strip().rstrip("/")

    def security(self, operation: Mapping[str, Any]) -> tuple[str, ...]:
        """The schemes of the first way in; none where one of the ways needs none."""
        ways = [
            way for way in listed(operation.get("security", self.document.get("security"))) if isinstance(way, Mapping)
        ]
        return tuple(map(str, ways[0])) if ways and all(ways) else ()

    def schemes(self) -> dict[str, Scheme]:
        components = self.document.get("components")
        given = components.get("securitySchemes") if isinstance(components, Mapping) else None
        found = {}
        for name, scheme in given.items() if isinstance(given, Mapping) else ():
            at, scheme = self.target(scheme, ("components", "securitySchemes", name))
            kind = str(scheme.get("type", ""))
            if kind not in SCHEME_KINDS:
                self.note(at, f"unknown kind of security {kind!r}; left out")
                continue
            label = scheme.get("name") if kind == "apiKey" else str(scheme.get("scheme", "")).lower()
            found[str(name)] = Scheme(kind, str(scheme.get("in", "")), str(label or ""))
        return found


def credential(name: str, scheme: Scheme) -> Credential:
    """How a request shows the secret of a scheme."""
    if scheme.kind == "apiKey" and scheme.name:
        at = scheme.at if scheme.at in ("query", "cookie") else "header"
        return Credential(scheme=name, at=at, name=scheme.name)
    return Credential(scheme=name, prefix="Basic " if scheme.name == "basic" else "Bearer ")
