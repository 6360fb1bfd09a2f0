"""Frames between a run's driver and its workers: pickled tuples with their length, over a pair of pipes."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any, Protocol

__all__ = ["Wire"]

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
