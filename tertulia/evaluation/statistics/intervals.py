"""Confidence intervals that respect items and trials, also near 0 and 1, with few items, and with one trial per item.

Each item gives one value between 0 and 1: its own pass^k (`own_rates`) or its mean score. The interval is that of the
Bayesian bootstrap over items (Rubin 1981, Annals of Statistics 9:130) with half an item at 0 and half a one at 1 added:
the population's mean is the mean of these values under weights from a Dirichlet distribution, whose first two moments
are known, and the interval is the middle of the Beta distribution that has them. With one trial per item that is the
Jeffreys interval, exactly (Brown, Cai and DasGupta 2001, Statistical Science 16:101). Nothing is assumed of how success
rates are spread over items. With no success the lower bound is 0, with no failure the upper one is 1.

A difference of two agents has values between -1 and 1. Its positive and its negative part have such an interval each,
in units of the largest difference seen, and the two are put together by the method of variance estimates recovery, as
in Newcombe's interval for paired proportions (1998, Statistics in Medicine 17:2635; Zou and Donner 2008, ibid. 27:1693).

`bench/coverage.py` measures how often these intervals cover.
"""

from dataclasses import dataclass
from typing import Any

from tertulia.evaluation.statistics.numeric import numpy as np
from tertulia.evaluation.statistics.numeric import special
from tertulia.evaluation.statistics.passing import Seeds, Table, means, own_rates

__all__ = ["ADDED", "Interval", "exact_interval", "gap_bounds", "mean_bounds", "score_interval", "success_interval"]

Array = Any  # numpy's, which is only there with the extra
ADDED = 0.5  # of an item, at 0 and at 1: the Jeffreys prior where items have one trial


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
    weight = values.shape[-1] + 2 * ADDED
    mean = values.mean(axis=-1)
    centre = (values.sum(axis=-1) + ADDED) / weight
    variance = ((np.square(values).sum(axis=-1) + ADDED) / weight - centre**2) / (weight + 1)
    size = centre * (1 - centre) / variance - 1
    low, high = (special.betaincinv(centre * size, (1 - centre) * size, (1 + sign * level) / 2) for sign in (-1, 1))
    return np.where(mean <= 0, 0.0, np.minimum(low, mean)), np.where(mean >= 1, 1.0, np.maximum(high, mean))


def gap_bounds(gaps: Array, level: float = 0.95) -> tuple[Array, Array]:
    """The same for values between -1 and 1.

    Where all are 0, the bounds are as wide as where none is 1 or -1."""
    gaps = np.asarray(gaps, dtype=float)
    far = np.abs(gaps).max(axis=-1)
    far = np.where(far == 0, 1.0, far)
    up, down = (np.clip(sign * gaps / far[..., None], 0, 1) for sign in (1, -1))
    rise, fall = up.mean(axis=-1), down.mean(axis=-1)
    spread = up.std(axis=-1) * down.std(axis=-1)
    alike = -rise * fall / np.where(spread > 0, spread, 1.0)  # the correlation of the two parts
    (up_low, up_high), (down_low, down_high) = mean_bounds(up, level), mean_bounds(down, level)

    def reach(one: Array, other: Array) -> Array:
        return np.sqrt(np.maximum(0.0, one**2 + other**2 - 2 * alike * one * other))

    low = rise - fall - reach(rise - up_low, down_high - fall)
    high = rise - fall + reach(up_high - rise, fall - down_low)
    return far * np.maximum(-1.0, low), far * np.minimum(1.0, high)


def _of_items(values: list[float], level: float) -> Interval:
    low, high = mean_bounds(values, level)
    return Interval(float(np.mean(values)), float(low), float(high), level, len(values), "bayesian bootstrap")
