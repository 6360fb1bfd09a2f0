"""Success rates of a table of trials: pass@1, pass^k, pass@k, and how often an item's outcome flips."""

from collections.abc import Sequence
from math import comb
from statistics import fmean

__all__ = ["Row", "Table", "counted", "flip_rates", "kept", "means", "pass_at_1", "pass_at_k", "pass_hat_k"]

Row = Sequence[bool | float | None]  # the trials of one item; None: missing or set aside
Table = Sequence[Row]


def kept(row: Row) -> list[float]:
    """The values of a row that count.

    Raises:
        ValueError: a value lies outside 0 to 1."""
    values = [float(value) for value in row if value is not None]
    for value in values:
        if not 0 <= value <= 1:
            raise ValueError(f"a score lies between 0 and 1, got {value!r}")
    return values


def pass_at_1(table: Table) -> float:
    """The mean over items of the mean over each item's trials.

    Raises:
        ValueError: no item has a trial that counts."""
    return fmean(means(table))


def pass_hat_k(table: Table, k: int) -> float:
    """pass^k: the probability that k trials of an item all succeed, as a mean over items.

    Each item's C(c, k) / C(n, k), for c successes in n trials, is unbiased (Yao et al., tau-bench, arXiv 2406.12045).
    Items with fewer than k trials are left out.

    Raises:
        ValueError: no item has k trials, or an outcome is neither success nor failure."""
    return fmean(comb(c, k) / comb(n, k) for c, n in counted(table, k))


def pass_at_k(table: Table, k: int) -> float:
    """pass@k: the probability that at least one of k trials succeeds, unbiased (Chen et al., arXiv 2107.03374).

    Items and errors as in `pass_hat_k`."""
    return fmean(1 - comb(n - c, k) / comb(n, k) for c, n in counted(table, k))


def flip_rates(table: Table) -> list[float | None]:
    """Per item, the probability that two of its trials end differently: 2 c (n - c) / (n (n - 1)), unbiased.

    None for an item with fewer than two trials.

    Raises:
        ValueError: an outcome is neither success nor failure."""
    rates: list[float | None] = []
    for row in table:
        c, n = _count(kept(row))
        rates.append(2 * c * (n - c) / (n * (n - 1)) if n > 1 else None)
    return rates


def counted(table: Table, k: int = 1) -> list[tuple[int, int]]:
    """Successes and trials of each item that has at least k trials."""
    if k < 1:
        raise ValueError(f"k counts trials from 1 on, got {k}")
    counts = [(c, n) for c, n in (_count(kept(row)) for row in table) if n >= k]
    if not counts:
        raise ValueError(f"no item has {k} trial{'s' * (k > 1)} that count")
    return counts


def means(table: Table) -> list[float]:
    means = [fmean(values) for values in map(kept, table) if values]
    if not means:
        raise ValueError("no item has a trial that counts")
    return means


def _count(values: list[float]) -> tuple[int, int]:
    for value in values:
        if value not in (0.0, 1.0):
            raise ValueError(f"an outcome is success or failure, got the score {value!r}")
    return int(sum(values)), len(values)
