"""The folder of a tau2-bench domain: its tasks, policy, database and splits, and the toolkit they are played on."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.importers.tau2.task import Task, read_tasks
from tertulia.importing import Asked, read_json
from tertulia.parts import names
from tertulia.tool_schema import ToolClasses, ToolSource
from tertulia.world import World
from tertulia.worlds import bundled_world
from tertulia.worlds.classes import ClassWorld, class_named

__all__ = ["Domain", "read_domain"]

DATA, POLICY = "data.json", "policy.md"


@dataclass(frozen=True)
class Domain:
    """What all tasks of a folder share."""

    name: str
    tasks: tuple[Task, ...]
    splits: Mapping[str, list[str]]
    world: World
    given: str | ToolSource  # how a scenario names that world
    beside: Mapping[str, bytes]  # files that it names


def read_domain(asked: Asked) -> Domain:
    """The domain of a folder, or of the `tasks.json` in it.

    Raises:
        UserError: for a file that is missing or wrong, or when it is not said what the tools are."""
    folder = asked.path if asked.path.is_dir() else asked.path.parent
    file = asked.path if asked.path.is_file() else folder / "tasks.json"
    if not file.is_file():
        raise UserError(f"{str(folder)!r} holds no tasks.json")
    tasks = tuple(read_tasks(file)[: asked.count])
    splits = read_json(folder / "split_tasks.json") if (folder / "split_tasks.json").is_file() else {}
    name = named(tasks) or folder.resolve().name
    world, given, beside = played_in(asked, folder, name)
    return Domain(name, tasks, splits, world, given, beside)


def named(tasks: tuple[Task, ...]) -> str:
    """The domain that the tasks say they are of, where they agree."""
    said = {getattr(task.user_scenario.instructions, "domain", "") for task in tasks}
    return said.pop() if len(said) == 1 else ""


def played_in(asked: Asked, folder: Path, name: str) -> tuple[World, str | ToolSource, dict[str, bytes]]:
    toolkits = asked.code("the import")
    if not toolkits and name in names("worlds"):
        return bundled_world(name), name, {}
    if not toolkits:
        raise UserError(
            f"what are the tools of {name!r}? Give --toolkit MODULE:CLASS, such as tau2.domains.{name}.tools:"
            f"{name.capitalize()}Tools, and --allow-code"
        )
    data, policy = database(folder), folder / POLICY
    text = policy.read_text(encoding="utf-8") if policy.is_file() else ""
    world = ClassWorld(tuple(map(class_named, toolkits)), data, text)
    beside = {DATA: (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()}
    if text:
        beside[POLICY] = text.encode()
    classes = ToolClasses(of=toolkits, data_file=DATA, policy_file=POLICY if text else "")
    return world, ToolSource(classes=classes), beside


def database(folder: Path) -> Any:
    """What `db.json` or `db.toml` holds; with a `user_db` beside it, both by whose they are."""
    own, users = table(folder, "db"), table(folder, "user_db")
    if own is None:
        raise UserError(f"{str(folder)!r} holds neither db.json nor db.toml")
    return own if users is None else {"assistant": own, "user": users}


def table(folder: Path, stem: str) -> Any:
    if (path := folder / f"{stem}.json").is_file():
        return read_json(path)
    if not (path := folder / f"{stem}.toml").is_file():
        return None
    try:
        return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is no TOML: {error}") from error
