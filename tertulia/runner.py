"""Plays many conversations at once: a pool of workers, one writer, and a way to stop without losing anything.

The workers draw items from one shared iterator, so memory does not grow with the length of a run. Whatever a part
raises ends its own conversation only: it is recorded with its trace, and the others go on. A signal stops the
drawing; what is open gets a moment to finish, and the same command goes on later where this one stopped.
"""

import asyncio
import signal
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from tertulia.contracts import Judge
from tertulia.errors import RunInterrupted, SettingsError, did_you_mean
from tertulia.graph import Stage
from tertulia.items import plan_items
from tertulia.parts import load
from tertulia.recipe import Recipe, bundled_recipe
from tertulia.records import Conversation, EndReason, Verdict
from tertulia.scenario import Scenario
from tertulia.store import Store
from tertulia.table import Item, Table

__all__ = ["Bench", "Standing", "plan_items", "play_all"]

Given = TypeVar("Given")
GRACE = 2.0  # seconds that open conversations get after a signal
TICK = 0.2  # seconds between two reports of progress
SPOILT = {
    EndReason.REJECTED,
    EndReason.FAILED,
    EndReason.PARSE_FAILURE,
    EndReason.MODEL_FAILURE,
    EndReason.BUDGET,
    EndReason.CONTEXT_LIMIT,
}


class Player(Protocol):
    """Whatever can play items: `tertulia.graph.Stage`, or a double in a test."""

    recipe: Recipe

    def seat(self, item: Item) -> Table: ...
    async def play(self, table: Table) -> Conversation: ...


@dataclass(slots=True)
class Standing:
    """How far a run is."""

    total: int
    kept: int = 0  # were there already when the run began
    open: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # by cause

    @property
    def played(self) -> int:
        return self.accepted + self.rejected.total()

    @property
    def done(self) -> int:
        return self.kept + self.played

    def count(self, talk: Conversation) -> None:
        if talk.accepted:
            self.accepted += 1
        else:
            self.rejected[talk.rejected_by] += 1


class Bench:
    """The judges of one recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self.gates = recipe.gates
        self.judges: dict[str, Judge] = {
            name: load("judges", name)() for name in dict.fromkeys((*recipe.judges, *recipe.gates))
        }

    async def judged(self, scenario: Scenario, talk: Conversation) -> Conversation:
        """The conversation with fresh verdicts and the cause for which it is rejected, if any.

        One that failed is left alone: there is nothing in it to judge."""
        if talk.end_reason is EndReason.FAILED:
            return talk.model_copy(update={"rejected_by": talk.end_reason.value})
        verdicts, trace = await guarded(self.verdicts(scenario, talk))
        if verdicts is None:
            return talk.model_copy(update={"verdicts": (), "rejected_by": EndReason.FAILED.value, "error": trace})
        return talk.model_copy(update={"verdicts": verdicts, "rejected_by": self.cause(talk, verdicts), "error": ""})

    async def verdicts(self, scenario: Scenario, talk: Conversation) -> tuple[Verdict, ...]:
        return tuple([await judge.judge(scenario, talk) for judge in self.judges.values()])

    def cause(self, talk: Conversation, verdicts: Sequence[Verdict]) -> str:
        if talk.end_reason in SPOILT:
            return talk.end_reason.value
        passed = dict(zip(self.judges, (verdict.passed for verdict in verdicts), strict=True))
        return next((gate for gate in self.gates if not passed[gate]), "")


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The parts that play one recipe, and those that judge it."""

    stage: Player
    bench: Bench

    async def finished(self, item: Item) -> Conversation:
        """The item played and judged. When a part raises, the record says so and keeps what there was so far."""
        table = self.stage.seat(item)
        talk, trace = await guarded(self.stage.play(table))
        return await self.bench.judged(item.scenario, talk or table.record(error=trace))


async def guarded(work: Awaitable[Given]) -> tuple[Given | None, str]:
    """What a part gives, or None and the trace of what it raised."""
    try:
        return await work, ""
    except Exception:  # noqa: BLE001 - a bug in a part ends its own conversation, never the run; the trace is kept
        return None, traceback.format_exc()


def ensembles(
    scenarios: Sequence[Scenario], cast: str, make: Callable[[Recipe, str], Player] = Stage
) -> dict[str, Ensemble]:
    """One ensemble for each recipe that the scenarios name.

    Raises:
        SettingsError: if a recipe has no such cast."""
    made = {}
    for name in dict.fromkeys(scenario.recipe for scenario in scenarios):
        recipe = bundled_recipe(name)
        if cast not in recipe.casts:
            known = ", ".join(recipe.casts)
            raise SettingsError(
                f"recipe {name!r} has no cast {cast!r}{did_you_mean(cast, recipe.casts)}; it has: {known}"
            )
        made[name] = Ensemble(make(recipe, cast), Bench(recipe))
    return made


async def play_all(
    store: Store,
    players: Mapping[str, Ensemble],
    items: Iterator[Item],
    standing: Standing,
    concurrency: int = 64,
    on_progress: Callable[[Standing], None] = lambda standing: None,
) -> None:
    """Play all items into the store, `concurrency` of them at a time.

    Raises:
        RunInterrupted: after SIGINT or SIGTERM; everything that had finished is kept."""
    stop = asyncio.Event()

    async def work() -> None:
        for item in items:
            standing.open += 1
            talk = await players[item.scenario.recipe].finished(item)
            standing.open -= 1
            standing.count(talk)
            store.add(talk)
            if stop.is_set():
                return
            await asyncio.sleep(0)  # a cast that never waits must still let signals and progress through

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            store.flush_if_due()
            on_progress(standing)

    workers = [asyncio.create_task(work()) for _ in range(min(concurrency, max(1, standing.total)))]
    ticker = asyncio.create_task(tick())
    try:
        with signals_set(stop):
            await until_done_or_stopped(workers, stop)
    finally:
        for task in (*workers, ticker):
            task.cancel()
        await asyncio.gather(*workers, ticker, return_exceptions=True)
        store.flush()
        on_progress(standing)
    if stop.is_set() and standing.done < standing.total:
        raise RunInterrupted(f"stopped; {standing.done} of {standing.total} conversations are kept in {store.folder}")


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
