"""Replies of a real model kept in a file, and given again without the model.

A line of the file is one reply with the request that it answered. A request is known again by everything that the
model would see, so a recording serves until a prompt changes.
"""

import json
from collections import defaultdict
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from tertulia.errors import UserError
from tertulia.lines import lines_of
from tertulia.models.records import ChatEndpoint, Reply, Request
from tertulia.records import Record
from tertulia.testing.scripted import NoReply

__all__ = ["Recording", "Replaying"]


class Exchange(Record):
    """A line of a recording."""

    request: Request
    reply: Reply


def seen_by_model(request: Request) -> str:
    """A hash of what the model sees of a request: not where in the run it was asked."""
    seen = request.model_dump(exclude={"conversation", "step"})
    return blake2b(json.dumps(seen, sort_keys=True).encode(), digest_size=16).hexdigest()


class Recording:
    """An endpoint that passes everything on to another and keeps each reply at the end of a file."""

    def __init__(self, endpoint: ChatEndpoint, path: str | Path) -> None:
        self.endpoint = endpoint
        self.file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 - it stays open as long as the recording

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.file.close()

    async def complete(self, request: Request, deadline: float) -> Reply:
        reply = await self.endpoint.complete(request, deadline)
        self.file.write(Exchange(request=request, reply=reply).model_dump_json(exclude_defaults=True) + "\n")
        self.file.flush()
        return reply


class Replaying:
    """An endpoint that gives the replies of a recording; asked the same again, it goes through them in order.

    Raises:
        UserError: if the file cannot be read; the message names the line."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.replies: defaultdict[str, list[Reply]] = defaultdict(list)
        self.given: defaultdict[str, int] = defaultdict(int)
        for exchange in exchanges(self.path):
            self.replies[seen_by_model(exchange.request)].append(exchange.reply)

    async def complete(self, request: Request, deadline: float = 0.0) -> Reply:
        """The reply to this request; the last of them again when it is asked more often than it was recorded.

        Raises:
            NoReply: if the recording has none; the message names the request."""
        key = seen_by_model(request)
        known = self.replies.get(key)
        if not known:
            raise NoReply(request, f"{str(self.path)!r} holds no reply")
        self.given[key] += 1
        return known[min(self.given[key], len(known)) - 1]


def exchanges(path: Path) -> list[Exchange]:
    """The lines of a recording."""
    found = []
    for number, line in enumerate(lines_of(path), 1):
        try:
            found.append(Exchange.model_validate_json(line))
        except ValidationError as error:
            raise UserError(f"{path}:{number}: not a line of a recording: {error.errors()[0]['msg']}") from None
    return found
