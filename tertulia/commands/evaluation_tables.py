"""The figures of an evaluation as text and tables for the terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tertulia.commands.printing import counted, table
from tertulia.evaluation.causes.blame import Judged
from tertulia.evaluation.causes.findings import cut
from tertulia.evaluation.comparing import Compared
from tertulia.evaluation.figures import Figures
from tertulia.evaluation.statistics.intervals import Interval
from tertulia.evaluation.statistics.variance import BETWEEN, VarianceSplit
from tertulia.shares import percent

__all__ = ["brief", "compared", "full", "unreached"]

EXAMPLES = 2  # failures shown of each cause
NAMED = 10  # items at which one of two agents is ahead
QUOTED = 300  # characters of each line of their evidence
INDENT = 4  # blanks before it
NARROWEST = 20  # characters of a line of it, in the narrowest terminal


@dataclass(frozen=True, slots=True)
class Indented:
    """Lines of evidence, each wrapped to the terminal under its conversation."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        wide = max(NARROWEST, options.max_width - INDENT)
        for line in self.text.splitlines():
            for piece in wrap(line, wide, break_on_hyphens=False):
                yield Text(" " * INDENT + piece, no_wrap=True, overflow="ignore")


def ranged(found: Interval | None) -> str:
    """`83.3% [75.0%, 89.9%]`"""
    return "-" if found is None else f"{percent(found.value)} [{percent(found.low)}, {percent(found.high)}]"


def brief(figures: Figures) -> str:
    """A few lines that say what the agent scored, beside what is for free."""
    clean = dict(figures.passing(figures.clean))
    raw = dict(figures.passing(figures.raw))
    lines = [f"{figures.agent}, {figures.mode}: {counted(len(figures.items), 'item')} x {figures.k}, 95% intervals"]
    if figures.unplayed:
        lines.append(f"{len(figures.first)} of {figures.asked} trials are there; figures are of these alone")
    lines += [f"pass^{k}  {ranged(found)}" for k, found in clean.items()]
    if figures.seeds is None and max(clean, default=figures.k) < figures.k:
        lines.append(f"not half of the items have {max(clean) + 1} trials that count, so there is no pass^{figures.k}")
    lines.append(f"slot F1 {ranged(figures.slot_f1)}, success {ranged(figures.success)}")
    if figures.tainted:
        lines.append(
            f"{counted(figures.tainted, 'trial')} tainted by the simulator, {figures.played_again} played again, "
            f"{figures.set_aside} set aside; with all of them pass^1 is {ranged(raw.get(1))}"
        )
    if figures.unreached:
        lines.append(f"{unreached(figures)}, which counts as a failure")
    if figures.floors:
        told = "beside it" if figures.mode == "dynamic" else "beside it, in dialogues"
        lines.append(f"{told}: " + ", ".join(f"{name} {percent(rate)}" for name, rate in figures.floors.items()))
    if figures.mdd is not None:
        lines.append(f"the smallest difference that this set shows with 80% power: {100 * figures.mdd:.1f} points")
    return "\n".join(lines)


def unreached(figures: Figures) -> str:
    """How many trials say nothing of what the agent can do."""
    return f"{figures.unreached} of {len(figures.last)} trials ended because no answer came from the agent or a model"


def full(figures: Figures) -> Iterator[RenderableType]:
    """Everything else that `tertulia evaluate` shows."""
    if figures.causes:
        yield causes(figures)
    if figures.by_kind:
        yield rates("\npass^1 by kind", figures.by_kind)
    broken = {name: found for name, found in figures.by_principle.items() if found.value < 1}
    if broken:
        yield rates("\nprinciples not always held", broken)
    faults = {what: rate for what, rate in figures.fidelity.items() if rate}
    if faults:
        yield shares("\nthe simulator broke its rules in", faults)
    if figures.split and figures.split.shares:
        yield spread(figures.split)
    if any(value for name, value in figures.cost.items() if name != "usd"):
        yield cost(figures)
    if figures.failures:
        yield from failures(figures)


def failures(figures: Figures) -> Iterator[RenderableType]:
    """Some failures of each cause, the most frequent first."""
    by_cause: dict[str, list[Judged]] = {}
    for one in figures.failures:
        by_cause.setdefault(one.name, []).append(one)
    yield "\n[bold]failures, for example[/]"
    for name, found in sorted(by_cause.items(), key=lambda pair: -len(pair[1])):
        for one in found[:EXAMPLES]:
            yield escape(f"{one.score.conversation}: {name}")
            yield Indented(evidence(one))


def evidence(one: Judged) -> str:
    """Where and how a trial failed, and what else was wrong, a line each."""
    if one.fault is None:
        return cut(one.score.reason, QUOTED)
    at = f"turn {one.fault.turn}: " if one.fault.turn >= 0 else ""
    rule = "" if one.fault.text.startswith(f"{one.fault.rule}: ") else one.fault.rule
    told = (f"{at}{one.fault.text}", rule, f"besides: {one.fault.beside}" if one.fault.beside else "")
    return "\n".join(cut(line, QUOTED) for line in told if line)


def causes(figures: Figures) -> Table:
    made = table("\nwhy trials failed", "cause", "trials", "share")
    total = sum(figures.causes.values())
    for cause, count in figures.causes.most_common():
        made.add_row(cause, str(count), percent(count / total))
        if cause == "agent":
            for fine, times in figures.fine.most_common():
                made.add_row(f"  {fine}", str(times), percent(times / total))
    return made


def rates(title: str, found: Mapping[str, Interval]) -> Table:
    made = table(title, "", "rate", "from", "to", "items")
    for name, one in found.items():
        made.add_row(escape(name), percent(one.value), percent(one.low), percent(one.high), str(one.items))
    return made


def shares(title: str, found: Mapping[str, float]) -> Table:
    made = table(title, "", "of trials")
    for name, share in found.items():
        made.add_row(name, percent(share))
    return made


def spread(split: VarianceSplit) -> Table:
    """Where outcomes differ: a component below 0 counts as 0."""
    made = table("\nwhere outcomes differ", "between", "variance", "from", "to", "share")
    for name, part in split.parts.items():
        ends = ["-" if end is None else f"{max(0.0, end):.4f}" for end in (part.low, part.high)]
        share = split.shares.get(name)
        made.add_row(BETWEEN[name], f"{part.told:.4f}", *ends, "-" if share is None else percent(share))
    return made


def cost(figures: Figures) -> Table:
    made = table("\nper trial", "", "mean")
    for name, value in figures.cost.items():
        if value and name != "usd":
            made.add_row(name.replace("_", " "), f"{value:,.1f}")
    if figures.cost["model_calls"]:
        usd = figures.cost["usd"]
        made.add_row("US dollars in all", "unknown" if usd is None else f"{usd:.4f}")
    return made


def compared(found: Compared) -> str:
    """What a comparison says, in a few lines."""
    one, other = map(escape, found.agents)
    gap = found.comparison
    lines = [
        f"{one} {percent(found.rates[0])}, {other} {percent(found.rates[1])} on {gap.items} items",
        f"difference {100 * gap.difference:+.1f} points, 95% interval {100 * gap.low:+.1f} to {100 * gap.high:+.1f}",
        f"{one} is the better one with probability {gap.better:.3f}; p = {gap.p_value:.4f}",
        f"differences from {100 * gap.detectable:.1f} points on would show with 80% power",
    ]
    for name, items in zip((one, other), found.ahead(), strict=True):
        if items:
            more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
            named = escape(", ".join(items[:NAMED])) + more
            lines.append(f"{name} passes more often at {counted(len(items), 'item')}: {named}")
    if any(found.unreached):
        lost = " and ".join(map(str, found.unreached))
        lines.append(f"{lost} trials ended because no answer came, which counts as a failure: play these again first")
    if found.differing:
        lines.append(f"[bold]not of the same versions[/]: {escape('; '.join(found.differing))}")
    return "\n".join(lines)
