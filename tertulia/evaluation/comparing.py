"""Two evaluations, compared on the items that both have."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from tertulia.errors import SettingsError
from tertulia.evaluation.causes.blame import Judged
from tertulia.evaluation.figures import table_of
from tertulia.evaluation.reading import last_attempts, manifest_in, read_trials, scored_by
from tertulia.evaluation.statistics.paired import Comparison, compare
from tertulia.evaluation.statistics.passing import kept, pass_at_1
from tertulia.shares import rounded

__all__ = ["Compared", "compare_folders"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Agent A against agent B."""

    agents: tuple[str, str]  # two versions of one agent have their folders besides
    rates: tuple[float, float]  # pass@1 on the items compared
    comparison: Comparison
    differing: tuple[str, ...]  # versions that are not the same, when that was forced
    unreached: tuple[int, int] = (0, 0)  # attempts that got no answer, and count as failures
    by_item: dict[str, tuple[float, float]] = field(default_factory=dict)  # of each item compared: pass@1 of A and of B

    def ahead(self) -> tuple[list[str], list[str]]:
        """The items at which A passes more often, and those at which B does."""
        return (
            [item for item, (one, other) in self.by_item.items() if one > other],
            [item for item, (one, other) in self.by_item.items() if other > one],
        )

    def as_json(self) -> dict[str, Any]:
        told = {
            name: rounded(value) if isinstance(value, float) else value
            for name, value in asdict(self.comparison).items()
        }
        return {
            "agents": self.agents,
            "pass": [rounded(rate) for rate in self.rates],
            **told,
            "differing": self.differing,
            "unreached": self.unreached,
            "by_item": {item: [rounded(rate) for rate in rates] for item, rates in self.by_item.items()},
        }


async def compare_folders(one: Path, other: Path, *, again: bool = False, force: bool = False) -> Compared:
    """Compare the clean outcomes of two evaluations, trial by trial of the same items.

    Raises:
        SettingsError: if they differ in set, metric, simulator or mode, and `force` is not given.
        StoreError: if a folder holds no evaluation."""
    manifests = manifest_in(one), manifest_in(other)
    told = [
        manifest["versions"] | {"metric": scored_by(manifest, again), "mode": manifest["settings"]["mode"]}
        for manifest in manifests
    ]
    one_told, other_told = told
    names = [name for name in one_told if one_told[name] != other_told[name]]
    differing = tuple([f"{name} {one_told[name]} and {other_told[name]}" for name in names])
    if differing and not force:
        hint = "--rescore scores both anew" if names == ["metric"] else "--force compares them nevertheless"
        raise SettingsError(f"these evaluations cannot be compared: {'; '.join(differing)}; {hint}")
    found = [await read_trials(folder, again=again) for folder in (one, other)]
    counted = [counting(trials) for trials in found]
    own = [{trial.score.item for trial in trials} for trials in counted]
    items = sorted(own[0] & own[1])
    if len(items) < 2:
        raise SettingsError(f"a comparison needs two items with trials that count in both, found {len(items)}")
    shared = [[trial for trial in trials if trial.score.item in own[0] & own[1]] for trials in counted]
    tables = [table_of(trials, items, lambda trial: trial.score.passed) for trials in shared]
    rates = tuple(pass_at_1(table) for table in tables)
    rows = [[kept(row) for row in table] for table in tables]
    agents = [str(manifest["settings"]["agent"]) for manifest in manifests]
    if agents[0] == agents[1]:
        agents = [f"{agent} in {folder}" for agent, folder in zip(agents, (one, other), strict=True)]
    lost = [sum(trial.unreached for trial in trials) for trials in found]
    return Compared(
        (agents[0], agents[1]),
        (rates[0], rates[1]),
        compare(*tables),
        differing,
        (lost[0], lost[1]),
        {item: (fmean(a), fmean(b)) for item, a, b in zip(items, *rows, strict=True) if a and b},
    )


def counting(trials: list[Judged]) -> list[Judged]:
    """The last attempt at every trial, without what is set aside."""
    return [one for one in last_attempts(trials) if not one.tainted]
