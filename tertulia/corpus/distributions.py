"""How a corpus is made up: the spread of lengths and tags, marks by principle, what revisions did, lengths of pairs."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tertulia.corpus.fields import inside
from tertulia.language.wording import words
from tertulia.records import Conversation, Turn

__all__ = ["TAGS", "Distributions", "binned"]

TAGS = {  # what is shown of judges that measure, where they have been asked
    "tokens": "size.tokens.total",
    "words of the longest assistant message": "size.longest.assistant",
    "MTLD of the assistant": "diversity.assistant.mtld",
    "score of repetition (1: none)": "repetition.score",
    "share of stock openings": "openings.share",
    "refusals": "refusals.refusals",
    "overall rating by the rubric": "rubric.overall",
    "perplexity": "perplexity.ppl",
    "IFD of the answer": "perplexity.ifd_given",
}
DIGITS = 3  # that a value keeps, so that memory is bounded by distinct values


@dataclass(slots=True)
class Distributions:
    """Counts over conversations; memory grows with the distinct values alone."""

    conversations: int = 0
    turns: Counter[float] = field(default_factory=Counter)
    tags: dict[str, Counter[float]] = field(default_factory=lambda: {name: Counter() for name in TAGS})
    failed: Counter[str] = field(default_factory=Counter)  # by judge: verdicts that did not pass
    asked: Counter[str] = field(default_factory=Counter)  # by judge: verdicts
    ends: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)  # markers by principle
    helped: Counter[str] = field(default_factory=Counter)  # revisions after which the principle was marked no more
    in_vain: Counter[str] = field(default_factory=Counter)  # revisions after which it was marked again
    longer: Counter[float] = field(default_factory=Counter)  # words of the chosen draft less those of the rejected one

    @classmethod
    def of(cls, talks: Iterable[Conversation]) -> "Distributions":
        found = cls()
        for talk in talks:
            found.add(talk)
        return found

    def add(self, talk: Conversation) -> None:
        self.conversations += 1
        self.turns[len(talk.turns)] += 1
        self.ends[talk.end_reason.value] += 1
        self.marked.update(marker.principle for marker in talk.markers)
        given = {one.judge: one for one in talk.verdicts}
        for name, one in given.items():
            self.asked[name] += 1
            self.failed[name] += not one.passed
        for name, path in TAGS.items():
            judge, _, rest = path.partition(".")
            if judge in given:
                value = inside(given[judge].detail | {"score": given[judge].score}, rest.split("."))
                if isinstance(value, int | float):
                    self.tags[name][rounded(value)] += 1
        for turn in talk.turns:
            self.revised(turn)

    def revised(self, turn: Turn) -> None:
        """What became of each draft that was sent back."""
        for draft, following in zip(turn.drafts, turn.drafts[1:], strict=False):
            again = {marker.principle for marker in following.markers}
            for principle in {marker.principle for marker in draft.markers if marker.revise}:
                (self.in_vain if principle in again else self.helped)[principle] += 1
        if len(turn.drafts) > 1:
            chosen = len(words(turn.drafts[-1].message.text))
            for draft in turn.drafts[:-1]:
                if draft.message.text and turn.drafts[-1].message.text:
                    self.longer[chosen - len(words(draft.message.text))] += 1

    @property
    def length_bias(self) -> float | None:
        """The mean difference in words between chosen and rejected drafts; None without pairs."""
        pairs = self.longer.total()
        return sum(value * count for value, count in self.longer.items()) / pairs if pairs else None

    def as_json(self) -> dict[str, Any]:
        """The numbers behind the plots."""
        return {
            "conversations": self.conversations,
            "turns": spread(self.turns),
            "tags": {name: spread(counts) for name, counts in self.tags.items() if counts},
            "failed": {name: [self.failed[name], asked] for name, asked in sorted(self.asked.items())},
            "revisions": {
                name: {"helped": self.helped[name], "in_vain": self.in_vain[name]}
                for name in sorted({*self.helped, *self.in_vain})
            },
            "chosen_longer_by_words": self.length_bias,
        }


def rounded(value: float) -> float:
    """A number to three digits."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))


def spread(counts: Mapping[float, int]) -> dict[str, float]:
    """Smallest, quartiles and largest."""
    total, found, seen = sum(counts.values()), {}, 0
    marks = {"min": 0.0, "p25": 0.25, "median": 0.5, "p75": 0.75, "max": 1.0}
    waiting = list(marks)
    for value in sorted(counts):
        seen += counts[value]
        while waiting and seen >= max(1, marks[waiting[0]] * total):
            found[waiting.pop(0)] = value
    return found


def binned(counts: Mapping[float, int], most: int = 12) -> dict[str, int]:
    """Counts in up to `most` bins of one width that is 1, 2 or 5 times a power of ten, named by where they begin; of
    whole numbers none is narrower than 1."""
    if not counts:
        return {}
    low, high = min(counts), max(counts)
    width = next((step for step in steps((high - low) / most) if (high - low) / step < most), 1.0)
    if all(float(value).is_integer() for value in counts):
        width = max(1.0, width)
    start = math.floor(low / width)
    found = {f"{(start + nth) * width:g}": 0 for nth in range(math.floor(high / width) - start + 1)}
    for value, count in counts.items():
        found[f"{math.floor(value / width) * width:g}"] += count
    return found


def steps(least: float) -> Iterator[float]:
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    for _ in range(3):
        yield from (power, 2 * power, 5 * power)
        power *= 10
