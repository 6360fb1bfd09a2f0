"""A share of a whole, as people read it, and numbers as JSON tells them."""

__all__ = ["percent", "rounded"]


def percent(share: float | None, digits: int = 1) -> str:
    """A share from 0 to 1 as `12.5%`; None, where there is none, as `-`.

    What is not all or nothing never reads so: it is `>99.9%` or `<0.1%` with one digit, `>99%` or `<1%` with none."""
    if share is None:
        return "-"
    least = 10.0**-digits
    told = round(100 * share, digits)
    if told >= 100 > 100 * share:
        return f">{100 - least:.{digits}f}%"
    if told <= 0 < share:
        return f"<{least:.{digits}f}%"
    return f"{100 * share:.{digits}f}%"


def rounded(value: float | None) -> float | None:
    """A number to four decimals, where there is one."""
    return None if value is None else round(value, 4)
