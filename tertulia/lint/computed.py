"""Amounts that nobody says, but that follow from those that tools return: what two differ by, what a few come to."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

from tertulia.checks.script import leaves

__all__ = ["computed"]

AMOUNT = re.compile(r"(?<![\w#.])\d{1,9}\.\d{1,4}(?![\w.])")
MOST_AMOUNTS = 60  # of which sums are tried: with more, some sum comes to anything


def computed(text: str, answers: Sequence[Any]) -> bool:
    """Whether a text is an amount with a fraction that is the sum or difference of two amounts in results, or the sum
    of three. A whole number is not asked for: too many sums come to it."""
    if not AMOUNT.fullmatch(text):
        return False
    wanted, found = Decimal(text), sorted(set(amounts(answers)))[:MOST_AMOUNTS]
    if any(wanted in (abs(one - other), one + other) for one, other in combinations(found, 2)):
        return True
    return any(sum(three) == wanted for three in combinations(found, 3))


def amounts(answers: Sequence[Any]) -> Iterator[Decimal]:
    """The amounts with a fraction that stand in results."""
    for text in leaves(list(answers)):
        yield from map(Decimal, AMOUNT.findall(text))
