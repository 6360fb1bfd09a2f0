"""`tertulia report`: what a run gave, as tables and as one page with plots."""

from collections.abc import Iterator
from html import escape as safe
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape

from tertulia.commands.corpus_page import figure, figures_of, ranked, whole
from tertulia.commands.printing import as_json, console, note, table
from tertulia.commands.tables import brief, full
from tertulia.corpus.distributions import Distributions, spread
from tertulia.export import replacing
from tertulia.parts import heuristics
from tertulia.running.runs import Run
from tertulia.running.summary import Summary

__all__ = ["perform"]

MARKS = ("min", "p25", "median", "p75", "max")


def perform(*, folder: Path, html: Path | None, json: bool) -> int:
    run = Run(folder)
    summary = run.summary
    tagged = not set(heuristics()).isdisjoint(summary.verdicts)
    found = Distributions.of(run.conversations()) if tagged or html else None
    if html and found:
        with replacing(html) as file:
            file.write(page_of(summary, found))
        note(f"{html}: the same with plots")
    if json:
        if summary.unfinished:
            note(summary.unfinished)
        as_json(summary.as_json() | ({"distributions": found.as_json()} if found else {}))
        return 0
    screen = console()
    screen.print(f"[bold]{escape(str(folder))}[/]")
    for part in (*full(summary), *(tags(found) if found else ())):
        screen.print(part)
    return 0


def tags(found: Distributions) -> Iterator[RenderableType]:
    """How the measures of heuristic judges spread, and what revisions did."""
    spreads = table("\nmeasures over conversations", "", *MARKS)
    for name, counts in (("turns", found.turns), *found.tags.items()):
        if counts:
            places = spread(counts)
            spreads.add_row(escape(name), *(f"{places[mark]:g}" for mark in MARKS))
    yield spreads
    revised = table("\nrevisions, by the principle that sent the draft back", "", "helped", "in vain")
    for name in sorted({*found.helped, *found.in_vain}, key=lambda name: (-found.helped[name], name)):
        revised.add_row(escape(name), str(found.helped[name]), str(found.in_vain[name]))
    if found.helped or found.in_vain:
        yield revised
    if found.length_bias is not None:
        yield f"\nchosen drafts are {found.length_bias:+.1f} words longer than rejected ones on average"


def page_of(summary: Summary, found: Distributions) -> str:
    """One self-contained page."""
    lines = "".join(f"<p>{safe(line)}</p>" for line in brief(summary).splitlines())
    rejected = figure("rejected by", ranked(summary.rejected))
    success = {name: count.played - count.succeeded for name, count in summary.scenarios.items()}
    failed = figure("conversations without success, by scenario", ranked(success))
    head = [
        f"<h1>{safe(summary.run)}</h1>",
        lines,
        f'<div class="plots">{rejected}{failed}</div>',
        "<h2>The corpus</h2>",
    ]
    return whole(summary.run, [*head, *figures_of(found)])
