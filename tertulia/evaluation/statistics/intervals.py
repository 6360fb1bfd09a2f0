"""Confidence intervals that respect items and trials, also near 0 and 1 and with one trial per item.

Outcomes. An item's successes are beta-binomial: items have success rates of their own, Beta-distributed around the
population's mean `mu` with intraclass correlation `rho` (0: all items are alike, 1: each item always or never
succeeds). The interval holds the middle of mu's posterior over a grid, rho integrated out. mu has the Jeffreys prior,
so with one trial per item this is the Jeffreys interval (Brown, Cai and DasGupta 2001, Statistical Science 16:101). rho
has the prior Beta(1/2, 1/4): among those tried, the one whose intervals covered most evenly over rho. pass^k is
E[p^k] under the same posterior. With no success the lower bound is 0, with no failure the upper one is 1.

Scores between 0 and 1. Each item's trials are averaged, and the mean over items gets the Beta distribution that as many
independent outcomes would give as carry the same variance (effective sample size, Korn and Graubard 1998, Survey
Methodology 24:193), with the Jeffreys prior. Items that all score alike count as one outcome each. Outcomes of more
than 500 items are treated so, too, by each item's own estimate.

`bench/coverage.py` measures how often these intervals cover.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

from tertulia.evaluation.statistics.numeric import numpy as np
from tertulia.evaluation.statistics.numeric import special
from tertulia.evaluation.statistics.passing import Table, counted, kept, means, pass_at_1, pass_hat_k

__all__ = ["Interval", "exact_interval", "interval", "score_interval", "success_interval"]

Array = Any  # numpy's, which is only there with the extra

RATES, SPREADS = 400, 40  # the grid of mu and rho, both denser towards 0 and 1
MODELLED = 500  # items; the posterior of more is narrower than the grid, and no model is needed for them


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds, and over how many items."""

    value: float
    low: float
    high: float
    level: float
    items: int
    method: str

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interval(table: Table, *, level: float = 0.95) -> Interval:
    """Of the mean: `success_interval` where every value is 0 or 1, else `score_interval`."""
    if all(value in (0.0, 1.0) for row in table for value in kept(row)):
        return success_interval(table, level=level)
    return score_interval(table, level=level)


def success_interval(table: Table, k: int = 1, *, level: float = 0.95) -> Interval:
    """Of pass^k (pass@1 for k = 1) over the population that the items stand for.

    Raises:
        ValueError: no item has k trials, or an outcome is neither success nor failure."""
    counts = counted(table, k)
    if len(counts) > MODELLED:
        return _of_estimates([comb(c, k) / comb(n, k) for c, n in counts], level)
    value = pass_at_1(table) if k == 1 else pass_hat_k(table, k)
    weights = _posterior(Counter(counts))
    points, places = _powers(k)
    low, high = _middle(points, np.bincount(places, weights), level)
    if not any(c for c, _ in counts):
        low = 0.0
    if all(c == n for c, n in counts):
        high = 1.0
    return Interval(value, min(low, value), max(high, value), level, len(counts), "beta-binomial")


def exact_interval(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Clopper-Pearson (1934), for independent trials: never covers less than `level`, and often more."""
    if not 0 <= successes <= trials or not trials:
        raise ValueError(f"{successes} successes in {trials} trials cannot be")
    tail, failures = (1 - level) / 2, trials - successes
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return Interval(successes / trials, low, high, level, trials, "clopper-pearson")


def score_interval(table: Table, *, level: float = 0.95) -> Interval:
    """Of the mean score over items, each item's trials averaged first.

    Raises:
        ValueError: no item has a trial that counts, or a score is outside 0 to 1."""
    return _of_estimates(means(table), level)


def _of_estimates(estimates: list[float], level: float) -> Interval:
    """Of the mean over items, given each item's own estimate."""
    scores = np.array(estimates)
    items, value = len(scores), float(scores.mean())
    variance = float(scores.var(ddof=1)) if items > 1 else 0.0
    size = float(items)
    if variance > 0:
        narrower = float(special.ndtri((1 + level) / 2) / special.stdtrit(items - 1, (1 + level) / 2))
        size *= value * (1 - value) / variance * narrower**2
    tail = (1 - level) / 2
    low, high = special.betaincinv(value * size + 0.5, (1 - value) * size + 0.5, [tail, 1 - tail])
    low, high = (0.0 if value == 0 else float(low)), (1.0 if value == 1 else float(high))
    return Interval(value, min(low, value), max(high, value), level, items, "effective sample size")


# --- beta-binomial -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _grid() -> tuple[Array, Array, Array]:
    """mu and the two Beta parameters over the grid, flat; mu is spaced so that its Jeffreys prior is uniform."""
    mu = np.sin(np.pi * (np.arange(RATES) + 0.5) / RATES / 2) ** 2
    rho = _spreads()
    size = 1 / rho - 1
    return np.repeat(mu, SPREADS), np.outer(mu, size).ravel(), np.outer(1 - mu, size).ravel()


def _spreads() -> Array:
    return np.sin(np.pi * (np.arange(SPREADS) + 0.5) / SPREADS / 2) ** 2


@lru_cache(maxsize=1)
def _prior() -> Array:
    """The logarithm of the prior; the grid's spacing already is Beta(1/2, 1/2) in rho."""
    return np.tile(-0.25 * np.log1p(-_spreads()), RATES)


@lru_cache(maxsize=512)
def _likelihood(successes: int, trials: int) -> Array:
    _, a, b = _grid()
    return special.betaln(a + successes, b + trials - successes) - special.betaln(a, b)


def _posterior(counts: Counter[tuple[int, int]]) -> Array:
    """The weight of each point of the grid, given how many items had so many successes in so many trials."""
    logs = _prior().copy()
    for (successes, trials), items in sorted(counts.items()):
        logs += items * _likelihood(successes, trials)
    return np.exp(logs - logs.max())


@lru_cache(maxsize=64)
def _powers(k: int) -> tuple[Array, Array]:
    """The values of E[p^k] on the grid, ascending, and which of them each point has."""
    mu, a, b = _grid()
    values = mu if k == 1 else np.exp(special.betaln(a + k, b) - special.betaln(a, b))
    points, places = np.unique(values, return_inverse=True)
    return points, places


def _middle(points: Array, weights: Array, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    total = np.cumsum(weights)
    low, high = np.interp([tail, 1 - tail], (total - weights / 2) / total[-1], points)
    return float(low), float(high)
