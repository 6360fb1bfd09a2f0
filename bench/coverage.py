"""How often the confidence intervals of `tertulia.evaluation.statistics` hold the truth, by simulation.

Items are drawn from a population whose mean success rate is known, trials from the items; an interval covers when it
holds that mean. Two populations: success rates that follow a Beta distribution with intraclass correlation rho, and
rates of two kinds only, which is as far from it as rates can be. Counts are discrete, so no interval covers 95 % at one
fixed rate (20 single trials at 0.05 allow 92.5 % or 98.4 %, nothing between); each table therefore draws its own rate
within 0.03 of the one named, as the mean coverage of Brown, Cai and DasGupta (2001) does.

    python bench/coverage.py            the table: what covers, beside Student's t and a cluster bootstrap
    python bench/coverage.py --quick    fewer tables and cells
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

from tertulia.evaluation.statistics.intervals import score_interval, success_interval
from tertulia.evaluation.statistics.paired import compare

SEED = 20
BAND = 0.03  # around a cell's rate
WANTED = (0.93, 0.97)
POPULATIONS = ("beta", "two kinds")
Bounds = tuple[float, float]
Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Cell:
    """What tables are drawn from."""

    items: int
    trials: int
    rate: float
    rho: float  # share of the items in the variance of one outcome
    population: str = "beta"


def rates(cell: Cell, mean: float, draw: np.random.Generator, items: int = 0) -> Array:
    """Success rates of items whose population has this mean."""
    items = items or cell.items
    if cell.population == "two kinds":
        return np.where(draw.random(items) < mean, mean + cell.rho * (1 - mean), mean * (1 - cell.rho))
    if cell.rho == 0:
        return np.full(items, mean)
    if cell.rho == 1:
        return (draw.random(items) < mean).astype(float)
    size = 1 / cell.rho - 1
    return draw.beta(mean * size, (1 - mean) * size, items)


def power_mean(cell: Cell, mean: float, k: int) -> float:
    """The population's pass^k."""
    if cell.population == "two kinds":
        return float(mean * (mean + cell.rho * (1 - mean)) ** k + (1 - mean) * (mean * (1 - cell.rho)) ** k)
    if cell.rho in (0, 1):
        return mean**k if cell.rho == 0 else mean
    size = 1 / cell.rho - 1
    return float(np.prod([(mean * size + i) / (size + i) for i in range(k)]))


def near(cell: Cell, draw: np.random.Generator) -> float:
    return float(np.clip(draw.uniform(cell.rate - BAND, cell.rate + BAND), 0.005, 0.995))


def outcomes(cell: Cell, truth: Array, draw: np.random.Generator) -> Array:
    return (draw.random((cell.items, cell.trials)) < truth[:, None]).astype(float)


def covered(cell: Cell, tables: int, bounds: Callable[[Array], Bounds], k: int = 1) -> float:
    """The share of tables whose interval of pass^k holds the population's."""
    draw = np.random.default_rng([SEED, cell.items, cell.trials, round(1000 * cell.rate), round(100 * cell.rho)])
    held = 0
    for _ in range(tables):
        mean = near(cell, draw)
        low, high = bounds(outcomes(cell, rates(cell, mean, draw), draw))
        held += low <= power_mean(cell, mean, k) <= high
    return held / tables


def covered_gap(cell: Cell, tables: int) -> float:
    """The same for the difference to a second agent, half of whose rate is the first one's and half its own."""
    draw = np.random.default_rng([SEED + 1, cell.items, cell.trials, round(1000 * cell.rate), round(100 * cell.rho)])
    held = 0
    for _ in range(tables):
        mean, own = near(cell, draw), near(cell, draw)
        one = rates(cell, mean, draw)
        other = (one + rates(cell, own, draw)) / 2
        found = compare(outcomes(cell, one, draw), outcomes(cell, other, draw), rounds=1)
        held += found.low <= (mean - own) / 2 <= found.high
    return held / tables


# --- the intervals ----------------------------------------------------------------------------------------------


def ours(table: Array, k: int = 1) -> Bounds:
    found = success_interval(table.tolist(), k)
    return found.low, found.high


def effective(table: Array) -> Bounds:
    found = score_interval(table.tolist())
    return found.low, found.high


def student(table: Array) -> Bounds:
    means = table.mean(axis=1)
    margin = stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5
    return means.mean() - margin, means.mean() + margin


def percentile(table: Array) -> Bounds:
    means = table.mean(axis=1)
    drawn = means[np.random.default_rng(0).integers(0, len(means), (400, len(means)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


INTERVALS = {"beta-binomial": ours, "effective size": effective, "Student t": student, "percentile": percentile}


# --- the tables -------------------------------------------------------------------------------------------------


def cells(quick: bool) -> Iterator[Cell]:
    sizes, trials = ((20, 100), (1, 4)) if quick else ((20, 50, 100, 200), (1, 2, 4, 8))
    levels = (0.05, 0.5, 0.9) if quick else (0.05, 0.2, 0.5, 0.8, 0.95)
    for items, k, rate, rho, kind in product(sizes, trials, levels, (0.1, 0.5, 0.9), POPULATIONS):
        if k > 1 or (rho, kind) == (0.1, "beta"):  # one trial per item: all populations are the same
            yield Cell(items, k, rate, rho, kind)


def line(name: str, found: Sequence[float]) -> str:
    inside = sum(WANTED[0] <= one <= WANTED[1] for one in found)
    return (
        f"{name:<28}{min(found):8.3f}{float(np.mean(found)):8.3f}{max(found):8.3f}{inside / len(found):9.0%}"
        f"{len(found):7}"
    )


def show(title: str, found: dict[Cell, float]) -> None:
    for items in sorted({cell.items for cell in found}):
        print(line(f"{title}, {items} items", [x for cell, x in found.items() if cell.items == items]), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tables", type=int, default=0, help="drawn per cell; left out: 500, or 200 with --quick")
    options = parser.parse_args(arguments)
    tables = options.tables or (200 if options.quick else 500)
    grid = list(cells(options.quick))
    print(f"{tables} tables per cell; one standard error of a cell is {(0.95 * 0.05 / tables) ** 0.5:.3f}\n")
    print(f"{'':<28}{'lowest':>8}{'mean':>8}{'highest':>8}{'93-97 %':>9}{'cells':>7}")
    for name, bounds in INTERVALS.items():
        show(name, {cell: covered(cell, tables, bounds) for cell in grid})
    twice = [cell for cell in grid if cell.trials > 1]
    show("pass^2", {cell: covered(cell, tables, lambda table: ours(table, 2), 2) for cell in twice})
    show("difference", {cell: covered_gap(cell, tables) for cell in grid})
    return 0


if __name__ == "__main__":
    sys.exit(main())
