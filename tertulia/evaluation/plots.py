"""Plots as inline SVG: bars with intervals, a curve with its band, counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # which needs numpy; counts are drawn without
    from tertulia.evaluation.statistics.intervals import Interval

__all__ = ["bars", "curve", "shares"]

WIDTH, LABEL, ROW = 600, 190, 22  # pixels; a label takes the left of a row
INNER = WIDTH - LABEL - 120  # what is left for bars, with room for the number
HIGH, MARGIN = 220, 36  # of the curve


STYLE = (  # in each picture, so that it can be taken elsewhere
    "text{font:12px sans-serif;fill:currentColor}.track{fill:#98a2b3;opacity:.25}.bar{fill:#3b7cc9}"
    ".count{fill:#c77f1b}.range{stroke:currentColor;stroke-width:1.5;fill:none}.grid{stroke:#98a2b3;opacity:.4}"
    ".band{fill:#3b7cc9;opacity:.2}.line{stroke:#3b7cc9;stroke-width:2;fill:none}.dot{fill:#3b7cc9}"
)


def svg(width: int, height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img"><style>{STYLE}</style>{"".join(parts)}</svg>'


def text(x: float, y: float, said: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def bars(found: "Mapping[str, Interval]") -> str:
    """A bar per name from 0 to 1, with its interval."""
    parts = []
    for nth, (name, one) in enumerate(found.items()):
        y, middle = nth * ROW, nth * ROW + ROW / 2
        low, high = LABEL + one.low * INNER, LABEL + one.high * INNER
        parts += [
            text(LABEL - 8, middle + 4, name, "end"),
            f'<rect class="track" x="{LABEL}" y="{y + 4}" width="{INNER}" height="{ROW - 8}"/>',
            f'<rect class="bar" x="{LABEL}" y="{y + 4}" width="{one.value * INNER:.1f}" height="{ROW - 8}"/>',
            range_over(low, high, middle),
            text(LABEL + INNER + 8, middle + 4, f"{100 * one.value:.0f}% ({one.items} item{'s' * (one.items != 1)})"),
        ]
    return svg(WIDTH, max(1, len(found)) * ROW, parts)


def shares(counts: Mapping[str, float], as_percent: bool = False) -> str:
    """A bar per name, as long as its share of the largest."""
    most = max(counts.values(), default=1) or 1
    parts = []
    for nth, (name, count) in enumerate(counts.items()):
        middle = nth * ROW + ROW / 2
        long = count / most * INNER
        said = f"{100 * count:.1f}%" if as_percent else f"{count:g}"
        parts += [
            text(LABEL - 8, middle + 4, name, "end"),
            f'<rect class="count" x="{LABEL}" y="{nth * ROW + 4}" width="{long:.1f}" height="{ROW - 8}"/>',
            text(LABEL + long + 8, middle + 4, said),
        ]
    return svg(WIDTH, max(1, len(counts)) * ROW, parts)


def curve(points: "Sequence[tuple[int, Interval]]") -> str:
    """pass^k over k, with the band of its intervals."""
    if not points:
        return svg(WIDTH, 1, [])
    wide, tall = WIDTH - 2 * MARGIN, HIGH - 2 * MARGIN
    last = max(k for k, _ in points)
    place = {k: MARGIN + wide * ((k - 1) / (last - 1) if last > 1 else 0.5) for k, _ in points}

    def y(value: float) -> float:
        return MARGIN + tall * (1 - value)

    upper = [f"{place[k]:.1f},{y(one.high):.1f}" for k, one in points]
    lower = [f"{place[k]:.1f},{y(one.low):.1f}" for k, one in reversed(points)]
    line = " ".join(f"{place[k]:.1f},{y(one.value):.1f}" for k, one in points)
    dots = [f'<circle class="dot" cx="{place[k]:.1f}" cy="{y(one.value):.1f}" r="4"/>' for k, one in points]
    dots += [range_at(place[k], y(one.low), y(one.high)) for k, one in points]
    marks = [text(place[k], HIGH - MARGIN + 18, f"k = {k}", "middle") for k, _ in points]
    marks += [text(place[k] + 8, y(one.value) - 8, f"{100 * one.value:.0f}%") for k, one in points]
    band = f'<polygon class="band" points="{" ".join(upper + lower)}"/>'
    return svg(WIDTH, HIGH, [*grid(wide, y), band, f'<polyline class="line" points="{line}"/>', *dots, *marks])


def range_over(low: float, high: float, y: float) -> str:
    d = f"M{low:.1f} {y} H{high:.1f} M{low:.1f} {y - 4} v8 M{high:.1f} {y - 4} v8"
    return f'<path class="range" d="{d}"/>'


def range_at(x: float, low: float, high: float) -> str:
    return f'<path class="range" d="M{x:.1f} {low:.1f} V{high:.1f}"/>'


def grid(wide: int, y: Callable[[float], float]) -> Iterator[str]:
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield f'<path class="grid" d="M{MARGIN} {y(value):.1f} h{wide}"/>'
        yield text(MARGIN - 6, y(value) + 4, f"{100 * value:.0f}", "end")
