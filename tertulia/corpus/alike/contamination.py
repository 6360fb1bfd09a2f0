"""What stands in an evaluation set already and must not be trained on.

Two questions, as in Cosmopedia's decontamination: does a conversation share a run of words with an item, and if so, do
aligned runs of at least `ALIGNED` words cover more than a share of the item? Of our own evaluation sets, whoever played
an item has seen it, whatever was said: that is told by the item's id, which the settled scenario alone gives.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from tertulia.corpus.words import hashed
from tertulia.errors import Fault, ScenarioError, UserError
from tertulia.exporting.rows import item_id, unpacked
from tertulia.language.wording import words
from tertulia.lines import lines_of
from tertulia.memo import Memo
from tertulia.scenario import Scenario

__all__ = ["Contaminated", "Leak", "evaluation_items"]

ALIGNED = 3  # words in a row that count as aligned
OURS = {"version", "scenario", "gold"}  # columns of a set of ours
LEAST = 5  # words; shorter items say nothing


@dataclass(frozen=True, slots=True)
class Item:
    """One text of an evaluation set."""

    name: str  # FILE:LINE
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """An item that a conversation holds."""

    item: str
    match: float  # share of its words that are aligned; 1 where the item itself was played


def evaluation_items(path: Path, fields: Sequence[str] = ()) -> Iterator[tuple[int, str, str]]:
    """Each line of a set: its number, its own id when it is of ours, and its text.

    Raises:
        ScenarioError: naming the line that is no JSON object, or lacks every field.
        UserError: if the file cannot be read."""
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ScenarioError([Fault(str(path), number, error.colno, f"no JSON: {error.msg}")]) from None
        if not isinstance(row, dict) or (fields and not set(fields) & set(row)):
            wanted = f"a JSON object with {' or '.join(map(repr, fields))}" if fields else "a JSON object"
            raise ScenarioError([Fault(str(path), number, 1, f"expected {wanted}")])
        ours = row.keys() >= OURS
        if ours:
            row["scenario"] = scenario_of(row, path, number)
        yield number, str(row.get("id", "")) if ours else "", text_of(row, fields, ours)


def scenario_of(row: dict[str, Any], path: Path, number: int) -> dict[str, Any]:
    """The scenario of an item of ours, with a script that can be read.

    Raises:
        ScenarioError: naming the line that has none."""
    try:
        scenario = unpacked(row["scenario"])
    except json.JSONDecodeError as error:
        raise ScenarioError([Fault(str(path), number, 1, f"the scenario is no JSON: {error.msg}")]) from None
    script = scenario.get("script") if isinstance(scenario, dict) else None
    wants = script.get("wants", []) if isinstance(script, dict) else None
    if not isinstance(wants, list) or not all(isinstance(want, dict) for want in wants):
        raise ScenarioError([Fault(str(path), number, 1, "the scenario is none: its script cannot be read")])
    return dict(scenario)


def text_of(row: dict[str, Any], fields: Sequence[str], ours: bool) -> str:
    """What an item asks: of ours, the words of the script; else the fields named, or every text."""
    if ours:
        script = row["scenario"]["script"]
        says = [want.get("say", "") for want in script.get("wants", ())]
        return "\n".join([script.get("opening", ""), *says])
    return "\n".join(leaves({name: row[name] for name in fields if name in row} if fields else row))


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)


def told_apart(paths: Iterable[Path]) -> dict[Path, str]:
    """Each file once, with the name by which it is told: that of the file, or all of its path where two share it."""
    found = list({path.resolve(): path for path in paths}.values())
    shared = Counter(path.name for path in found)
    return {path: path.name if shared[path.name] == 1 else path.as_posix() for path in found}


class Contaminated:
    """The items of evaluation sets, by their runs of words. Memory grows with the sets, not with the corpus."""

    def __init__(self, paths: Iterable[Path], size: int, match: float, fields: Sequence[str] = ()) -> None:
        self.size, self.match = size, match
        self.items: list[Item] = []
        self.played: dict[str, str] = {}  # id of an item of ours -> its place
        self.runs: dict[tuple[int, ...], list[int]] = {}
        self.too_short = 0  # items that say nothing
        self.ids: Memo[str] = Memo(512)
        self.sets: dict[str, int] = {}  # items by file
        for path, name in told_apart(paths).items():
            self.sets[name] = useful = 0
            for number, own_id, text in evaluation_items(path, fields):
                place = f"{name}:{number}"
                if own_id:
                    self.played[own_id] = place
                self.add(Item(place, words(text)))
                self.sets[name] += 1
                useful += bool(own_id) or bool(self.items and self.items[-1].name == place)
            if not useful:
                raise UserError(f"the evaluation set {str(path)!r} has no item of {LEAST} words or more to look for")
        self.short = sorted({len(run) for run in self.runs})

    def add(self, item: Item) -> None:
        if len(item.said) < LEAST:
            self.too_short += 1
            return
        self.items.append(item)
        size = min(self.size, len(item.said))
        numbers = tuple(map(hashed, item.said))
        for at in range(len(numbers) - size + 1):
            places = self.runs.setdefault(numbers[at : at + size], [])
            if not places or places[-1] != len(self.items) - 1:
                places.append(len(self.items) - 1)

    def leak(self, scenario: Scenario, said: Sequence[str]) -> Leak | None:
        """The item that a conversation holds, the best match of several; None: none."""
        if self.played:
            own = self.ids.of((scenario,), lambda: item_id(scenario))
            if own in self.played:
                return Leak(self.played[own], 1.0)
        numbers = tuple(map(hashed, said))
        shared = {
            place
            for size in self.short
            for at in range(len(numbers) - size + 1)
            for place in self.runs.get(numbers[at : at + size], ())
        }
        rated = [(self.aligned(self.items[place], said), place) for place in sorted(shared)]
        match, place = max(rated, key=lambda pair: (pair[0], -pair[1]), default=(0.0, 0))
        return Leak(self.items[place].name, match) if match > self.match else None

    def aligned(self, item: Item, said: Sequence[str]) -> float:
        """The share of an item's words that stand in aligned runs of a conversation."""
        matcher = SequenceMatcher(None, item.said, list(said), autojunk=False)
        covered = sum(
            block.size for block in matcher.get_matching_blocks() if block.size >= min(ALIGNED, len(item.said))
        )
        return covered / len(item.said)
