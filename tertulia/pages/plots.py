"""Plots: bars in a table, whose numbers stand beside them, and the curve of pass^k as inline SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tertulia.pages.document import named, text
from tertulia.shares import percent

__all__ = ["Bar", "Rate", "bars", "counts", "curve"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 250, 54, 8, 22, 44  # of a curve, and the room around it
ASIDE = 20  # between the curve's ends and the ends of the grid
LABELS = 8  # of a curve's points, at most
PERCENT = ("0", "50", "100%")


class Rate(Protocol):
    """A share with its interval, 0 to 1, and over how many items."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def items(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of bars: lengths are shares of the axis, 0 to 1; cells are text."""

    name: str
    value: float
    cells: Sequence[str]
    between: tuple[float, float] | None = None  # its interval
    behind: float = 1.0  # the length of the track
    to: str = ""  # the id of what its name leads to
    main: bool = False  # the row that the others are to be held against

    def row(self) -> str:
        name = named(self.name)
        linked = f'<a href="#{text(self.to)}">{name}</a>' if self.to else name
        cells = "".join(f'<td class="n">{text(cell)}</td>' for cell in self.cells)
        kind = ' class="main"' if self.main else ""
        return f'<tr{kind}><th scope="row">{linked}</th><td class="plot">{self.drawn()}</td>{cells}</tr>'

    def drawn(self) -> str:
        """The numbers stand beside it, so it is nothing to be read out."""
        shape = f'<rect class="track" y="2" width="{100 * self.behind:.2f}" height="12"/>'
        shape += f'<rect class="bar" y="2" width="{100 * self.value:.2f}" height="12"/>'
        if self.between:
            low, high = (min(max(100 * end, 0.4), 99.6) for end in self.between)
            shape += f'<path class="range" d="M{low:.2f} 8 H{high:.2f} M{low:.2f} 4 v8 M{high:.2f} 4 v8"/>'
        return f'<svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">{shape}</svg>'


def bars(columns: Sequence[str], rows: Sequence[Bar], axis: Sequence[str] = PERCENT) -> str:
    """A table of bars: what the names are, then what each cell is; `axis` labels its ends, and its middle if three."""
    scale = "".join(f"<span>{text(label)}</span>" for label in axis)
    name, *others = (f'<th scope="col"{shape}>{text(c)}</th>' for c, shape in zip(columns, classes(), strict=False))
    head = f'{name}<th scope="col" class="plot"><div class="axis">{scale}</div></th>{"".join(others)}'
    return f'<table class="bars"><thead><tr>{head}</tr></thead><tbody>{"".join(b.row() for b in rows)}</tbody></table>'


def classes() -> Iterator[str]:
    yield ""
    while True:
        yield ' class="n"'


def counts(columns: Sequence[str], found: Mapping[str, int], links: Mapping[str, str] | None = None) -> str:
    """A bar per name, as long as its share of the largest, with the count and its share of all of them."""
    most, total = max(found.values(), default=0) or 1, sum(found.values()) or 1
    to = links or {}
    rows = [
        Bar(name, count / most, (f"{count:,}", percent(count / total)), to=to.get(name, ""))
        for name, count in found.items()
    ]
    return bars((*columns, "share"), rows, ("0", f"{most:,}"))


# --- the curve ---------------------------------------------------------------------------------------------------


def curve(points: Sequence[tuple[int, Rate]]) -> str:
    """pass^k over k, with the band of its intervals; `points` are two or more, by k."""
    wide, first, last = WIDTH - LEFT - RIGHT - 2 * ASIDE, points[0][0], points[-1][0]
    xs = [LEFT + ASIDE + wide * (k - first) / (last - first) for k, _ in points]
    rates = [one for _, one in points]
    upper = " ".join(f"{x:.1f},{at(one.high):.1f}" for x, one in zip(xs, rates, strict=True))
    lower = " ".join(f"{x:.1f},{at(one.low):.1f}" for x, one in reversed([*zip(xs, rates, strict=True)]))
    line = " ".join(f"{x:.1f},{at(one.value):.1f}" for x, one in zip(xs, rates, strict=True))
    every = -(-len(points) // LABELS)
    parts = [*grid(), f'<polygon class="band" points="{upper} {lower}"/>', f'<polyline class="line" points="{line}"/>']
    for nth, (x, (k, one)) in enumerate(zip(xs, points, strict=True)):
        labelled = nth % every == 0
        parts += point(x, k, one, labelled)
    parts.append(label(LEFT + ASIDE + wide / 2, HEIGHT - 6, "k, trials of one item"))
    told = "; ".join(f"k = {k}: {percent(one.value)} ({percent(one.low)} to {percent(one.high)})" for k, one in points)
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>pass^k over k</title>'
        f"<desc>{text(told)}</desc>{''.join(parts)}</svg>"
    )


def at(value: float) -> float:
    """The height of a share."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value)


def point(x: float, k: int, one: Rate, labelled: bool) -> Iterator[str]:
    yield f'<path class="range" d="M{x:.1f} {at(one.low):.1f} V{at(one.high):.1f}"/>'
    yield f'<circle class="dot" cx="{x:.1f}" cy="{at(one.value):.1f}" r="4"/>'
    if labelled:
        above = at(one.value) - 9 if one.value < 0.9 else at(one.value) + 18
        yield label(x, HEIGHT - BOTTOM + 17, str(k))
        yield label(x, above, percent(one.value, 0), "value")


def grid() -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield f'<path class="grid" d="M{LEFT} {at(share):.1f} H{WIDTH - RIGHT}"/>'
        yield label(LEFT - 8, at(share) + 4, f"{100 * share:.0f}%", "end")


def label(x: float, y: float, said: str, kind: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{text(said)}</text>'
