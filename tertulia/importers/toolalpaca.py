"""ToolAlpaca documents: an OpenAPI document with instructions and golden answers.

PATH is a JSON list of APIs (fields of tangqiaoyu/ToolAlpaca). Every instruction with at least one golden call becomes a
scenario over the simulated operations of its document. The golden calls are replayed there: `${x from tool}` stands for
the value of `x` in what `tool` returned, and what the original asks its user for (`getDetails`) is drawn by seed and
known to the user.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tertulia.errors import UserError
from tertulia.importers.openapi.values import drawn
from tertulia.importing import Asked, Imported, Lost, read_json
from tertulia.language.wording import humanize
from tertulia.scenario import Scenario, ToolSchema
from tertulia.streams import stream
from tertulia.transcripts import kind_of
from tertulia.worlds.openapi_document import Api, api_of
from tertulia.worlds.simulated import SimulatedWorld

__all__ = ["Toolalpaca"]

USER, ASSISTANT = "client", "agent"
ASK = "getDetails"
PLACEHOLDER = re.compile(r'"?\$\{(?P<what>[^{}",]*)\}?"?|"\{(?P<words>[a-z ]+)\}"')
READ = ("Name", "Documentation", "Instructions", "Golden_Answers")


class Toolalpaca:
    """One scenario for each instruction that wants a call."""

    def read(self, asked: Asked) -> Imported:
        rows = read_json(asked.path)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UserError(f"{asked.path}: expected a list of APIs")
        apis = [Document(str(asked.path), row, asked.seed) for row in rows]
        items = [item for api in apis for item in api.items()][: asked.count]
        lost = [one for api in apis for one in api.lost()] + [one for item in items for one in item.lost]
        beside = {api.file: api.text.encode() for api in apis}
        failing = [item for item in items if item.failed]
        coverage = {
            "instructions": len(items),
            "without a call": sum(not item.wants for item in items),
            "golden calls": sum(len(item.wants) for item in items),
            "golden calls that are refused": sum(len(item.failed) for item in failing),
            "values drawn for the user": sum(len(item.knows) for item in items),
            "golden calls by API": dict(Counter(item.api.name for item in items for _ in item.wants)),
        }
        return Imported([item.scenario() for item in items if item.wants], beside, lost, coverage)


@dataclass
class Document:
    """One API with its instructions."""

    path: str
    row: Mapping[str, Any]
    seed: int

    def __post_init__(self) -> None:
        self.name = str(self.row.get("Name") or "")
        for key in READ:
            if not self.row.get(key):
                raise UserError(f"{self.path}: API {self.name!r} has no {key!r}")
        given = self.row["Documentation"]
        self.text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, indent=1)
        self.api: Api = api_of(self.text, f"{self.path}: API {self.name!r}")
        self.world = SimulatedWorld(self.api.tools, "", seed=self.seed)
        self.tools = {name: tool for tool in self.api.tools for name in (tool.name, *path_name(tool))}

    @property
    def slug(self) -> str:
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode().lower()
        return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "api"

    @property
    def file(self) -> str:
        return f"{self.slug}.openapi.json"

    def items(self) -> Iterator["Item"]:
        answers = self.row["Golden_Answers"]
        if len(answers) != len(self.row["Instructions"]):
            raise UserError(f"{self.path}: API {self.name!r} has another number of instructions than of golden answers")
        for nth, (text, golden) in enumerate(zip(self.row["Instructions"], answers, strict=True), start=1):
            item = Item(self, nth, text.strip())
            item.take(golden)
            yield item

    def lost(self) -> Iterator[Lost]:
        for note in self.api.notes:
            yield Lost(f"{self.name}:{note.line}", "Documentation", note.message)
        if rest := sorted(key for key in self.row if key not in READ):
            yield Lost(self.name, ", ".join(rest), "the same document in other forms, and what surrounds it")


def path_name(tool: ToolSchema) -> Iterator[str]:
    """The name that ToolAlpaca gives to an operation without one: its path and method."""
    if tool.operation:
        steps = re.sub(r"[{}]", "", tool.operation.path).strip("/").split("/")
        yield "_".join([*steps, tool.operation.method])


@dataclass
class Item:
    """An instruction, its golden calls replayed as far as they can be read."""

    api: Document
    nth: int
    text: str
    wants: list[dict[str, Any]] = field(default_factory=list)
    knows: dict[str, Any] = field(default_factory=dict)
    returned: dict[str, Any] = field(default_factory=dict)  # by the name of the tool in the golden answer
    failed: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.api.slug}-{self.nth:02d}"

    def loses(self, at: str, why: str) -> None:
        self.lost.append(Lost(self.id, at, why))

    def take(self, golden: Sequence[Mapping[str, Any]]) -> None:
        live = self.api.world.open(self.scenario())
        for nth, step in enumerate(golden):
            at, name = f"Golden_Answers.{nth}", str(step.get("Action"))
            if name == ASK:
                continue
            if name.startswith("[Optional]"):
                self.loses(at, f"{name}: a want is never optional")
            elif name not in self.api.tools:
                self.loses(at, f"{name}: no such operation in the document")
            elif (args := self.arguments(at, str(step.get("Action_Input")), self.api.tools[name])) is not None:
                tool = self.api.tools[name].name
                self.wants.append({"call": tool, "with": args})
                outcome = live.call(tool, args)
                self.returned[name] = json.loads(outcome.text)
                if outcome.error:
                    self.failed.append(f"{tool}: {outcome.text}")

    def arguments(self, at: str, text: str, tool: ToolSchema) -> dict[str, Any] | None:
        """The arguments of a golden call with its placeholders filled; None when they cannot be read."""
        values: list[Any] = []
        missing: list[str] = []

        def put(match: re.Match[str]) -> str:
            what, _, source = (match["what"] or match["words"]).partition(" from ")
            value = self.filled(at, what.strip(), source.strip(), tool)
            if value is None:
                missing.append(match[0])
            values.append(value)
            return f'"\\u0000{len(values) - 1}"'

        try:
            read = json.loads(PLACEHOLDER.sub(put, text))
        except json.JSONDecodeError as error:
            self.loses(at, f"Action_Input is no JSON: {error.msg}")
            return None
        if missing or not isinstance(read, dict):
            self.loses(at, f"nothing returned what {missing[0]} stands for" if missing else "Action_Input is no object")
            return None
        properties = tool.parameters.get("properties", {})
        typed = {key: as_typed(resolved(value, values), properties.get(key, {})) for key, value in read.items()}
        return {key: value for key, value in typed.items() if value not in ("", None)}

    def filled(self, at: str, name: str, source: str, tool: ToolSchema) -> Any:
        """What a placeholder stands for: a value that a call returned, or one that the user is asked for."""
        if source not in ("", ASK):
            wanted = humanize(name)
            found = leaves(self.returned.get(source))
            return next((v for k, v in found if humanize(k) in (wanted, wanted.rpartition(" ")[2])), None)
        if name not in self.knows:
            schema = tool.parameters.get("properties", {}).get(name, {})
            value = drawn(name, schema, tool.parameters, stream(self.api.seed, "toolalpaca", self.id, name))
            self.knows[name] = f"{humanize(name)} {self.nth}" if value is None else value
            self.loses(at, f"{name}: the original asks its user; here a value is drawn")
        return self.knows[name]

    def scenario(self) -> Scenario:
        wants = len(self.wants)
        return Scenario.model_validate(
            {
                "id": self.id,
                "kind": kind_of(wants),
                "world": {"openapi": self.api.file, "seed": self.api.seed},
                "policy": f"You answer with the functions of {self.api.name} and nothing else.",
                "cast": {USER: {"role": "user", "knows": self.knows}, ASSISTANT: {"role": "assistant"}},
                "script": {"opening": self.text, "wants": self.wants},
                "limits": {"turns": 60},
            }
        )


def resolved(value: Any, values: Sequence[Any]) -> Any:
    """A value with what its placeholders stand for."""
    if isinstance(value, str) and value.startswith("\0"):
        return values[int(value[1:])]
    if isinstance(value, Mapping):
        return {key: resolved(inner, values) for key, inner in value.items()}
    return [resolved(inner, values) for inner in value] if isinstance(value, list) else value


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """The plain values of a result, by key."""
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        yield from leaves(inner) if isinstance(inner, Mapping | list) else ((key, inner),)
    for inner in value if isinstance(value, list) else ():
        yield from leaves(inner)


def as_typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """The original writes some whole numbers as text."""
    whole = schema.get("type") == "integer" and isinstance(value, str) and value.isdigit()
    return int(value) if whole else value
