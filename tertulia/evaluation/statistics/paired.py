"""Two agents on the same items: their difference, how sure it is, and the smallest difference a set can show.

Items are what is compared: each item's trials are averaged per agent, and the differences over items are treated as
drawn from a population (Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640).
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

from tertulia.evaluation.statistics.numeric import numpy as np
from tertulia.evaluation.statistics.numeric import special
from tertulia.evaluation.statistics.passing import Table, kept
from tertulia.evaluation.statistics.variance import variance_split

__all__ = ["Comparison", "compare", "detectable_difference"]

Array = Any  # numpy's, which is only there with the extra
EXACT = 14  # items up to which every exchange of labels is tried
AT_ONCE = 500  # exchanges held in memory
ADDED = 0.25  # of an item, on either side; larger values cover too often, 0 too seldom where few items differ
ALIKE = 0.5  # correlation assumed between two agents' rates over items, where only one agent is known


@dataclass(frozen=True, slots=True)
class Comparison:
    """Agent A minus agent B, on the items that both have."""

    difference: float
    low: float
    high: float
    level: float
    better: float  # probability that A is the better one: of a difference above 0 under a flat prior
    p_value: float  # two-sided, of exchanging the two agents' labels item by item
    detectable: float  # the difference that these items and trials show with 80 % power
    items: int


def compare(
    one: Table, other: Table, *, level: float = 0.95, seed: int = 0, rounds: int = 10_000, power: float = 0.8
) -> Comparison:
    """Compare two tables whose rows are the same items in the same order; items without a trial in one are left out.

    The interval is Student's, of the items seen and half a one more: a difference as large as the largest seen, a
    quarter of an item with either sign (as Bonett and Price 2012, J. Educ. Behav. Stat. 37:479, do with whole ones).
    That keeps it honest where few items differ. The permutation test is exact up to 14 items, else seeded.

    Raises:
        ValueError: the tables differ in length, have fewer than two items in common, or hold a value outside 0 to 1."""
    gaps = _gaps(one, other)
    centre, error = _adjusted(gaps)
    freedom = len(gaps) - 1
    margin = float(special.stdtrit(freedom, (1 + level) / 2)) * error
    return Comparison(
        difference=float(gaps.mean()),
        low=max(-1.0, centre - margin),
        high=min(1.0, centre + margin),
        level=level,
        better=float(special.stdtr(freedom, centre / error)),
        p_value=_exchanged(gaps, seed, rounds),
        detectable=_detectable(error, len(gaps), level, power),
        items=len(gaps),
    )


def detectable_difference(
    table: Table, *, trials: int = 0, level: float = 0.95, power: float = 0.8, alike: float = ALIKE
) -> float:
    """The true difference to another agent that this set would show with the given power, from one agent's table.

    The other agent is taken to vary as this one does, with as many trials per item (`trials`; 0: as many as the table
    has on average), and their success rates over items to correlate by `alike`. Miller 2024, section 5: the variance of
    an item's difference is that of the items, twice and less what both share, and of the trials, twice.

    Raises:
        ValueError: fewer than two items have a trial, or `alike` is not between -1 and 1."""
    if not -1 <= alike <= 1:
        raise ValueError(f"a correlation lies between -1 and 1, got {alike}")
    rows = [values for values in map(kept, table) if values]
    if len(rows) < 2:
        raise ValueError("a detectable difference needs at least two items")
    per_item = trials or len(rows) / sum(1 / len(row) for row in rows)
    if all(len(row) == 1 for row in rows):  # items and trials cannot be told apart: the share of items is taken as half
        whole = float(np.var([row[0] for row in rows], ddof=1))
        between = within = whole / 2
    else:
        split = variance_split(rows)
        between, within = split.item, split.within
    spread = 2 * between * (1 - alike) + 2 * within / per_item
    floor = 2 / len(rows) / per_item / len(rows)  # nothing varied: as if one trial of each agent had
    return _detectable(sqrt(max(spread, floor) / len(rows)), len(rows), level, power)


def _gaps(one: Table, other: Table) -> Array:
    if len(one) != len(other):
        raise ValueError(f"two agents are compared on the same items, got {len(one)} and {len(other)}")
    pairs = [(a, b) for a, b in ((kept(a), kept(b)) for a, b in zip(one, other, strict=True)) if a and b]
    if len(pairs) < 2:
        raise ValueError(f"a comparison needs two items that both agents have, got {len(pairs)}")
    return np.array([sum(a) / len(a) - sum(b) / len(b) for a, b in pairs])


def _adjusted(gaps: Array) -> tuple[float, float]:
    """Mean and standard error of the differences, and a little of an item as far out as the farthest, either side."""
    far = float(np.abs(gaps).max()) or 1.0
    size = len(gaps) + 2 * ADDED
    centre = float(gaps.sum()) / size
    return centre, sqrt((float(np.square(gaps).sum()) + 2 * ADDED * far**2) / size - centre**2) / sqrt(size)


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
    quantiles = special.stdtrit(items - 1, [(1 + level) / 2, power])
    return min(1.0, float(quantiles.sum()) * error)
