"""Coefficients of agreement: correlation, intraclass correlation, kappas, Krippendorff's alpha. Plain Python.

Each is None where it is not defined: too little to compare, or nothing that varies.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from statistics import StatisticsError, correlation, fmean

__all__ = ["cohen_kappa", "fleiss_kappa", "icc_2_1", "krippendorff_alpha", "pearson", "spearman"]

FEWEST = 3  # pairs of a correlation; two always lie on a line


def pearson(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's correlation of pairs; None for fewer than three."""
    if len(one) < FEWEST:
        return None
    try:
        return correlation(one, other)
    except StatisticsError:  # one of them is constant
        return None


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation; ties share the mean of their ranks."""
    return pearson(_ranks(one), _ranks(other))


def icc_2_1(table: Sequence[Sequence[float]]) -> float | None:
    """ICC(2,1), two-way random effects, absolute agreement, one rater: Shrout and Fleiss (1979, Psychol. Bull. 86:420).

    One row per target, with one value per rater in the same order. It is 1 only where raters give the same values, not
    merely values that rise together."""
    targets, raters = len(table), len(table[0]) if table else 0
    if targets < 2 or raters < 2:
        return None
    mean = fmean(chain.from_iterable(table))
    rows = raters * sum((fmean(row) - mean) ** 2 for row in table)
    columns = targets * sum((fmean(column) - mean) ** 2 for column in zip(*table, strict=True))
    whole = sum((value - mean) ** 2 for value in chain.from_iterable(table))
    if whole == 0:
        return None
    by_row, by_column = rows / (targets - 1), columns / (raters - 1)
    error = (whole - rows - columns) / ((targets - 1) * (raters - 1))
    below = by_row + (raters - 1) * error + raters * (by_column - error) / targets
    return (by_row - error) / below if below else None


def cohen_kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Cohen's kappa (1960, Educ. Psychol. Meas. 20:37) of two raters' labels of the same items, in the same order."""
    if not one:
        return None
    seen = fmean(a == b for a, b in zip(one, other, strict=True))
    mine, theirs = Counter(one), Counter(other)
    by_chance = sum(mine[label] * theirs[label] for label in mine) / len(one) ** 2
    return (seen - by_chance) / (1 - by_chance) if by_chance < 1 else None


def fleiss_kappa(items: Sequence[Sequence[str]]) -> float | None:
    """Fleiss' kappa (1971, Psychol. Bull. 76:378): one row of labels per item, as many for each, at least two.

    Raises:
        ValueError: the rows differ in length, or have fewer than two labels."""
    if not items:
        return None
    raters = len(items[0])
    if raters < 2 or any(len(labels) != raters for labels in items):
        raise ValueError("Fleiss' kappa needs as many labels for each item, and at least two")
    counts = [Counter(labels) for labels in items]
    seen = fmean((sum(n * n for n in count.values()) - raters) / (raters * (raters - 1)) for count in counts)
    overall = Counter(chain.from_iterable(items))
    by_chance = sum((n / len(items) / raters) ** 2 for n in overall.values())
    return (seen - by_chance) / (1 - by_chance) if by_chance < 1 else None


def krippendorff_alpha(items: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal labels (2011, "Computing Krippendorff's Alpha-Reliability").

    One row of labels per item; rows may differ in length, and those with fewer than two labels say nothing."""
    paired = [Counter(labels) for labels in items if len(labels) > 1]
    overall: Counter[str] = Counter()
    for count in paired:
        overall.update(count)
    values = overall.total()
    by_chance = values**2 - sum(n * n for n in overall.values())
    if not by_chance:
        return None
    seen = sum((count.total() ** 2 - sum(n * n for n in count.values())) / (count.total() - 1) for count in paired)
    return 1 - (values - 1) * seen / by_chance


def _ranks(values: Sequence[float]) -> list[float]:
    below = Counter(values)
    ranks, seen = {}, 0
    for value in sorted(below):
        ranks[value] = seen + (below[value] + 1) / 2
        seen += below[value]
    return [ranks[value] for value in values]
