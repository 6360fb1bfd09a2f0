"""The call journal: every reply that was paid for is committed to the run's database before it is used.

A reply stands under its conversation and a key, the hash of its role, step and request; after a crash the same
conversation asks the same things and gets its replies from here. Replies that arrive together are committed together
(a transaction costs as much for one row as for thirty), and a reply is handed out when its commit is done. Zstandard
makes a reply a third as long for 5 microseconds, which saves more than that in the database.

    calls      one row per reply, in the order in which they came
    remarks    what was wrong with replies, with their beginning
    counters   what the run paid, and what went wrong on the way; added to in the same transactions
"""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import zstandard

from tertulia.errors import StoreError
from tertulia.models.records import RawCall, Reply, Request

__all__ = ["TABLES", "Batch", "Journal", "as_json", "from_json", "totals", "write"]

TABLES = """
CREATE TABLE IF NOT EXISTS calls
    (conversation TEXT NOT NULL, key BLOB NOT NULL, role TEXT NOT NULL, step TEXT NOT NULL, reply BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS calls_of ON calls (conversation);
CREATE TABLE IF NOT EXISTS remarks
    (conversation TEXT, role TEXT, step TEXT, trouble TEXT, raw TEXT, PRIMARY KEY (conversation, role, step, trouble))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value NUMERIC NOT NULL) WITHOUT ROWID;
"""
WINDOW = 0.003  # seconds that a reply may wait for company
MOST = 256  # replies in one commit
LONGEST_REMARK = 4_000  # characters kept of a reply that something was wrong with

Row = tuple[str, bytes, str, str, bytes]  # as in `calls`
Remark = tuple[str, str, str, str, str]  # as in `remarks`


@dataclass(slots=True)
class Batch:
    """What is committed together."""

    rows: list[Row] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


Keep = Callable[[Batch], "asyncio.Future[None] | None"]  # commits a batch, at once or when the future is done


class Journal:
    """The replies of a run. `reader` sees what is committed; `keep` commits more."""

    def __init__(self, reader: sqlite3.Connection, keep: Keep) -> None:
        self.reader = reader
        self.keep = keep
        self.press, self.unpress = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
        self.totals = totals(reader)  # as far as this process knows
        self.replays = bool(reader.execute("SELECT EXISTS (SELECT 1 FROM calls)").fetchone()[0])
        self.under_way = 0  # calls that will end in a `put`, those that wait for their commit included
        self.batch = Batch()
        self.waiting: list[asyncio.Future[None]] = []
        self.timer: asyncio.TimerHandle | None = None

    def replies(self, conversation: str) -> dict[bytes, bytes]:
        """The packed replies of a conversation by key."""
        if not self.replays:
            return {}
        return dict(self.reader.execute("SELECT key, reply FROM calls WHERE conversation = ?", (conversation,)))

    async def put(self, request: Request, key: bytes, reply: Reply, counts: Mapping[str, float]) -> None:
        """Returns when the reply is committed.

        Raises:
            StoreError: if it cannot be."""
        data = self.press.compress(as_json(reply))
        self.batch.rows.append((request.conversation, key, request.role, readable(request.step), data))
        for name, value in counts.items():
            self.count(name, value)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(kept)
        if len(self.waiting) >= min(self.under_way, MOST):
            self.flush()
        elif self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(WINDOW, self.flush)
        await kept

    def unpacked(self, data: bytes) -> Reply:
        """The reply that `put` packed."""
        return from_json(self.unpress.decompress(data))

    def count(self, name: str, value: float = 1) -> None:
        """Add to a counter, with the next commit."""
        self.batch.counts[name] += value  # type: ignore[assignment]
        self.totals[name] += value  # type: ignore[assignment]

    def remark(self, conversation: str, role: str, step: str, trouble: str, raw: str) -> None:
        """Keep what was wrong with a reply, with the next commit."""
        self.batch.remarks.append((conversation, role, step, trouble, readable(raw[:LONGEST_REMARK])))

    def close(self) -> None:
        """Commit what is left."""
        self.flush()

    def flush(self) -> None:
        """Commit what waits, and let those go on who wait for it."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        batch, waiting = self.batch, self.waiting
        if not (batch.rows or batch.remarks or batch.counts):
            return
        self.batch, self.waiting = Batch(), []
        try:
            later = self.keep(batch)
        except StoreError as error:
            if not waiting:
                raise
            settle(waiting, error)  # each of those who wait is told; the first of them ends the run
            return
        if later is None:
            settle(waiting)
        else:
            later.add_done_callback(lambda kept: settle(waiting, kept.exception()))


def settle(waiting: list[asyncio.Future[None]], error: BaseException | None = None) -> None:
    """Wake those who wait for a commit."""
    for kept in waiting:
        if kept.done():  # the conversation was cancelled meanwhile; its reply is kept all the same
            continue
        if error is None:
            kept.set_result(None)
        else:
            kept.set_exception(error)


# --- the database ------------------------------------------------------------------------------------------------


def write(database: sqlite3.Connection, batch: Batch) -> None:
    """Add a batch to the database, in the transaction that is open."""
    database.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", batch.rows)
    if batch.remarks:
        database.executemany("INSERT OR IGNORE INTO remarks VALUES (?, ?, ?, ?, ?)", batch.remarks)
    database.executemany(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
        batch.counts.items(),
    )


def totals(database: sqlite3.Connection) -> Counter[str]:
    """The counters of a run."""
    return Counter(dict(database.execute("SELECT name, value FROM counters")))


# --- replies as bytes --------------------------------------------------------------------------------------------

PLAIN = Reply().__dict__  # what a reply need not say


def as_json(reply: Reply) -> bytes:
    """What a reply says, without what is as in any other."""
    said = {name: value for name, value in reply.__dict__.items() if value != PLAIN[name]}
    try:
        return orjson.dumps(said, default=call_fields)
    except orjson.JSONEncodeError:  # half a surrogate pair in a text
        return json.dumps(said, default=call_fields).encode()


def from_json(text: bytes) -> Reply:
    """The reply that says it."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = json.loads(text)
    if "calls" in said:
        said["calls"] = tuple(RawCall.model_construct(**call) for call in said["calls"])
    if "logprobs" in said:
        said["logprobs"] = tuple((token, chance) for token, chance in said["logprobs"])
    if "embedding" in said:
        said["embedding"] = tuple(said["embedding"])
    return Reply.model_construct(**said)


def call_fields(call: RawCall) -> dict[str, Any]:
    """A call of a reply as JSON."""
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def readable(text: str) -> str:
    """The text without half a surrogate pair, which the database cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
