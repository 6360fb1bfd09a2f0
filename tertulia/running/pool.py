"""Plays many conversations at once: a pool of workers, one writer, and a way to stop without losing anything.

The workers draw items from one shared iterator, so memory does not grow with the length of a run. A signal stops the
drawing; what is open gets a moment to finish, and the same command goes on later where this one stopped. When the
budget is spent, what is open ends by itself: it finishes without a model, or is left to be played later.
"""

import asyncio
import gc
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tertulia.errors import RunInterrupted, RunStopped
from tertulia.models.records import BudgetSpent
from tertulia.records import Conversation
from tertulia.running.runner import Ensemble
from tertulia.table import Item

__all__ = [
    "GRACE",
    "TICK",
    "Keeper",
    "Source",
    "Standing",
    "concluded",
    "parts_frozen",
    "play_all",
    "signals_set",
]

GRACE = 2.0  # seconds that open conversations get after a signal
SELDOM = (20_000, 20, 20)  # when the garbage collector looks at its three generations, see `gc.set_threshold`
TICK = 0.2  # seconds between two reports of progress


@dataclass(slots=True)
class Standing:
    """How far a run is."""

    total: int
    kept: int = 0  # were there already when the run began
    open: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # by cause
    spent: str = ""  # which budget is spent, if one is
    notes: list[str] = field(default_factory=list)  # what else is to be told at the end
    totals: Mapping[str, float] = field(default_factory=dict)  # the counters of the models, see `models.journal`

    @property
    def played(self) -> int:
        return self.accepted + self.rejected.total()

    @property
    def done(self) -> int:
        return self.kept + self.played

    def count(self, rejected_by: str) -> None:
        """One more was played; an empty cause: it is accepted."""
        if rejected_by:
            self.rejected[rejected_by] += 1
        else:
            self.accepted += 1


class Keeper(Protocol):
    """Where conversations go: `tertulia.running.store.Store`, or a worker's line to the one that its driver holds."""

    @property
    def folder(self) -> Path: ...
    def add(self, talk: Conversation) -> None: ...
    def flush(self) -> None: ...
    def flush_if_due(self) -> None: ...


@runtime_checkable
class Source(Protocol):
    """Where items come from when what is played next depends on how others ended (`tertulia.running.quotas`)."""

    @property
    def missing(self) -> int: ...
    async def draw(self) -> Item | None: ...
    def settle(self, place: int, accepted: bool) -> None: ...


class Listed:
    """Items in a fixed order."""

    def __init__(self, items: Iterator[Item]) -> None:
        self.items = items

    async def draw(self) -> Item | None:
        return next(self.items, None)

    def settle(self, place: int, accepted: bool) -> None:
        """Nothing depends on it."""


async def play_all(
    store: Keeper,
    players: Mapping[str, Ensemble],
    items: Iterator[Item] | Source,
    standing: Standing,
    concurrency: int = 64,
    on_progress: Callable[[Standing], None] = lambda standing: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Play all items into the store, `concurrency` of them at a time, until a signal comes or `stop` is set.

    Raises:
        RunInterrupted: after SIGINT or SIGTERM; everything that had finished is kept.
        RunStopped: when the budget is spent before all is played."""
    stop = stop or asyncio.Event()
    source = items if isinstance(items, Source) else Listed(items)

    workers = [
        asyncio.create_task(working(source, players, store, standing, stop))
        for _ in range(min(concurrency, max(1, standing.total)))
    ]
    ticker = asyncio.create_task(ticking(store, standing, on_progress))
    try:
        with signals_set(stop), parts_frozen():
            await until_done_or_stopped(workers, stop)
    finally:
        for task in (*workers, ticker):
            task.cancel()
        await asyncio.gather(*workers, ticker, return_exceptions=True)
        store.flush()
        on_progress(standing)
    concluded(standing, store.folder, stop.is_set())


async def working(
    source: Source | Listed, players: Mapping[str, Ensemble], store: Keeper, standing: Standing, stop: asyncio.Event
) -> None:
    """One worker of the pool: it draws and plays until nothing is left, the budget is spent, or `stop` is set."""
    while (item := await source.draw()) is not None:
        if stop.is_set() or standing.spent:  # while this one waited; what is begun now might not be due
            return source.settle(item.index, accepted=False)
        standing.open += 1
        accepted = False
        try:
            talk = await players[item.scenario.recipe].finished(item)
            accepted = talk.accepted
        except BudgetSpent as spent:
            standing.spent = str(spent)
            return
        finally:
            standing.open -= 1
            source.settle(item.index, accepted)
        standing.count(talk.rejected_by)
        store.add(talk)
        if isinstance(source, Source):
            standing.total = standing.done + source.missing
        if stop.is_set() or standing.spent:
            return
        await asyncio.sleep(0)  # a cast that never waits must still let signals and progress through


async def ticking(store: Keeper, standing: Standing, on_progress: Callable[[Standing], None]) -> None:
    """Commit what is due, and tell how far the run is."""
    while True:
        await asyncio.sleep(TICK)
        store.flush_if_due()
        on_progress(standing)


def concluded(standing: Standing, folder: Path, interrupted: bool) -> None:
    """Raise what a run that is not over ends with."""
    if standing.done >= standing.total:
        return
    kept = f"{standing.done} of {standing.total} conversations are kept in {folder}"
    if interrupted:
        raise RunInterrupted(f"stopped; {kept}")
    if standing.spent:
        why = f"{standing.spent}; {kept}, with every reply; the same command with a larger one goes on"
        raise RunStopped(why, folder)


async def until_done_or_stopped(workers: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Wait for the workers; once stopped, only for a moment. What a worker raises comes through."""
    playing: asyncio.Future[Any] = asyncio.gather(*workers)
    stopping: asyncio.Future[Any] = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((playing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            await asyncio.wait((playing,), timeout=GRACE)
        if playing.done():
            playing.result()
    finally:
        stopping.cancel()
        playing.cancel()
        await asyncio.wait((playing, stopping))
        if not playing.cancelled():
            playing.exception()


@contextmanager
def parts_frozen() -> Iterator[None]:
    """Keep what is loaded by now out of the garbage collector's sight, and let it look less often.

    Modules, schemas and compiled graphs stay for the whole run, but every full collection would walk all of them
    again, which took a tenth of a run's processor time; the short-lived values of each step took a twentieth more."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


@contextmanager
def signals_set(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set the event, where the platform and the thread allow it."""
    loop = asyncio.get_running_loop()
    names = (signal.SIGINT, signal.SIGTERM)
    try:
        for name in names:
            loop.add_signal_handler(name, stop.set)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows; a thread that is not the main one
        yield
        return
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)
