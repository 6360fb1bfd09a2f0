"""Confidence intervals that respect items and trials, also near 0 and 1, with few items, and with one trial per item.

Each item gives one value between 0 and 1: its own pass^k (`own_rates`) or its mean score. The interval is Wilson's
score interval (1927, J. Amer. Stat. Assoc. 22:209) for as many items as would vary as much if each gave 0 or 1 (the
effective sample size, Korn and Graubard 1998, Survey Methodology 24:193). The variance is that of the items seen and of
half an item at 0 and half a one at 1, so that few items that happen to be alike are not taken for sure. With one trial
per item it is Wilson's interval itself. Nothing is assumed of how success rates are spread over items. With no success
the lower bound is 0, with no failure the upper one is 1.

A difference of two agents has values between -1 and 1. The means of its positive and its negative part are put together
by the method of variance estimates recovery, as in Newcombe's interval for paired proportions (1998, Statistics in
Medicine 17:2635; Zou and Donner 2008, ibid. 27:1693). Each part has the interval of the Bayesian bootstrap over items
(Rubin 1981, Annals of Statistics 9:130) with the same half items, in units of the largest difference seen: the middle
of the Beta distribution with the same first two moments. For single trials that is the Jeffreys interval.

`bench/coverage.py` measures how often these intervals cover.
"""

from dataclasses import dataclass
from typing import Any

from tertulia.evaluation.statistics.numeric import numpy as np
from tertulia.evaluation.statistics.numeric import special
from tertulia.evaluation.statistics.passing import Seeds, Table, means, own_rates

__all__ = ["ADDED", "Interval", "exact_interval", "gap_bounds", "mean_bounds", "score_interval", "success_interval"]

Array = Any  # numpy's, which is only there with the extra
ADDED = 0.5  # of an item, at 0 and at 1; less misses populations of few kinds, more covers too often


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


def success_interval(table: Table, k: int = 1, *, level: float = 0.95, seeds: Seeds | None = None) -> Interval:
    """Of pass^k (pass@1 for k = 1) over the population that the items stand for; `seeds` as in `own_rates`.

    Raises:
        ValueError: no item has k trials, an outcome is neither success nor failure, or the shapes differ."""
    return _of_items(own_rates(table, k, seeds), level)


def score_interval(table: Table, *, level: float = 0.95) -> Interval:
    """Of the mean score over items, each item's trials averaged first.

    Raises:
        ValueError: no item has a trial that counts, or a score is outside 0 to 1."""
    return _of_items(means(table), level)


def exact_interval(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Clopper-Pearson (1934), for independent trials: never covers less than `level`, and often more."""
    if not 0 <= successes <= trials or not trials:
        raise ValueError(f"{successes} successes in {trials} trials cannot be")
    tail, failures = (1 - level) / 2, trials - successes
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return Interval(successes / trials, low, high, level, trials, "clopper-pearson")


def mean_bounds(values: Array, level: float = 0.95) -> tuple[Array, Array]:
    """The bounds of the mean of the population that values between 0 and 1 were drawn from.

    Args:
        values: items along the last axis; any number of tables along the others.

    Returns:
        Lower and upper bounds, of the shape of the other axes."""
    values = np.asarray(values, dtype=float)
    mean, (centre, variance) = values.mean(axis=-1), _with_halves(values)
    size = values.shape[-1] * centre * (1 - centre) / variance
    square = special.ndtri((1 + level) / 2) ** 2
    middle = (mean * size + square / 2) / (size + square)
    reach = np.sqrt(square * (mean * (1 - mean) * size + square / 4)) / (size + square)
    low, high = np.minimum(middle - reach, mean), np.maximum(middle + reach, mean)
    return np.where(mean <= 0, 0.0, low), np.where(mean >= 1, 1.0, high)


def gap_bounds(gaps: Array, level: float = 0.95) -> tuple[Array, Array]:
    """The same for values between -1 and 1; where all are alike, a difference of 1 is what counts as the largest."""
    gaps = np.asarray(gaps, dtype=float)
    far = np.abs(gaps).max(axis=-1)
    far = np.where(np.abs(gaps.mean(axis=-1)) >= far * (1 - 1e-9), 1.0, far)
    up, down = (np.clip(sign * gaps / far[..., None], 0, 1) for sign in (1, -1))
    rise, fall = up.mean(axis=-1), down.mean(axis=-1)
    spread = up.std(axis=-1) * down.std(axis=-1)
    alike = -rise * fall / np.where(spread > 0, spread, 1.0)  # the correlation of the two parts
    (up_low, up_high), (down_low, down_high) = _beta_bounds(up, level), _beta_bounds(down, level)

    def reach(one: Array, other: Array) -> Array:
        return np.sqrt(np.maximum(0.0, one**2 + other**2 - 2 * alike * one * other))

    low = rise - fall - reach(rise - up_low, down_high - fall)
    high = rise - fall + reach(up_high - rise, fall - down_low)
    return far * np.maximum(-1.0, low), far * np.minimum(1.0, high)


def _beta_bounds(values: Array, level: float) -> tuple[Array, Array]:
    """The middle of the Beta distribution with the moments of the Bayesian bootstrap; shapes as in `mean_bounds`."""
    mean, (centre, variance) = values.mean(axis=-1), _with_halves(values)
    size = centre * (1 - centre) / variance * (values.shape[-1] + 2 * ADDED + 1) - 1
    low, high = (special.betaincinv(centre * size, (1 - centre) * size, (1 + sign * level) / 2) for sign in (-1, 1))
    return np.where(mean <= 0, 0.0, np.minimum(low, mean)), np.where(mean >= 1, 1.0, np.maximum(high, mean))


def _with_halves(values: Array) -> tuple[Array, Array]:
    """Mean and variance of values with half a one at 0 and half a one at 1 added."""
    weight = values.shape[-1] + 2 * ADDED
    centre = (values.sum(axis=-1) + ADDED) / weight
    return centre, (np.square(values).sum(axis=-1) + ADDED) / weight - centre**2


def _of_items(values: list[float], level: float) -> Interval:
    low, high = mean_bounds(values, level)
    return Interval(float(np.mean(values)), float(low), float(high), level, len(values), "wilson")
