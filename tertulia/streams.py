"""Seeded random streams, each named after what it decides, so that no choice disturbs another."""

from hashlib import blake2b
from random import Random

__all__ = ["chance", "number", "stream"]


def number(seed: int, *names: object) -> int:
    """A number of 63 bits, so that signed columns of data sets hold it; it depends on the seed and on every name."""
    text = "\x1f".join(map(str, (seed, *names)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


def chance(seed: int, *names: object) -> float:
    """A number from 0 up to 1; cheaper than a stream of which one draw is wanted."""
    return number(seed, *names) / 2**63


def stream(seed: int, *names: object) -> Random:
    """The random stream of that name."""
    return Random(number(seed, *names))
