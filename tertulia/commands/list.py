"""`tertulia list`: what is bundled and installed, by kind, each with a line on what it is."""

from collections import Counter
from collections.abc import Callable, Iterator
from inspect import getdoc, getmodule
from typing import Any

from rich.markup import escape

from tertulia.commands.printing import as_json, console, table
from tertulia.errors import UserError, did_you_mean
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.parts import load, names
from tertulia.principles import bundled_principles
from tertulia.recipe import bundled_recipe, recipe_names
from tertulia.worlds import bundled_world

__all__ = ["perform"]

Row = dict[str, Any]
PARTS = ("judges", "exporters", "importers", "planners", "users", "assistants", "colleagues", "critics")


def perform(*, kind: str, world: str, json: bool) -> int:
    if kind and kind not in KINDS:
        raise UserError(f"cannot list {kind!r}{did_you_mean(kind, KINDS)}; known: {', '.join(KINDS)}")
    if kind == "tools" and not world:
        raise UserError(f"whose tools? tertulia list tools WORLD; known: {', '.join(names('worlds'))}")
    if world and kind != "tools":
        raise UserError(f"{world!r} is one word too many: only tools are listed of something")
    items = list(KINDS[kind](world) if kind else kinds())
    if json:
        as_json({"kind": kind or "kinds", "items": items})
        return 0
    shown = table("", *(f"<{key}" for key in items[0]))
    for item in items:
        shown.add_row(*(escape(said(value)) for value in item.values()))
    console().print(shown)
    return 0


def said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def kinds() -> Iterator[Row]:
    for kind, rows in KINDS.items():
        of = names("worlds") if kind == "tools" else [""]
        yield {"kind": "tools WORLD" if kind == "tools" else kind, "how many": sum(len(list(rows(one))) for one in of)}


def worlds(_: str) -> Iterator[Row]:
    played = Counter(path.parent.name for path in bundled_scenarios().values())
    for name in names("worlds"):
        world = bundled_world(name)
        yield {"world": name, "tools": len(world.tools), "scenarios": played[name], "is": first_line(world.toolkit)}


def tools(world: str) -> Iterator[Row]:
    for tool in bundled_world(world).tools.values():
        needs = tuple(tool.parameters.get("required", ()))
        yield {"tool": tool.name, "writes": tool.writes, "owner": tool.owner, "needs": needs, "does": tool.description}


def scenarios(_: str) -> Iterator[Row]:
    for path in bundled_scenarios().values():
        one = load_scenario(path)
        yield {
            "scenario": one.id,
            "world": one.world if isinstance(one.world, str) else "",
            "kind": one.kind,
            "title": one.title,
        }


def principles(_: str) -> Iterator[Row]:
    for one in bundled_principles().values():
        whom = tuple(one.applies_to)
        yield {"principle": one.id, "topic": one.topic, "severity": one.severity, "applies to": whom, "text": one.text}


def recipes(_: str) -> Iterator[Row]:
    for name in recipe_names():
        one = bundled_recipe(name)
        yield {"recipe": name, "casts": tuple(one.casts), "is": one.title}


def parts(kind: str) -> Callable[[str], Iterator[Row]]:
    """The rows of a kind of parts."""

    def rows(_: str) -> Iterator[Row]:
        for name in names(kind):
            yield {kind.removesuffix("s"): name, "is": first_line(load(kind, name))}

    return rows


def first_line(part: Any) -> str:
    """What a part is: the first line of its module's docstring, or of its own."""
    text = getdoc(getmodule(part)) or getdoc(part) or ""
    return " ".join(text.partition("\n\n")[0].split())


KINDS: dict[str, Callable[[str], Iterator[Row]]] = {
    "worlds": worlds,
    "tools": tools,
    "scenarios": scenarios,
    "principles": principles,
    "recipes": recipes,
    **{kind: parts(kind) for kind in PARTS},
}
