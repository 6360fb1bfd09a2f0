"""What a selection does to the share of faulty conversations, where these are known; both error rates of its rules.

Faulty is a conversation in which a fault that was planted is still there, or one that people call bad.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tertulia.corpus.fields import survived
from tertulia.corpus.trust.calibration import PEOPLE, SLIPS
from tertulia.corpus.trust.labels import Labels
from tertulia.corpus.trust.rates import Counts, interval, share
from tertulia.records import Conversation
from tertulia.shares import rounded

__all__ = ["Faulty", "Shares"]


@dataclass(slots=True)
class Shares:
    """Conversations of which one truth is known. Memory grows with the faulty ones and those that people label."""

    truth: str  # slips, people
    rules: Counts = field(default_factory=Counts)  # flagged: rejected by a rule
    planted: int = 0  # conversations in which a fault was planted in some draft, whatever became of the draft
    places: dict[int, bool] = field(default_factory=dict)  # of faulty ones and, where people say it, of good ones
    kept: int = 0
    kept_faulty: int = 0

    def add(self, place: int, faulty: bool, rejected: bool) -> None:
        self.rules.add(rejected, faulty)
        if faulty or self.truth == PEOPLE:
            self.places[place] = faulty

    def end(self, kept: Iterable[int]) -> None:
        """Count what is kept in the end, after duplicates, balance and all."""
        for place in kept:
            self.kept += self.truth == SLIPS or place in self.places
            self.kept_faulty += self.places.get(place, False)

    def as_json(self) -> dict[str, Any]:
        ends = interval(self.kept_faulty, self.kept)
        end = share(self.kept_faulty, self.kept)
        return {
            "truth": self.truth,
            **({"planted": self.planted} if self.truth == SLIPS else {}),
            "rules": self.rules.as_json(),
            "kept": self.kept,
            "kept_faulty": self.kept_faulty,
            "faulty_kept": rounded(end),
            "ci95": [round(one, 4) for one in ends] if ends else None,
        }


class Faulty:
    """Both truths, as far as they are known."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.slips, self.people = Shares(SLIPS), Shares(PEOPLE)

    def add(self, talk: Conversation, rejected: bool) -> None:
        """A conversation, and whether a rule has rejected it."""
        self.slips.add(talk.index, bool(survived(talk)), rejected)
        self.slips.planted += any(slip.breaks for slip in talk.slips)
        if (said := self.labels.faulty(talk)) is not None:
            self.people.add(talk.index, said, rejected)

    def known(self) -> list[Shares]:
        """Those of which anything is known: in a run without planted faults nothing follows from there being none."""
        return [self.slips] * bool(self.slips.planted) + [self.people] * bool(self.people.rules.total)
