"""The fault server in a thread or a process of its own, and what it has counted."""

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tertulia.testing.endpoint import Endpoint, Player, Tally
from tertulia.testing.faults import Faults
from tertulia.testing.players import played
from tertulia.testing.wire import Connection

__all__ = ["FaultServer", "apart", "counts"]


class FaultServer:
    """The endpoint in a thread of its own, as long as the `with` block lasts.

    `player` answers a request, given as the JSON that was sent; by default the rule cast plays every role. Further
    options: `latency` of every answer and of a `slow` one in seconds; `at_once`, how many requests it bears at a time
    before it says 429; `retry_after` in seconds; the API `key` that it asks for; `caching`, whether it counts what a
    prefix cache would have held; `prompt_logprobs`, whether it tells how likely the tokens of a prompt are."""

    def __init__(self, faults: Faults | None = None, *, player: Player = played, port: int = 0, **options: Any) -> None:
        self.endpoint = Endpoint(player, faults or Faults(), **options)
        self.port = port
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopping: asyncio.Event | None = None
        self.ready = threading.Event()
        self.failure: OSError | None = None
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="fault-server", daemon=True)

    @property
    def url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def tally(self) -> Tally:
        return self.endpoint.tally

    def __enter__(self) -> "FaultServer":
        self.thread.start()
        self.ready.wait()
        if self.failure is not None:
            raise self.failure
        return self

    def __exit__(self, *error: object) -> None:
        if self.loop is not None and self.stopping is not None:
            self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join()

    async def serve(self) -> None:
        """Serve until stopped; `port` is set once it listens."""
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self.loop.create_server(self.connection, "127.0.0.1", self.port, backlog=4096)
        except OSError as error:
            self.failure = error
            self.ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stopping.wait()
        server.close()
        self.endpoint.crowd.dismiss()
        await asyncio.sleep(0)

    def connection(self) -> Connection:
        return Connection(self.endpoint.answer, self.endpoint.crowd)


@contextmanager
def apart(*options: str) -> Iterator[str]:
    """The same server in a process of its own, with the options of the command line; gives its base URL."""
    command = [sys.executable, "-m", "tertulia.testing.server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            line = child.stdout.readline() if child.stdout else ""
            if not line:
                raise OSError(f"{' '.join(command)} did not begin to serve")
            yield line.strip()
        finally:
            child.terminate()


def counts(url: str) -> dict[str, Any]:
    """What the server at this base URL has counted so far."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/counts", timeout=60) as answer:
        told: dict[str, Any] = json.load(answer)
        return told
