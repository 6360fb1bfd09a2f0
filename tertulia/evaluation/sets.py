"""Evaluation sets: settled items with an id each, from a file of items or from scenarios.

A set is a JSONL file of the export format `evalset`, or any scenarios: files, folders, bundled names. An item's id is
its scenario's id with a digest of everything that settles it, so the same item has the same id wherever it comes from.
Every item passes the gold lint first; one whose gold cannot be right is left out, and said so.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tertulia.errors import UserError
from tertulia.exporting import rows
from tertulia.gold import Gold, gold_of
from tertulia.lines import lines_of
from tertulia.lint import complaints
from tertulia.parts import installed
from tertulia.running.items import gathered, plan_items
from tertulia.running.run_folder import write_atomically
from tertulia.running.run_settings import code_digest
from tertulia.scenario import Scenario

__all__ = ["EvalSet", "SetItem", "calls_of", "lasts", "read_set"]

VERSIONS = (1, 2)  # of the lines of an evalset file that are understood; in 1 scenario and gold are objects
SHORT = 8  # characters of a digest in an id


@dataclass(frozen=True, slots=True)
class SetItem:
    """One thing to be done: a settled scenario under an id of its own."""

    id: str
    scenario: Scenario  # its id is the item's
    source: str  # the id of the scenario that it is a variant of


@dataclass(frozen=True, slots=True)
class EvalSet:
    """The items of a set, in order, and those that the gold lint left out with the reason."""

    name: str
    items: tuple[SetItem, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """A digest of every item: two sets of the same version ask the same."""
        return digest(sorted(item.id for item in self.items))[:12]

    def with_calls(self) -> "EvalSet":
        """The items in which the agent has something to call.

        Raises:
            UserError: if there is none."""
        idle = {item.id: "nothing is to be called" for item in self.items if not calls_of(item.scenario)}
        items = tuple(item for item in self.items if item.id not in idle)
        if not items:
            raise UserError(f"{self.name}: no item has a call, so there is nothing to force")
        return EvalSet(self.name, items, self.left_out | idle)

    @property
    def scenarios(self) -> dict[str, Scenario]:
        return {item.id: item.scenario for item in self.items}


def read_set(names: Sequence[str], variants: int = 1, seed: int = 0, known: Path | None = None) -> EvalSet:
    """The set that the names stand for: `.jsonl` files of items, and scenarios with so many balanced variants each.

    What the gold lint said of an item is looked up in the folder `known`, and kept there.

    Raises:
        ScenarioError: with every fault of every scenario file.
        UserError: naming file and line of an item that cannot be read; or if no item is left."""
    files = [name for name in names if name.endswith(".jsonl")]
    others = [name for name in names if not name.endswith(".jsonl")]
    settled = [scenario for name in files for scenario in of_file(Path(name))]
    if others or not files:
        settled += of_scenarios(others, variants, seed)
    found = {item.id: item for item in map(named, settled)}
    left_out = {name: reason for name, reason in linted(found, known).items() if reason}
    items = tuple(item for name, item in found.items() if name not in left_out)
    if not items:
        why = next(iter(left_out.values()), "it holds none")
        raise UserError(f"{', '.join(names) or 'the bundled set'}: no item can be played: {why}")
    return EvalSet(", ".join(names) or "bundled", items, left_out)


def calls_of(scenario: Scenario) -> list[tuple[str, dict[str, Any]]]:
    """The gold calls that the agent itself has to make, in order."""
    wants = [want for want in scenario.script.wants if want.due and want.by in ("", scenario.assistant)]
    return [(want.call, want.gold) for want in wants]


def linted(items: Mapping[str, SetItem], known: Path | None) -> dict[str, str]:
    """What the gold lint says of each item: its first complaint, or nothing. It takes a twentieth of a second each."""
    path = known / f"gold-{code_digest()[:16]}.json" if known else None
    said = kept_in(path)
    fresh = {name: wrong_gold(item.scenario) for name, item in items.items() if name not in said}
    lasting = {name: reason for name, reason in fresh.items() if lasts(items[name].scenario)}
    if path and lasting:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(said | lasting))
    return {name: (said | fresh)[name] for name in items}


def lasts(scenario: Scenario) -> bool:
    """Whether all that a scenario's tools do is settled by the scenario and by tertulia's own code."""
    return scenario.source is None and scenario.world not in installed("worlds")


def kept_in(path: Path | None) -> dict[str, str]:
    try:
        said = json.loads(path.read_bytes()) if path else {}
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def wrong_gold(scenario: Scenario) -> str:
    """The first complaint of the gold lint; empty where there is none."""
    wrong = next(complaints(scenario), None)
    return f"{wrong.rule}: {wrong}" if wrong else ""


def named(settled: Scenario) -> SetItem:
    """A settled scenario under the id of its item."""
    text = settled.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    name = f"{settled.id}-{digest(text)[:SHORT]}"
    return SetItem(name, settled.model_copy(update={"id": name}), settled.id)


def digest(value: Any) -> str:
    return rows.digest(value).hex()


# --- scenarios ---------------------------------------------------------------------------------------------------


def of_scenarios(names: Sequence[str], variants: int, seed: int) -> Iterator[Scenario]:
    """So many balanced variants of each scenario; a small grid may give fewer."""
    scenarios, _ = gathered(names)
    for item in plan_items(scenarios, variants * len(scenarios), seed, slips=0.0):
        if item.unplayable:
            raise UserError(item.unplayable)
        yield item.scenario


# --- files of items ----------------------------------------------------------------------------------------------


def of_file(path: Path) -> Iterator[Scenario]:
    """The settled scenarios of an evalset file."""
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            yield of_line(line, f"{path}:{number}")


def of_line(line: str, where: str) -> Scenario:
    """The settled scenario of one line, whose gold must follow from it."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(f"{where}: not JSON: {error}") from None
    if not isinstance(row, dict) or row.get("version") not in VERSIONS:
        known = " or ".join(map(str, VERSIONS))
        raise UserError(f"{where}: not an item of format version {known}; `tertulia export RUN evalset` writes them")
    try:
        scenario = Scenario.model_validate(rows.unpacked(row.get("scenario")))
        gold = Gold.model_validate(rows.unpacked(row.get("gold")))
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: scenario and gold are JSON texts, and one is no JSON: {error}") from None
    except ValidationError as error:
        raise UserError(f"{where}: {first_of(error.errors())}") from None
    if scenario.slots or scenario.vary:
        raise UserError(f"{where}: the scenario is not settled: it still has slots or vary")
    if gold != gold_of(scenario):
        raise UserError(f"{where}: the gold is not that of its scenario; mend the scenario and export the set anew")
    return scenario


def first_of(errors: Iterable[Any]) -> str:
    first = next(iter(errors))
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
