"""How many of each sort are kept, and which: drawn by seed, so that the choice is the same on every machine."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tertulia.corpus.criteria import Balance
from tertulia.corpus.ledger import Ledger
from tertulia.streams import number

__all__ = ["Balanced", "balanced", "targets"]

BETWEEN = " / "  # the values of several fields
DRAWN = 31  # bits of a rank that are drawn


@dataclass(frozen=True, slots=True)
class Balanced:
    """What balancing by one sort did."""

    by: str
    before: dict[str, int]
    after: dict[str, int]
    short: dict[str, int] = field(default_factory=dict)  # sorts of which there were too few: how many are missing


def balanced(ledger: Ledger, wanted: Balance, seed: int) -> Balanced:
    """Take out of a ledger what there is too much of.

    A conversation with several values of a field (tools, principles) takes room in each of them, and needs room in
    all; those with a rare value are drawn first, since a frequent one would leave them no room. Targets are then
    bounds, and what is missing is told."""
    by = BETWEEN.join(wanted.by)
    before: Counter[str] = Counter()
    several = False
    for _, _, cells in ledger.kept():
        sorts = sorts_of(cells, wanted.by)
        several = several or len(sorts) > 1
        before.update(sorts)
    room = targets(before, wanted)
    ledger.rank(ranks(ledger, wanted, seed, before if several else {}))
    after: Counter[str] = Counter()
    ledger.reject(too_many(ledger, wanted, room, after))
    bound_alone = several and not (wanted.shares or wanted.total)  # nobody asked for so many
    missing = {} if bound_alone else {sort: n - after[sort] for sort, n in room.items() if n > after[sort]}
    return Balanced(by, dict(sorted(before.items())), {sort: after[sort] for sort in sorted(before)}, missing)


def ranks(ledger: Ledger, wanted: Balance, seed: int, counts: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """When each conversation is drawn, as (a number of 63 bits, place): by chance, or by its rarest sort and chance."""
    by = BETWEEN.join(wanted.by)
    for place, name, cells in ledger.kept():
        drawn = number(seed, "balance", by, name)
        if counts:
            drawn = min(counts[sort] for sort in sorts_of(cells, wanted.by)) << DRAWN | drawn >> (63 - DRAWN)
        yield drawn, place


def sorts_of(cells: Mapping[str, list[str]], by: tuple[str, ...]) -> list[str]:
    """The sorts that a conversation belongs to: one value of each field."""
    found = [""]
    for nth, name in enumerate(by):
        found = [f"{before}{BETWEEN}{value}" if nth else value for before in found for value in cells[name]]
    return found


def too_many(
    ledger: Ledger, wanted: Balance, room: Mapping[str, int], after: Counter[str]
) -> Iterator[tuple[str, str, int]]:
    rule = f"balance by {BETWEEN.join(wanted.by)}"
    for place, _, cells in ledger.kept(by_rank=True):
        sorts = sorts_of(cells, wanted.by)
        full = [sort for sort in sorts if after[sort] >= room.get(sort, 0)]
        if full:
            yield rule, full[0], place
        else:
            after.update(sorts)


def targets(counts: Mapping[str, int], wanted: Balance) -> dict[str, int]:
    """How many of each sort are kept, with `counts` of them there.

    With shares: as many as can be had in these proportions, or the shares of `total`. Even: the same number of each,
    as many as the rarest has; with a `total`, what a rare sort leaves over goes to the others. Never more than `most`.
    `most` alone bounds each sort and leaves the others as they are. The rounding goes to the largest remainders."""
    most = wanted.most or max(counts.values(), default=0)
    if wanted.shares:
        whole = min((counts.get(sort, 0) / share for sort, share in wanted.shares.items()), default=0)
        found = apportioned(wanted.total or int(whole + 1e-9), wanted.shares)
        return {sort: min(found.get(sort, 0), most) for sort in (*counts, *(s for s in found if s not in counts))}
    if wanted.total is None:
        each = most if wanted.most else min(counts.values(), default=0)
        return {sort: min(count, each) for sort, count in counts.items()}
    return poured(counts, wanted.total, most)


def apportioned(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers that add up to the total (largest remainder)."""
    exact = {sort: total * share for sort, share in shares.items()}
    found = {sort: int(value + 1e-9) for sort, value in exact.items()}
    for sort in sorted(exact, key=lambda sort: (found[sort] - exact[sort], sort))[: total - sum(found.values())]:
        found[sort] += 1
    return found


def poured(counts: Mapping[str, int], total: int, most: int) -> dict[str, int]:
    """Evenly, as far as each sort has room."""
    found, left = {}, total
    waiting = sorted(counts, key=lambda sort: (counts[sort], sort))
    for nth, sort in enumerate(waiting):
        found[sort] = min(counts[sort], most, left // (len(waiting) - nth))
        left -= found[sort]
    for sort in waiting:  # what the division left over
        if left and found[sort] < min(counts[sort], most):
            found[sort] += 1
            left -= 1
    return found
