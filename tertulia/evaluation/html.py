"""The report of an evaluation as one self-contained page: no script, no font and no picture comes from elsewhere.

Every text of a conversation is escaped. Plots are inline SVG. Each failed trial is a section of its own, which the list
of failures links to, with the failing turn marked.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from tertulia.evaluation.blame import Judged
from tertulia.evaluation.figures import Figures
from tertulia.evaluation.plots import bars, curve, shares
from tertulia.records import Conversation, Message, Turn
from tertulia.running.store import Store

__all__ = ["page_of"]

STYLE = (files("tertulia.evaluation") / "report.css").read_text(encoding="utf-8")
MOST = 300  # failed dialogues that are shown in full; each takes a few kilobytes


def page_of(figures: Figures) -> str:
    """The page as text."""
    shown = figures.failures[:MOST]
    body = "\n".join((*head(figures), *plots(figures), *failures(figures, shown), *dialogues(figures.folder, shown)))
    title = escape(f"{figures.agent} on {len(figures.items)} items")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>\n{STYLE}</style></head>\n'
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"


# --- the head ----------------------------------------------------------------------------------------------------


def head(figures: Figures) -> Iterator[str]:
    clean, raw = dict(figures.passing(figures.clean)), dict(figures.passing(figures.raw))
    versions = ", ".join(f"{name} {value}" for name, value in figures.versions.items())
    yield f"<h1>{escape(figures.agent)}</h1>"
    size = f"{figures.mode}: {len(figures.items)} items, {figures.k} trials each"
    yield f"<p>{escape(size)}. Versions: {escape(versions)}.</p>"
    tiles = [
        (f"pass^{k}", percent(one.value), f"{percent(one.low)} to {percent(one.high)}") for k, one in clean.items()
    ]
    tiles = [tiles[0], tiles[-1]] if len(tiles) > 1 else tiles
    f1 = figures.slot_f1
    tiles.append(
        ("slot F1", percent(f1.value if f1 else None), f"{percent(f1.low)} to {percent(f1.high)}" if f1 else "")
    )
    tiles += [(name, percent(rate), "beside it") for name, rate in figures.floors.items()]
    if figures.mdd is not None:
        tiles.append(("smallest difference shown", f"{100 * figures.mdd:.1f} pts", "80% power"))
    yield '<div class="tiles">' + "".join(map(tile, tiles)) + "</div>"
    if figures.tainted:
        one = raw.get(1)
        yield (
            f"<p>{figures.tainted} trials were tainted by the simulator, {figures.played_again} were played again, "
            f"{figures.set_aside} are set aside. With all of them pass^1 is {percent(one.value if one else None)}.</p>"
        )


def tile(entry: tuple[str, str, str]) -> str:
    name, value, note = map(escape, entry)
    return f'<div class="tile"><div>{name}</div><strong>{value}</strong><small>{note}</small></div>'


# --- plots -------------------------------------------------------------------------------------------------------


def plots(figures: Figures) -> Iterator[str]:
    yield '<div class="plots">'
    yield figure("pass^k: all of k trials pass", curve(figures.passing(figures.clean)))
    if figures.causes:
        counts = {cause: count for cause, count in figures.causes.most_common() if cause != "agent"}
        counts = {f"agent: {name}": count for name, count in figures.fine.most_common()} | counts
        yield figure("why trials failed", shares(dict(sorted(counts.items(), key=lambda pair: -pair[1]))))
    yield figure("pass^1 by kind", bars(figures.by_kind))
    if figures.by_principle:
        ranked = sorted(figures.by_principle.items(), key=lambda pair: (pair[1].value, pair[0]))
        yield figure("principles held, by trial", bars(dict(ranked)))
    yield figure("cost of a trial", costs(figures.cost))
    faults = {what: rate for what, rate in figures.fidelity.items() if rate}
    if faults:
        yield figure("the simulator broke its rules, share of trials", shares(faults, as_percent=True))
    yield "</div>"


def figure(title: str, drawn: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawn}</figure>"


def costs(cost: Mapping[str, float | None]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{'unknown' if value is None else f'{value:,.2f}'}</td></tr>"
        for name, value in cost.items()
        if value is None or value
    )
    return f"<table>{rows}</table>"


# --- failures ----------------------------------------------------------------------------------------------------


def failures(figures: Figures, shown: Sequence[Judged]) -> Iterator[str]:
    if not figures.failures:
        yield "<p>No trial failed.</p>"
        return
    yield "<h2>Failures</h2>"
    if len(shown) < len(figures.failures):
        yield f"<p>The first {len(shown)} of {len(figures.failures)}.</p>"
    yield "<table><tr><th>trial</th><th>cause</th><th>evidence</th></tr>"
    for one in shown:
        name = escape(one.score.conversation)
        told = f"<q>{escape(one.fault.text[:160])}</q> {escape(one.fault.rule[:200])}" if one.fault else ""
        yield f'<tr><td><a href="#{name}">{name}</a></td><td>{escape(one.name)}</td><td>{told}</td></tr>'
    yield "</table>"


def dialogues(folder: Path, shown: Sequence[Judged]) -> Iterator[str]:
    """Each failed trial in full."""
    with Store(folder) as store:
        for one in shown:
            place = int(one.score.conversation.rpartition("-")[2])
            talk = store.conversation(place)
            if talk is not None:
                yield dialogue(one, talk)


def dialogue(one: Judged, talk: Conversation) -> str:
    marked = one.fault.turn if one.fault else -1
    turns = "\n".join(turn_of(turn, turn.index == marked, one) for turn in talk.turns)
    error = f"<pre>{escape(talk.error[:2000])}</pre>" if talk.error else ""
    whole = why(one) if not any(turn.index == marked for turn in talk.turns) else ""
    name = escape(talk.id)
    return (
        f'<section id="{name}"><h3>{name}</h3><p>{escape(one.score.kind)}, ended by {escape(talk.end_reason.value)}. '
        f"{escape(one.score.reason)}</p>{turns}{whole}{error}</section>"
    )


def turn_of(turn: Turn, marked: bool, one: Judged) -> str:
    said = "".join(line(message) for message in (turn.message, *turn.results))
    said += f"<small>{len(turn.drafts)} drafts</small>" if len(turn.drafts) > 1 else ""
    said += why(one) if marked else ""
    return f'<div class="turn{" failing" if marked else ""}"><small>{turn.index}</small>{said}</div>'


def why(one: Judged) -> str:
    rule = one.fault.rule if one.fault else ""
    return f'<p class="why">{escape(one.name)}: {escape(rule)}</p>'


def line(message: Message) -> str:
    """One message: words, calls, or a result."""
    calls = "".join(
        f"<code>{escape(call.name)}({escape(', '.join(f'{key}={value!r}' for key, value in call.args.items()))})</code>"
        for call in message.calls
    )
    role = "error" if message.error else message.role
    text = escape(message.text)
    return f'<p class="{escape(role)}"><b>{escape(message.speaker)}</b> {text}{calls}</p>'
