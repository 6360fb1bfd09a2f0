"""A row for each conversation of a corpus, in a temporary SQLite file: memory does not grow with the corpus."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType

__all__ = ["Cells", "Ledger"]

Cells = Mapping[str, Sequence[str]]  # field -> its values

CACHE = -16_384  # kilobytes that SQLite keeps in memory
TABLES = """
CREATE TABLE items (place INTEGER PRIMARY KEY, id TEXT NOT NULL, rule TEXT NOT NULL, note TEXT NOT NULL,
    cells TEXT NOT NULL, part TEXT NOT NULL DEFAULT '', rank INTEGER NOT NULL DEFAULT 0);
CREATE TABLE texts (digest BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
"""


class Ledger:
    """Which conversations are kept, which rule took the others, and what they are counted by."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None)
        self.database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = {CACHE}; {TABLES}"
        )
        self.database.execute("BEGIN")

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.database.close()

    def add(self, place: int, name: str, rule: str, note: str, cells: Cells) -> None:
        """One conversation; an empty rule: it is kept so far."""
        row = (place, name, rule, note, json.dumps(cells))
        self.database.execute("INSERT INTO items (place, id, rule, note, cells) VALUES (?, ?, ?, ?, ?)", row)

    def first_with(self, digest: bytes, place: int) -> int | None:
        """The place of an earlier kept text with this digest; None: this one is the first from now on."""
        row = self.database.execute("SELECT place FROM texts WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            self.database.execute("INSERT INTO texts VALUES (?, ?)", (digest, place))
            return None
        return int(row[0])

    def name_of(self, place: int) -> str:
        row = self.database.execute("SELECT id FROM items WHERE place = ?", (place,)).fetchone()
        return str(row[0]) if row else ""

    def kept(self, by_rank: bool = False) -> Iterator[tuple[int, str, dict[str, list[str]]]]:
        """What is kept so far: place, id and cells, in the order of the run or of their ranks."""
        order = "rank, place" if by_rank else "place"
        for place, name, cells in self.database.execute(
            f"SELECT place, id, cells FROM items WHERE rule = '' ORDER BY {order}"
        ):
            yield place, name, json.loads(cells)

    def rank(self, ranks: Iterable[tuple[int, int]]) -> None:
        """Give (rank, place) to conversations."""
        self.database.executemany("UPDATE items SET rank = ? WHERE place = ?", ranks)

    def reject(self, rejected: Iterable[tuple[str, str, int]]) -> None:
        """Take conversations out: (rule, note, place)."""
        self.database.executemany("UPDATE items SET rule = ?, note = ? WHERE place = ?", rejected)

    def assign(self, parts: Iterable[tuple[str, int]]) -> None:
        """Put conversations into a part of the split: (part, place)."""
        self.database.executemany("UPDATE items SET part = ? WHERE place = ?", parts)

    def rows(self) -> Iterator[tuple[int, str, str, str, str]]:
        """Every conversation in order: place, id, rule, note, part."""
        yield from self.database.execute("SELECT place, id, rule, note, part FROM items ORDER BY place")

    @property
    def count(self) -> int:
        return int(self.database.execute("SELECT count(*) FROM items WHERE rule = ''").fetchone()[0])

    @property
    def parts(self) -> dict[str, int]:
        query = "SELECT part, count(*) FROM items WHERE rule = '' GROUP BY part ORDER BY part"
        return {str(part): int(count) for part, count in self.database.execute(query)}

    def crossed(self, one: str, other: str, kept_only: bool) -> Counter[tuple[str, str]]:
        """How many conversations have a value of one field and a value of another."""
        chosen = "WHERE rule = ''" if kept_only else ""
        counts: Counter[tuple[str, str]] = Counter()
        for (cells,) in self.database.execute(f"SELECT cells FROM items {chosen}"):
            found = json.loads(cells)
            counts.update((a, b) for a in found[one] for b in found[other])
        return counts
