"""A summary as tables for the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from tertulia.commands.printing import table
from tertulia.running.summary import ScenarioCount, Summary, bill, on_the_wire, ranked
from tertulia.shares import percent
from tertulia.slips import Account, Case

__all__ = ["brief", "full", "unread"]

REASONS = 3  # shown per scenario
CASES = 20  # shown of the critic's misses, and of its false alarms
QUOTED = 160  # characters of a draft


def brief(summary: Summary) -> str:
    """A few lines that say what a run gave."""
    share = percent(summary.accepted / summary.conversations if summary.conversations else 0.0, 0)
    causes = ", ".join(f"{cause} {count}" for cause, count in ranked(summary.rejected))
    overall = summary.critic.overall
    count = summary.unfinished or f"{summary.conversations} conversations"
    return "\n".join(
        (
            f"{count}, {summary.accepted} accepted ({share})" + (f", rejected by {causes}" if causes else ""),
            f"success {percent(summary.success_rate)}, "
            f"{summary.markers.total()} markers, {summary.revisions} revisions",
            f"{summary.slips} planted slips: critic precision {percent(overall.precision)}, "
            f"recall {percent(overall.recall)}, on held-out wordings {percent(summary.critic.held_out.recall)}",
            *paid(summary),
        )
    )


def paid(summary: Summary) -> Iterator[str]:
    """What the models cost, if there were any, and what went wrong with them."""
    cost = bill(summary.counters)
    if not summary.counters:
        return
    money = "price unknown" if cost["usd"] is None else f"${cost['usd']:.4f}"
    tokens = f"{cost['tokens']['in']:,} tokens in, {cost['tokens']['out']:,} out"
    yield f"{cost['model_calls']:,} model calls, {cost['journal_hits']:,} from the journal, {tokens}, {money}"
    for what, counts in (("replies", summary.troubles), ("calls that failed", on_the_wire(summary.counters))):
        if counts:
            yield f"{what}: " + ", ".join(f"{cause} {count}" for cause, count in ranked(counts))


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
    if summary.verdicts:
        yield verdicts(summary)
    if summary.critic.by_principle:
        yield critic(summary)
    for title, cases in (
        ("planted, and not marked", summary.critic.misses),
        ("marked, and not planted", summary.critic.false_alarms),
    ):
        if cases:
            yield from listed(title, cases)
    yield from scenarios(summary)


def counted(title: str, rows: list[tuple[str, int]], of: int) -> Table:
    made = table(f"\n{title}", "", "count", "per conversation")
    for name, count in rows:
        made.add_row(escape(name), str(count), f"{count / of:.2f}")
    return made


def verdicts(summary: Summary) -> Table:
    errors = ["<could not be read"] if summary.unread else []
    made = table("\nverdicts by judge", "", "passed", "given", *errors)
    for name, counts in sorted(summary.verdicts.items()):
        made.add_row(escape(name), *map(str, counts), *([unread(summary, name)] * len(errors)))
    return made


def unread(summary: Summary, judge: str) -> str:
    """Replies to a judge that gave no number, by what was wrong with them."""
    return ", ".join(f"{name} {count}" for name, count in ranked(summary.unread.get(judge, Counter())))


def critic(summary: Summary) -> Table:
    """The critic against the faults that were planted out of its sight."""
    made = table(
        "\ncritic against planted slips",
        *("principle", "planted", "found", "false", "precision", "recall"),
        *("held out", "recall"),
    )
    held_out = summary.critic.held_out_by_principle
    rows = [
        *((name, counts, held_out.get(name, Account())) for name, counts in summary.critic.by_principle.items()),
        ("all", summary.critic.overall, summary.critic.held_out),
    ]
    for name, counts, apart in rows:
        made.add_row(
            escape(name),
            *map(str, (counts.found + counts.missed, counts.found, counts.false)),
            percent(counts.precision),
            percent(counts.recall),
            str(apart.found + apart.missed),
            percent(apart.recall),
        )
    return made


def listed(title: str, cases: Sequence[Case]) -> Iterator[RenderableType]:
    """Misses or false alarms of the critic, to be read one by one."""
    yield f"\n[bold]{title}[/]"
    for case in cases[:CASES]:
        text = case.text if len(case.text) <= QUOTED else case.text[:QUOTED] + " ..."
        kind = f"{case.kind} (held out)" if case.held_out else case.kind
        yield escape(", ".join(filter(None, (case.conversation, case.principle, kind))))
        yield indented(escape("\n".join(filter(None, (text, case.reason)))))


def scenarios(summary: Summary) -> Iterator[RenderableType]:
    """The scenarios that failed, the worst first; then how many never did, and why the others do.

    Reasons stand below the table: they are long, and a narrow column would cut the names in them."""
    made = table("\nscenarios that did not always succeed", "scenario", "played", "accepted", "success")
    failed = sorted(
        (pair for pair in summary.scenarios.items() if pair[1].succeeded < pair[1].played),
        key=lambda pair: (pair[1].success_rate, pair[0]),
    )
    for name, count in failed:
        made.add_row(escape(name), str(count.played), str(count.accepted), percent(count.success_rate))
    if failed:
        yield made
        yield "\n[bold]why not[/]"
    for name, count in failed:
        yield escape(name)
        yield indented(escape(why(count)))
    yield f"\n{len(summary.scenarios) - len(failed)} of {len(summary.scenarios)} scenarios succeeded every time"


def indented(text: str) -> Padding:
    return Padding(text, (0, 0, 0, 4), expand=False)


def why(count: ScenarioCount) -> str:
    shown = count.why[:REASONS]
    more = len(count.reasons) - len(shown)
    return "\n".join(f"{number} x {reason}" for reason, number in shown) + (f"\n... {more} more" if more > 0 else "")
