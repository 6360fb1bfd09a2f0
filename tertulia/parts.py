"""Parts by name: a built-in is the module of that name, a third party's comes by entry point.

    kind         built-in module                               entry-point group
    planners     tertulia.agents.planners.NAME                 tertulia.planners
    users        tertulia.agents.users.NAME                    tertulia.users
    assistants   tertulia.agents.assistants.NAME               tertulia.assistants
    colleagues   tertulia.agents.colleagues.NAME               tertulia.colleagues
    critics      tertulia.agents.critics.NAME                  tertulia.critics
    tools        tertulia.agents.tools.NAME                    tertulia.tools
    judges       tertulia.judges.NAME                          tertulia.judges
    exporters    tertulia.exporters.NAME                       tertulia.exporters
    importers    tertulia.importers.NAME                       tertulia.importers
    worlds       tertulia.scenarios.worlds.NAME.toolkit        tertulia.worlds
    recipes      a file, see `tertulia.recipe`                 tertulia.recipes

The part is the class in that module whose name is NAME in camel case (`goal_calls` -> `GoalCalls`).
"""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from tertulia.errors import SettingsError, UnknownPart, did_you_mean

__all__ = ["camel", "heuristics", "installed", "load", "made", "names"]

HOMES = {
    "planners": "tertulia.agents.planners.{}",
    "users": "tertulia.agents.users.{}",
    "assistants": "tertulia.agents.assistants.{}",
    "colleagues": "tertulia.agents.colleagues.{}",
    "critics": "tertulia.agents.critics.{}",
    "tools": "tertulia.agents.tools.{}",
    "judges": "tertulia.judges.{}",
    "exporters": "tertulia.exporters.{}",
    "importers": "tertulia.importers.{}",
    "worlds": "tertulia.scenarios.worlds.{}.toolkit",
}


def camel(name: str) -> str:
    """`goal_calls` -> `GoalCalls`."""
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_"))


def installed(kind: str) -> dict[str, Any]:
    """Entry points of third parties, by name."""
    return {point.name: point for point in entry_points(group=f"tertulia.{kind}")}


def names(kind: str) -> list[str]:
    """Every part of that kind that is bundled or installed."""
    folder = import_module(HOMES[kind].partition(".{}")[0])
    return sorted({module.name for module in pkgutil.iter_modules(folder.__path__)} | set(installed(kind)))


@cache
def load(kind: str, name: str) -> Any:
    """The class of a part; a hyphen in the name of a built-in one stands for an underscore.

    Raises:
        UnknownPart: if no part of that kind and name exists; the message lists the nearest name."""
    module = name.replace("-", "_")
    home = HOMES[kind].format(module)
    if module.isidentifier() and module in names(kind) and _exists(home):
        return getattr(import_module(home), camel(module))
    if name in installed(kind):
        return installed(kind)[name].load()
    known = names(kind)
    raise UnknownPart(
        f"no {kind.removesuffix('s')} is called {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}"
    )


def heuristics() -> list[str]:
    """The judges that measure without a model and gate nothing: those whose class says `heuristic = True`."""
    return [name for name in names("judges") if getattr(load("judges", name), "heuristic", False)]


def made(kind: str, name: str, role: str, ask_for: Callable[[str], Any] | None = None) -> Any:
    """A part, with the door to its role's model when its `__init__` has a parameter `ask`, and, named `NAME:FILE`, with
    the path of that file when it has a parameter `file`.

    Raises:
        SettingsError: if it needs a model and there is none, or takes no file."""
    name, colon, file = name.partition(":")
    part, what = load(kind, name), kind.removesuffix("s")
    takes, given = signature(part).parameters, dict[str, Any]()
    if colon and ("file" not in takes or not file):
        raise SettingsError(f"the {what} {name!r} {'takes no file' if 'file' not in takes else 'is named without one'}")
    if file:
        given["file"] = Path(file)
    if "ask" in takes:
        if ask_for is None:
            raise SettingsError(
                f"the {what} {name!r} needs a model: name one with --model SPEC or --role-model {role}=SPEC"
            )
        given["ask"] = ask_for(role)
    return part(**given)


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
