"""Success rates of a table of trials: pass@1, pass^k, pass@k, and how often an item's outcome flips.

Where several trials of an item share a simulator seed (`Seeds`), they are not k independent trials: k of them are taken
from k different seeds.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from math import comb
from statistics import fmean

__all__ = [
    "Row",
    "Seeds",
    "Table",
    "flip_rates",
    "grouped",
    "kept",
    "means",
    "own_rates",
    "pass_at_1",
    "pass_at_k",
    "pass_hat_k",
]

Row = Sequence[bool | float | None]  # the trials of one item; None: missing or set aside
Table = Sequence[Row]
Seeds = Sequence[Sequence[Hashable]]  # of a table's shape: the simulator's seed in each trial


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


def pass_hat_k(table: Table, k: int, seeds: Seeds | None = None) -> float:
    """pass^k: the probability that k trials of an item all succeed, as a mean over items (`own_rates`)."""
    return fmean(own_rates(table, k, seeds))


def own_rates(table: Table, k: int = 1, seeds: Seeds | None = None) -> list[float]:
    """Each item's own pass^k, for the items that have k trials (with `seeds`: of k different seeds).

    C(c, k) / C(n, k), for c successes in n trials, is unbiased (Yao et al., tau-bench, arXiv 2406.12045). With seeds it
    is the mean, over all ways to take k seeds, of the product of their success rates: the same where seeds differ.

    Raises:
        ValueError: no item has k trials, an outcome is neither success nor failure, or the shapes differ."""
    if k < 1:
        raise ValueError(f"k counts trials from 1 on, got {k}")
    counts = [_count(values) for values in map(kept, table)]
    if seeds is None or k == 1:
        rates = [comb(c, k) / comb(n, k) for c, n in counts if n >= k]
    else:
        rates = [_all_of(k, groups) for groups in grouped(table, seeds) if len(groups) >= k]
    if not rates:
        different = " of different seeds" if seeds is not None else ""
        raise ValueError(f"no item has {k} trial{'s' * (k > 1)} that count{different}")
    return rates


def pass_at_k(table: Table, k: int) -> float:
    """pass@k: the probability that at least one of k trials succeeds, unbiased (Chen et al., arXiv 2107.03374).

    Items and errors as in `own_rates`."""
    return 1 - fmean(own_rates([[1 - value for value in kept(row)] for row in table], k))


def flip_rates(table: Table, seeds: Seeds | None = None) -> list[float | None]:
    """Per item, the probability that two of its trials end differently: 2 c (n - c) / (n (n - 1)), unbiased.

    With `seeds`, two trials of different seeds. None for an item that has no two.

    Raises:
        ValueError: an outcome is neither success nor failure, or the shapes differ."""
    for row in table:
        _count(kept(row))
    told = [range(len(row)) for row in table] if seeds is None else seeds
    groups = grouped(table, told)
    return [2 * (_all_of(1, own) - _all_of(2, own)) if len(own) > 1 else None for own in groups]


def grouped(table: Table, seeds: Seeds) -> list[list[list[float]]]:
    """Per item, the values that count, one list per simulator seed.

    Raises:
        ValueError: a value lies outside 0 to 1, or the shapes differ."""
    made = []
    for row, drawn in zip(table, seeds, strict=True):
        groups: dict[Hashable, list[float]] = defaultdict(list)
        for value, seed in zip(row, drawn, strict=True):
            if value is not None:
                groups[seed] += kept((value,))
        made.append(list(groups.values()))
    return made


def means(table: Table) -> list[float]:
    """The mean of each item that has a trial that counts.

    Raises:
        ValueError: none has, or a value lies outside 0 to 1."""
    means = [fmean(values) for values in map(kept, table) if values]
    if not means:
        raise ValueError("no item has a trial that counts")
    return means


def _all_of(k: int, groups: Sequence[Sequence[float]]) -> float:
    """The mean product of k of the groups' means: their elementary symmetric polynomial over C(groups, k)."""
    found = [1.0] + [0.0] * k
    for nth, group in enumerate(groups, start=1):
        mean = fmean(group)
        for j in range(min(nth, k), 0, -1):
            found[j] += (found[j - 1] * mean - found[j]) * j / nth
    return found[k]


def _count(values: list[float]) -> tuple[int, int]:
    for value in values:
        if value not in (0.0, 1.0):
            raise ValueError(f"an outcome is success or failure, got the score {value!r}")
    return int(sum(values)), len(values)
