"""A small HTTP/1.1 server over asyncio, lean enough that a measured client is never waiting for it.

It knows what a chat endpoint needs: kept-alive connections, `Content-Length` bodies, and answers that come late, break
off or never come. It is for tests on loopback, not for the internet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Answer", "Connection", "Crowd", "Heard"]

PHRASES = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
LARGEST = 16 * 2**20  # bytes of one request


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back, when, and how much of it."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0  # seconds
    never: bool = False  # keep the connection open and stay silent
    cut: int | None = None  # send so many bytes of the body, then close
    reset: bool = False  # drop the connection at once

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {PHRASES.get(self.status, 'Error')}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode()


class Crowd:
    """All who are connected, and how many of them are waiting for an answer."""

    def __init__(self) -> None:
        self.there: set[Connection] = set()
        self.busy = 0
        self.busiest = 0

    def begin(self) -> None:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)

    def end(self) -> None:
        self.busy -= 1

    def dismiss(self) -> None:
        for connection in list(self.there):
            connection.drop()


class Connection(asyncio.Protocol):
    """One client; it asks one thing at a time and reads the answer before it asks the next."""

    def __init__(self, answer: Callable[[Heard], Answer], crowd: Crowd) -> None:
        self.answer, self.crowd = answer, crowd
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self.late: asyncio.TimerHandle | None = None
        self.busy = False  # an answer is due; what comes meanwhile waits in the buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.crowd.there.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.there.discard(self)
        self.transport = None
        if self.late is not None:
            self.late.cancel()
        self.done()

    def drop(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def done(self) -> None:
        if self.busy:
            self.busy = False
            self.crowd.end()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self.read()

    def read(self) -> None:
        """Answer the request in the buffer, if all of it is there."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, _, rest = first.partition(" ")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST or "transfer-encoding" in headers:
            self.send(Answer(b'{"error": {"message": "give a Content-Length"}}', 400, cut=LARGEST))
            return
        whole = end + 4 + int(length)
        if len(self.buffer) < whole:
            return
        body = bytes(self.buffer[end + 4 : whole])
        del self.buffer[:whole]
        self.busy = True
        self.crowd.begin()
        self.respond(self.answer(Heard(method, rest.partition(" ")[0], headers, body)))

    def respond(self, answer: Answer) -> None:
        if answer.never:
            return
        if answer.after:
            self.late = asyncio.get_running_loop().call_later(answer.after, self.send, answer)
        else:
            self.send(answer)

    def send(self, answer: Answer) -> None:
        if self.transport is None:
            return
        if answer.reset:
            self.drop()
            return
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        self.transport.write(answer.head() + body)
        if answer.cut is not None:
            self.transport.close()
            return
        self.done()
        if self.buffer:
            self.read()
