"""A summary as tables for the terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from tertulia.commands.printing import table
from tertulia.summary import ScenarioCount, Summary, ranked

__all__ = ["brief", "full"]

REASONS = 3  # shown per scenario


def brief(summary: Summary) -> str:
    """A few lines that say what a run gave."""
    share = summary.accepted / summary.conversations if summary.conversations else 0.0
    causes = ", ".join(f"{cause} {count}" for cause, count in ranked(summary.rejected))
    overall = summary.critic.overall
    return "\n".join(
        (
            f"{summary.conversations} conversations, {summary.accepted} accepted ({share:.0%})"
            + (f", rejected by {causes}" if causes else ""),
            f"success {percent(summary.success_rate)}, {summary.markers.total()} markers, {summary.revisions} revisions",
            f"{summary.slips} planted slips: critic precision {percent(overall.precision)}, "
            f"recall {percent(overall.recall)}",
        )
    )


def full(summary: Summary) -> Iterator[RenderableType]:
    """Everything that `tertulia report` shows."""
    yield brief(summary)
    for title, counts in (
        ("how conversations ended", summary.end_reasons),
        ("rejected by", summary.rejected),
        ("markers by principle", summary.markers),
    ):
        if counts:
            yield counted(title, ranked(counts), summary.conversations)
    if summary.critic.by_principle:
        yield critic(summary)
    yield scenarios(summary)


def counted(title: str, rows: list[tuple[str, int]], of: int) -> Table:
    made = table(f"\n{title}", "", "count", "per conversation")
    for name, count in rows:
        made.add_row(escape(name), str(count), f"{count / of:.2f}")
    return made


def critic(summary: Summary) -> Table:
    """The critic against the faults that were planted out of its sight."""
    made = table(
        "\ncritic against planted slips", "principle", "planted", "found", "missed", "false", "precision", "recall"
    )
    rows = [*summary.critic.by_principle.items(), ("all", summary.critic.overall)]
    for name, counts in rows:
        made.add_row(
            escape(name),
            *map(str, (counts.found + counts.missed, counts.found, counts.missed, counts.false)),
            percent(counts.precision),
            percent(counts.recall),
        )
    return made


def scenarios(summary: Summary) -> Table:
    """Each scenario's success, the worst first, with the reasons of those that failed."""
    made = table("\nscenarios", "scenario", "played", "accepted", "success", "<why not")
    for name, count in sorted(
        summary.scenarios.items(), key=lambda pair: (pair[1].succeeded / pair[1].played, pair[0])
    ):
        rate = percent(count.succeeded / count.played)
        made.add_row(escape(name), str(count.played), str(count.accepted), rate, escape(why(count)))
    return made


def why(count: ScenarioCount) -> str:
    shown = ranked(count.reasons)[:REASONS]
    more = len(count.reasons) - len(shown)
    return "\n".join(f"{number} x {reason}" for reason, number in shown) + (f"\n... {more} more" if more > 0 else "")


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
