"""Checks of the names that a scenario borrows: its world, recipe and principles, and the principles it brings."""

from collections.abc import Iterator

from tertulia.checks.reading import Reading, Steps
from tertulia.errors import Fault, did_you_mean
from tertulia.parts import names
from tertulia.principles import Principle, bundled_principles, unknown_principle
from tertulia.recipe import is_text, recipe_names

__all__ = ["CHECKS"]

TOOLS = ("tools", "first")  # of a detector: names of tools


def world(r: Reading) -> Iterator[Fault]:
    name = r.scenario.world
    if isinstance(name, str) and name and r.world is None and r.sound(("world",)):
        known = names("worlds")
        yield from r.fault(
            ("world",), f"unknown world {name!r}", did_you_mean(name, known) or f" (known: {', '.join(known)})"
        )


def recipe(r: Reading) -> Iterator[Fault]:
    name, known = r.scenario.recipe, recipe_names()
    if name not in known and not is_text(name):
        suggestion = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        yield from r.fault(("recipe",), f"unknown recipe {name!r}", suggestion)


def principles(r: Reading) -> Iterator[Fault]:
    known, seen = bundled_principles(), set()
    own = {given.id for given in r.scenario.principles if isinstance(given, Principle)}
    for nth, given in enumerate(r.scenario.principles):
        at: Steps = ("principles", nth)
        if isinstance(given, str):
            name, verb = given, "listed"
            if name not in known and name not in own:
                yield from r.fault(at, unknown_principle(name, known))
        else:
            name, verb, at = given.id, "defined", (*at, "id")
            if name in known:
                yield from r.fault(at, f"principle {name!r} is bundled already; give yours another id")
        if name in seen:
            yield from r.fault(at, f"principle {name!r} is {verb} twice")
        seen.add(name)


def tools_of_detectors(r: Reading) -> Iterator[Fault]:
    for nth, given in enumerate(r.scenario.principles):
        if not isinstance(given, Principle) or given.detector is None:
            continue
        at = ("principles", nth, "detector")
        for key in TOOLS:
            for place, tool in enumerate(getattr(given.detector, key, ())):
                if r.tools is not None and tool not in r.tools:
                    yield from r.fault((*at, key, place), f"unknown tool {tool!r}", did_you_mean(tool, r.tools))


CHECKS = (world, recipe, principles, tools_of_detectors)
