"""The report of an evaluation as one page: the score beside what is for free, why trials failed, and every failure with
a link to the turn at which it happened."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from tertulia.evaluation.causes.blame import Judged
from tertulia.evaluation.dialogue_html import anchor, dialogues, turn_anchor
from tertulia.evaluation.figures import Figures
from tertulia.evaluation.statistics.variance import BETWEEN, VarianceSplit
from tertulia.pages.document import document, figure, folded, named, table, text, tiles, title
from tertulia.pages.plots import Bar, Rate, bars, counts, curve
from tertulia.shares import percent

__all__ = ["page_of"]

MOST = 300  # failed dialogues that are shown in full; each takes a few kilobytes
FREE = "none does nothing, rules fills forms, oracle makes the calls of the gold"
QUOTED, RULED = 240, 240  # characters of the evidence


def page_of(figures: Figures) -> str:
    """The page as text."""
    groups = by_cause(figures)
    picked = set(map(id, spread(groups, MOST)))
    shown = [one for one in figures.failures if id(one) in picked]
    body = [*head(figures), *glance(figures, groups), *plots(figures), *failures(figures, groups, shown)]
    body += [*dialogues(figures.folder, shown), *measured(figures)]
    return document(f"{figures.agent} on {len(figures.items)} items", body)


def by_cause(figures: Figures) -> dict[str, list[Judged]]:
    """The failed trials by cause, the most frequent first."""
    found: dict[str, list[Judged]] = {}
    for one in figures.failures:
        found.setdefault(one.name, []).append(one)
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def spread(groups: Mapping[str, Sequence[Judged]], most: int) -> list[Judged]:
    """So many failures at most, of every cause in turn, so that a frequent one crowds no other out."""
    turns = zip_longest(*groups.values())
    return [one for turn in turns for one in turn if one is not None][:most]


def cause_id(name: str) -> str:
    return "cause-" + name.replace(": ", "-").replace(" ", "-")


# --- the answer --------------------------------------------------------------------------------------------------


def head(figures: Figures) -> Iterator[str]:
    clean, raw = dict(figures.passing(figures.clean)), dict(figures.passing(figures.raw))
    yield title(figures.agent)
    if one := clean.get(1):
        yield f'<p class="lead"><strong>{percent(one.value)}</strong> of trials pass, 95% interval {ranged(one)}</p>'
    else:
        yield '<p class="lead">No trial counts: the simulator tainted every one.</p>'
    failed = sum(bool(one.cause) for one in figures.trials)
    there = f"{len(figures.first):,} trials ({figures.k} of each item)"
    if figures.unplayed:
        there = f"{len(figures.first):,} of the {figures.asked:,} trials that were asked for"
    size = f"{len(figures.items):,} items, {there}, {figures.mode}"
    yield f"<p>{size}. " + (f'<a href="#failures">{failed:,} failed</a>.</p>' if failed else "No trial failed.</p>")
    if figures.tainted and (first := raw.get(1)):
        yield (
            f"<p>The simulator tainted {figures.tainted:,} trials; {figures.played_again:,} were played again, and "
            f"{figures.set_aside:,} are set aside. With all of them, "
            f"{percent(first.value)} ({ranged(first)}) pass.</p>"
        )


def ranged(one: Rate) -> str:
    return f"{percent(one.low)} to {percent(one.high)}"


def glance(figures: Figures, groups: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    """The score beside what is for free, and why trials failed."""
    clean = dict(figures.passing(figures.clean))
    yield '<div class="plots">'
    rows = [rate_bar("this agent", clean[1], main=True)] if 1 in clean else []
    rows += [Bar(name, rate, (percent(rate), "", "")) for name, rate in figures.floors.items()]
    free = FREE if figures.mode == "dynamic" else f"in dialogues: {FREE}"
    yield figure("pass^1, and what stands beside it", bars(RATES, rows), free if figures.floors else "")
    if groups:
        links = {name: cause_id(name) for name in groups}
        found = {name: len(trials) for name, trials in groups.items()}
        yield figure("why trials failed", counts(("cause", "trials"), found, links))
    yield "</div>" + tiles(numbers(figures))


def numbers(figures: Figures) -> Iterator[tuple[str, str, str]]:
    for k, one in figures.passing(figures.clean)[1:][-1:]:
        yield f"pass^{k}: all {k} trials pass", percent(one.value), ranged(one)
    for name, mean in (("slot F1", figures.slot_f1), ("success, secrets aside", figures.success)):
        if mean is not None:
            yield name, percent(mean.value), ranged(mean)
    if figures.mdd is not None:
        yield "smallest difference shown", f"{100 * figures.mdd:.1f} points", "with 80% power"
    if figures.cost["model_calls"]:
        usd = figures.cost["usd"]
        yield "cost in all", "unknown" if usd is None else f"${usd:,.4f}", "US dollars"


# --- plots -------------------------------------------------------------------------------------------------------

DIFFERING = "items differ in how hard they are; trials of one item in the simulator's draws and the agent's"
RATES = ("", "rate", "95% interval", "items")


def rate_bar(name: str, one: Rate, main: bool = False) -> Bar:
    told = (percent(one.value), f"{percent(one.low, 0)} to {percent(one.high, 0)}", str(one.items))
    return Bar(name, one.value, told, (one.low, one.high), main=main)


def rates(first: str, found: Mapping[str, Rate]) -> str:
    """A bar for each, the lowest first."""
    ranked = sorted(found.items(), key=lambda pair: (pair[1].value, pair[0]))
    return bars((first, *RATES[1:]), [rate_bar(name, one) for name, one in ranked])


def plots(figures: Figures) -> Iterator[str]:
    yield '<h2>Where, how often, at what cost</h2><div class="plots">'
    passing = figures.passing(figures.clean)
    if len(passing) > 1:
        flips = figures.flips.values()
        note = (
            f"{sum(map(bool, flips))} of {len(flips)} items pass in some trials and fail in others. Band: 95% intervals"
        )
        yield figure(
            "pass^k: all of k trials of an item pass", curve(passing) + folded("as numbers", passed(passing)), note
        )
    if figures.split and figures.split.shares:
        yield figure("where outcomes differ: the variance of one trial", differing(figures.split), DIFFERING)
    if figures.by_kind:
        yield figure("pass^1 by kind of scenario", rates("kind", figures.by_kind))
    if figures.by_principle:
        yield figure("share of trials that held each principle", principles(figures.by_principle))
    yield figure("cost of a trial", costs(figures.cost))
    if any(figures.fidelity.values()):
        yield figure("the simulator broke its rules", fidelity(figures), "share of trials")
    yield "</div>"


def passed(passing: Sequence[tuple[int, Rate]]) -> str:
    rows = [(f"k = {k}", percent(one.value), percent(one.low), percent(one.high)) for k, one in passing]
    return table(("", "pass^k", "from", "to"), rows)


def differing(split: VarianceSplit) -> str:
    """A bar for the share of each part, with the variances behind it; a part or a bound below 0 counts as 0."""
    drawn = [Bar(BETWEEN[name], share, (percent(share),)) for name, share in split.shares.items()]
    rows = []
    for name, part in split.parts.items():
        ends = ["-" if end is None else f"{max(0.0, end):.4f}" for end in (part.low, part.high)]
        rows.append((text(BETWEEN[name]), f"{part.told:.4f}", *ends))
    return bars(("between", "share"), drawn) + folded("as numbers", table(("between", "variance", "from", "to"), rows))


def principles(found: Mapping[str, Rate]) -> str:
    broken = {name: one for name, one in found.items() if one.value < 1}
    held = {name: one for name, one in found.items() if one.value == 1}
    drawn = rates("principle", broken) if broken else ""
    return drawn + (folded(f"{len(held)} held in every trial", rates("principle", held)) if held else "")


def costs(cost: Mapping[str, float | None]) -> str:
    rows = [
        (text(name.replace("_", " ")), f"{value:,.1f}")
        for name, value in cost.items()
        if value is not None and name != "usd" and (value or name in ("turns", "tool_calls"))
    ]
    if cost["model_calls"]:
        usd = cost["usd"]
        rows.append(("US dollars in all", "unknown" if usd is None else f"{usd:,.4f}"))
    return table(("", "mean"), rows)


def fidelity(figures: Figures) -> str:
    faults = {what: rate for what, rate in figures.fidelity.items() if rate}
    drawn = bars(("fault", "trials"), [Bar(what, rate, (percent(rate),)) for what, rate in faults.items()])
    told = [
        f"<li>{text(what)}, {text(one['conversation'])}: <q><bdi>{text(one['text'])}</bdi></q> {text(one['rule'])}</li>"
        for what, some in figures.examples.items()
        for one in some
    ]
    return drawn + folded("examples", f"<ul>{''.join(told)}</ul>")


# --- failures ----------------------------------------------------------------------------------------------------


def failures(figures: Figures, groups: Mapping[str, Sequence[Judged]], shown: Sequence[Judged]) -> Iterator[str]:
    """By cause, each trial with its evidence and two links: to its dialogue, and to the turn."""
    if not groups:
        return
    yield '<h2 id="failures">Failures</h2>'
    if len(shown) < len(figures.failures):
        yield (
            f"<p>{len(shown):,} of {len(figures.failures):,} are here, of every cause some; "
            f"<code>tertulia show {text(str(figures.folder))} ID</code> shows any other.</p>"
        )
    there = set(map(id, shown))
    for name, trials in groups.items():
        listed = table(("trial", "<evidence"), [evidence(one) for one in trials if id(one) in there])
        yield f'<h3 id="{text(cause_id(name))}">{text(name)} <small>{len(trials):,} trials</small></h3>'
        yield f'<div class="failures">{listed}</div>'


def evidence(one: Judged) -> tuple[str, str]:
    trial = f'<a href="#{anchor(one)}">{named(one.score.conversation)}</a>'
    if one.fault is None:
        return trial, text(one.score.reason, RULED)
    if one.fault.turn >= 0:
        trial += f' <small><a href="#{turn_anchor(one)}">turn {one.fault.turn}</a></small>'
    said = f"<q><bdi>{text(one.fault.text, QUOTED)}</bdi></q> " if one.fault.text else ""
    return trial, f"{said}<bdi>{text(one.fault.why, RULED)}</bdi>"


def measured(figures: Figures) -> Iterator[str]:
    """What a reader needs to hold these numbers against others."""
    versions = ", ".join(f"{name} {value}" for name, value in figures.versions.items())
    yield f"<footer><p>Versions: {text(versions)}. Numbers of other versions are not comparable.</p>"
    if figures.left_out:
        told = "".join(f"<li>{text(item)}: {text(reason)}</li>" for item, reason in figures.left_out.items())
        yield folded(f"{len(figures.left_out)} items were left out, as their gold is wrong", f"<ul>{told}</ul>")
    yield "</footer>"
