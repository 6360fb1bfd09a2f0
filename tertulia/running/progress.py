"""Shows how a run goes: a live line when standard error is a terminal, a plain line every few seconds otherwise."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from tertulia.running.pool import Standing
from tertulia.running.summary import bill, on_the_wire

__all__ = ["plain_line", "shown"]

EVERY = 5.0  # seconds between two plain lines


class Show(Protocol):
    def __call__(self, standing: Standing) -> None: ...


@contextmanager
def shown(quiet: bool = False, stream: TextIO | None = None) -> Iterator[Show]:
    """A function that shows the standing it is given."""
    stream = stream or sys.stderr
    if quiet:
        yield lambda standing: None
    elif stream.isatty():
        with Live(console=Console(file=stream), transient=True, refresh_per_second=8) as live:
            started = time.monotonic()
            yield lambda standing: live.update(panel(standing, time.monotonic() - started))
    else:
        yield PlainLines(stream)


class PlainLines:
    """One line every few seconds, and one when the run is over."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.started = self.last = time.monotonic()
        self.over = False

    def __call__(self, standing: Standing) -> None:
        now = time.monotonic()
        if not self.over and (now - self.last >= EVERY or standing.done == standing.total):
            self.last = now
            self.over = standing.done == standing.total
            print(plain_line(standing, now - self.started), file=self.stream, flush=True)


def plain_line(standing: Standing, seconds: float) -> str:
    """`40/120 done, 64 open, 31 accepted, 9 rejected (markers 6, success 3), 25.3/s, 3s left`"""
    if standing.kept == standing.total:
        return f"{standing.total} conversation{'s' * (standing.total != 1)}, all there already"
    parts = [f"{standing.done}/{standing.total} done"]
    if standing.kept:
        parts.append(f"{standing.kept} from before")
    parts += [f"{standing.open} open", f"{standing.accepted} accepted", rejected(standing), *calls(standing)]
    if standing.played and seconds > 0:
        parts += [f"{rate(standing, seconds):.1f}/s", f"{left(standing, seconds)} left"]
    return ", ".join(parts)


def rejected(standing: Standing) -> str:
    causes = ", ".join(f"{cause} {count}" for cause, count in standing.rejected.most_common())
    return f"{standing.rejected.total()} rejected" + (f" ({causes})" if causes else "")


def calls(standing: Standing) -> list[str]:
    """What the models cost so far, if there are any, and which calls to them failed."""
    totals = standing.totals
    if not totals:
        return []
    cost, failed = bill(totals), on_the_wire(totals)
    money = "" if cost["usd"] is None else f", ${cost['usd']:.2f}"
    shown = [f"{cost['model_calls']} calls, {sum(cost['tokens'].values())} tokens{money}"]
    if failed:
        causes = ", ".join(f"{cause} {count}" for cause, count in failed.most_common())
        shown.append(f"{failed.total()} calls failed ({causes})")
    return shown


def rate(standing: Standing, seconds: float) -> float:
    """Conversations per second of this process."""
    return standing.played / seconds if seconds > 0 else 0.0


def left(standing: Standing, seconds: float) -> str:
    """The time to the end at the rate so far."""
    pace = rate(standing, seconds)
    if not pace:
        return "?"
    remaining = round((standing.total - standing.done) / pace)
    minutes, rest = divmod(remaining, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def panel(standing: Standing, seconds: float) -> Table:
    """The live lines: a bar with rate and time left, then what became of the conversations."""
    head = Table.grid(padding=(0, 2))
    head.add_row(
        ProgressBar(total=max(1, standing.total), completed=standing.done, width=40),
        f"{standing.done}/{standing.total}",
        f"{rate(standing, seconds):.1f}/s",
        f"{left(standing, seconds)} left",
    )
    table = Table.grid()
    table.add_row(head)
    table.add_row(
        f"[bold]{standing.open}[/] open   [green]{standing.accepted} accepted[/]   [yellow]{rejected(standing)}[/]"
        + (f"   [dim]{standing.kept} from before[/]" if standing.kept else "")
    )
    for line in calls(standing):
        table.add_row(line)
    return table
