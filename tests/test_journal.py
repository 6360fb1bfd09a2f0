"""Replies are committed before they are used, together where they come together, and come back as they were."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import StoreError
from tertulia.models.journal import MOST, TABLES, Batch, Journal, as_json, from_json, totals, write
from tertulia.models.records import RawCall, Reply, Request

TEXTS = st.text(st.characters(codec=None), max_size=40)  # with halves of surrogate pairs
REPLIES = st.builds(
    Reply,
    text=TEXTS,
    reasoning=TEXTS,
    finish=st.sampled_from(["stop", "length"]),
    tokens_in=st.integers(0, 10**6),
    calls=st.lists(st.builds(RawCall, id=TEXTS, name=TEXTS, arguments=TEXTS), max_size=3).map(tuple),
    raw=TEXTS,
    logprobs=st.lists(st.tuples(TEXTS, st.floats(-9, 0)), max_size=3).map(tuple),
    counted=st.booleans(),
)


class Kept:
    """A database, and every commit made on it."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript("PRAGMA synchronous = OFF;" + TABLES)
        self.batches: list[Batch] = []

    def keep(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.database.execute("BEGIN")
        write(self.database, batch)
        self.database.execute("COMMIT")

    def journal(self) -> Journal:
        return Journal(self.database, self.keep)


@pytest.fixture
def kept(tmp_path):
    made = Kept(tmp_path / "run.sqlite")
    yield made
    made.database.close()


def request(conversation: str = "c", step: str = "agent/0/0", **fields: Any) -> Request:
    return Request(conversation=conversation, role="assistant", step=step, messages=(), **fields)


@given(REPLIES)
def test_any_reply_comes_back_as_it_was(reply):
    assert from_json(as_json(reply)) == reply


async def test_a_reply_is_in_the_database_when_put_returns(kept, tmp_path):
    journal = kept.journal()
    journal.under_way = 1
    async with asyncio.timeout(5):
        await journal.put(request(), b"key", Reply(text="yes"), {"calls": 1})

    other = sqlite3.connect(tmp_path / "run.sqlite")
    rows = other.execute("SELECT conversation, role, step FROM calls").fetchall()
    other.close()
    assert rows == [("c", "assistant", "agent/0/0")]
    assert {key: journal.unpacked(data) for key, data in kept.journal().replies("c").items()} == {
        b"key": Reply(text="yes")
    }


async def test_replies_that_come_together_are_committed_together(kept):
    journal = kept.journal()
    journal.under_way = 30
    async with asyncio.timeout(5):
        await asyncio.gather(*(journal.put(request(), bytes([n]), Reply(), {"calls": 1}) for n in range(30)))

    assert [len(batch.rows) for batch in kept.batches] == [30]
    assert totals(kept.database) == {"calls": 30}


async def test_a_reply_does_not_wait_for_calls_that_take_long(kept):
    journal = kept.journal()
    journal.under_way = 1000
    async with asyncio.timeout(5):
        await journal.put(request(), b"key", Reply(), {})

    assert len(kept.batches) == 1


async def test_a_commit_is_bounded(kept):
    journal = kept.journal()
    journal.under_way = 10 * MOST
    async with asyncio.timeout(5):
        await asyncio.gather(*(journal.put(request(), str(n).encode(), Reply(), {}) for n in range(3 * MOST)))

    assert [len(batch.rows) for batch in kept.batches] == [MOST] * 3


async def test_a_reply_whose_conversation_was_cancelled_is_kept(kept):
    journal = kept.journal()
    journal.under_way = 2
    task = asyncio.create_task(journal.put(request(), b"key", Reply(text="paid"), {}))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    journal.close()

    assert list(kept.journal().replies("c")) == [b"key"]


async def test_a_commit_that_fails_is_told_to_all_who_wait(kept):
    def full(batch: Batch) -> None:
        raise StoreError("disk full")

    journal = Journal(kept.database, full)
    journal.under_way = 3
    puts = (journal.put(request(), bytes([n]), Reply(), {}) for n in range(3))
    async with asyncio.timeout(5):
        said = await asyncio.gather(*puts, return_exceptions=True)

    assert [str(error) for error in said] == ["disk full"] * 3


async def test_a_commit_elsewhere_is_waited_for(kept):
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    journal = Journal(kept.database, lambda batch: done)
    journal.under_way = 1
    put = asyncio.create_task(journal.put(request(), b"key", Reply(), {}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not put.done()

    done.set_result(None)
    async with asyncio.timeout(5):
        await put


async def test_counters_add_up_over_attempts(kept):
    for _ in range(3):
        journal = kept.journal()
        journal.count("http.timeout")
        journal.count("usd", 0.25)
        journal.close()

    assert totals(kept.database) == {"http.timeout": 3, "usd": 0.75}


async def test_a_remark_is_kept_once_and_short(kept):
    for _ in range(2):
        journal = kept.journal()
        journal.remark("c", "user", "customer/0/0", "empty", "half \ud83d" + "x" * 10_000)
        journal.close()

    rows = kept.database.execute("SELECT trouble, length(raw) FROM remarks").fetchall()
    assert rows == [("empty", 4_005)]


async def test_a_new_run_never_looks_replies_up(kept):
    journal = kept.journal()
    kept.database.set_authorizer(lambda *action: sqlite3.SQLITE_DENY)

    assert journal.replies("c") == {}
