"""What went into an export, counted while it is written: its balance by kind, world, principle and ending."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tertulia.recipe import is_text
from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["Tally", "world_of"]

ASPECTS = ("kind", "world", "recipe", "principle", "end_reason")


@dataclass(slots=True)
class Tally:
    """Counts of rows and of the conversations that gave them. Memory grows with the distinct values alone."""

    seen: int = 0
    used: int = 0  # conversations that gave a row
    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)  # rejected conversations without a row, by cause
    balance: dict[str, Counter[str]] = field(default_factory=lambda: {aspect: Counter() for aspect in ASPECTS})
    scenarios: Counter[str] = field(default_factory=Counter)

    def add(self, scenario: Scenario, talk: Conversation, rows: int) -> None:
        self.seen += 1
        self.rows += rows
        if not rows:
            if talk.rejected_by:
                self.left_out[talk.rejected_by] += 1
            return
        self.used += 1
        self.scenarios[talk.scenario] += rows
        for aspect, values in aspects(scenario, talk).items():
            for value in values:
                self.balance[aspect][value] += rows

    def as_json(self) -> dict[str, Any]:
        """Rows by aspect and value, the most frequent first."""
        return {
            "conversations": {"seen": self.seen, "used": self.used, "left_out": ordered(self.left_out)},
            "balance": {aspect: ordered(counts) for aspect, counts in self.balance.items()},
        }


def ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def world_of(scenario: Scenario) -> str:
    """The name of a scenario's world, or in a word where its tools come from."""
    return (scenario.world or "own_tools") if isinstance(scenario.world, str) else "outside_tools"


def aspects(scenario: Scenario, talk: Conversation) -> dict[str, list[str]]:
    recipe = "its own" if is_text(scenario.recipe) else scenario.recipe
    return {
        "kind": [scenario.kind],
        "world": [world_of(scenario)],
        "recipe": [recipe],
        "principle": sorted({entry if isinstance(entry, str) else entry.id for entry in scenario.principles}),
        "end_reason": [talk.end_reason.value],
    }
