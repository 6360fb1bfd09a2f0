"""The figures of an evaluation: rates with their intervals, causes, cost, and what the simulator did wrong.

Two tables hold every outcome, a row per item: `raw` has the first attempt at each trial, whatever its simulator did;
`clean` leaves out what is set aside, and has what was played again in its place.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from tertulia.evaluation.causes.blame import CAUSES, Judged
from tertulia.evaluation.causes.fidelity import KINDS
from tertulia.evaluation.reading import last_attempts
from tertulia.evaluation.statistics.intervals import Interval, score_interval, success_interval
from tertulia.evaluation.statistics.paired import detectable_difference
from tertulia.evaluation.statistics.passing import Seeds, Table, flip_rates, grouped
from tertulia.evaluation.statistics.variance import Component, VarianceSplit, variance_split
from tertulia.shares import rounded

__all__ = ["Figures", "table_of"]

Value = Callable[[Judged], float | bool | None]
EXAMPLES = 3  # of each kind of a simulator's fault


def table_of(trials: Iterable[Judged], items: Iterable[str], value: Value) -> list[list[float | bool | None]]:
    """A row per item with the value of each of its trials."""
    rows: dict[str, list[float | bool | None]] = {item: [] for item in items}
    for one in trials:
        rows[one.score.item].append(value(one))
    return list(rows.values())


def enough(table: Table) -> bool:
    return any(value is not None for row in table for value in row)


def seeds_of(trials: Iterable[Judged], items: Iterable[str]) -> Seeds | None:
    """The simulator's seed of each trial, in the shape of `table_of`; None where no item's trials share one."""
    rows = table_of(trials, items, lambda one: one.score.seed)
    return rows if any(len(set(row)) < len(row) for row in rows) else None


@dataclass
class Figures:
    """Everything that is told of one evaluation."""

    folder: Path
    agent: str
    mode: str
    versions: Mapping[str, str]
    trials: list[Judged]  # every attempt, in the order of the places
    floors: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)  # items whose gold is wrong, with the reason
    k: int = 1
    asked: int = 0  # trials that were wanted of all items

    @cached_property
    def items(self) -> list[str]:
        return list(dict.fromkeys(one.score.item for one in self.trials))

    @cached_property
    def first(self) -> list[Judged]:
        """The first attempt at every trial."""
        return [one for one in self.trials if one.score.trial.attempt == 0]

    @cached_property
    def last(self) -> list[Judged]:
        """The last attempt at every trial."""
        return last_attempts(self.trials)

    @cached_property
    def raw(self) -> Table:
        return table_of(self.first, self.items, lambda one: one.score.passed)

    @cached_property
    def clean(self) -> Table:
        return self.kept(lambda one: one.score.passed)

    @cached_property
    def seeds(self) -> Seeds | None:
        """The simulator's seeds behind `clean`, where trials share them."""
        return seeds_of(self.last, self.items)

    @property
    def set_aside(self) -> int:
        """Trials that count nowhere, since every attempt at them was tainted."""
        return sum(one.tainted for one in self.last)

    @property
    def played_again(self) -> int:
        return len(self.trials) - len(self.first)

    @property
    def tainted(self) -> int:
        """Attempts that were tainted; those that were played again included."""
        return sum(one.tainted for one in self.trials)

    @property
    def unplayed(self) -> int:
        """Trials that were asked for and are not there, as after a stop."""
        return max(0, self.asked - len(self.first))

    @property
    def unreached(self) -> int:
        """Trials that ended since the agent or a model could not be reached; going on plays them again."""
        return sum(one.unreached for one in self.last)

    # --- rates ---------------------------------------------------------------------------------------------------

    def passing(self, table: Table) -> list[tuple[int, Interval]]:
        """pass^k of `clean` or `raw`, for each k for which half of the items have so many trials of other seeds."""
        seeds = self.seeds if table is self.clean else seeds_of(self.first, self.items)
        groups = grouped(table, seeds or [range(len(row)) for row in table])
        sizes = sorted(filter(None, map(len, groups)), reverse=True)
        most = min(self.k, sizes[(len(sizes) - 1) // 2]) if sizes else 0
        return [(k, success_interval(table, k, seeds=seeds)) for k in range(1, most + 1)]

    def mean(self, value: Value) -> Interval | None:
        """The mean of a score over items, each item's trials averaged first; what is set aside is left out."""
        table = self.kept(value)
        return score_interval(table) if enough(table) else None

    @property
    def slot_f1(self) -> Interval | None:
        return self.mean(lambda one: one.score.slot_f1)

    @property
    def success(self) -> Interval | None:
        """Success alone, whatever was given away."""
        return self.mean(lambda one: one.score.success)

    @property
    def mdd(self) -> float | None:
        """The difference to another agent that this set would show with 80 % power."""
        rows = [row for row in self.clean if any(value is not None for value in row)]
        return detectable_difference(self.clean, seeds=self.seeds) if len(rows) > 1 else None

    @property
    def flips(self) -> dict[str, float]:
        """Of each item, how often two of its trials end differently, of different simulator seeds."""
        rates = flip_rates(self.clean, self.seeds)
        return {item: rate for item, rate in zip(self.items, rates, strict=True) if rate is not None}

    @cached_property
    def split(self) -> VarianceSplit | None:
        """The variance of outcomes between items and between trials of an item, the simulator's told from the agent's
        where trials share simulator seeds."""
        if sum(len([value for value in row if value is not None]) > 1 for row in self.clean) < 2:
            return None
        return variance_split(self.clean, self.seeds)

    # --- groups --------------------------------------------------------------------------------------------------

    @property
    def by_kind(self) -> dict[str, Interval]:
        """pass@1 by kind of scenario."""
        kinds = sorted({one.score.kind for one in self.last})
        return self.grouped(kinds, lambda kind, one: one.score.passed if one.score.kind == kind else None)

    @property
    def by_principle(self) -> dict[str, Interval]:
        """The share of trials in which each principle in force was held, by the critic's labels."""
        names = sorted({name for one in self.last for name in one.score.principles})

        def held(name: str, one: Judged) -> bool | None:
            return None if name not in one.score.principles else not one.score.markers[name]

        return self.grouped(names, held)

    def grouped(self, names: list[str], value: Callable[[str, Judged], bool | None]) -> dict[str, Interval]:
        tables = {name: self.kept(partial(value, name)) for name in names}
        return {name: success_interval(table) for name, table in tables.items() if enough(table)}

    def kept(self, value: Value) -> Table:
        """A value of the last attempt at every trial that is not set aside."""
        return table_of(self.last, self.items, lambda one: None if one.tainted else value(one))

    # --- causes --------------------------------------------------------------------------------------------------

    @cached_property
    def causes(self) -> Counter[str]:
        """Why trials failed: every attempt that did, the tainted ones as the simulator's."""
        return Counter(one.cause for one in self.trials if one.cause)

    @cached_property
    def fine(self) -> Counter[str]:
        """Of the failures that are the agent's: why."""
        return Counter(one.fault.what for one in self.trials if one.cause == "agent" and one.fault)

    @property
    def failures(self) -> list[Judged]:
        return [one for one in self.trials if one.cause]

    @property
    def fidelity(self) -> dict[str, float]:
        """The share of attempts in which the simulator did so."""
        faulty = {what: sum(any(f.what == what for f in one.simulator) for one in self.trials) for what in KINDS}
        return {what: count / len(self.trials) for what, count in faulty.items()}

    @property
    def examples(self) -> dict[str, list[dict[str, Any]]]:
        """Some of each kind of a simulator's fault."""
        found = [(f.what, one.score.conversation, f) for one in self.trials for f in one.simulator]
        found.sort(key=lambda entry: entry[0])
        return {
            what: [{"conversation": name, **fault.as_json()} for _, name, fault in list(group)[:EXAMPLES]]
            for what, group in groupby(found, key=lambda entry: entry[0])
        }

    # --- cost ----------------------------------------------------------------------------------------------------

    @property
    def cost(self) -> dict[str, float | None]:
        """Per trial: turns and calls of the agent, model calls, tokens; and money in all."""
        scores = [one.score for one in self.trials]
        prices = [score.usage.usd for score in scores]
        return {
            "turns": fmean(score.agent_turns for score in scores),
            "tool_calls": fmean(score.calls for score in scores),
            "model_calls": fmean(score.usage.calls for score in scores),
            "tokens_in": fmean(score.usage.tokens_in for score in scores),
            "tokens_out": fmean(score.usage.tokens_out for score in scores),
            "usd": None if None in prices else round(sum(price or 0.0 for price in prices), 6),
        }

    def as_json(self) -> dict[str, Any]:
        """The object that `tertulia evaluate --json` prints."""
        return {
            "agent": self.agent,
            "items": len(self.items),
            "trials": len(self.first),
            "pass": [of_interval(k, found) for k, found in self.passing(self.clean)],
            "slot_f1": rounded(self.slot_f1.value if self.slot_f1 else None),
            "success_rate": rounded(self.success.value if self.success else None),
            "floors": {name: rounded(rate) for name, rate in self.floors.items()},
            "attribution": {cause: self.causes[cause] for cause in CAUSES if self.causes[cause]},
            "set_aside": self.set_aside,
            "mdd": rounded(self.mdd),
            "mode": self.mode,
            "versions": dict(self.versions),
            "folder": str(self.folder),
            "pass_raw": [of_interval(k, found) for k, found in self.passing(self.raw)],
            "played_again": self.played_again,
            "unplayed": self.unplayed,
            "unreached": self.unreached,
            "agent_causes": dict(self.fine.most_common()),
            "fidelity": {what: rounded(rate) for what, rate in self.fidelity.items()},
            "examples": self.examples,
            "kinds": {name: of_interval(1, found) for name, found in self.by_kind.items()},
            "principles": {name: of_interval(1, found) for name, found in self.by_principle.items()},
            "flips": {item: rounded(rate) for item, rate in self.flips.items()},
            "variance": of_split(self.split) if self.split else None,
            "cost": self.cost,
            "left_out": dict(self.left_out),
            "failures": [failure(one) for one in self.failures],
        }


def failure(one: Judged) -> dict[str, Any]:
    """One failed trial with its evidence."""
    told = {"conversation": one.score.conversation, "item": one.score.item, "cause": one.cause}
    return told | (one.fault.as_json() if one.fault else {})


def of_interval(k: int, found: Interval) -> dict[str, Any]:
    return {"k": k, "value": rounded(found.value), "low": rounded(found.low), "high": rounded(found.high)}


def of_split(found: VarianceSplit) -> dict[str, Any]:
    """Each component with its bounds as they were estimated, also below 0, and its share, where that counts as 0."""
    return {name: of_component(part) | {"share": rounded(found.shares.get(name))} for name, part in found.parts.items()}


def of_component(part: Component) -> dict[str, float | None]:
    return {"value": rounded(part.value), "low": rounded(part.low), "high": rounded(part.high)}
