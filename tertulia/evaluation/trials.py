"""Trials: each item of a set played k times by one agent, into a run's folder.

A trial's place in the folder is trial x items + item, so more trials go on where fewer ended, and a trial's seed hangs
on its item, its number and its attempt alone: the same in any order, after any interruption, for any agent. A trial
that is played again lies `AGAIN` places further.

Trials in a row may share a simulator seed, `per_seed` of them: then everybody draws the same in them but the agent, who
has a seed of its own in each, so that what differs among them is the agent's doing.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tertulia.evaluation.sets import EvalSet
from tertulia.streams import number
from tertulia.table import Item

__all__ = ["AGAIN", "Trial", "every_trial", "trial_items", "trial_of"]

AGAIN = 1_000_000_000  # places between two attempts at the same trial


@dataclass(frozen=True, slots=True, order=True)
class Trial:
    """One attempt at one item."""

    attempt: int
    trial: int
    item: int  # its place in the set

    def place(self, items: int) -> int:
        return self.attempt * AGAIN + self.trial * items + self.item


def trial_of(place: int, items: int) -> Trial:
    """The trial that lies at a place of a set of so many items."""
    attempt, rest = divmod(place, AGAIN)
    trial, item = divmod(rest, items)
    return Trial(attempt, trial, item)


def every_trial(items: int, k: int) -> Iterator[Trial]:
    """The first attempt at every trial, trial by trial."""
    return (Trial(0, trial, item) for trial in range(k) for item in range(items))


def trial_items(
    evalset: EvalSet, trials: Iterable[Trial], seed: int, skip: Collection[int] = (), per_seed: int = 1
) -> Iterator[Item]:
    """What is played for these trials, without the places to skip; so many trials of an item share a simulator seed."""
    for trial in trials:
        place = trial.place(len(evalset.items))
        if place in skip:
            continue
        asked = evalset.items[trial.item]
        yield Item(
            index=place,
            id=f"{asked.id}-{place:06d}",
            scenario=asked.scenario,
            choice={},
            seed=number(seed, "trial", asked.id, trial.trial // per_seed, trial.attempt),
            own_seed=None if per_seed == 1 else number(seed, "agent", asked.id, trial.trial, trial.attempt),
        )
