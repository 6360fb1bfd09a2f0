"""What changed between two versions of a judge: verdicts on the same conversations, side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tertulia.corpus.trust.rates import Counts
from tertulia.records import Conversation
from tertulia.shares import rounded

__all__ = ["Drift", "drifted"]

SHOWN = 5  # conversations whose verdict changed


@dataclass(slots=True)
class Drift:
    """One judge, before and after."""

    judge: str
    both: int = 0  # conversations judged by both versions
    now_pass: int = 0
    now_fail: int = 0
    passed_before: int = 0
    score_before: float = 0.0  # sums over conversations with both scores
    score_after: float = 0.0
    scored: int = 0
    examples: tuple[str, ...] = ()

    @property
    def agreement(self) -> float:
        return 1 - (self.now_pass + self.now_fail) / self.both if self.both else 1.0

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa of both versions; None where they say the same of everything."""
        passed, failed = self.passed_before - self.now_fail, self.both - self.passed_before - self.now_pass
        return Counts(passed, self.now_pass, self.now_fail, failed).kappa

    @property
    def shift(self) -> float | None:
        """How much the mean score rose."""
        return (self.score_after - self.score_before) / self.scored if self.scored else None

    def as_json(self) -> dict[str, Any]:
        rates = {"agreement": self.agreement, "kappa": self.kappa, "score_shift": self.shift}
        return {
            "judge": self.judge,
            "conversations": self.both,
            "now_pass": self.now_pass,
            "now_fail": self.now_fail,
            **{name: rounded(rate) for name, rate in rates.items()},
            "examples": list(self.examples),
        }


def drifted(before: Iterable[Conversation], after: Iterable[Conversation]) -> list[Drift]:
    """Every judge that both runs asked, by name. Conversations are told by their id; both come in order of places."""
    found: dict[str, Drift] = {}
    for old, new in paired(iter(before), iter(after)):
        verdicts = {verdict.judge: verdict for verdict in old.verdicts}
        for now in new.verdicts:
            then = verdicts.get(now.judge)
            if then is None:
                continue
            drift = found.setdefault(now.judge, Drift(now.judge))
            drift.both += 1
            drift.passed_before += then.passed
            drift.now_pass += now.passed and not then.passed
            drift.now_fail += then.passed and not now.passed
            if then.passed != now.passed and len(drift.examples) < SHOWN:
                drift.examples = (*drift.examples, new.id)
            if then.score is not None and now.score is not None:
                drift.scored += 1
                drift.score_before += then.score
                drift.score_after += now.score
    return sorted(found.values(), key=lambda drift: drift.judge)


def paired(
    before: Iterator[Conversation], after: Iterator[Conversation]
) -> Iterator[tuple[Conversation, Conversation]]:
    """Conversations that stand at the same place under the same id."""
    old, new = next(before, None), next(after, None)
    while old is not None and new is not None:
        if old.index == new.index and old.id == new.id:
            yield old, new
        place = min(old.index, new.index)
        old = next(before, None) if old.index == place else old
        new = next(after, None) if new.index == place else new
