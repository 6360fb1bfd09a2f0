"""How far critics and judges can be trusted: against planted slips, and against people's labels.

A critic is measured on drafts: one is faulty when a slip that breaks a principle in force was planted in it, or when
people say that it breaks one. A judge is measured on conversations: one is faulty when such a slip is still in it, or
when people say so. What is chosen by the numbers (which principles to trust and from which severity on, where to cut a
score) is chosen on one half of the conversations and measured on the other. Which half a conversation is in depends on
its id.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tertulia.corpus.distributions import rounded
from tertulia.corpus.fields import survived
from tertulia.corpus.trust.labels import Labels
from tertulia.corpus.trust.marks import Marks, marked, rule_of
from tertulia.corpus.trust.rates import Counts
from tertulia.records import Conversation
from tertulia.slips import placed
from tertulia.streams import number

__all__ = ["LEAST_PRECISION", "PEOPLE", "SLIPS", "Calibration", "Cut", "best_cut", "calibrated"]

LEAST_PRECISION = 0.9
SLIPS, PEOPLE = "slips", "people"  # who knows what is faulty
LEAST_TRUE = 5  # faulty conversations that a cut flags on the half that it was chosen on
DEEPEST = 3  # how deep numbers of a verdict's detail are looked for


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a number is cut: from `at` on (or, `below`, up to `at`) a conversation is flagged."""

    signal: str  # JUDGE.score, JUDGE.KEY...
    at: float
    below: bool
    chosen: Counts  # on the half that it was chosen on
    measured: Counts  # on the other half

    def trusted(self, least_precision: float) -> bool:
        """Whether it was right often enough on the half that it was chosen on, and not by two or three alone."""
        return self.chosen.true >= LEAST_TRUE and (self.chosen.precision or 0.0) >= least_precision

    @property
    def rule(self) -> str:
        """As an expression of a file of criteria."""
        plain = all(part.isidentifier() for part in self.signal.split("."))
        name = self.signal if plain else f"value({self.signal!r})"
        return f"{name} {'<=' if self.below else '>='} {self.at:g}"

    def as_json(self) -> dict[str, Any]:
        return {"reject": self.rule, "chosen": self.chosen.as_json(), "measured": self.measured.as_json()}


Values = Counter[tuple[float, bool]]  # a number and whether the conversation is faulty -> how often


@dataclass(slots=True)
class Calibration:
    """Counts over conversations. Memory grows with the distinct numbers of verdicts, three digits each."""

    labels: Labels = field(default_factory=Labels)
    least_precision: float = LEAST_PRECISION
    marks: dict[str, Marks] = field(default_factory=dict)  # truth -> critics' marks on drafts
    decided: dict[tuple[str, str], Counts] = field(default_factory=dict)  # truth, judge
    signals: dict[tuple[str, str, bool], Values] = field(default_factory=dict)  # truth, signal, half
    conversations: int = 0

    def add(self, talk: Conversation) -> None:
        self.conversations += 1
        half = bool(number(0, "calibration", talk.id) % 2)
        self.add_drafts(talk, half)
        truths = {SLIPS: bool(survived(talk))}
        if (said := self.labels.faulty(talk)) is not None:
            truths[PEOPLE] = said
        for truth, faulty in truths.items():
            for verdict in talk.verdicts:
                self.decided.setdefault((truth, verdict.judge), Counts()).add(not verdict.passed, faulty)
                for signal, value in numbers(verdict.judge, verdict.detail | {"score": verdict.score}):
                    self.signals.setdefault((truth, signal, half), Counter())[rounded(value), faulty] += 1

    def add_drafts(self, talk: Conversation, half: bool) -> None:
        """Every draft that was reviewed: what was marked by whom, what was planted, and what people say is broken."""
        planted: dict[tuple[int, int], set[str]] = {}
        for slip in talk.slips:
            planted.setdefault((slip.turn, slip.draft), set()).update(slip.breaks)
        labelled = self.labels.of(talk)
        for place, draft in placed(talk):
            marks = marked(draft)
            self.against(SLIPS).add(half, marks, planted.get(place, ()))
            if said := labelled.get(place):
                self.against(PEOPLE).add(half, marks, (name for name, breaks in said.items() if breaks), said)

    def against(self, truth: str) -> Marks:
        return self.marks.setdefault(truth, Marks())

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
        return self.decided[truth, signal.partition(".")[0]].total

    def rules(self, truth: str) -> dict[str, str]:
        """Expressions of a file of criteria that reject what is likely faulty, by whose word it is: critics and cuts
        that were right often enough on the half that they were chosen on."""
        trusted = self.marks[truth].trusted(self.least_precision) if truth in self.marks else {}
        found = {
            f"{principle} ({critic})": rule_of(critic, principle, at) for (critic, principle), at in trusted.items()
        }
        precise = [cut for cut in self.cuts(truth) if cut.trusted(self.least_precision)]
        return dict(sorted(found.items())) | {cut.signal: cut.rule for cut in precise}

    def as_json(self) -> dict[str, Any]:
        truths = sorted({truth for truth, _ in self.decided})
        return {
            "conversations": self.conversations,
            "least_precision": self.least_precision,
            "critics": {truth: found.as_json(self.least_precision) for truth, found in sorted(self.marks.items())},
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


def calibrated(talks: Iterable[Conversation], labels: Labels, least_precision: float) -> Calibration:
    """Measure every critic and judge on these conversations.

    Raises:
        ScenarioError: with the lines of labels about drafts that are not there."""
    found = Calibration(labels, least_precision)
    for talk in talks:
        found.add(talk)
    labels.check()
    return found
