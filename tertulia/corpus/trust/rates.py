"""How often something is flagged, against how often it is faulty: both error rates, and how surely they are known."""

import math
from dataclasses import dataclass
from typing import Any

from tertulia.shares import rounded

__all__ = ["Counts", "interval", "share"]

Z95 = 1.959964  # standard deviations around the mean that hold 95% of a normal distribution


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
    def total(self) -> int:
        return self.true + self.false + self.missed + self.passed

    @property
    def precision(self) -> float | None:
        return share(*self.parts["precision"])

    @property
    def recall(self) -> float | None:
        return share(*self.parts["recall"])

    @property
    def f1(self) -> float:
        return 2 * self.true / (2 * self.true + self.false + self.missed) if self.true else 0.0

    @property
    def before(self) -> float | None:
        """The share of all items that are faulty."""
        return share(*self.parts["faulty_before"])

    @property
    def after(self) -> float | None:
        """The share of faulty items among those that were not flagged."""
        return share(*self.parts["faulty_after"])

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa (1960): agreement of flags and faults beyond chance; None where there is no other."""
        if not self.total:
            return None
        flagged, faulty = (self.true + self.false) / self.total, (self.true + self.missed) / self.total
        chance = flagged * faulty + (1 - flagged) * (1 - faulty)
        return ((self.true + self.passed) / self.total - chance) / (1 - chance) if chance < 1 else None

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Each rate as a part and a whole."""
        return {
            "precision": (self.true, self.true + self.false),
            "recall": (self.true, self.true + self.missed),
            "miss_rate": (self.missed, self.true + self.missed),
            "false_alarm_rate": (self.false, self.false + self.passed),
            "faulty_before": (self.true + self.missed, self.total),
            "faulty_after": (self.missed, self.missed + self.passed),
        }

    def as_json(self) -> dict[str, Any]:
        """Counts, rates, kappa, and under `ci95` the interval of each rate."""
        counts = {"true": self.true, "false": self.false, "missed": self.missed, "passed": self.passed}
        rates = {name: share(*parts) for name, parts in self.parts.items()} | {"kappa": self.kappa}
        intervals = {name: interval(*parts) for name, parts in self.parts.items()}
        return {
            **counts,
            **{name: rounded(rate) for name, rate in rates.items()},
            "ci95": {name: [round(end, 4) for end in ends] for name, ends in intervals.items() if ends},
        }


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def interval(part: int, whole: int) -> tuple[float, float] | None:
    """The 95% score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209); None of nothing.

    Items count as drawn one by one; where several of a conversation go together, it is wider than told."""
    if not whole:
        return None
    p, z2 = part / whole, Z95 * Z95
    middle = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    reach = Z95 / (1 + z2 / whole) * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole))
    return (0.0 if part == 0 else middle - reach, 1.0 if part == whole else middle + reach)
