"""Where the spread of outcomes comes from: the items, the simulated user, or the agent.

Nested random effects: trials of an item that share a simulator seed differ by the agent alone, those of different seeds
by both. Components are the estimators of an analysis of variance (Searle, Casella and McCulloch 1992, chapter 3) as
means over pairs of trials, each item weighing the same: unbiased whatever the numbers of trials, and those of the
textbook for balanced tables. Being unbiased, an estimate may lie below 0; `told` is then 0. The interval of the items'
component is the jackknife's over items (Efron and Stein 1981, Annals of Statistics 9:586), the others are means over
items and have those of `intervals`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import comb
from statistics import fmean
from typing import Any

from tertulia.evaluation.statistics.intervals import gap_bounds, mean_bounds
from tertulia.evaluation.statistics.numeric import numpy as np
from tertulia.evaluation.statistics.numeric import special
from tertulia.evaluation.statistics.passing import Seeds, Table, grouped, kept

__all__ = ["BETWEEN", "Component", "VarianceSplit", "variance_split"]

Array = Any  # numpy's, which is only there with the extra
BETWEEN = {  # the parts of a split, as people read them
    "item": "items",
    "trial": "trials of an item",
    "simulator": "simulator seeds of an item",
    "agent": "trials of a seed: the agent",
}


@dataclass(frozen=True, slots=True)
class Component:
    """A variance component in squared units of the values, unbiased, with its bounds."""

    value: float
    low: float | None  # None: without one of the items nothing could be told
    high: float | None

    @property
    def told(self) -> float:
        """The estimate, or 0 where it lies below."""
        return max(0.0, self.value)


@dataclass(frozen=True, slots=True)
class VarianceSplit:
    """Variance components."""

    item: Component
    within: Component  # between trials of an item: simulator and agent together
    simulator: Component | None  # None: no item has both two trials of one simulator seed and two different seeds
    agent: Component | None
    noise: float  # variance of an item's mean over its trials, around what more trials would give; a mean over items

    @property
    def icc(self) -> float | None:
        """ICC(1,1): the share of the items in the whole variance; None when nothing varies."""
        whole = self.item.told + self.within.told
        return self.item.told / whole if whole else None

    @property
    def parts(self) -> dict[str, Component]:
        """The components that make up the whole: item, simulator and agent, or item and trial."""
        if self.simulator is None or self.agent is None:
            return {"item": self.item, "trial": self.within}
        return {"item": self.item, "simulator": self.simulator, "agent": self.agent}

    @property
    def shares(self) -> dict[str, float]:
        """The share of each part in the whole variance; empty when nothing varies."""
        told = {name: part.told for name, part in self.parts.items()}
        whole = sum(told.values())
        return {name: value / whole for name, value in told.items()} if whole else {}


@dataclass(frozen=True, slots=True)
class Own:
    """What one item says by itself."""

    mean: float
    alike: float | None  # half the mean squared difference of two trials of one seed; None: there are no two
    apart: float | None  # the same of two trials of different seeds
    seeds: float  # what the simulator's component counts for in the variance of the mean: 1 over seeds, when balanced
    trials: float  # the same of the agent's component: 1 over trials

    @classmethod
    def of(cls, groups: Sequence[Sequence[float]]) -> "Own":
        """From the values of one item by seed."""
        values = [value for group in groups for value in group]
        alike, pairs = sum(map(_squares, groups)), sum(comb(len(group), 2) for group in groups)
        others = comb(len(values), 2) - pairs
        return cls(
            mean=fmean(values),
            alike=alike / pairs / 2 if pairs else None,
            apart=(_squares(values) - alike) / others / 2 if others else None,
            seeds=sum(len(group) ** 2 for group in groups) / len(values) ** 2,
            trials=1 / len(values),
        )


def _squares(values: Sequence[float]) -> float:
    """The sum of the squared differences of all pairs."""
    return max(0.0, len(values) * sum(value * value for value in values) - sum(values) ** 2)


def variance_split(table: Table, seeds: Seeds | None = None, *, level: float = 0.95) -> VarianceSplit:
    """Split the variance of a table; `seeds` has its shape and names the simulator's seed of each trial.

    Without `seeds`, or where no item has both two trials of one seed and two seeds, only items and trials are.

    Raises:
        ValueError: fewer than two items have values, no item has two, a value lies outside 0 to 1, or shapes differ."""
    rows = [values for values in map(kept, table) if values]
    if len(rows) < 2 or not any(len(row) > 1 for row in rows):
        raise ValueError("a split needs two items with trials, and an item with two trials")
    if seeds is not None:
        items = [Own.of(groups) for groups in grouped(table, seeds) if groups]
        if any(one.alike is not None and one.apart is not None for one in items):
            return _split(items, level)
    found = _split([Own.of([[value] for value in row]) for row in rows], level, nested=False)
    return replace(found, simulator=None, agent=None)


def _split(items: Sequence[Own], level: float, *, nested: bool = True) -> VarianceSplit:
    """The components; not nested: every trial has a seed of its own, and all that differs is the simulator's."""
    mean, seeds, trials, apart = (_column(items, name) for name in ("mean", "seeds", "trials", "apart"))
    alike = _column(items, "alike") if nested else np.zeros(len(items))
    simulator, agent = _means(apart - alike), _means(alike)
    own = (apart - alike) * seeds + alike * trials
    lacks = np.isnan(own)  # such an item's noise is told by the others
    count = _sums(np.ones(len(items)))
    noise = _sums(np.where(lacks, 0.0, own)) + simulator * _sums(seeds * lacks) + agent * _sums(trials * lacks)
    noise = noise / count
    with np.errstate(divide="ignore", invalid="ignore"):
        item = (_sums(mean**2) - _sums(mean) ** 2 / count) / (count - 1) - noise
    return VarianceSplit(
        item=_jackknifed(item, level),
        within=_of_halves(apart, level, mean_bounds),
        simulator=_of_halves(apart - alike, level, gap_bounds),
        agent=_of_halves(alike, level, mean_bounds),
        noise=max(0.0, float(noise[0])),
    )


def _column(items: Sequence[Own], name: str) -> Array:
    return np.array([getattr(one, name) for one in items], dtype=float)


def _sums(values: Array) -> Array:
    """The sum over all items, and over all but each."""
    return values.sum() - np.append(0.0, values)


def _means(values: Array) -> Array:
    """The mean over all items that have a value, and over all of them but each."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Array = _sums(np.where(there, values, 0.0)) / _sums(there.astype(float))
    return means


def _of_halves(values: Array, level: float, bounds: Callable[[Array, float], tuple[Array, Array]]) -> Component:
    """The mean over the items that have a value, which lie within a half of 0; bounds in units of the largest, or of a
    half where all are alike."""
    there = values[~np.isnan(values)]
    far = float(np.abs(there).max())
    far = 0.5 if abs(float(there.mean())) >= far * (1 - 1e-9) else far
    low, high = bounds(there / far, level)
    return Component(float(there.mean()), far * float(low), far * float(high))


def _jackknifed(found: Array, level: float) -> Component:
    """From an estimate, and those without each of the items."""
    value, items = float(found[0]), len(found) - 1
    if not np.isfinite(found).all():
        return Component(value, None, None)
    pseudo = items * value - (items - 1) * found[1:]
    margin = float(special.stdtrit(items - 1, (1 + level) / 2) * np.sqrt(pseudo.var(ddof=1) / items))
    return Component(value, value - margin, value + margin)
