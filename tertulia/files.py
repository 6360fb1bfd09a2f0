"""Scenario files on disk: finding them by name, and reading each with everything that is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pydantic import RootModel

from tertulia.checks import check
from tertulia.checks.reading import Reading
from tertulia.checks.salvage import salvage
from tertulia.errors import Fault, ScenarioError, UserError, did_you_mean
from tertulia.lines import near_file
from tertulia.recipe import Recipe, unknown_parts
from tertulia.scenario import Scenario, ToolSchema
from tertulia.source import Source, parse, shape_faults, validated
from tertulia.tool_schema import ToolClasses, ToolSource
from tertulia.worlds.sources import is_url, tools_from

__all__ = ["bundled_scenarios", "find_scenarios", "load_scenario", "load_scenarios", "read_scenario"]


NEARBY = (".json", ".yaml", ".yml", ".md", ".txt")  # files that a scenario may name


class ToolList(RootModel[tuple[ToolSchema, ...]]):
    """The content of a `tools_file`."""


def load_scenario(path: str | Path) -> Scenario:
    """One scenario, with the tools of its `tools_file` in `tools`.

    Raises:
        ScenarioError: with every fault of the file."""
    scenario, faults = read_scenario(Path(path))
    if scenario is None or faults:
        raise ScenarioError(faults)
    return scenario


def load_scenarios(paths: Sequence[Path]) -> list[Scenario]:
    """The scenarios of one run; no two may have the same id.

    Raises:
        ScenarioError: with every fault of every file."""
    found: list[Scenario] = []
    faults: list[Fault] = []
    homes: dict[str, Path] = {}
    for path in paths:
        scenario, wrong = read_scenario(path)
        faults += wrong
        if scenario is None:
            continue
        if scenario.id in homes:
            message = f"id {scenario.id!r} is also the id of {homes[scenario.id]}"
            faults.append(replace(parse(path).fault(("id",), message, rule="ids"), item=scenario.id))
        homes.setdefault(scenario.id, path)
        found.append(scenario)
    if faults:
        raise ScenarioError(faults)
    return found


def read_scenario(path: Path) -> tuple[Scenario | None, list[Fault]]:
    """A scenario as far as it can be read, and every fault of its file. Without faults it is sound and complete."""
    source = parse(path)
    if source.value is None:
        return None, sorted(source.faults)
    record, found = validated(source, Scenario)
    scenario, broken = (record, frozenset[Any]()) if record else salvage(source, Scenario)
    faults = [*source.faults, *shape_faults(source, found)]
    if scenario is None:
        return None, sorted(faults)
    reading = Reading(source, scenario, broken)
    if scenario.tools_file and not scenario.tools:
        reading, wrong = _with_tools(reading, scenario.tools_file)
        faults += wrong
    if isinstance(scenario.world, ToolSource) and scenario.world.classes:
        reading, wrong = _with_class_files(reading, scenario.world, scenario.world.classes)
        faults += wrong
    if isinstance(scenario.world, ToolSource) and not scenario.tools:
        reading, wrong = _with_source(reading, scenario.world)
        faults += wrong
    if reading.scenario.recipe.endswith((".yaml", ".yml")):
        reading, wrong = _with_recipe(reading, reading.scenario.recipe)
        faults += wrong
    scenario = reading.scenario
    faults += [*check(reading), *_stem_fault(source, path, scenario)]
    name = source.value.get("id", "") if isinstance(source.value, dict) else ""
    return scenario, sorted({replace(fault, item=str(name)) for fault in faults})


def _stem_fault(source: Source, path: Path, scenario: Scenario) -> Iterator[Fault]:
    if path.resolve().is_relative_to(_worlds_folder().resolve()) and scenario.id != path.stem:
        yield source.fault(("id",), f"the id of a bundled scenario is the name of its file, {path.stem!r}", rule="ids")


# --- files beside the scenario -----------------------------------------------------------------------------------


def _with_tools(reading: Reading, name: str) -> tuple[Reading, list[Fault]]:
    """The scenario with the tools of a file beside it, as far as they can be read, and what is wrong with the file."""
    source, path = reading.source, Path(reading.source.file).parent / name
    if absent := list(_absent(source, ("tools_file",), name)):
        return reading, absent
    listed = parse(path)
    tools, found = validated(listed, ToolList)
    faults = [*listed.faults, *shape_faults(listed, found)]
    broken: frozenset[Any] = frozenset()
    if tools is None and listed.value is not None:
        tools, broken = salvage(listed, ToolList)
    if tools is None:
        return reading, faults
    scenario = reading.scenario.model_copy(update={"tools": tools.root, "tools_file": ""})
    return Reading(source, scenario, reading.broken, listed, broken), faults


def _with_class_files(reading: Reading, world: ToolSource, given: ToolClasses) -> tuple[Reading, list[Fault]]:
    """The scenario with the whole paths of the files that its classes are filled from, and which are not there."""
    folder, found = Path(reading.source.file).parent, dict[str, str]()
    faults: list[Fault] = []
    for key in ("data_file", "policy_file"):
        if name := getattr(given, key):
            found[key] = str((folder / name).resolve())
            faults += _absent(reading.source, ("world", "classes", key), name)
    filled = world.model_copy(update={"classes": given.model_copy(update=found)})
    return replace(reading, scenario=reading.scenario.model_copy(update={"world": filled})), faults


def _with_source(reading: Reading, given: ToolSource) -> tuple[Reading, list[Fault]]:
    """The scenario with the tools that its `world` points to, and why they cannot be had."""
    source, folder = reading.source, Path(reading.source.file).parent
    named = [key for key in ("openapi", "mcp", "python") if getattr(given, key)]
    if not reading.sound(("world",)) or len(named) != 1:
        return reading, []
    key = named[0]
    if (
        key == "openapi"
        and not is_url(given.openapi)
        and (absent := list(_absent(source, ("world", key), given.openapi)))
    ):
        return reading, absent
    try:
        tools = tools_from(given, folder)
    except ScenarioError as error:
        return reading, list(error.faults)
    except UserError as error:
        return reading, [source.fault(("world", key), str(error), rule="world")]
    return replace(reading, scenario=reading.scenario.model_copy(update={"tools": tools})), []


def _with_recipe(reading: Reading, name: str) -> tuple[Reading, list[Fault]]:
    """The scenario with the text of the recipe in a file beside it, and what is wrong with the file."""
    faults = list(_absent(reading.source, ("recipe",), name))
    text = _default_recipe()
    if not faults:
        written = parse(Path(reading.source.file).parent / name)
        recipe, found = validated(written, Recipe)
        faults = [*written.faults, *shape_faults(written, found)]
        if recipe is not None:
            faults += [written.fault(at, message, hint, "recipe") for at, message, hint in unknown_parts(recipe)]
            text = text if faults else recipe.model_dump_json()
    return replace(reading, scenario=reading.scenario.model_copy(update={"recipe": text})), faults


def _default_recipe() -> str:
    name: str = Scenario.model_fields["recipe"].default
    return name


def _absent(source: Source, at: tuple[str, ...], name: str) -> Iterator[Fault]:
    """What is wrong with the name of a file that should lie in the scenario's folder."""
    folder, rule = Path(source.file).parent, at[-1].replace("_", "-")
    if _escapes(folder, name):
        yield source.fault(at, f"{name!r} leaves the scenario's folder", rule=rule)
    elif not (folder / name).is_file():
        near = did_you_mean(name, (p.name for p in folder.iterdir() if p.suffix in NEARBY))
        yield source.fault(at, f"there is no file {name!r} beside the scenario", near, rule=rule)


def _escapes(folder: Path, name: str) -> bool:
    given = (PurePosixPath(name), PureWindowsPath(name))
    if any(path.is_absolute() or path.drive or ".." in path.parts for path in given) or "\0" in name:
        return True
    return not (folder / name).resolve().is_relative_to(folder.resolve())


# --- finding scenarios -------------------------------------------------------------------------------------------


def _worlds_folder() -> Path:
    return Path(str(files("tertulia.scenarios") / "worlds"))


@cache
def bundled_scenarios() -> dict[str, Path]:
    """Every scenario that comes with tertulia, by id."""
    return {path.stem: path for path in sorted(_worlds_folder().glob("*/*.yaml"))}


def find_scenarios(names: Sequence[str]) -> list[Path]:
    """The files that names stand for: a file, a folder, a bundled world or a bundled scenario; none: all bundled.

    Raises:
        UserError: for a name that stands for nothing, or a folder without scenarios."""
    found = [path for name in names for path in _named(name)] if names else list(bundled_scenarios().values())
    return list(dict.fromkeys(found))


def _named(name: str) -> list[Path]:
    bundled = bundled_scenarios()
    worlds: dict[str, list[Path]] = {}
    for path in bundled.values():
        worlds.setdefault(path.parent.name, []).append(path)
    path = Path(name)
    if not name:
        raise UserError("'' names nothing; . is the working directory")
    if path.is_file():
        return [path]
    if path.is_dir():
        if inside := [file for file in _yaml_in(path) if _may_be_scenario(file)]:
            return inside
        if name not in worlds:
            raise UserError(f"no scenario files (*.yaml, *.yml) in the folder {name!r}")
    if name in worlds:
        return worlds[name]
    if name in bundled:
        return [bundled[name]]
    near = did_you_mean(name, [*worlds, *bundled]) if path.name == name and not path.suffix else near_file(path)
    raise UserError(f"no file, folder, bundled world or bundled scenario is called {name!r}{near}")


def _yaml_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.y*ml") if path.suffix in (".yaml", ".yml") and path.is_file())


def _may_be_scenario(path: Path) -> bool:
    """False for what is surely another kind of file: principles, a recipe, a list of tools."""
    value = parse(path).value
    if isinstance(value, list):
        return not all(isinstance(item, dict) and "name" in item for item in value)
    if not isinstance(value, dict) or "script" in value or "cast" in value:
        return True
    return not (set(value) == {"principles"} or "casts" in value)
