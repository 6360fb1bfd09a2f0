"""`tertulia check`: every fault of scenario files at its line, mended on request, and what trivial agents score."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tertulia.commands.printing import as_json, counted, note
from tertulia.errors import Fault
from tertulia.files import find_scenarios
from tertulia.lint import check_file, served
from tertulia.lint.duplicates import duplicates
from tertulia.lint.mending import mended, with_edit
from tertulia.running.baselines import baselines
from tertulia.scenario import Scenario
from tertulia.shares import percent
from tertulia.source import Source, parse

__all__ = ["perform"]


PASSES = 4  # of mending: an edit may bring to light what the fault before it hid


def perform(*, files: Sequence[str], floors: bool, json: bool, fix: bool = False) -> int:
    paths = find_scenarios(files)
    scenarios, sound, faults = checked(paths)
    if remote := sum(map(served, scenarios)):
        note(f"{counted(remote, 'scenario')} played on a server of somebody's: the gold calls were not tried out there")
    edits = mend(paths, faults) if fix else {}
    if edits:
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
                "mended": {str(path): count for path, count in edits.items()},
            }
        )
        return 1 if faults else 0
    for path, count in edits.items():
        print(f"{path}: {counted(count, 'fault')} mended")
    for fault in faults:
        print(fault)
    print(f"{counted(len(paths), 'file')}, {counted(len(scenarios), 'scenario')}, {counted(len(faults), 'fault')}")
    if scores:
        of = "" if len(sound) == len(scenarios) else f" of the {counted(len(sound), 'scenario')} without a fault"
        none, rules = percent(scores.none, 0), percent(scores.rules, 0)
        print(f"success{of}: {none} for an agent that does nothing, {rules} for the rule cast")
    return 1 if faults else 0


def checked(paths: Sequence[Path]) -> tuple[list[Scenario], list[Scenario], list[Fault]]:
    """The scenarios as far as they can be read, those without a fault, and every fault, file by file."""
    scenarios: list[Scenario] = []
    sound: list[Scenario] = []
    faults: list[Fault] = []
    homes: dict[str, Path] = {}
    items: list[tuple[Scenario, Source]] = []
    for path in paths:
        scenario, found = check_file(path)
        faults += with_edits(path, found)
        if scenario is None:
            continue
        if scenario.id in homes:
            message = f"id {scenario.id!r} is also the id of {homes[scenario.id]}"
            faults.append(replace(parse(path).fault(("id",), message, rule="ids"), item=scenario.id))
        else:
            homes[scenario.id] = path
            sound += [] if found else [scenario]
            items += [] if found else [(scenario, parse(path))]
        scenarios.append(scenario)
    twins = list(duplicates(items))
    return scenarios, sound, faults + twins


def with_edits(path: Path, faults: Sequence[Fault]) -> list[Fault]:
    """The faults, each with the edit that takes it away where there is a safe one."""
    if not faults or not path.is_file() or faults[0].rule == "yaml":
        return list(faults)
    text = path.read_text(encoding="utf-8")
    return [with_edit(fault, text) if fault.file == str(path) else fault for fault in faults]


def mend(paths: Sequence[Path], faults: Sequence[Fault]) -> dict[Path, int]:
    """Write the files of which faults can be mended. A file in which an edit makes nothing better stays as it was."""
    done: dict[Path, int] = {}
    for path in paths:
        left = [fault for fault in faults if fault.file == str(path)]
        for _ in range(PASSES):
            before, text = path.read_bytes() if left else b"", mended(path, left)
            if text is None:
                break
            path.write_text(text, encoding="utf-8", newline="")
            now = with_edits(path, check_file(path)[1])
            meant = {(fault.rule, fault.message) for fault in left if fault.edit is not None}
            if meant & {(fault.rule, fault.message) for fault in now} or spoilt(left, now):
                path.write_bytes(before)
                break
            done[path] = done.get(path, 0) + len(meant)
            left = now
    return done


def spoilt(before: Sequence[Fault], now: Sequence[Fault]) -> bool:
    """Whether a file can be read less than before. Gold that could not be linted before may have faults of its own."""
    return any(fault.rule in ("yaml", "shape") and fault not in before for fault in now)
