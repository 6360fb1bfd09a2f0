"""The critic's precision and recall against planted slips, per principle, with what it missed and what it imagined.

A marker is true when a slip at its turn and draft breaks the principle it names; else it is a false alarm. A slip
is found when at least one of the principles it breaks is marked at its turn and draft. Found slips count for the
first of their principles that was marked, missed ones for the first they break. Slips that break no principle in
force are nobody's to find and are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tertulia.records import Conversation, Draft, Marker, Slip

__all__ = ["Account", "Case", "Tally", "account"]

KEPT = 50  # cases of each sort that a tally remembers
LONGEST = 400  # characters of a draft that a case quotes


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One miss or false alarm, to be read by a person."""

    index: int  # of the conversation in its run
    turn: int
    draft: int
    principle: str
    conversation: str
    kind: str  # the slip's kind; empty for a false alarm
    text: str  # the draft, calls included
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """Counts for one principle, or for all of them together."""

    found: int = 0  # slips
    missed: int = 0  # slips
    true: int = 0  # markers
    false: int = 0  # markers

    @property
    def precision(self) -> float | None:
        """The share of markers that are true; None when there are none."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of slips that were found; None when there are none."""
        return self.found / (self.found + self.missed) if self.found + self.missed else None


@dataclass(slots=True)
class Tally:
    """Counts over any number of conversations. Merging is the same in every order."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    true: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    misses: list[Case] = field(default_factory=list)  # the first `KEPT` in the order of the run
    false_alarms: list[Case] = field(default_factory=list)

    @property
    def slips(self) -> int:
        """The planted slips that break a principle in force."""
        return self.found.total() + self.missed.total()

    @property
    def overall(self) -> Account:
        return Account(self.found.total(), self.missed.total(), self.true.total(), self.false.total())

    @property
    def by_principle(self) -> dict[str, Account]:
        """The counts of every principle that was marked or broken, by name."""
        names = sorted({*self.found, *self.missed, *self.true, *self.false})
        return {n: Account(self.found[n], self.missed[n], self.true[n], self.false[n]) for n in names}

    def merge(self, other: "Tally") -> None:
        """Add the counts of another tally to this one."""
        self.found += other.found
        self.missed += other.missed
        self.true += other.true
        self.false += other.false
        self.misses = sorted([*self.misses, *other.misses])[:KEPT]
        self.false_alarms = sorted([*self.false_alarms, *other.false_alarms])[:KEPT]


Place = tuple[int, int]  # turn and draft


def account(talk: Conversation) -> Tally:
    """What the critic found, missed and imagined in one conversation."""
    tally = Tally()
    drafts = {place: draft for place, draft in placed(talk)}
    planted: dict[Place, list[Slip]] = defaultdict(list)
    for slip in talk.slips:
        planted[slip.turn, slip.draft].append(slip)
    for place in sorted(drafts):  # a draft that nobody reviewed, as its conversation failed before, is nobody's miss
        compare(tally, talk, place, drafts[place], planted[place])
    tally.misses.sort()
    tally.false_alarms.sort()
    del tally.misses[KEPT:], tally.false_alarms[KEPT:]
    return tally


def placed(talk: Conversation) -> Iterable[tuple[Place, Draft]]:
    """Every draft with its turn and its number; a plan's turn is -1."""
    for number, draft in enumerate(talk.plan_drafts):
        yield (-1, number), draft
    for turn in talk.turns:
        for number, draft in enumerate(turn.drafts):
            yield (turn.index, number), draft


def compare(tally: Tally, talk: Conversation, place: Place, draft: Draft | None, slips: list[Slip]) -> None:
    """Count one draft's markers against the slips planted in it."""
    marked: dict[str, Marker] = {}
    for marker in draft.markers if draft else ():
        marked.setdefault(marker.principle, marker)
    broken = {principle for slip in slips for principle in slip.breaks}
    for principle, marker in marked.items():
        if principle in broken:
            tally.true[principle] += 1
        else:
            tally.false[principle] += 1
            tally.false_alarms.append(case(talk, place, draft, principle, "", marker.evidence or marker.quote))
    for slip in slips:
        if not slip.breaks:
            continue
        seen = [principle for principle in slip.breaks if principle in marked]
        if seen:
            tally.found[seen[0]] += 1
        else:
            tally.missed[slip.breaks[0]] += 1
            reason = f"breaks {', '.join(slip.breaks)}; marked: {', '.join(marked) or 'nothing'}. {slip.detail}".strip()
            tally.misses.append(case(talk, place, draft, slip.breaks[0], slip.kind, reason))


def case(talk: Conversation, place: Place, draft: Draft | None, principle: str, kind: str, reason: str) -> Case:
    text = shown(draft) if draft else ""
    return Case(talk.index, *place, principle, talk.id, kind, text[:LONGEST], reason)


def shown(draft: Draft) -> str:
    """A draft's words and calls as one line."""
    calls = [f"{call.name}({', '.join(f'{k}={v!r}' for k, v in call.args.items())})" for call in draft.message.calls]
    return " ".join(" ".join([draft.message.text, *calls]).split())
