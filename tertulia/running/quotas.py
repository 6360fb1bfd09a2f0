"""So many accepted conversations of each sort: a run that goes on until all of them are there, and plays none too many.

A cell is one value of each field that the quota names; a scenario with several principles stands in the cells of all of
them, and each of its conversations is played for one cell and counts for that one. The k-th conversation of a cell is
the same on every machine, and they are begun in order, as long as what is accepted and what is open leave room. So a
cell ends with exactly what was asked for, and with the same conversations whatever the concurrency.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tertulia.corpus.fields import BEFOREHAND
from tertulia.errors import SettingsError, did_you_mean
from tertulia.running.items import Variants
from tertulia.scenario import Scenario
from tertulia.streams import number
from tertulia.table import Item
from tertulia.variation import balanced_choice

__all__ = ["Grid", "Quota", "Quotas"]

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
    begun: int = 0  # conversations drawn so far, in their order
    open: int = 0
    accepted: int = 0


class Grid:
    """The conversations that a quota may ask for, by place: which cell's, which scenario, which choice of its variants.

    Raises:
        SettingsError: if no scenario stands in any cell."""

    def __init__(self, scenarios: Sequence[Scenario], quota: Quota, seed: int, slips: float) -> None:
        self.seed, self.slips = seed, slips
        self.cells: dict[str, list[Scenario]] = {}
        for scenario in scenarios:
            for name in quota.cells(scenario):
                self.cells.setdefault(name, []).append(scenario)
        if not self.cells:
            raise SettingsError(f"--quota: no scenario has a value of {BETWEEN.join(quota.by)}")
        self.names = sorted(self.cells)
        self.homes: dict[str, list[int]] = {}  # scenario -> the cells in which it stands
        for at, name in enumerate(self.names):
            for scenario in self.cells[name]:
                self.homes.setdefault(scenario.id, []).append(at)
        self.variants = Variants()

    def item(self, place: int) -> Item:
        """The conversation at a place."""
        nth, at = divmod(place, len(self.names))
        scenarios = self.cells[self.names[at]]
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


class Quotas:
    """Which conversations of a grid are played next; `tertulia.running.pool.Source`."""

    def __init__(self, grid: Grid, accepted: int, finished: Mapping[int, bool], most: int | None = None) -> None:
        self.grid, self.accepted, self.finished = grid, accepted, finished
        self.cells = [Cell(name, nth) for nth, name in enumerate(grid.names)]
        self.most = -(-most // len(self.cells)) if most else PATIENCE * accepted  # conversations of a cell
        self.turn = 0  # the cell that is asked next
        self.changed = asyncio.Event()
        for place, was_accepted in finished.items():
            self.cells[place % len(self.cells)].accepted += was_accepted

    @property
    def missing(self) -> int:
        """Accepted conversations that are still wanted, and may still come."""
        return sum(max(0, self.accepted - c.accepted) for c in self.cells if c.begun < self.most or c.open)

    @property
    def unmet(self) -> dict[str, int]:
        """Cells that have less than was asked for, and how much they have."""
        return {cell.name: cell.accepted for cell in self.cells if cell.accepted < self.accepted}

    async def draw(self) -> Item | None:
        """The next conversation to play; waits while open ones may still fill the quotas; None: there is none."""
        place = await self.place()
        return None if place is None else self.grid.item(place)

    async def place(self) -> int | None:
        """Where the next conversation to play stands."""
        while True:
            for _ in self.cells:
                cell = self.cells[self.turn]
                self.turn = (self.turn + 1) % len(self.cells)
                if (found := self.next_of(cell)) is not None:
                    cell.open += 1
                    return found
            if not any(cell.open for cell in self.cells):
                return None
            self.changed.clear()
            await self.changed.wait()

    def next_of(self, cell: Cell) -> int | None:
        """A cell's next conversation that is not there yet, if the cell has room."""
        while cell.accepted + cell.open < self.accepted and cell.begun < self.most:
            place = cell.begun * len(self.cells) + cell.number
            cell.begun += 1
            if place not in self.finished:
                return place
        return None

    def settle(self, place: int, accepted: bool) -> None:
        """A conversation that was drawn is over."""
        cell = self.cells[place % len(self.cells)]
        cell.open -= 1
        cell.accepted += accepted
        self.changed.set()
