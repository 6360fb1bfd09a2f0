"""One event loop in a thread of its own, on which calls to others are waited for, whoever asks and from whichever loop.

A connection lives on the loop where it was made. Conversations are played on the loop of a run, a check asks with no
loop at all; on this one both can use the same connection.
"""

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["arrives", "waited"]

Given = TypeVar("Given")


class _Loop:
    """Started when it is first needed, and ended with the process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None

    def take(self, work: Coroutine[Any, Any, Given]) -> Future[Given]:
        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                self.thread = threading.Thread(target=self.loop.run_forever, name="tertulia-waiting", daemon=True)
                self.thread.start()
                atexit.register(self.end)
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self) -> None:
        assert self.loop
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        if not self.loop.is_running():
            self.loop.close()


_LOOP = _Loop()


async def arrives(work: Coroutine[Any, Any, Given]) -> Given:
    """What the work gives; the caller's own loop goes on meanwhile."""
    return await asyncio.wrap_future(_LOOP.take(work))


def waited(work: Coroutine[Any, Any, Given]) -> Given:
    """What the work gives; the caller's thread waits for it."""
    return _LOOP.take(work).result()
