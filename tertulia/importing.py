"""Brings other formats in: an importer reads one, and its scenarios are written as files, all of them or none.

An importer is the class of a module in `tertulia.importers`, or a third party's by the entry point
`tertulia.importers`. It has one method, `read`, and says of everything that the format holds and a scenario cannot
express that it is lost: nothing is dropped in silence.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tertulia.errors import UserError
from tertulia.lines import lines_of, text_of
from tertulia.models.records import Ask
from tertulia.parts import load
from tertulia.scenario import Scenario, ToolSchema
from tertulia.scenario_text import printable, scenario_text
from tertulia.schemas import schema
from tertulia.variation import slots_used

__all__ = ["Asked", "ImportReport", "Imported", "Importer", "Lost", "bring_in", "read_json", "tools_text"]

SCHEMA = "scenario.schema.json"  # written anew with every import, as `tertulia schema` prints it


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks of an importer."""

    path: Path  # a file or a folder
    count: int | None = None  # for importers that make scenarios: how many; for others: the first so many
    seed: int = 0
    toolkits: tuple[str, ...] = ()  # MODULE:NAME of the Python that the format's calls are made on
    allow_code: bool = False  # whether that Python may be run
    writer: Ask | None = None  # a model that writes words, for importers that make scenarios

    def code(self, what: str) -> tuple[str, ...]:
        """The toolkits, when they may be run.

        Raises:
            UserError: if they may not, and `what` of them is needed."""
        if self.toolkits and not self.allow_code:
            raise UserError(f"{what} runs {', '.join(self.toolkits)}: to let it, give --allow-code")
        return self.toolkits


@dataclass(frozen=True, slots=True, order=True)
class Lost:
    """Something that one item of the format holds and no scenario says."""

    item: str  # the item's id in its own format
    what: str  # the field
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an importer made of what it read."""

    scenarios: Sequence[Scenario]  # the id is the name of the file
    beside: Mapping[str, bytes] = field(default_factory=dict)  # files beside them: name -> content
    lost: Sequence[Lost] = ()
    coverage: Mapping[str, Any] = field(default_factory=dict)  # what the scenarios cover: name -> number or mapping


class Importer(Protocol):
    """Reads one format."""

    def read(self, asked: Asked) -> Imported:
        """Raises UserError for what cannot be read, with the file, the item and what to mend."""
        ...


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was written, and what was left behind."""

    format: str
    path: Path
    scenarios: tuple[str, ...]
    lost: tuple[Lost, ...]
    coverage: dict[str, Any]


def bring_in(format_name: str, asked: Asked, folder: Path, *, force: bool = False) -> ImportReport:
    """Write the scenarios of a format to `folder`, with the files they need and the schema for editors.

    All files are on disk under other names before the first takes its own; nothing is left when something fails.

    Raises:
        UserError: if a file exists and `force` is not given, if two scenarios have one id, or for what cannot be read.
        UnknownPart: if there is no such format."""
    importer: Importer = load("importers", format_name)()
    if not asked.path.exists():
        raise UserError(f"there is no file or folder {str(asked.path)!r}")
    imported = importer.read(asked)
    files, lost = _files(imported)
    taken = [folder / name for name in files if name != SCHEMA and (folder / name).exists()]
    if taken and not force:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise UserError(f"{str(taken[0])!r}{more} exist{'s' * (not more)}; to overwrite, give --force")
    try:
        _write(folder, files)
    except OSError as error:
        raise UserError(f"cannot write to {str(folder)!r}: {error.strerror or error}") from error
    names = tuple(scenario.id for scenario in imported.scenarios)
    return ImportReport(format_name, folder, names, tuple(sorted(lost)), dict(imported.coverage))


def read_json(path: Path, *, lines: bool = False) -> Any:
    """The value of a JSON file; with `lines`, the list of the values of its lines.

    Raises:
        UserError: with file and line of what is no JSON, or if the file cannot be read."""
    if not lines:
        return _value(path, text_of(path), 1)
    return [_value(path, line, nth) for nth, line in enumerate(lines_of(path), start=1) if line.strip()]


def _value(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        nth = line + error.lineno - 1 if isinstance(error, json.JSONDecodeError) else line
        said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
        raise UserError(f"{path}:{nth}: is no JSON: {said}") from error


def tools_text(tools: Sequence[ToolSchema]) -> bytes:
    """The content of a `tools_file`."""
    rows = [tool.model_dump(mode="json", by_alias=True, exclude_defaults=True) for tool in tools]
    return (json.dumps(printable(rows), ensure_ascii=False, indent=2) + "\n").encode()


def _files(imported: Imported) -> tuple[dict[str, bytes], list[Lost]]:
    """Every file to write, by name, and all that is lost."""
    files = {SCHEMA: (json.dumps(schema("scenario"), indent=2, ensure_ascii=False) + "\n").encode(), **imported.beside}
    lost = list(imported.lost)
    for scenario in imported.scenarios:
        name = f"{scenario.id}.yaml"
        if name in files:
            raise UserError(f"two items would be written as {name!r}")
        value = scenario.model_dump(mode="json", by_alias=True)
        if (said := printable(value)) != value:
            scenario = Scenario.model_validate(said)
            lost.append(Lost(scenario.id, "characters", "lone surrogates are no Unicode text; U+FFFD stands for them"))
        files[name] = scenario_text(shielded(scenario), SCHEMA).encode()
    return files, lost


def shielded(scenario: Scenario) -> Scenario:
    """The scenario with `${name}` as a text where it names no slot: the dollar comes from a slot of its own."""
    raw = scenario.model_dump(by_alias=True, exclude_unset=True)
    foreign = slots_used(raw) - set(scenario.slots)
    if not foreign:
        return scenario
    mark = re.compile(rf"\$(?=\{{(?:{'|'.join(map(re.escape, sorted(foreign)))})[.}}])")
    return Scenario.model_validate({**replaced(raw, mark), "slots": {**scenario.slots, "dollar": "$"}})


def replaced(value: Any, mark: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return mark.sub("${dollar}", value)
    if isinstance(value, Mapping):
        return {replaced(key, mark): replaced(inner, mark) for key, inner in value.items()}
    return [replaced(inner, mark) for inner in value] if isinstance(value, list | tuple) else value


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    parts = {folder / name: folder / f".{name}.{os.getpid()}.part" for name in files}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for path, part in parts.items():
            with part.open("wb") as file:
                file.write(files[path.name])
                file.flush()
                os.fsync(file.fileno())
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
