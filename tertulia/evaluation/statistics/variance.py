"""Where the spread of outcomes comes from: the items, the simulated user, or the agent.

Nested random effects: trials of an item that share a simulator seed differ by the agent alone, those of different seeds
by both. Components are the estimators of an analysis of variance (Searle, Casella and McCulloch 1992, chapter 3), each
item weighing the same; for balanced tables they are those of the textbook. A component below 0 is told as 0.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, variance

from tertulia.evaluation.statistics.passing import Row, Table, kept

__all__ = ["VarianceSplit", "variance_split"]


@dataclass(frozen=True, slots=True)
class VarianceSplit:
    """Variance components, in squared units of the values."""

    item: float
    within: float  # between trials of an item: simulator and agent together
    simulator: float | None  # None: no item has both two trials of one simulator seed and two different seeds
    agent: float | None

    @property
    def icc(self) -> float | None:
        """ICC(1,1): the share of the items in the whole variance; None when nothing varies."""
        whole = self.item + self.within
        return self.item / whole if whole else None


def variance_split(table: Table, seeds: Sequence[Sequence[Hashable]] | None = None) -> VarianceSplit:
    """Split the variance of a table; `seeds` has its shape and names the simulator's seed of each trial.

    Without `seeds`, or where they cannot tell simulator and agent apart, only items and trials are.

    Raises:
        ValueError: fewer than two items have values, no item has two, or the shapes differ."""
    rows = [values for values in map(kept, table) if values]
    repeated = [row for row in rows if len(row) > 1]
    if len(rows) < 2 or not repeated:
        raise ValueError("a split needs two items with trials, and an item with two trials")
    within = fmean(variance(row) for row in repeated)
    noise = within * fmean(1 / len(row) for row in rows)
    simulator, agent = _inside(table, seeds) if seeds is not None else (None, None)
    if simulator is not None and agent is not None and seeds is not None:
        noise = fmean(
            (simulator * sum(len(group) ** 2 for group in groups) / size + agent) / size
            for groups in _grouped(table, seeds)
            if (size := sum(map(len, groups)))
        )
        within = simulator + agent
    return VarianceSplit(max(0.0, variance(map(fmean, rows)) - noise), within, simulator, agent)


def _inside(table: Table, seeds: Sequence[Sequence[Hashable]]) -> tuple[float | None, float | None]:
    """The simulator's and the agent's component, from half the mean squared difference of pairs of trials."""
    same: list[float] = []  # per item, over pairs of trials of one seed
    apart: list[float] = []  # per item, over pairs of trials of different seeds
    for groups in _grouped(table, seeds):
        alike = [(a - b) ** 2 / 2 for group in groups for a, b in combinations(group, 2)]
        unlike = [(a - b) ** 2 / 2 for g, h in combinations(groups, 2) for a in g for b in h]
        if alike:
            same.append(fmean(alike))
        if unlike:
            apart.append(fmean(unlike))
    if not same or not apart:
        return None, None
    agent = fmean(same)
    return max(0.0, fmean(apart) - agent), agent


def _grouped(table: Table, seeds: Sequence[Sequence[Hashable]]) -> list[list[list[float]]]:
    """Per item, the values that count, one list per simulator seed."""
    made = []
    for row, drawn in zip(table, seeds, strict=True):
        groups: dict[Hashable, list[float]] = defaultdict(list)
        for value, seed in zip(row, drawn, strict=True):
            if value is not None:
                groups[seed].extend(kept(_one(value)))
        made.append(list(groups.values()))
    return made


def _one(value: bool | float) -> Row:
    return (value,)
