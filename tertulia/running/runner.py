"""Plays many conversations at once: a pool of workers, one writer, and a way to stop without losing anything.

The workers draw items from one shared iterator, so memory does not grow with the length of a run. Whatever a part
raises ends its own conversation only: it is recorded with its trace, and the others go on. A signal stops the
drawing; what is open gets a moment to finish, and the same command goes on later where this one stopped. When the
budget is spent, what is open ends by itself: it finishes without a model, or is left to be played later.
"""

import asyncio
import gc
import signal
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from tertulia.contracts import Judge
from tertulia.corpus.rules import Rules
from tertulia.errors import RunInterrupted, RunStopped, StoreError
from tertulia.graph import Stage
from tertulia.models.caller import Caller
from tertulia.models.records import BadReply, BudgetSpent, EndpointDenies, ModelFailure, Trouble
from tertulia.parts import made
from tertulia.recipe import Recipe, bundled_recipe
from tertulia.records import Conversation, EndReason, Usage, Verdict
from tertulia.running.items import plan_items
from tertulia.scenario import Scenario
from tertulia.table import Item, Table

__all__ = ["Bench", "Source", "Standing", "parts_frozen", "plan_items", "play_all"]

Given = TypeVar("Given")
NO_RULES = Rules()
GRACE = 2.0  # seconds that open conversations get after a signal
SELDOM = (20_000, 20, 20)  # when the garbage collector looks at its three generations, see `gc.set_threshold`
TICK = 0.2  # seconds between two reports of progress
SHOWN = 2_000  # characters kept of a reply that ended a conversation
SPOILT = {  # endings for which a conversation is rejected, each with the name of that cause
    EndReason.REJECTED: "revisions_spent",
    EndReason.FAILED: "failed",
    EndReason.PARSE_FAILURE: "parse_failure",
    EndReason.MODEL_FAILURE: "model_failure",
    EndReason.BUDGET: "budget",
    EndReason.CONTEXT_LIMIT: "context_limit",
}
UNPLAYED = {EndReason.MODEL_FAILURE, EndReason.PARSE_FAILURE, EndReason.CONTEXT_LIMIT}  # ended by a model's failure


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


@dataclass(frozen=True, slots=True)
class Broken:
    """How a conversation or a judge came to nothing."""

    end_reason: EndReason
    cause: str
    error: str

    def unseated(self, item: Item) -> Conversation:
        """A conversation that never began."""
        return Conversation(**item.heading, end_reason=self.end_reason, rejected_by=self.cause, error=self.error)

    def record(self, table: Table) -> Conversation:
        """What the conversation had so far."""
        talk = table.record(error=self.error)
        return talk.model_copy(update={"end_reason": self.end_reason, "rejected_by": self.cause})


async def guarded(work: Awaitable[Given]) -> Given | Broken:
    """What a part gives, or what ended it. What ends the run comes through."""
    try:
        return await work
    except (BudgetSpent, EndpointDenies, StoreError):
        raise
    except ModelFailure as failure:
        return Broken(end_of(failure), failure.trouble.value, f"{failure}\n{failure.raw[:SHOWN]}".strip())
    except Exception:  # noqa: BLE001 - a bug in a part ends its own conversation, never the run; the trace is kept
        return Broken(EndReason.FAILED, EndReason.FAILED.value, traceback.format_exc())


def tried(work: Callable[[], Given]) -> Given | Exception:
    """What a part gives that does not wait for anything, or what it raised."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - a bug in an exporter costs one conversation in one format, no run
        return error


def end_of(failure: ModelFailure) -> EndReason:
    """How a conversation ends that gets no usable reply."""
    if failure.trouble is Trouble.TOO_LONG:
        return EndReason.CONTEXT_LIMIT
    return EndReason.PARSE_FAILURE if isinstance(failure, BadReply) else EndReason.MODEL_FAILURE


class Bench:
    """The judges of one recipe; those of a cast come on top, and those whose verdicts rules read."""

    def __init__(
        self, recipe: Recipe, caller: Caller | None = None, more: Sequence[str] = (), rules: Rules = NO_RULES
    ) -> None:
        self.gates, self.rules = recipe.gates, rules
        ask_for = caller.ask_for if caller else None
        self.judges: dict[str, Judge] = {
            name: made("judges", name, "judge", ask_for)
            for name in dict.fromkeys((*recipe.judges, *recipe.gates, *more, *rules.judges))
        }

    async def judged(self, scenario: Scenario, talk: Conversation) -> Conversation:
        """The conversation with fresh verdicts and the cause for which it is rejected, if any.

        One that failed is left alone: there is nothing in it to judge."""
        if talk.end_reason is EndReason.FAILED:
            return talk.model_copy(update={"rejected_by": talk.end_reason.value})
        if talk.end_reason in UNPLAYED and talk.rejected_by:
            return talk
        verdicts = await guarded(self.verdicts(scenario, talk))
        if isinstance(verdicts, Broken):
            return talk.model_copy(update={"verdicts": (), "rejected_by": verdicts.cause, "error": verdicts.error})
        return talk.model_copy(update={"verdicts": verdicts, "rejected_by": self.cause(talk, verdicts), "error": ""})

    async def verdicts(self, scenario: Scenario, talk: Conversation) -> tuple[Verdict, ...]:
        return tuple([await judge.judge(scenario, talk) for judge in self.judges.values()])

    def cause(self, talk: Conversation, verdicts: Sequence[Verdict]) -> str:
        if talk.end_reason in SPOILT:
            return SPOILT[talk.end_reason]
        passed = dict(zip(self.judges, (verdict.passed for verdict in verdicts), strict=True))
        return next((gate for gate in self.gates if not passed[gate]), "")

    def ruled(self, scenario: Scenario, talk: Conversation) -> Conversation:
        """What passed the gates, with the rule that rejects it, if one does. It is complete: rules read its costs too.

        Raises:
            ScenarioError: at a rule that cannot be worked out."""
        cause = self.rules.cause(scenario, talk) if talk.accepted and self.rules.rules else ""
        return talk.model_copy(update={"rejected_by": cause}) if cause else talk


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The parts that play one recipe, and those that judge it."""

    stage: Player
    bench: Bench
    caller: Caller | None = None

    async def finished(self, item: Item) -> Conversation:
        """The item played and judged. When a part raises, the record says so and keeps what there was so far.

        Raises:
            BudgetSpent: when it cannot be played to its end.
            ScenarioError: at a rule of the run's criteria that cannot be worked out."""
        usage = Usage()
        try:
            if self.caller:
                await self.caller.turns.take(item.id)
            judged = await self.bench.judged(item.scenario, await self.played(item))
        finally:
            if self.caller:
                usage = self.caller.leave(item.id)
        whole = judged if usage == Usage() else judged.model_copy(update={"usage": usage})
        return self.bench.ruled(item.scenario, whole)

    async def played(self, item: Item) -> Conversation:
        table = await guarded(self.seated(item))
        if isinstance(table, Broken):
            return table.unseated(item)
        talk = await guarded(self.stage.play(table))
        return talk.record(table) if isinstance(talk, Broken) else talk

    async def seated(self, item: Item) -> Table:
        return self.stage.seat(item)


def ensembles(
    scenarios: Sequence[Scenario], cast: str, caller: Caller | None = None, rules: Rules = NO_RULES
) -> dict[str, Ensemble]:
    """One ensemble for each recipe that the scenarios name. Models play the roles for which the caller has lines.

    Raises:
        SettingsError: if a recipe has no such cast, or one of its parts needs a model."""
    by_model = set(caller.lines) if caller else set()
    ask_for = caller.ask_for if caller else None
    found = {}
    for name in dict.fromkeys(scenario.recipe for scenario in scenarios):
        recipe = bundled_recipe(name)
        bench = Bench(recipe, caller, recipe.seats(cast, by_model).judges, rules)
        found[name] = Ensemble(Stage(recipe, cast, ask_for, by_model), bench, caller)
    return found


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

    async def work() -> None:
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

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            store.flush_if_due()
            on_progress(standing)

    workers = [asyncio.create_task(work()) for _ in range(min(concurrency, max(1, standing.total)))]
    ticker = asyncio.create_task(tick())
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
