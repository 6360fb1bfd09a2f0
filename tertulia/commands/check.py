"""`tertulia check`: every fault of scenario files at its line, and what trivial agents score on them."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tertulia.commands.printing import as_json, note
from tertulia.errors import Fault
from tertulia.files import find_scenarios
from tertulia.gold_lint import check_file
from tertulia.running.baselines import baselines
from tertulia.scenario import Scenario
from tertulia.source import parse

__all__ = ["perform"]


def perform(*, files: Sequence[str], floors: bool, json: bool) -> int:
    paths = find_scenarios(files)
    scenarios, sound, faults = checked(paths)
    scores = asyncio.run(baselines(sound)) if floors else None
    if json:
        for fault in faults:
            note(str(fault))
        shown = None if scores is None else {key: round(value, 4) for key, value in asdict(scores).items()}
        as_json(
            {
                "files": len(paths),
                "items": len(scenarios),
                "faults": [asdict(fault) for fault in faults],
                "floors": shown,
            }
        )
        return 1 if faults else 0
    for fault in faults:
        print(fault)
    print(f"{counted(len(paths), 'file')}, {counted(len(scenarios), 'scenario')}, {counted(len(faults), 'fault')}")
    if scores:
        of = "" if len(sound) == len(scenarios) else f" of the {counted(len(sound), 'scenario')} without a fault"
        print(f"success{of}: {scores.none:.0%} for an agent that does nothing, {scores.rules:.0%} for the rule cast")
    return 1 if faults else 0


def checked(paths: Sequence[Path]) -> tuple[list[Scenario], list[Scenario], list[Fault]]:
    """The scenarios as far as they can be read, those without a fault, and every fault, file by file."""
    scenarios: list[Scenario] = []
    sound: list[Scenario] = []
    faults: list[Fault] = []
    homes: dict[str, Path] = {}
    for path in paths:
        scenario, found = check_file(path)
        faults += found
        if scenario is None:
            continue
        if scenario.id in homes:
            message = f"id {scenario.id!r} is also the id of {homes[scenario.id]}"
            faults.append(replace(parse(path).fault(("id",), message, rule="ids"), item=scenario.id))
        else:
            homes[scenario.id] = path
            sound += [] if found else [scenario]
        scenarios.append(scenario)
    return scenarios, sound, faults


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
