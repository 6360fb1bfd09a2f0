"""A share reads as what it is."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.shares import percent


@pytest.mark.parametrize(
    ("share", "digits", "told"),
    [
        (1497 / 1500, 0, ">99%"),
        (1497 / 1500, 1, "99.8%"),
        (1 / 10_000, 1, "<0.1%"),
        (0.004, 0, "<1%"),
        (0.125, 1, "12.5%"),
        (0, 1, "0.0%"),
        (1, 0, "100%"),
        (None, 1, "-"),
    ],
)
def test_a_share_is_told_with_so_many_digits(share: float | None, digits: int, told: str):
    assert percent(share, digits) == told


@given(whole=st.integers(1, 10**7), part=st.data(), digits=st.integers(0, 3))
def test_only_all_reads_as_all_and_only_nothing_as_nothing(whole: int, part: st.DataObject, digits: int):
    share = Fraction(part.draw(st.integers(0, whole)), whole)

    told = percent(float(share), digits)

    assert (told == f"{100:.{digits}f}%") == (share == 1)
    assert (told == f"{0:.{digits}f}%") == (share == 0)
