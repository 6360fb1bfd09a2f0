"""What a run gave, in counts: how conversations ended, what was rejected and marked, how the critic did, and which
scenarios fail for which reasons. Memory does not grow with the number of conversations."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tertulia.records import Conversation, Verdict
from tertulia.shares import rounded
from tertulia.slips import Account, Tally, account

__all__ = ["ScenarioCount", "Summary", "bill", "on_the_wire", "unfinished"]

SUCCESS = "success"  # the judge whose verdict is the success of a conversation
REASONS = 25  # sorts of failure that are kept apart per scenario
VALUES = re.compile(r"\"[^\"]*\"|'[^']*'|\d[\d.,:-]*")  # what differs between two failures of one sort
OTHER = "other reasons"


@dataclass(slots=True)
class ScenarioCount:
    """What became of one scenario's conversations."""

    played: int = 0
    accepted: int = 0
    succeeded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)  # why the others did not succeed, values left out
    examples: dict[str, str] = field(default_factory=dict)  # the first reason of each sort, with its values

    def count(self, talk: Conversation) -> None:
        self.played += 1
        self.accepted += talk.accepted
        if succeeded(talk):
            self.succeeded += 1
            return
        reason = failure(talk)
        sort = VALUES.sub("*", reason)
        if sort not in self.reasons and len(self.reasons) >= REASONS:
            sort = reason = OTHER
        self.reasons[sort] += 1
        self.examples.setdefault(sort, reason)

    @property
    def success_rate(self) -> float:
        return self.succeeded / self.played if self.played else 0.0

    @property
    def why(self) -> list[tuple[str, int]]:
        """Why conversations did not succeed, the most frequent sort of reason first, each with its first wording."""
        return [(self.examples[sort], count) for sort, count in ranked(self.reasons)]

    def as_json(self) -> dict[str, Any]:
        return {
            "played": self.played,
            "accepted": self.accepted,
            "succeeded": self.succeeded,
            "reasons": dict(self.why),
        }


@dataclass(slots=True)
class Summary:
    """Counts over the conversations of one run."""

    run: str
    planned: int = 0  # conversations that the run is to have; 0: nobody said
    conversations: int = 0
    accepted: int = 0
    succeeded: int = 0
    revisions: int = 0  # drafts that were sent back and made anew
    slips: int = 0  # planted faults, those that break no principle in force included
    rejected: Counter[str] = field(default_factory=Counter)
    end_reasons: Counter[str] = field(default_factory=Counter)
    markers: Counter[str] = field(default_factory=Counter)
    critic: Tally = field(default_factory=Tally)
    verdicts: dict[str, tuple[int, int]] = field(default_factory=dict)  # by judge: passed, given
    unread: dict[str, Counter[str]] = field(default_factory=dict)  # by judge: replies of its model that gave no number
    scenarios: dict[str, ScenarioCount] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)  # what was wrong with the replies that were used
    counters: Mapping[str, float] = field(default_factory=dict)  # what all calls cost, see `models.journal`

    @classmethod
    def of(
        cls, run: str, talks: Iterable[Conversation], counters: Mapping[str, float] | None = None, planned: int = 0
    ) -> "Summary":
        summary = cls(run, counters=counters or {}, planned=planned)
        for talk in talks:
            summary.count(talk)
        return summary

    def count(self, talk: Conversation) -> None:
        """Add one conversation."""
        self.conversations += 1
        self.end_reasons[talk.end_reason.value] += 1
        if talk.accepted:
            self.accepted += 1
        else:
            self.rejected[talk.rejected_by] += 1
        self.succeeded += succeeded(talk)
        for one in talk.verdicts:
            passed, given = self.verdicts.get(one.judge, (0, 0))
            self.verdicts[one.judge] = (passed + one.passed, given + 1)
            if errors := unread(one):
                self.unread.setdefault(one.judge, Counter()).update(errors)
        self.markers.update(marker.principle for marker in talk.markers)
        self.revisions += sum(max(0, len(turn.drafts) - 1) for turn in talk.turns) + max(0, len(talk.plan_drafts) - 1)
        self.slips += len(talk.slips)
        self.troubles.update(talk.usage.troubles)
        self.critic.merge(account(talk))
        self.scenarios.setdefault(talk.scenario, ScenarioCount()).count(talk)

    @property
    def unfinished(self) -> str:
        """`1098 of 3000 conversations; unfinished` while some are still to be played; otherwise empty."""
        return unfinished(self.conversations, self.planned)

    @property
    def success_rate(self) -> float | None:
        """The share of all conversations that the success judge passed; None for an empty run."""
        return self.succeeded / self.conversations if self.conversations else None

    def as_json(self) -> dict[str, Any]:
        """The object that `tertulia run --json` prints."""
        overall = self.critic.overall
        return {
            "run": self.run,
            "conversations": self.conversations,
            "planned": self.planned or self.conversations,
            "unfinished": bool(self.unfinished),
            "accepted": self.accepted,
            "rejected": dict(ranked(self.rejected)),
            "end_reasons": dict(ranked(self.end_reasons)),
            "markers": dict(ranked(self.markers)),
            "revisions": self.revisions,
            "slips": self.slips,
            "critic_precision": rounded(overall.precision),
            "critic_recall": rounded(overall.recall),
            "critic_recall_held_out": rounded(self.critic.held_out.recall),
            "success_rate": rounded(self.success_rate),
            "verdicts": {
                judge: {"passed": passed, "given": given, "errors": dict(ranked(self.unread.get(judge, Counter())))}
                for judge, (passed, given) in sorted(self.verdicts.items())
            },
            **bill(self.counters),
            "troubles": dict(ranked(self.troubles)),
            "http": dict(ranked(on_the_wire(self.counters))),
            "critic": {name: of_principle(counts) for name, counts in self.critic.by_principle.items()},
            "critic_held_out": {
                name: of_held_out(counts) for name, counts in self.critic.held_out_by_principle.items()
            },
            "missed": [asdict(case) for case in self.critic.misses],
            "false_alarms": [asdict(case) for case in self.critic.false_alarms],
            "scenarios": {name: count.as_json() for name, count in sorted(self.scenarios.items())},
        }


def unfinished(done: int, planned: int) -> str:
    """What is said of a run that is stopped, or still being played by another process."""
    return f"{done} of {planned} conversations; unfinished" if done < planned else ""


def bill(counters: Mapping[str, float]) -> dict[str, Any]:
    """What a run paid for its models, over all attempts; `usd` is None when the price of a model is unknown."""
    return {
        "model_calls": int(counters.get("calls", 0)),
        "journal_hits": int(counters.get("journal_hits", 0)),
        "tokens": {way: int(counters.get(f"tokens_{way}", 0)) for way in ("in", "out")},
        "usd": None if counters.get("unpriced") else round(counters.get("usd", 0.0), 6),
    }


def on_the_wire(counters: Mapping[str, float]) -> Counter[str]:
    """The calls that failed, by cause; most of them were tried again."""
    sort = "http."
    return Counter({name.removeprefix(sort): int(n) for name, n in counters.items() if name.startswith(sort)})


def of_principle(counts: Account) -> dict[str, Any]:
    """One row of the table critic against planted slips."""
    return {
        "planted": counts.found + counts.missed,
        "found": counts.found,
        "missed": counts.missed,
        "false_alarms": counts.false,
        "precision": rounded(counts.precision),
        "recall": rounded(counts.recall),
    }


def of_held_out(counts: Account) -> dict[str, Any]:
    """One row of the same table for slips in words that the detectors were not written with."""
    return {name: value for name, value in of_principle(counts).items() if name not in ("false_alarms", "precision")}


def unread(given: Verdict) -> dict[str, int]:
    """What was wrong with a model's replies to a judge that could not be read: `error`, or `errors` with counts."""
    error, errors = given.detail.get("error"), given.detail.get("errors")
    found = {error: 1} if isinstance(error, str) else {}
    return {**errors, **found} if isinstance(errors, dict) else found


def verdict(talk: Conversation, judge: str) -> Verdict | None:
    """What a judge said of a conversation, if it was asked."""
    return next((given for given in talk.verdicts if given.judge == judge), None)


def succeeded(talk: Conversation) -> bool:
    given = verdict(talk, SUCCESS)
    return given is not None and given.passed


def failure(talk: Conversation) -> str:
    """Why a conversation is no success, in words; whether a fault was planted in it is part of the reason."""
    given = verdict(talk, SUCCESS)
    if given is None:
        reason = f"ended by {talk.end_reason.value}; no success verdict"
    else:
        reason = given.reason or f"ended by {talk.end_reason.value}"
    return f"{reason} [a slip was planted]" if talk.slips else reason


def ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first; the order of equals does not depend on who came first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
