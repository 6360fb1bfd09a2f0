"""A worker process: plays its share of a run or an evaluation, and hands what it made to the driver, who alone writes.

Replies of models go to the driver before they are used, as they go to the database in a run of one process; the budget
is asked over the same line, and so is, with a quota, what to play next. Started as `python -m tertulia.running.worker`
by `tertulia.running.workers`.
"""

import asyncio
import os
import signal
from pathlib import Path

from tertulia.errors import RunInterrupted, RunStopped, TertuliaError
from tertulia.models.budget import Cost
from tertulia.models.journal import Batch, Journal
from tertulia.models.records import BudgetSpent, EndpointDenies
from tertulia.permissions import allowing
from tertulia.records import Conversation
from tertulia.running.playing import caller_for
from tertulia.running.pool import play_all
from tertulia.running.store import Store, row_of
from tertulia.running.wire import Questions, Wire
from tertulia.running.workers import Share

__all__ = ["main"]


class FarStore:
    """The driver's store, at the other end of the line."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        self.wire, self.folder = wire, folder

    def add(self, talk: Conversation) -> None:
        self.wire.send("talk", row_of(talk))

    def flush(self) -> None:
        """Nothing waits here."""

    def flush_if_due(self) -> None:
        """Nothing waits here."""


class FarJournal:
    """Commits batches at the driver."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.under_way: dict[int, asyncio.Future[None]] = {}
        self.sent = 0

    def keep(self, batch: Batch) -> asyncio.Future[None]:
        self.sent += 1
        kept = self.under_way[self.sent] = asyncio.get_running_loop().create_future()
        self.wire.send("batch", self.sent, batch)
        return kept

    def kept(self, number: int) -> None:
        kept = self.under_way.pop(number)
        if not kept.done():
            kept.set_result(None)


class FarBudget:
    """The run's budget, which the driver holds."""

    def __init__(self, questions: Questions, bounded: bool) -> None:
        self.questions, self.bounded = questions, bounded

    async def reserve(self, need: Cost) -> None:
        """The driver's word: an empty text grants the call."""
        spent = await self.questions.ask("reserve", need)
        if spent:
            raise BudgetSpent(spent)

    def settle(self, need: Cost, paid: Cost | None) -> None:
        self.questions.wire.send("settle", need, paid)


async def work(wire: Wire, share: Share) -> None:
    """Play the share, and tell the driver how it ended."""
    folder, settings = Path(share.folder), share.work.settings
    stop = asyncio.Event()
    with Store(folder) as reader:
        journal, questions = FarJournal(wire), Questions(wire)
        calls = Journal(reader.database, journal.keep)
        caller = caller_for(settings, calls, FarBudget(questions, settings.allowance.bounded), share.concurrency)
        listening = asyncio.create_task(listen(wire, journal, questions, stop))
        try:
            async with share.work.portion(share, reader, caller, questions) as portion:
                await play_all(
                    FarStore(wire, folder),
                    portion.players,
                    portion.items,
                    portion.standing,
                    share.concurrency,
                    lambda now: wire.send("open", now.open),
                    stop,
                )
        finally:
            calls.flush()
            listening.cancel()


async def listen(wire: Wire, journal: FarJournal, questions: Questions, stop: asyncio.Event) -> None:
    """Do as the driver says. When it is gone there is nobody to keep anything, so the process ends."""
    async for kind, *values in wire.frames():
        if kind == "kept":
            journal.kept(*values)
        elif kind == "answer":
            questions.answered(*values)
        elif kind == "stop":
            stop.set()
    os._exit(1)


async def serve(into: int, out: int) -> None:
    """Take a share from one pipe, play it, and report into the other."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(into, "rb", buffering=0))
    pipe, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(out, "wb", buffering=0))
    wire = Wire(reader, pipe)
    share = await anext(wire.frames())
    try:
        with allowing(code=share[0].work.settings.allow_code, net=share[0].work.settings.allow_net):
            await work(wire, *share)
    except (RunStopped, RunInterrupted) as ended:
        wire.send("ended", str(ended))
    except EndpointDenies as denied:
        wire.send("denied", str(denied))
    except TertuliaError as error:
        wire.send("failed", str(error))
    else:
        wire.send("ended", "")
    finally:
        pipe.close()


def main() -> None:
    """Standard output is the line to the driver; what parts print goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver says when to stop
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    into, out = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    asyncio.run(serve(into, out))


if __name__ == "__main__":
    main()
