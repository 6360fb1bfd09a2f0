"""The critic's precision and recall against planted slips, per principle, with what it missed and what it imagined.

Every principle that a slip breaks is one thing to find: it is found when that very principle is marked at the slip's
turn and draft, else it is missed. A draft's marker is true when a slip at its turn and draft breaks the principle it
names; else it is a false alarm. Slips that break no principle in force are nobody's to find and are left out. What
was planted in words that the detectors were not written with is counted once more on its own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tertulia.records import Conversation, Draft, Marker, Slip

__all__ = ["Account", "Case", "Tally", "accepted", "account", "placed"]

KEPT = 100  # cases of each sort that a tally remembers
LONGEST = 400  # characters of a draft that a case quotes


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One miss or false alarm, to be read by a person."""

    index: int  # of the conversation in its run
    turn: int
    draft: int
    principle: str
    conversation: str
    kind: str  # the slip's kind; for a false alarm what else was planted in the draft, empty if it is honest
    text: str  # the draft, calls included
    reason: str
    held_out: bool = False  # planted in words that the detectors were not written with


@dataclass(frozen=True, slots=True)
class Account:
    """Counts for one principle, or for all of them together."""

    found: int = 0  # of what slips broke
    missed: int = 0  # of what slips broke
    true: int = 0  # markers
    false: int = 0  # markers

    @property
    def precision(self) -> float | None:
        """The share of markers that are true; None when there are none."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of what slips broke that was found; None when there is none."""
        return self.found / (self.found + self.missed) if self.found + self.missed else None


@dataclass(slots=True)
class Tally:
    """Counts over any number of conversations. Merging is the same in every order."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    true: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    held_out_found: Counter[str] = field(default_factory=Counter)  # also among `found`
    held_out_missed: Counter[str] = field(default_factory=Counter)  # also among `missed`
    slips: int = 0  # planted, those that break no principle in force left out
    misses: list[Case] = field(default_factory=list)  # the first `KEPT` in the order of the run
    false_alarms: list[Case] = field(default_factory=list)

    @property
    def overall(self) -> Account:
        return Account(self.found.total(), self.missed.total(), self.true.total(), self.false.total())

    @property
    def held_out(self) -> Account:
        """What was found and missed of slips in held-out words. Their markers are not told apart."""
        return Account(self.held_out_found.total(), self.held_out_missed.total())

    @property
    def by_principle(self) -> dict[str, Account]:
        """The counts of every principle that was marked or broken, by name."""
        names = sorted({*self.found, *self.missed, *self.true, *self.false})
        return {n: Account(self.found[n], self.missed[n], self.true[n], self.false[n]) for n in names}

    @property
    def held_out_by_principle(self) -> dict[str, Account]:
        """What was found and missed of slips in held-out words, by the principle that they break."""
        names = sorted({*self.held_out_found, *self.held_out_missed})
        counts = {n: Account(self.held_out_found[n], self.held_out_missed[n]) for n in names}
        return {n: account for n, account in counts.items() if account.recall is not None}

    def merge(self, other: "Tally") -> None:
        """Add the counts of another tally to this one."""
        self.found += other.found
        self.missed += other.missed
        self.true += other.true
        self.false += other.false
        self.held_out_found += other.held_out_found
        self.held_out_missed += other.held_out_missed
        self.slips += other.slips
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


def accepted(talk: Conversation) -> set[Place]:
    """Where the drafts stand that were accepted: the last one of each turn, and of the plan."""
    last = {turn.index: len(turn.drafts) for turn in talk.turns} | {-1: len(talk.plan_drafts)}
    return {(turn, drafts - 1) for turn, drafts in last.items()}


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
            kinds = ", ".join(slip.kind for slip in slips)
            tally.false_alarms.append(case(talk, place, draft, principle, kinds, marker.evidence or marker.quote))
    for slip in slips:
        tally.slips += bool(slip.breaks)
        for principle in dict.fromkeys(slip.breaks):
            search(tally, talk, place, draft, slip, principle, marked)


def search(
    tally: Tally,
    talk: Conversation,
    place: Place,
    draft: Draft | None,
    slip: Slip,
    principle: str,
    marked: Collection[str],
) -> None:
    """Count one principle that a slip breaks as found or missed."""
    if principle in marked:
        tally.found[principle] += 1
        tally.held_out_found[principle] += slip.held_out
        return
    tally.missed[principle] += 1
    tally.held_out_missed[principle] += slip.held_out
    reason = f"breaks {', '.join(slip.breaks)}; marked: {', '.join(marked) or 'nothing'}. {slip.detail}".strip()
    tally.misses.append(case(talk, place, draft, principle, slip.kind, reason, slip.held_out))


def case(
    talk: Conversation,
    place: Place,
    draft: Draft | None,
    principle: str,
    kind: str,
    reason: str,
    held_out: bool = False,
) -> Case:
    text = shown(draft) if draft else ""
    return Case(talk.index, *place, principle, talk.id, kind, text[:LONGEST], reason, held_out)


def shown(draft: Draft) -> str:
    """A draft's words and calls as one line."""
    calls = [f"{call.name}({', '.join(f'{k}={v!r}' for k, v in call.args.items())})" for call in draft.message.calls]
    return " ".join(" ".join([draft.message.text, *calls]).split())
