"""Two evaluations, compared on the items that both have."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tertulia.errors import SettingsError
from tertulia.evaluation.causes.blame import Judged
from tertulia.evaluation.figures import rounded, table_of
from tertulia.evaluation.reading import manifest_in, read_trials, scored_by
from tertulia.evaluation.statistics.paired import Comparison, compare
from tertulia.evaluation.statistics.passing import pass_at_1

__all__ = ["Compared", "compare_folders"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Agent A against agent B."""

    agents: tuple[str, str]
    rates: tuple[float, float]  # pass@1 on the items compared
    comparison: Comparison
    differing: tuple[str, ...]  # versions that are not the same, when that was forced
    unreached: tuple[int, int] = (0, 0)  # attempts that got no answer, and count as failures

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
    items = sorted({t.score.item for t in found[0]} & {t.score.item for t in found[1]})
    if len(items) < 2:
        raise SettingsError(f"a comparison needs two items that both evaluations have, found {len(items)}")
    tables = [clean(trials, items) for trials in found]
    rates = tuple(pass_at_1(table) for table in tables)
    agents = tuple(str(manifest["settings"]["agent"]) for manifest in manifests)
    lost = [sum(trial.unreached for trial in trials) for trials in found]
    return Compared((agents[0], agents[1]), (rates[0], rates[1]), compare(*tables), differing, (lost[0], lost[1]))


def clean(trials: list[Judged], items: list[str]) -> list[list[float | bool | None]]:
    """The last attempt at every trial of these items, without what is set aside."""
    last = {(t.score.trial.trial, t.score.item): t for t in trials if t.score.item in set(items)}
    return table_of((last[key] for key in sorted(last)), items, lambda one: None if one.tainted else one.score.passed)
