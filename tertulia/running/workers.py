"""Several processes for one run or evaluation: each plays a share of the work, and this one, the driver, writes.

Conversations depend on their place in the run alone, so that it equals that of one process. The driver commits
replies and conversations, and holds the budget and the quotas. Workers that lose their driver end; a driver that loses
a worker stops the run, which the same command takes up again.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tertulia.errors import UserError
from tertulia.models.budget import Budget, Cost
from tertulia.models.caller import Caller
from tertulia.models.journal import Batch, Journal
from tertulia.models.records import BudgetSpent, EndpointDenies
from tertulia.running.pool import GRACE, TICK, Source, Standing, concluded, signals_set
from tertulia.running.quotas import Quotas
from tertulia.running.run_settings import RunSettings
from tertulia.running.runner import Ensemble
from tertulia.running.store import Store
from tertulia.running.wire import Questions, Wire
from tertulia.table import Item

__all__ = ["Driver", "Portion", "Share", "Work", "drive", "shares"]


@dataclass(frozen=True, slots=True)
class Portion:
    """What one worker plays."""

    players: Mapping[str, Ensemble]  # by recipe
    items: Iterator[Item] | Source
    standing: Standing


class Work(Protocol):
    """What is shared out, pickled for every worker: `tertulia.running.conversations.Conversations`, or the trials of an
    evaluation."""

    @property
    def settings(self) -> RunSettings:
        """The models, the concurrency of all workers together, and what is allowed."""
        ...

    def portion(
        self, share: "Share", store: Store, caller: Caller | None, questions: Questions
    ) -> AbstractAsyncContextManager[Portion]:
        """A worker's part of it, from what the driver has kept; the driver may be asked what to play next."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """What a worker is told when it starts."""

    folder: str
    work: Work
    nth: int  # of the workers
    of: int

    @property
    def concurrency(self) -> int:
        return -(-self.work.settings.concurrency // self.of)

    def has(self, place: int) -> bool:
        """Whether the place is not another worker's."""
        return place % self.of == self.nth


def shares(folder: Path, work: Work, of: int) -> list[Share]:
    """The work for so many workers."""
    return [Share(str(folder), work, nth, of) for nth in range(of)]


@dataclass(slots=True)
class Hand:
    """A worker as its driver sees it."""

    process: Process
    wire: Wire
    open: int = 0  # its open conversations
    ended: str | None = None  # why; empty: it has played all


@dataclass(slots=True)
class Driver:
    """Listens to the workers of a run."""

    store: Store
    journal: Journal
    budget: Budget
    standing: Standing
    quotas: Quotas | None = None  # where what is played next depends on what was accepted
    hands: list[Hand] = field(default_factory=list)
    asking: set[asyncio.Task[None]] = field(default_factory=set)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, hand: Hand) -> None:
        """Do what a worker asks for until it is over.

        Raises:
            UserError: if the worker fails or dies."""
        async for kind, *values in hand.wire.frames():
            getattr(self, f"on_{kind}")(hand, *values)
        if hand.ended is None and not self.stop.is_set():
            status = await hand.process.wait()
            raise UserError(f"a worker process died (status {status}); the same command goes on from there")

    def on_batch(self, hand: Hand, number: int, batch: Batch) -> None:
        self.store.keep_calls(batch)
        self.journal.totals.update(batch.counts)
        hand.wire.send("kept", number)

    def on_talk(self, hand: Hand, row: tuple[int, str, bytes]) -> None:
        self.store.add_row(row)
        self.standing.count(row[1])
        if self.quotas:
            self.standing.total = self.standing.done + self.quotas.missing

    def on_open(self, hand: Hand, count: int) -> None:
        hand.open = count
        self.standing.open = sum(one.open for one in self.hands)

    def on_reserve(self, hand: Hand, number: int, need: Cost) -> None:
        self.soon(self.reserve(hand, number, need))

    def soon(self, work: Coroutine[None, None, None]) -> None:
        """Answer when there is an answer; who asks next is not kept waiting."""
        task = asyncio.create_task(work)
        self.asking.add(task)
        task.add_done_callback(self.asking.discard)

    async def reserve(self, hand: Hand, number: int, need: Cost) -> None:
        try:
            await self.budget.reserve(need)
        except BudgetSpent as spent:
            self.standing.spent = str(spent)
            hand.wire.send("answer", number, str(spent))
        else:
            hand.wire.send("answer", number, "")

    def on_settle(self, hand: Hand, need: Cost, paid: Cost | None) -> None:
        self.budget.settle(need, paid)

    def on_draw(self, hand: Hand, number: int) -> None:
        self.soon(self.draw(hand, number))

    async def draw(self, hand: Hand, number: int) -> None:
        """Tell a worker which conversation to play next, and how many are wanted still. No place: it is done."""
        assert self.quotas is not None
        place = None if self.over else await self.quotas.place()
        if place is not None and self.over:
            self.quotas.settle(place, accepted=False)
            place = None
        hand.wire.send("answer", number, (place, self.quotas.missing))

    @property
    def over(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.stop.is_set() or bool(self.standing.spent)

    def on_settled(self, hand: Hand, place: int, accepted: bool) -> None:
        assert self.quotas is not None
        self.quotas.settle(place, accepted)

    def on_ended(self, hand: Hand, why: str) -> None:
        hand.ended, hand.open = why, 0

    def on_denied(self, hand: Hand, why: str) -> None:
        hand.ended = why
        raise EndpointDenies(why)

    def on_failed(self, hand: Hand, why: str) -> None:
        hand.ended = why
        raise UserError(why)


async def drive(driver: Driver, shares: Sequence[Share], on_progress: Callable[[Standing], None]) -> None:
    """Start a worker for each share, and see them through.

    Raises:
        RunInterrupted: after SIGINT or SIGTERM.
        RunStopped: when the budget is spent.
        EndpointDenies: if nothing but denials came from an endpoint.
        UserError: if a worker fails or dies."""
    beside = [asyncio.create_task(ticking(driver, on_progress)), asyncio.create_task(stopping(driver))]
    try:
        with signals_set(driver.stop):
            for share in shares:
                driver.hands.append(await started(share))
            async with asyncio.TaskGroup() as group:
                for hand in driver.hands:
                    group.create_task(driver.listen(hand))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the first to fail says why; the others were cancelled
    finally:
        for task in beside:
            task.cancel()
        for hand in driver.hands:
            await dismissed(hand)
        driver.store.flush()
        on_progress(driver.standing)
    concluded(driver.standing, driver.store.folder, driver.stop.is_set())


async def ticking(driver: Driver, on_progress: Callable[[Standing], None]) -> None:
    while True:
        await asyncio.sleep(TICK)
        driver.store.flush_if_due()
        on_progress(driver.standing)


async def stopping(driver: Driver) -> None:
    """After a signal the workers get a moment to finish; then they are ended."""
    await driver.stop.wait()
    for hand in driver.hands:
        hand.wire.send("stop")
    await asyncio.sleep(2 * GRACE)
    for hand in driver.hands:
        end(hand)


async def started(share: Share) -> Hand:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tertulia.running.worker", stdin=PIPE, stdout=PIPE, limit=2**24
    )
    assert process.stdin is not None
    assert process.stdout is not None
    hand = Hand(process, Wire(process.stdout, process.stdin))
    hand.wire.send(share)
    return hand


async def dismissed(hand: Hand) -> None:
    """Wait a moment for the process to end by itself, and end it otherwise."""
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE if hand.ended is not None else 0):
            await hand.process.wait()
    end(hand)
    await hand.process.wait()


def end(hand: Hand) -> None:
    if hand.process.returncode is None:
        with suppress(ProcessLookupError):
            hand.process.kill()
