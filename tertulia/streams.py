"""Seeded random streams, each named after what it decides, so that no choice disturbs another."""

from hashlib import blake2b
from random import Random

__all__ = ["number", "stream"]


def number(seed: int, *names: object) -> int:
    """A number of 63 bits, so that signed columns of data sets hold it; it depends on the seed and on every name."""
    text = "\x1f".join(map(str, (seed, *names)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


def stream(seed: int, *names: object) -> Random:
    """The random stream of that name."""
    return Random(number(seed, *names))
