"""The gold lint: the calls that a scenario calls right are made on a fresh world, to see whether they can be right.

    replay         makes the calls and asks: do they run, and where do they lead?
    failures       an error that hides in a result which is none
    values         can the assistant come to know every value, and does the script hold what must be asked?
    ambiguity      would another value, which fits the request as well, end elsewhere?
    duplicates     items that ask the same in the same words
    mending        the edits of a file that take faults away

Injected faults of a scenario play no part here: the lint asks what the world itself does.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tertulia.checks.reading import Reading, Steps
from tertulia.errors import Fault
from tertulia.files import read_scenario
from tertulia.lint.complaints import GoldComplaint
from tertulia.lint.mending import knowing
from tertulia.lint.replay import Replay
from tertulia.scenario import Scenario
from tertulia.source import Source, parse
from tertulia.world import World
from tertulia.worlds import open_world

__all__ = ["GoldComplaint", "check_file", "complaints", "lint", "served"]


def check_file(path: Path) -> tuple[Scenario | None, list[Fault]]:
    """A scenario and every fault of its file; one that is sound is also played against its gold."""
    scenario, faults = read_scenario(path)
    if scenario is None or faults:
        return scenario, faults
    return scenario, lint(scenario, parse(path))


def complaints(settled: Scenario, world: World | None = None) -> Iterator[GoldComplaint]:
    """Everything that is wrong with the gold of a settled scenario, in its own world unless another is given.

    Nothing is called where calls would reach somebody else's server: see `served`."""
    return iter(()) if served(settled) else Replay(settled, world or open_world(settled)).complaints()


def served(scenario: Scenario) -> bool:
    """Whether the tools are those of a server, on which gold calls must not be tried out."""
    source = scenario.source
    return source is not None and (source.mcp is not None or source.answers == "http")


def lint(scenario: Scenario, source: Source) -> list[Fault]:
    """Every fault of the gold of a sound scenario, as it is written and for every choice of its grid."""
    found: dict[tuple[Steps, str, str], Fault] = {}
    for variant, settled in Reading(source, scenario).settled:
        for complaint in complaints(settled):
            key = (complaint.at, complaint.rule, "" if complaint.once else complaint.message)
            if key not in found:
                at = variant.path(complaint.at)
                fault = source.fault(at, variant.label + complaint.message, complaint.suggestion, complaint.rule)
                edit = None if variant.origin else knowing(source, scenario, complaint)
                found[key] = replace(fault, item=scenario.id, edit=edit)
    return sorted(found.values())
