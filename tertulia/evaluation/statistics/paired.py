"""Two agents on the same items: their difference, how sure it is, and the smallest difference a set can show.

Items are what is compared: each item's trials are averaged per agent, and the differences over items are treated as
drawn from a population (Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640).
"""

from dataclasses import dataclass
from math import ceil, log2, sqrt
from typing import Any

from tertulia.evaluation.statistics.intervals import gap_bounds
from tertulia.evaluation.statistics.numeric import numpy as np
from tertulia.evaluation.statistics.numeric import special
from tertulia.evaluation.statistics.passing import Seeds, Table, kept
from tertulia.evaluation.statistics.variance import variance_split

__all__ = ["Comparison", "compare", "detectable_difference"]

Array = Any  # numpy's, which is only there with the extra
EXACT = 14  # items up to which every exchange of labels is tried
AT_ONCE = 500  # exchanges held in memory
HALVINGS = 20  # of the level at which an interval touches 0
ALIKE = 0.5  # correlation assumed between two agents' rates over items, where only one agent is known


@dataclass(frozen=True, slots=True)
class Comparison:
    """Agent A minus agent B, on the items that both have."""

    difference: float
    low: float
    high: float
    level: float
    better: float  # probability that A is the better one: half of what the level at which the interval touches 0 leaves
    p_value: float  # two-sided, of exchanging the two agents' labels item by item
    detectable: float  # the difference that these items and trials show with 80 % power
    items: int


def compare(
    one: Table, other: Table, *, level: float = 0.95, seed: int = 0, rounds: int = 10_000, power: float = 0.8
) -> Comparison:
    """Compare two tables whose rows are the same items in the same order; items without a trial in one are left out.

    The interval is that of `gap_bounds`. The permutation test is exact up to 14 items, else seeded.

    Raises:
        ValueError: the tables differ in length, have fewer than two items in common, or hold a value outside 0 to 1."""
    gaps = _gaps(one, other)
    low, high = gap_bounds(gaps, level)
    return Comparison(
        difference=float(gaps.mean()),
        low=float(low),
        high=float(high),
        level=level,
        better=_better(gaps),
        p_value=_exchanged(gaps, seed, rounds),
        detectable=_detectable(float(high - low) / 2 / _quantile(len(gaps), level), len(gaps), level, power),
        items=len(gaps),
    )


def detectable_difference(
    table: Table,
    *,
    seeds: Seeds | None = None,
    trials: int = 0,
    level: float = 0.95,
    power: float = 0.8,
    alike: float = ALIKE,
) -> float:
    """The true difference to another agent that this set would show with the given power, from one agent's table.

    The other agent is taken to vary as this one does, with as many trials per item (`trials`; 0: as many as the table
    has on average), and their success rates over items to correlate by `alike`. Miller 2024, section 5: the variance of
    an item's difference is that of the items, twice and less what both share, and of the trials, twice. `seeds`, as in
    `variance_split`, tell trials of one simulator seed, which say less together than as many of different seeds. It is
    never less than what lets as many items differ as a permutation test needs, where trials fail by themselves.

    Raises:
        ValueError: fewer than two items have a trial, or `alike` is not between -1 and 1."""
    if not -1 <= alike <= 1:
        raise ValueError(f"a correlation lies between -1 and 1, got {alike}")
    rows = [values for values in map(kept, table) if values]
    if len(rows) < 2:
        raise ValueError("a detectable difference needs at least two items")
    per_item = trials or len(rows) / sum(1 / len(row) for row in rows)
    if all(len(row) == 1 for row in rows):  # items and trials cannot be told apart: the share of items is taken as half
        between = float(np.var([row[0] for row in rows], ddof=1)) / 2
        noise = between / per_item
    else:
        split = variance_split(table, seeds)
        between, noise = split.item.told, split.within.told / trials if trials else split.noise
    spread = 2 * between * (1 - alike) + 2 * noise
    spread = sqrt(max(0.0, spread) / len(rows))
    return max(_detectable(spread, len(rows), level, power), _least(len(rows), per_item, level, power))


def _gaps(one: Table, other: Table) -> Array:
    if len(one) != len(other):
        raise ValueError(f"two agents are compared on the same items, got {len(one)} and {len(other)}")
    pairs = [(a, b) for a, b in ((kept(a), kept(b)) for a, b in zip(one, other, strict=True)) if a and b]
    if len(pairs) < 2:
        raise ValueError(f"a comparison needs two items that both agents have, got {len(pairs)}")
    return np.array([sum(a) / len(a) - sum(b) / len(b) for a, b in pairs])


def _better(gaps: Array) -> float:
    """The probability of a difference above 0: one tail of the interval that ends at 0."""
    difference = float(gaps.mean())
    if difference == 0:
        return 0.5
    within, beyond = 0.0, 1.0  # levels whose interval is to one side of 0, and reaches over it
    for _ in range(HALVINGS):
        level = (within + beyond) / 2
        low, high = gap_bounds(gaps, level)
        within, beyond = (level, beyond) if low > 0 or high < 0 else (within, level)
    return (1 + within) / 2 if difference > 0 else (1 - within) / 2


def _exchanged(gaps: Array, seed: int, rounds: int) -> float:
    items = len(gaps)
    if items <= EXACT:
        signs = 1 - 2 * ((np.arange(2**items)[:, None] >> np.arange(items)) & 1)
        return float(np.mean(np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-9))
    draw, farther = np.random.default_rng(seed), 0
    for start in range(0, rounds, AT_ONCE):
        kept_as_is = draw.random((min(AT_ONCE, rounds - start), items), dtype=np.float32) < 0.5
        sums = 2 * (kept_as_is @ gaps) - gaps.sum()
        farther += int(np.sum(np.abs(sums) >= abs(gaps.sum()) - 1e-9))
    return (farther + 1) / (rounds + 1)


def _detectable(error: float, items: int, level: float, power: float) -> float:
    return min(1.0, (_quantile(items, level) + float(special.stdtrit(items - 1, power))) * error)


def _least(items: int, trials: float, level: float, power: float) -> float:
    """The rate of failures at which enough items differ, with the given power, for a permutation test to tell two
    agents apart: exchanging the labels of m items that all differ one way gives a p-value of 2 / 2^m."""
    needed = ceil(log2(2 / (1 - level)) - 1e-9)
    if items < needed:
        return 1.0
    differ = float(special.betaincinv(needed, items - needed + 1, power))  # P(binomial >= needed) = power
    return 1 - float((1 - differ) ** (1 / trials))


def _quantile(items: int, level: float) -> float:
    return float(special.stdtrit(items - 1, (1 + level) / 2))
