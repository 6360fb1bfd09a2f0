"""The conversations and model replies of a run, in the `run.sqlite` of its folder: a write-ahead log, one writer.

A conversation is one JSON text, compressed to a third (which costs 25 microseconds each), so a row is either there in
full or not at all. Whatever was not yet committed when a process died is simply played again.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from tertulia.errors import SettingsError, StoreError, UserError
from tertulia.models import journal
from tertulia.records import Conversation
from tertulia.running.run_folder import changed_settings, locked, prepare, read_manifest, write_atomically
from tertulia.scenario import Scenario

__all__ = ["Store", "row_of"]

FORMAT = 2  # PRAGMA user_version; 1 had no journal
MARK = 0x74727475  # PRAGMA application_id: "trtu"
TABLES = """
CREATE TABLE conversations (place INTEGER PRIMARY KEY, rejected_by TEXT NOT NULL, record BLOB NOT NULL);
CREATE TABLE scenarios (id TEXT PRIMARY KEY, record BLOB NOT NULL);
"""
UNCOMPARED = {"endpoints"}  # of the manifest: where models are served changes no result
CODE = {"tertulia", "code of tertulia"}  # in the manifest: what plays
PAGE = 64  # rows read at once
GROUP = 64  # conversations in one commit, at most
SECONDS = 0.5  # that a conversation waits for its commit, at most


class Store:
    """An open run folder. Use it as a context manager.

    With a manifest the folder is opened for writing: created, or resumed when its settings are the same.
    Without one it is opened for reading what is there.

    Raises:
        StoreError: if the folder is foreign, in use, corrupt, or written by a newer version.
        SettingsError: if the folder holds a run with other settings; the message names the first of them."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self.lock: sqlite3.Connection | None = None
        self.since = 0.0  # when the first of those that wait was added
        self.waiting: list[tuple[int, str, bytes]] = []  # rows for the next commit
        self.changed: set[str] = set()  # scenarios that are to be played anew, with the replies of the journal
        if manifest is None:
            self.manifest = read_manifest(folder)
        else:
            prepare(folder)
            self.lock = locked(folder)
            self.manifest = dict(manifest)
        try:
            if self.lock:
                self._agree()
            self.database = self._connect()
        except UserError:
            if self.lock:
                self.lock.close()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is open and let go of the folder."""
        try:
            self.flush()
        finally:
            self.database.close()
            if self.lock:
                self.lock.close()

    def _agree(self) -> None:
        """Resume only under the settings that the folder was begun with. With models, scenarios and tertulia itself
        may have changed: the replies to whatever is asked as before are in the journal."""
        if (self.folder / "manifest.json").exists():
            before = read_manifest(self.folder)
            if self.manifest["settings"].get("models"):
                self.changed = changed_scenarios(before, self.manifest)
            left_out = UNCOMPARED | (CODE | {"scenarios"} if self.changed else set())
            then, now = ({k: v for k, v in one.items() if k not in left_out} for one in (before, self.manifest))
            differences = list(changed_settings(then, now))
            if differences:
                raise SettingsError(
                    f"{str(self.folder)!r} holds a run with other settings: {differences[0]}"
                    + (f" (and {len(differences) - 1} more)" if differences[1:] else "")
                    + "; choose another --out, or --fresh to play it anew"
                )
        elif (self.folder / "run.sqlite").exists():
            raise StoreError(f"{str(self.folder)!r} has a run.sqlite but no manifest.json; it cannot be resumed")
        else:
            self._write_manifest()

    def _write_manifest(self) -> None:
        write_atomically(self.folder / "manifest.json", json.dumps(self.manifest, indent=1) + "\n")

    def _connect(self) -> sqlite3.Connection:
        path = self.folder / "run.sqlite"
        if self.lock is None and not path.exists():
            raise StoreError(f"{str(self.folder)!r} has no run.sqlite: deleted, or the run was stopped before it began")
        with readable(self.folder):
            database = sqlite3.connect(path, isolation_level=None, timeout=10)
            try:
                self._check(database)
            except (sqlite3.Error, StoreError):
                database.close()
                raise
        return database

    def _check(self, database: sqlite3.Connection) -> None:
        mark = pragma(database, "application_id")
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if mark == 0 and tables == 0 and self.lock:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(
                f"BEGIN; {TABLES} {journal.TABLES} PRAGMA application_id = {MARK};"
                f" PRAGMA user_version = {FORMAT}; COMMIT;"
            )
        elif mark == 0 and tables == 0:
            raise StoreError(f"{str(self.folder)!r} holds nothing yet: the run was stopped before it began")
        elif mark != MARK:
            raise StoreError(f"{str(self.folder / 'run.sqlite')!r} was not written by tertulia")
        elif (found := pragma(database, "user_version")) > FORMAT:
            raise StoreError(
                f"{str(self.folder)!r} was written by a newer tertulia (store format {found}; this one knows {FORMAT})"
            )
        elif found < FORMAT and self.lock:
            database.executescript(f"BEGIN; {journal.TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("SELECT count(rejected_by) FROM conversations").fetchone()

    # --- writing -------------------------------------------------------------------------------------------------

    def add(self, talk: Conversation) -> None:
        """Add a finished conversation, or replace the one at its place. It is kept at the next commit."""
        self.add_row(row_of(talk))

    def add_row(self, row: tuple[int, str, bytes]) -> None:
        """Add a conversation that `row_of` has packed."""
        if not self.waiting:
            self.since = time.monotonic()
        self.waiting.append(row)
        self.flush_if_due()

    def keep_scenarios(self, scenarios: Iterable[Scenario]) -> None:
        """Keep the scenarios with the run, so that it can be judged and exported wherever the folder goes."""
        rows = [
            (scenario.id, packed(scenario.model_dump_json(by_alias=True, exclude_unset=True))) for scenario in scenarios
        ]
        with self.writing():
            self.database.executemany("INSERT OR REPLACE INTO scenarios VALUES (?, ?)", rows)

    def keep_calls(self, batch: journal.Batch) -> None:
        """Commit replies of models, before anybody uses them."""
        with self.writing():
            journal.write(self.database, batch)

    def replay(self, places: Iterable[int]) -> None:
        """Forget the conversations at these places, to be played again from the journal, and take on the settings."""
        with self.writing():
            self.database.executemany("DELETE FROM conversations WHERE place = ?", ((place,) for place in places))
        self._write_manifest()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction. It is short, so nobody who writes to this database waits for long."""
        with readable(self.folder):
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.database.execute("COMMIT")
            finally:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")

    def flush_if_due(self) -> None:
        """Commit when enough conversations wait, or one has waited long enough."""
        if self.waiting and (len(self.waiting) >= GROUP or time.monotonic() - self.since >= SECONDS):
            self.flush()

    def flush(self) -> None:
        """Commit now."""
        if self.waiting:
            with self.writing():
                self.database.executemany("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)", self.waiting)
            self.waiting = []

    # --- reading -------------------------------------------------------------------------------------------------

    def finished(self, but: Iterable[str] = ()) -> set[int]:
        """The places of all conversations that are there, but for those rejected for one of these causes."""
        self.flush()
        causes = tuple(but)
        query = f"SELECT place FROM conversations WHERE rejected_by NOT IN ({', '.join('?' * len(causes))})"
        with readable(self.folder):
            return {row[0] for row in self.database.execute(query, causes)}

    def outcomes(self, but: Iterable[str] = ()) -> dict[int, bool]:
        """Whether each conversation that is there was accepted, by place; without those rejected for these causes."""
        self.flush()
        left_out = set(but)
        with readable(self.folder):
            rows = self.database.execute("SELECT place, rejected_by FROM conversations ORDER BY place").fetchall()
        return {place: not cause for place, cause in rows if cause not in left_out}

    @property
    def planned(self) -> int:
        """How many conversations the run is to have; 0 where its manifest does not say."""
        n = self.manifest["settings"].get("n", 0)
        return n if isinstance(n, int) else 0

    def counters(self) -> dict[str, float]:
        """What the run paid for its models, and what went wrong on the way to them."""
        with readable(self.folder):
            return {} if pragma(self.database, "user_version") < FORMAT else dict(journal.totals(self.database))

    def scenarios(self) -> dict[str, Scenario]:
        """The scenarios of the run by id."""
        with readable(self.folder):
            rows = self.database.execute("SELECT id, record FROM scenarios").fetchall()
        return {name: Scenario.model_validate_json(unpacked(record)) for name, record in rows}

    def conversations(self, accepted_only: bool = False) -> Iterator[Conversation]:
        """Every conversation in the order of its place, a few in memory at a time."""
        chosen = "AND rejected_by = ''" if accepted_only else ""
        query = f"SELECT place, record FROM conversations WHERE place > ? {chosen} ORDER BY place LIMIT {PAGE}"
        last = -1
        while True:
            self.flush()
            with readable(self.folder):
                rows = self.database.execute(query, (last,)).fetchall()
            for last, record in rows:
                yield self._conversation(last, record)
            if len(rows) < PAGE:
                return

    def conversation(self, place: int) -> Conversation | None:
        """The conversation at a place, if it is there."""
        self.flush()
        with readable(self.folder):
            row = self.database.execute("SELECT record FROM conversations WHERE place = ?", (place,)).fetchone()
        return self._conversation(place, row[0]) if row else None

    def _conversation(self, place: int, record: bytes) -> Conversation:
        try:
            return read(unpacked(record))
        except (zlib.error, ValueError):  # a ValidationError is a ValueError
            raise StoreError(
                f"{str(self.folder)!r}: conversation {place} is damaged; `tertulia run` with --fresh plays it anew"
            ) from None


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Turn what SQLite says into one line for the person at the keyboard."""
    try:
        yield
    except sqlite3.Error as error:
        path, primary = str(folder / "run.sqlite"), getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary == sqlite3.SQLITE_FULL:
            hint = "make room, and the same command goes on from what is kept"
            raise StoreError(f"no space left for {path!r}: {hint}") from None
        damaged = primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
        hint = "; `tertulia run` with --fresh plays it anew" if damaged else ""
        raise StoreError(f"{path!r} cannot be used: {error}{hint}") from None


def pragma(database: sqlite3.Connection, name: str) -> int:
    value: int = database.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def row_of(talk: Conversation) -> tuple[int, str, bytes]:
    """A conversation as a row of the database."""
    return talk.index, talk.rejected_by, packed(written(talk))


def changed_scenarios(before: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """The scenarios that would be played otherwise, between two manifests that name the same ones; otherwise none."""
    old, new = before.get("scenarios"), now.get("scenarios")
    if not isinstance(old, dict) or not isinstance(new, dict) or set(old) != set(new):
        return set()
    if any(before.get(key) != now[key] for key in CODE if key in now):
        return set(new)
    return {name for name in new if new[name] != old[name]}


def written(talk: Conversation) -> str:
    """A conversation as JSON text, whatever a part has put into it."""
    try:
        return talk.model_dump_json(exclude_defaults=True)
    except PydanticSerializationError:  # half a surrogate pair from a model, or a value that is not JSON
        return json.dumps(talk.model_dump(exclude_defaults=True), default=str)


def read(text: bytes) -> Conversation:
    try:
        return Conversation.model_validate_json(text)
    except ValidationError:  # pydantic's own reader refuses half a surrogate pair
        return Conversation.model_validate(json.loads(text))


def packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 1)


def unpacked(data: bytes) -> bytes:
    return zlib.decompress(data)
