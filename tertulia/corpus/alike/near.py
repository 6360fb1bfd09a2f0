"""Near duplicates: MinHash signatures in bands, and the exact Jaccard similarity of every candidate.

The bands and the shingles of what is kept lie in a temporary SQLite file, so memory stays bounded over any number of
conversations. Which of two near duplicates is kept depends on their order alone: the first.
"""

from tertulia.corpus.words import hashed
from tertulia.errors import UserError

try:
    import numpy as np
    from datasketch import MinHash, MinHashLSH
except ImportError as error:
    raise UserError("near duplicates need datasketch: pip install 'tertulia[corpus]'") from error

import sqlite3
from collections.abc import Sequence
from typing import Any

__all__ = ["NearDuplicates", "shingles"]

PERMUTATIONS = 128
FALSE_NEGATIVES = 0.95  # weight of misses against candidates in vain: those are cheap, as each one is verified
MOST = 64  # candidates verified, those with the most bands in common first
CACHE = -32_768  # kilobytes of the temporary file that SQLite keeps in memory
TABLES = """
CREATE TABLE bands (key INTEGER NOT NULL, place INTEGER NOT NULL);
CREATE INDEX by_key ON bands (key);
CREATE TABLE kept (place INTEGER PRIMARY KEY, shingles BLOB NOT NULL);
"""
MIXERS = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F)  # odd numbers that spread bits (xxHash's primes)

Shingles = np.ndarray[Any, np.dtype[np.uint32]]


def shingles(said: Sequence[str], size: int) -> Shingles:
    """The distinct runs of `size` words as sorted numbers of 32 bits; of fewer words, one run of all of them."""
    numbers = np.fromiter(map(hashed, said), dtype=np.uint64, count=len(said))
    size = min(size, len(said))
    if not size:
        return np.zeros(0, dtype=np.uint32)
    mixed = np.zeros(len(said) - size + 1, dtype=np.uint64)
    for at in range(size):
        mixed = mixed * np.uint64(MIXERS[0]) + numbers[at : len(said) - size + 1 + at]
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(MIXERS[1 + at % 3])
    return np.unique((mixed >> np.uint64(16)).astype(np.uint32))


class NearDuplicates:
    """What has been kept so far, to be compared with what comes next.

    Of a pair whose Jaccard similarity is `similarity`, the bands find 95% and more; of a pair above it, all but all."""

    def __init__(self, similarity: float, size: int, seed: int = 0) -> None:
        self.similarity, self.size = similarity, size
        shape = MinHashLSH(similarity, PERMUTATIONS, weights=(1 - FALSE_NEGATIVES, FALSE_NEGATIVES))
        self.bands, self.rows = shape.b, shape.r
        self.blank = MinHash(PERMUTATIONS, seed=seed + 1, hashfunc=int)
        self.database = sqlite3.connect("", isolation_level=None)
        self.database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = {CACHE}; {TABLES}"
        )
        self.database.execute("BEGIN")

    def close(self) -> None:
        self.database.close()

    def seen(self, place: int, said: Sequence[str]) -> tuple[int, float] | None:
        """The place and similarity of the nearest kept text that this one repeats; None: it is kept from now on.

        A text without words repeats nothing."""
        found = shingles(said, self.size)
        if not len(found):
            return None
        keys = self.keys(found)
        best = self.nearest(found, keys)
        if best is not None:
            return best
        self.database.executemany("INSERT INTO bands VALUES (?, ?)", ((key, place) for key in keys))
        self.database.execute("INSERT INTO kept VALUES (?, ?)", (place, found.tobytes()))
        return None

    def keys(self, found: Shingles) -> list[int]:
        """A number for each band of the signature."""
        sketch = self.blank.copy()
        sketch.update_batch(found.tolist())
        used = np.ascontiguousarray(sketch.hashvalues[: self.bands * self.rows], dtype=np.uint64)
        mixed = np.arange(1, self.bands + 1, dtype=np.uint64) * np.uint64(MIXERS[1])
        for row in used.reshape(self.bands, self.rows).T:
            mixed = (mixed ^ row) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(32)
        keys: list[int] = mixed.view(np.int64).tolist()
        return keys

    def nearest(self, found: Shingles, keys: Sequence[int]) -> tuple[int, float] | None:
        marks = ", ".join("?" * len(keys))
        candidates = self.database.execute(
            f"SELECT place, shingles FROM kept WHERE place IN (SELECT place FROM bands WHERE key IN ({marks})"
            f" GROUP BY place ORDER BY count(*) DESC, place LIMIT {MOST})",
            tuple(keys),
        )
        best: tuple[int, float] | None = None
        for place, blob in candidates:
            score = jaccard(found, np.frombuffer(blob, dtype=np.uint32))
            if score >= self.similarity and (best is None or (-score, place) < (-best[1], best[0])):
                best = place, score
        return best


def jaccard(one: Shingles, other: Shingles) -> float:
    """The share of two sorted sets that is in both."""
    small, large = sorted((len(one), len(other)))
    if not large:
        return 0.0
    both = np.concatenate((one, other))
    both.sort()
    common = int(np.count_nonzero(both[1:] == both[:-1]))
    return common / (small + large - common)
