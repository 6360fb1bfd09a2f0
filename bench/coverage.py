"""How often the confidence intervals of `tertulia.evaluation.statistics` hold the truth, by simulation.

Items are drawn from a population whose mean success rate is known, trials from the items; an interval covers when it
holds that mean. Three populations with the same mean and the same intraclass correlation rho: success rates that follow
a Beta distribution; rates of two kinds only; and three kinds, items that always succeed, items that never do, and items
that all have the mean. Counts are discrete, so no interval covers 95 % at one fixed rate (20 single trials at 0.05
allow 92.5 % or 98.4 %, nothing between); each table therefore draws its own rate within 0.03 of the one named, as the
mean coverage of Brown, Cai and DasGupta (2001) does.

    python bench/coverage.py              the table: what covers, beside textbook intervals in the same cells
    python bench/coverage.py --quick      fewer tables and cells
    python bench/coverage.py --outside    also the cells outside of 93 to 97 %
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
from scipy import stats

from tertulia.evaluation.statistics.intervals import exact_interval, gap_bounds, mean_bounds
from tertulia.evaluation.statistics.variance import variance_split

SEED = 20
BAND = 0.03  # around a cell's rate
WANTED = (0.93, 0.97)
POPULATIONS = ("beta", "two kinds", "three kinds")
RELATIONS = {"half alike": 0.5, "few differ": 0.2, "equal": 0.0}  # of two agents, with the share of B's own rates
FAILED = np.array([0.0, 0.5, 0.8])  # scores of trials that do not succeed
LEAST = 6  # items that must differ for a sign test to say at 5 % that agents do
DRAWN = 400  # resamples of a bootstrap
Array = np.ndarray
Bounds = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Cell:
    """What tables are drawn from."""

    items: int
    trials: int
    rate: float
    rho: float  # share of the items in the variance of one outcome
    population: str = "beta"
    relation: str = ""  # of two agents

    def __str__(self) -> str:
        told = f"{self.items} items x {self.trials}, rate {self.rate:g}, rho {self.rho:g}, {self.population}"
        return f"{told}, {self.relation}" if self.relation else told

    def draws(self, tables: int) -> tuple[np.random.Generator, Array]:
        """The cell's random numbers, and a rate for each table."""
        names = (POPULATIONS.index(self.population), list(RELATIONS).index(self.relation) if self.relation else 9)
        seed = [SEED, self.items, self.trials, round(1000 * self.rate), round(100 * self.rho), *names]
        draw = np.random.default_rng(seed)
        return draw, self.near(draw, tables)

    def near(self, draw: np.random.Generator, tables: int) -> Array:
        return np.clip(draw.uniform(self.rate - BAND, self.rate + BAND, tables), 0.005, 0.995)


def rates(cell: Cell, means: Array, draw: np.random.Generator) -> Array:
    """Success rates, tables x items, of populations with these means."""
    mean, shape = means[:, None], (len(means), cell.items)
    if cell.population == "two kinds":
        apart = cell.rho**0.5
        return np.where(draw.random(shape) < mean, mean + apart * (1 - mean), mean * (1 - apart))
    if cell.population == "three kinds":
        return np.where(draw.random(shape) < cell.rho, (draw.random(shape) < mean).astype(float), mean)
    return parted(draw, np.broadcast_to(mean, shape), cell.rho)


def parted(draw: np.random.Generator, mean: Array, rho: float) -> Array:
    """Rates that follow Beta distributions with these means and this intraclass correlation."""
    size = 1 / rho - 1
    return np.asarray(draw.beta(np.maximum(mean * size, 1e-9), np.maximum((1 - mean) * size, 1e-9)))


def power_means(cell: Cell, mean: Array, k: int) -> Array:
    """The populations' pass^k."""
    if cell.population == "two kinds":
        apart = cell.rho**0.5
        return mean * (mean + apart * (1 - mean)) ** k + (1 - mean) * (mean * (1 - apart)) ** k
    if cell.population == "three kinds":
        return cell.rho * mean + (1 - cell.rho) * mean**k
    size = 1 / cell.rho - 1
    return np.prod([(mean * size + i) / (size + i) for i in range(k)], axis=0)


def held(bounds: Bounds, truth: Array | float) -> float:
    return float(np.mean((bounds[0] <= truth) & (truth <= bounds[1])))


# --- what is covered --------------------------------------------------------------------------------------------


def of_passing(cell: Cell, tables: int, bounds: Callable[[Array], Bounds], k: int = 1) -> float:
    """The share of tables whose interval of pass^k holds the population's."""
    draw, means = cell.draws(tables)
    own = np.array([comb(c, k) / comb(cell.trials, k) for c in range(cell.trials + 1)])
    counts = draw.binomial(cell.trials, rates(cell, means, draw))
    return held(bounds(own[counts]), power_means(cell, means, k))


def of_scores(cell: Cell, tables: int, bounds: Callable[[Array], Bounds]) -> float:
    """The same of a mean score: 1 where a trial succeeds, else one of three."""
    draw, means = cell.draws(tables)
    truth = rates(cell, means, draw)
    total = np.zeros_like(truth)
    for _ in range(cell.trials):
        total += np.where(draw.random(truth.shape) < truth, 1.0, draw.choice(FAILED, truth.shape))
    return held(bounds(total / cell.trials), means + (1 - means) * FAILED.mean())


def of_gaps(cell: Cell, tables: int, bounds: Callable[[Array], Bounds]) -> tuple[float, float]:
    """The same of the difference to a second agent, which has its own rates at a share of the items, or by a half.

    Also how many items differ, on average."""
    draw, means = cell.draws(tables)
    others, share = cell.near(draw, tables), RELATIONS[cell.relation]
    one, own = rates(cell, means, draw), rates(cell, others, draw)
    other = (one + own) / 2 if cell.relation == "half alike" else np.where(draw.random(one.shape) < share, own, one)
    gaps = (draw.binomial(cell.trials, one) - draw.binomial(cell.trials, other)) / cell.trials
    return held(bounds(gaps), share * (means - others)), float((gaps != 0).sum(axis=-1).mean())


def of_components(cell: Cell, tables: int, tau: float) -> tuple[float, float, float]:
    """The same of the variances of items, simulator and agent, with two trials per simulator seed; tau is the
    simulator's share in what is not the items'."""
    draw, means = cell.draws(tables)
    found = np.zeros(3)
    seeds = [np.repeat(np.arange(cell.trials // 2), 2).tolist()] * cell.items
    for mean, row in zip(means, rates(cell, means, draw), strict=True):
        by_seed = parted(draw, np.repeat(row[:, None], cell.trials // 2, axis=1), tau)
        table = draw.random((cell.items, cell.trials)) < np.repeat(by_seed, 2, axis=1)
        whole = mean * (1 - mean)
        truth = cell.rho * whole, tau * (1 - cell.rho) * whole, (1 - tau) * (1 - cell.rho) * whole
        split = variance_split(table.tolist(), seeds)
        for nth, (part, known) in enumerate(zip((split.item, split.simulator, split.agent), truth, strict=True)):
            found[nth] += (part.low or 0.0) <= known <= (part.high or 0.0) if part else 0.0
    return tuple(found / tables)


# --- textbook intervals -----------------------------------------------------------------------------------------


def student(values: Array) -> Bounds:
    items, mean = values.shape[-1], values.mean(axis=-1)
    margin = stats.t.ppf(0.975, items - 1) * values.std(axis=-1, ddof=1) / items**0.5
    return mean - margin, mean + margin


def percentile(values: Array) -> Bounds:
    items = values.shape[-1]
    weights = np.random.default_rng(0).multinomial(items, np.full(items, 1 / items), DRAWN) / items
    low, high = np.quantile(values @ weights.T, [0.025, 0.975], axis=-1)
    return low, high


def counted(interval: Callable[[int, int], tuple[float, float]]) -> Callable[[Array], Bounds]:
    """An interval of independent single trials, for many tables."""

    def bounds(values: Array) -> Bounds:
        items = values.shape[-1]
        known = np.array([interval(successes, items) for successes in range(items + 1)])
        counts = values.sum(axis=-1).astype(int)
        return known[counts, 0], known[counts, 1]

    return bounds


def exact(successes: int, trials: int) -> tuple[float, float]:
    found = exact_interval(successes, trials)
    return found.low, found.high


def jeffreys(successes: int, trials: int) -> tuple[float, float]:
    low, high = stats.beta.ppf([0.025, 0.975], successes + 0.5, trials - successes + 0.5)
    return low if successes else 0.0, high if successes < trials else 1.0


# --- the tables -------------------------------------------------------------------------------------------------


def cells(quick: bool, least: int = 1, relations: Sequence[str] = ("",)) -> Iterator[Cell]:
    sizes, trials = ((20, 100), (1, 4)) if quick else ((20, 50, 100, 200), (1, 2, 4, 8))
    levels = (0.05, 0.5, 0.9) if quick else (0.05, 0.2, 0.5, 0.8, 0.95)
    for items, k, rate, rho, kind, relation in product(sizes, trials, levels, (0.1, 0.5, 0.9), POPULATIONS, relations):
        alone = k == 1 and not relation  # one trial per item: all populations are the same
        if k >= least and (not alone or (rho, kind) == (0.1, "beta")):
            yield Cell(items, k, rate, rho, kind, relation)


def show(title: str, found: dict[Cell, float], outside: bool = False) -> None:
    for items in sorted({cell.items for cell in found}):
        own = {cell: share for cell, share in found.items() if cell.items == items}
        shares = list(own.values())
        inside = sum(WANTED[0] <= share <= WANTED[1] for share in shares)
        print(
            f"{f'{title}, {items} items':<44}{min(shares):8.3f}{float(np.mean(shares)):8.3f}{max(shares):8.3f}"
            f"{inside / len(shares):9.0%}{len(shares):7}",
            flush=True,
        )
        for cell, share in sorted(own.items(), key=lambda pair: pair[1]):
            if outside and not WANTED[0] <= share <= WANTED[1]:
                print(f"    {share:.3f}  {cell}")


def measure(quick: bool, tables: int, outside: bool) -> None:
    single = [cell for cell in cells(quick) if cell.trials == 1]
    known = {"tertulia (Wilson)": mean_bounds, "Jeffreys": counted(jeffreys), "Clopper-Pearson": counted(exact)}
    for name, bounds in known.items():
        show(f"single trials, {name}", {cell: of_passing(cell, tables, bounds) for cell in single})
    several = list(cells(quick, 2))
    for name, bounds in {"tertulia": mean_bounds, "Student t": student, "percentile": percentile}.items():
        ours = outside and bounds is mean_bounds
        show(f"pass@1, {name}", {cell: of_passing(cell, tables, bounds) for cell in several}, ours)
    for k in (2, 4):
        show(f"pass^{k}", {c: of_passing(c, tables, mean_bounds, k) for c in cells(quick, k)}, outside)
    show("mean score", {cell: of_scores(cell, tables, mean_bounds) for cell in cells(quick)}, outside)
    pairs = list(cells(quick, relations=tuple(RELATIONS)))
    for name, bounds in {"tertulia": gap_bounds, "Student t": student}.items():
        found = {cell: of_gaps(cell, tables // 5, bounds) for cell in pairs}
        many = {cell: share for cell, (share, differing) in found.items() if differing >= LEAST}
        show(f"difference, {name}", many, outside and bounds is gap_bounds)
        show("  fewer items differ", {cell: found[cell][0] for cell in pairs if cell not in many})


def components(quick: bool, tables: int) -> None:
    """The same for variance components; tables are split one by one, so there are fewer."""
    grid = [cell for cell in cells(quick, 4) if cell.trials in (4, 8) and 0.1 < cell.rate < 0.9]
    shares = (0.1, 0.5)
    found = {(cell, tau): of_components(cell, tables, tau) for cell in grid for tau in shares}
    for nth, name in enumerate(("items", "simulator", "agent")):
        for tau in shares:
            title = f"variance of {name}, {tau:g}"
            show(title, {cell: share[nth] for (cell, at), share in found.items() if at == tau})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--outside", action="store_true", help="name the cells outside of 93 to 97 %%")
    parser.add_argument("--tables", type=int, default=0, help="drawn per cell; left out: 2000, or 500 with --quick")
    options = parser.parse_args(arguments)
    tables = options.tables or (500 if options.quick else 2000)
    error = (0.95 * 0.05 / tables) ** 0.5
    print(f"{tables} tables per cell, of differences a fifth, of variances a tenth; one standard error is {error:.3f}")
    print("for the first, 2.2 and 3.2 times as much for the others\n")
    print(f"{'':<44}{'lowest':>8}{'mean':>8}{'highest':>8}{'93-97 %':>9}{'cells':>7}")
    measure(options.quick, tables, options.outside)
    components(options.quick, tables // 10)
    return 0


if __name__ == "__main__":
    sys.exit(main())
