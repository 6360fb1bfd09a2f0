"""So many accepted conversations of each sort: a run that goes on until all of them are there, and plays none too many.

A cell is one value of each field that the quota names; a scenario with several principles stands in the cells of all of
them, and each of its conversations is played for one cell and counts for that one. The k-th conversation of a cell is
the same on every machine, and they are begun in order, as long as what is accepted and what is open leave room. So a
cell ends with exactly what was asked for, and with the same conversations whatever the concurrency.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from tertulia.corpus.fields import BEFOREHAND
from tertulia.errors import SettingsError, did_you_mean
from tertulia.running.items import Variants
from tertulia.scenario import Scenario
from tertulia.streams import number
from tertulia.table import Item
from tertulia.variation import balanced_choice

__all__ = ["Quota", "Quotas"]

PATIENCE = 25  # conversations that a cell may take for each one that is wanted, when nobody says how many
BETWEEN = " / "


@dataclass(frozen=True, slots=True)
class Quota:
    """`principles,world=40`: so many accepted of each pair."""

    by: tuple[str, ...]
    accepted: int

    @classmethod
    def of(cls, text: str) -> "Quota":
        """Raises:
        SettingsError: when it cannot be read, or names what is not known before a conversation is played."""
        fields, _, count = text.rpartition("=")
        by = tuple(name.strip() for name in fields.split(","))
        if not fields or not count.isdecimal() or not int(count):
            raise SettingsError(f"--quota {text!r}: expected FIELD[,FIELD]=NUMBER, such as principles,world=40")
        for name in by:
            if name not in BEFOREHAND:
                known = ", ".join(BEFOREHAND)
                hint = did_you_mean(name, BEFOREHAND)
                raise SettingsError(f"--quota {text!r}: {name!r} is not known before playing{hint}; known: {known}")
        return cls(by, int(count))

    def cells(self, scenario: Scenario) -> list[str]:
        """The cells in which a scenario stands; none where it has no value of some field."""
        found = [BEFOREHAND[name](scenario) for name in self.by]
        return [BETWEEN.join(values) for values in product(*([v] if isinstance(v, str) else v for v in found))]


@dataclass(slots=True)
class Cell:
    """How far one sort is."""

    name: str
    number: int
    scenarios: list[Scenario] = field(default_factory=list)
    begun: int = 0  # conversations drawn so far, in their order
    open: int = 0
    accepted: int = 0


class Quotas:
    """Draws the conversations of a run by quota; `tertulia.running.runner.Source`."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        quota: Quota,
        seed: int,
        slips: float,
        finished: Mapping[int, bool],
        most: int | None = None,
    ) -> None:
        self.quota, self.seed, self.slips, self.finished = quota, seed, slips, finished
        cells: dict[str, list[Scenario]] = {}
        for scenario in scenarios:
            for name in quota.cells(scenario):
                cells.setdefault(name, []).append(scenario)
        if not cells:
            raise SettingsError(f"--quota: no scenario has a value of {BETWEEN.join(quota.by)}")
        self.cells = [Cell(name, nth, cells[name]) for nth, name in enumerate(sorted(cells))]
        self.most = -(-most // len(cells)) if most else PATIENCE * quota.accepted  # conversations of a cell
        self.homes = {s.id: [c.number for c in self.cells if any(o.id == s.id for o in c.scenarios)] for s in scenarios}
        self.variants = Variants()
        self.turn = 0  # the cell that is asked next
        self.changed = asyncio.Event()
        for place, accepted in finished.items():
            self.cells[place % len(self.cells)].accepted += accepted

    @property
    def missing(self) -> int:
        """Accepted conversations that are still wanted, and may still come."""
        return sum(max(0, self.quota.accepted - c.accepted) for c in self.cells if c.begun < self.most or c.open)

    @property
    def unmet(self) -> dict[str, int]:
        """Cells that have less than was asked for, and how much they have."""
        return {cell.name: cell.accepted for cell in self.cells if cell.accepted < self.quota.accepted}

    async def draw(self) -> Item | None:
        """The next conversation to play; waits while open ones may still fill the quotas; None: there is none."""
        while True:
            for _ in self.cells:
                cell = self.cells[self.turn]
                self.turn = (self.turn + 1) % len(self.cells)
                if (item := self.next_of(cell)) is not None:
                    cell.open += 1
                    return item
            if not any(cell.open for cell in self.cells):
                return None
            self.changed.clear()
            await self.changed.wait()

    def next_of(self, cell: Cell) -> Item | None:
        """A cell's next conversation that is not there yet, if the cell has room."""
        while cell.accepted + cell.open < self.quota.accepted and cell.begun < self.most:
            place = cell.begun * len(self.cells) + cell.number
            cell.begun += 1
            if place not in self.finished:
                return self.item(place)
        return None

    def item(self, place: int) -> Item:
        """The conversation at a place: which cell's, which scenario, which choice of its variants."""
        nth, at = divmod(place, len(self.cells))
        scenarios = self.cells[at].scenarios
        again, which = divmod(nth, len(scenarios))
        scenario = scenarios[which]
        homes = self.homes[scenario.id]
        choice = balanced_choice(scenario, again * len(homes) + homes.index(at), self.seed)
        settled, unplayable = self.variants.or_as_written(scenario, choice)
        return Item(
            index=place,
            id=f"{scenario.id}-{place:06d}",
            scenario=settled,
            choice=choice,
            seed=number(self.seed, "conversation", place),
            slips=self.slips,
            unplayable=unplayable,
        )

    def settle(self, item: Item, accepted: bool) -> None:
        """A conversation that was drawn is over."""
        cell = self.cells[item.index % len(self.cells)]
        cell.open -= 1
        cell.accepted += accepted
        self.changed.set()
