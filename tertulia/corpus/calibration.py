"""How far critics and judges can be trusted: against planted slips, and against people's labels.

A critic is measured on drafts: one is faulty when a slip that breaks a principle in force was planted in it. A judge is
measured on conversations: one is faulty when such a slip is still in it, or when people say so. What is chosen by the
numbers (which principles to trust, where to cut a score) is chosen on one half of the conversations and measured on
the other. Which half a conversation is in depends on its id.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tertulia.corpus.distributions import rounded
from tertulia.corpus.fields import survived
from tertulia.records import Conversation
from tertulia.slips import placed
from tertulia.streams import number

__all__ = ["LEAST_PRECISION", "Calibration", "Counts", "Cut", "best_cut", "calibrated"]

LEAST_PRECISION = 0.9
DEEPEST = 3  # how deep numbers of a verdict's detail are looked for


@dataclass(slots=True)
class Counts:
    """What was flagged, against what was faulty."""

    true: int = 0  # flagged and faulty
    false: int = 0  # flagged and not faulty
    missed: int = 0  # faulty and not flagged
    passed: int = 0  # neither

    def add(self, flagged: bool, faulty: bool, times: int = 1) -> None:
        if flagged:
            self.true, self.false = self.true + times * faulty, self.false + times * (not faulty)
        else:
            self.missed, self.passed = self.missed + times * faulty, self.passed + times * (not faulty)

    @property
    def precision(self) -> float | None:
        return share(self.true, self.true + self.false)

    @property
    def recall(self) -> float | None:
        return share(self.true, self.true + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.true / (2 * self.true + self.false + self.missed) if self.true else 0.0

    @property
    def before(self) -> float | None:
        """The share of all items that are faulty."""
        return share(self.true + self.missed, self.true + self.false + self.missed + self.passed)

    @property
    def after(self) -> float | None:
        """The share of faulty items among those that were not flagged."""
        return share(self.missed, self.missed + self.passed)

    def as_json(self) -> dict[str, Any]:
        rates = {
            "precision": self.precision,
            "recall": self.recall,
            "miss_rate": share(self.missed, self.true + self.missed),
            "false_alarm_rate": share(self.false, self.false + self.passed),
            "faulty_before": self.before,
            "faulty_after": self.after,
        }
        counts = {"true": self.true, "false": self.false, "missed": self.missed, "passed": self.passed}
        return counts | {name: None if rate is None else round(rate, 4) for name, rate in rates.items()}


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a number is cut: from `at` on (or, `below`, up to `at`) a conversation is flagged."""

    signal: str  # JUDGE.score, JUDGE.KEY...
    at: float
    below: bool
    chosen: Counts  # on the half that it was chosen on
    measured: Counts  # on the other half

    def as_json(self) -> dict[str, Any]:
        plain = all(part.isidentifier() for part in self.signal.split("."))
        name = self.signal if plain else f"value({self.signal!r})"
        rule = f"{name} {'<=' if self.below else '>='} {self.at:g}"
        return {"reject": rule, "chosen": self.chosen.as_json(), "measured": self.measured.as_json()}


Values = Counter[tuple[float, bool]]  # a number and whether the conversation is faulty -> how often


@dataclass(slots=True)
class Calibration:
    """Counts over conversations. Memory grows with the distinct numbers of verdicts, three digits each."""

    labels: Mapping[str, bool] = field(default_factory=dict)  # conversation -> whether people call it good
    least_precision: float = LEAST_PRECISION
    drafts: dict[tuple[str, str, bool], Counts] = field(default_factory=dict)  # critic, principle, half
    seen: dict[tuple[bool, frozenset[tuple[str, str]], frozenset[str]], int] = field(default_factory=dict)
    decided: dict[tuple[str, str], Counts] = field(default_factory=dict)  # truth, judge
    signals: dict[tuple[str, str, bool], Values] = field(default_factory=dict)  # truth, signal, half
    conversations: int = 0

    def add(self, talk: Conversation) -> None:
        self.conversations += 1
        half = bool(number(0, "calibration", talk.id) % 2)
        self.add_drafts(talk, half)
        truths = {"slips": bool(survived(talk))}
        if talk.id in self.labels:
            truths["people"] = not self.labels[talk.id]
        for truth, faulty in truths.items():
            for verdict in talk.verdicts:
                self.decided.setdefault((truth, verdict.judge), Counts()).add(not verdict.passed, faulty)
                for signal, value in numbers(verdict.judge, verdict.detail | {"score": verdict.score}):
                    self.signals.setdefault((truth, signal, half), Counter())[rounded(value), faulty] += 1

    def add_drafts(self, talk: Conversation, half: bool) -> None:
        """Every draft that was reviewed: what was marked by whom, and what was planted."""
        planted: dict[tuple[int, int], set[str]] = {}
        for slip in talk.slips:
            planted.setdefault((slip.turn, slip.draft), set()).update(slip.breaks)
        for place, draft in placed(talk):
            marked = frozenset((marker.critic, marker.principle) for marker in draft.markers)
            broken = frozenset(planted.get(place, ()))
            key = (half, marked, broken)
            self.seen[key] = self.seen.get(key, 0) + 1

    # --- critics -----------------------------------------------------------------------------------------------------

    def critics(self, half: bool | None = None) -> dict[tuple[str, str], Counts]:
        """By critic and principle: marked against planted, on one half or both."""
        names = {pair[0] for _, marked, _ in self.seen for pair in marked}
        principles = {p for _, marked, broken in self.seen for p in (*broken, *(pair[1] for pair in marked))}
        found = {(critic, principle): Counts() for critic in sorted(names) for principle in sorted(principles)}
        for (which, marked, broken), times in self.seen.items():
            if half in (None, which):
                for pair, counts in found.items():
                    counts.add(pair in marked, pair[1] in broken, times)
        return {pair: counts for pair, counts in found.items() if counts.true + counts.false + counts.missed}

    def trusted(self) -> set[tuple[str, str]]:
        """The critics' principles whose marks are right often enough, by the first half."""
        return {
            pair
            for pair, counts in self.critics(half=False).items()
            if counts.precision is not None and counts.precision >= self.least_precision
        }

    def filtered(self, pairs: set[tuple[str, str]] | None = None) -> Counts:
        """Drafts of the second half, flagged where one of these marks it; None: any mark."""
        counts = Counts()
        for (which, marked, broken), times in self.seen.items():
            if which:
                counts.add(bool(marked if pairs is None else marked & pairs), bool(broken), times)
        return counts

    # --- judges ------------------------------------------------------------------------------------------------------

    def cuts(self, truth: str) -> list[Cut]:
        """For each judge the number that tells faulty conversations best, and where to cut it; the best first.

        A number that fewer than half of the conversations have tells nothing of the others and is left out."""
        best: dict[str, Cut] = {}
        for (which, signal, half), values in self.signals.items():
            if which == truth and not half and 2 * values.total() >= self.judged(truth, signal) / 2:
                other = self.signals.get((truth, signal, True), Counter())
                cut = best_cut(signal, values, other, self.least_precision)
                judge = signal.partition(".")[0]
                if cut is not None and (judge not in best or cut.chosen.f1 > best[judge].chosen.f1):
                    best[judge] = cut
        return sorted(best.values(), key=lambda cut: (-cut.chosen.f1, cut.signal))

    def judged(self, truth: str, signal: str) -> int:
        """How many conversations the judge of a signal was asked about."""
        counts = self.decided[truth, signal.partition(".")[0]]
        return counts.true + counts.false + counts.missed + counts.passed

    def as_json(self) -> dict[str, Any]:
        trusted = self.trusted()
        truths = sorted({truth for truth, _ in self.decided})
        return {
            "conversations": self.conversations,
            "least_precision": self.least_precision,
            "critics": [
                {
                    "critic": critic,
                    "principle": principle,
                    "trusted": (critic, principle) in trusted,
                    **counts.as_json(),
                }
                for (critic, principle), counts in self.critics().items()
            ],
            "drafts": {"any_mark": self.filtered().as_json(), "trusted_marks": self.filtered(trusted).as_json()},
            "judges": {
                truth: {
                    judge: counts.as_json() for (which, judge), counts in sorted(self.decided.items()) if which == truth
                }
                for truth in truths
            },
            "cuts": {truth: [cut.as_json() for cut in self.cuts(truth)] for truth in truths},
        }


def best_cut(signal: str, values: Values, other: Values, least_precision: float) -> Cut | None:
    """The cut of the highest recall among those that are precise enough; if none is, the one of the highest F1.

    Every value that occurs is tried as a threshold, in both directions: the curve of precision and recall. None where
    there is nothing to tell apart."""
    total = Counter[bool]()
    for (_, faulty), times in values.items():
        total[faulty] += times
    if not total[True] or not total[False]:
        return None
    candidates = [
        (at, below, counts)
        for below in (False, True)
        for at, counts in curve(values, below, total[True], total[False])
        if counts.true and counts.missed + counts.passed
    ]
    precise = [one for one in candidates if (one[2].precision or 0.0) >= least_precision]
    if not candidates:
        return None
    at, below, counts = max(
        precise or candidates, key=lambda one: (one[2].f1 if not precise else one[2].true, one[2].f1)
    )
    measured = Counts()
    for (value, faulty), times in other.items():
        measured.add(value <= at if below else value >= at, faulty, times)
    return Cut(signal, at, below, counts, measured)


def curve(values: Values, below: bool, faulty: int, good: int) -> Iterator[tuple[float, Counts]]:
    """The counts at each threshold, from the one that flags least."""
    true = false = 0
    for at in sorted({value for value, _ in values}, reverse=not below):
        true, false = true + values[at, True], false + values[at, False]
        yield at, Counts(true, false, faulty - true, good - false)


def numbers(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, float]]:
    """Every number of a verdict under its dotted name."""
    if isinstance(value, dict) and depth < DEEPEST:
        for key, inner in value.items():
            yield from numbers(f"{name}.{key}", inner, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield name, float(value)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def calibrated(talks: Iterable[Conversation], labels: Mapping[str, bool], least_precision: float) -> Calibration:
    """Measure every critic and judge on these conversations."""
    found = Calibration(labels, least_precision)
    for talk in talks:
        found.add(talk)
    return found
