"""What critics mark on drafts, against what is broken there: by principle, and from which severity on to trust them.

What is broken is known of drafts that a fault was planted in, or from people who have read them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from tertulia.corpus.trust.rates import Counts
from tertulia.records import Draft, Severity

__all__ = ["SEVERITIES", "Marks", "marked", "rule_of"]

SEVERITIES: tuple[str, ...] = get_args(Severity)  # from the lowest
Pair = tuple[str, str]  # critic and principle
Mark = tuple[str, str, int]  # critic, principle, and the place of its severity among SEVERITIES
Row = tuple[bool, frozenset[Mark], frozenset[str], frozenset[str] | None]


@dataclass(slots=True)
class Marks:
    """Drafts by half of the conversations: their marks, what is broken, and what is known (None: of every principle).

    Memory grows with the distinct combinations."""

    seen: dict[Row, int] = field(default_factory=dict)

    def add(self, half: bool, marks: Iterable[Mark], broken: Iterable[str], known: Iterable[str] | None = None) -> None:
        row = (half, frozenset(marks), frozenset(broken), None if known is None else frozenset(known))
        self.seen[row] = self.seen.get(row, 0) + 1

    def critics(self, half: bool | None = None, severity: int = 0) -> dict[Pair, Counts]:
        """By critic and principle: marked at least so severely against broken, on one half or both."""
        names = {critic for _, marks, _, _ in self.seen for critic, _, _ in marks}
        principles = {p for _, marks, broken, _ in self.seen for p in (*broken, *(mark[1] for mark in marks))}
        found = {(critic, principle): Counts() for critic in sorted(names) for principle in sorted(principles)}
        for (which, marks, broken, known), times in self.seen.items():
            if half in (None, which):
                held = {mark[:2] for mark in marks if mark[2] >= severity}
                for pair, counts in found.items():
                    if known is None or pair[1] in known:
                        counts.add(pair in held, pair[1] in broken, times)
        return {pair: counts for pair, counts in found.items() if counts.true + counts.false + counts.missed}

    def trusted(self, least_precision: float) -> dict[Pair, int]:
        """The least severity from which on a critic's marks of a principle are right often enough, by the first half.

        Of those severities it is the one with the highest recall; what is right at none of them is left out."""
        found: dict[Pair, int] = {}
        for severity in reversed(range(len(SEVERITIES))):
            for pair, counts in self.critics(half=False, severity=severity).items():
                if counts.precision is not None and counts.precision >= least_precision:
                    found[pair] = severity
        return found

    def filtered(self, trusted: Mapping[Pair, int] | None = None) -> Counts:
        """Drafts of the second half, flagged where one of these marks it; None: any mark."""
        counts = Counts()
        for (which, marks, broken, known), times in self.seen.items():
            if which:
                held = [mark for mark in marks if known is None or mark[1] in known]
                if trusted is not None:
                    held = [mark for mark in held if mark[2] >= trusted.get(mark[:2], len(SEVERITIES))]
                counts.add(bool(held), bool(broken), times)
        return counts

    def as_json(self, least_precision: float) -> dict[str, Any]:
        trusted = self.trusted(least_precision)
        measured = {severity: self.critics(half=True, severity=severity) for severity in set(trusted.values())}
        rows = []
        for (critic, principle), counts in self.critics().items():
            row: dict[str, Any] = {"critic": critic, "principle": principle, "trusted": (critic, principle) in trusted}
            if (severity := trusted.get((critic, principle))) is not None:
                row |= {"from": SEVERITIES[severity], "reject": rule_of(critic, principle, severity)}
                other = measured[severity].get((critic, principle))
                row["measured"] = other.as_json() if other else None
            rows.append(row | counts.as_json())
        return {
            "critics": rows,
            "drafts": {"any_mark": self.filtered().as_json(), "trusted_marks": self.filtered(trusted).as_json()},
        }


def marked(draft: Draft) -> list[Mark]:
    return [(marker.critic, marker.principle, SEVERITIES.index(marker.severity)) for marker in draft.markers]


def rule_of(critic: str, principle: str, severity: int) -> str:
    """An expression for a file of criteria: such a mark is on a draft that was accepted."""
    if severity == 0:
        return f"'{critic}/{principle}' in marks_left"
    return " or ".join(f"'{critic}/{principle}/{name}' in marks_left" for name in SEVERITIES[severity:])
