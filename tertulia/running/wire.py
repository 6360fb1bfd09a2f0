"""Frames between a run's driver and its workers: pickled tuples with their length, over a pair of pipes.

A worker's questions are frames with a number; the driver's frame `answer` carries that number."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any, Protocol

__all__ = ["Questions", "Wire"]

LENGTH = 4  # bytes in front of a frame


class Pipe(Protocol):
    """What `asyncio.StreamWriter` and a write transport have in common."""

    def write(self, data: bytes) -> None: ...


class Wire:
    """One end of the line. A frame is a tuple whose first value says what it is."""

    def __init__(self, reader: asyncio.StreamReader, pipe: Pipe) -> None:
        self.reader, self.pipe = reader, pipe

    def send(self, *frame: Any) -> None:
        data = pickle.dumps(frame, protocol=5)
        self.pipe.write(len(data).to_bytes(LENGTH) + data)

    async def frames(self) -> AsyncIterator[tuple[Any, ...]]:
        """Every frame that comes, until the other end is gone."""
        while True:
            try:
                length = int.from_bytes(await self.reader.readexactly(LENGTH))
                frame = pickle.loads(await self.reader.readexactly(length))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            yield frame


class Questions:
    """What the driver is asked, and its answers."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.open: dict[int, asyncio.Future[Any]] = {}
        self.asked = 0

    async def ask(self, kind: str, *values: Any) -> Any:
        self.asked += 1
        answer = self.open[self.asked] = asyncio.get_running_loop().create_future()
        self.wire.send(kind, self.asked, *values)
        return await answer

    def answered(self, number: int, answer: Any) -> None:
        waiting = self.open.pop(number)
        if not waiting.done():
            waiting.set_result(answer)
