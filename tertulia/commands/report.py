"""`tertulia report`: what a run gave, as tables and as one page with plots."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape

from tertulia.commands.corpus_page import figures_of, length_bias, shares, top
from tertulia.commands.printing import as_json, console, note, table
from tertulia.commands.tables import brief, full
from tertulia.corpus.distributions import Distributions, spread
from tertulia.pages.document import document, figure, named, text, title, wide
from tertulia.pages.document import table as html_table
from tertulia.pages.plots import counts
from tertulia.parts import heuristics
from tertulia.replacing import replacing
from tertulia.running.runs import Run
from tertulia.running.summary import Summary
from tertulia.shares import percent

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
    for name, counted in (("turns", found.turns), *found.tags.items()):
        if counted:
            places = spread(counted)
            spreads.add_row(escape(name), *(f"{places[mark]:g}" for mark in MARKS))
    yield spreads
    revised = table("\nrevisions, by the principle that sent the draft back", "", "helped", "in vain")
    for name in sorted({*found.helped, *found.in_vain}, key=lambda name: (-found.helped[name], name)):
        revised.add_row(escape(name), str(found.helped[name]), str(found.in_vain[name]))
    if found.helped or found.in_vain:
        yield revised
    if told := length_bias(found):
        yield f"\n{told}"


def page_of(summary: Summary, found: Distributions) -> str:
    """One self-contained page."""
    body = [title(summary.run), *(f"<p>{text(line)}</p>" for line in brief(summary).splitlines())]
    body.append('<div class="plots">')
    if summary.rejected:
        body.append(figure("rejected by", counts(("cause", "conversations"), top(summary.rejected))))
    scenarios = summary.scenarios
    lost = {
        name: (one.played - one.succeeded, one.played) for name, one in scenarios.items() if one.succeeded < one.played
    }
    if lost:
        drawn = shares(("scenario", "without", "played", "share"), lost)
        note = f"{len(scenarios) - len(lost)} of {len(scenarios)} scenarios always succeeded"
        body.append(figure("conversations without success, by scenario", drawn, note))
    if summary.critic.by_principle:
        body.append(figure("critic against planted slips", critic(summary)))
    return document(summary.run, [*body, "</div>", "<h2>The corpus</h2>", *figures_of(found)])


def critic(summary: Summary) -> str:
    """By principle: faults planted, found, and marks that nothing planted explains."""
    rows = [
        (
            named(name),
            str(one.found + one.missed),
            str(one.found),
            str(one.false),
            percent(one.precision),
            percent(one.recall),
        )
        for name, one in [*summary.critic.by_principle.items(), ("all", summary.critic.overall)]
    ]
    drawn = html_table(("principle", "planted", "found", "false", "precision", "recall"), rows)
    return wide("critic against planted slips", drawn)
