"""A corpus as one self-contained page: what each criterion took, balance, coverage, tags, revisions, pairs."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Any

from tertulia.corpus.distributions import Distributions, binned
from tertulia.corpus.selecting import Selected
from tertulia.evaluation.plots import shares
from tertulia.records import Conversation

__all__ = ["figures_of", "page_of", "whole"]

STYLE = (files("tertulia.evaluation") / "report.css").read_text(encoding="utf-8")
MOST = 20  # rows of one plot
WIDE = 32  # characters of a label


def page_of(made: Selected, talks: Iterable[Conversation]) -> str:
    """The page of a selection, with the spread of all conversations below."""
    body = [*head(made), *steps(made), *plots(made), *coverage(made), "<h2>The corpus before</h2>"]
    return whole(f"corpus {made.criteria}", [*body, *figures_of(Distributions.of(talks))])


def whole(title: str, body: Iterable[str]) -> str:
    """A page of its own: no script, no font and no picture comes from elsewhere."""
    text = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>\n{STYLE}</style></head>\n'
        f"<body><main>\n{text}\n</main></body></html>\n"
    )


def head(made: Selected) -> Iterator[str]:
    yield f"<h1>{escape(made.criteria)}</h1>"
    tiles = [("conversations", f"{made.conversations:,}"), ("kept", f"{made.kept:,}")]
    tiles += [(f"part {part}", f"{count:,}") for part, count in made.parts.items()]
    boxes = "".join(
        f'<div class="tile"><div>{escape(name)}</div><strong>{count}</strong></div>' for name, count in tiles
    )
    yield f'<div class="tiles">{boxes}</div>'


def steps(made: Selected) -> Iterator[str]:
    yield "<h2>Criteria, in their order</h2>"
    rows = [
        f"<tr><td>{escape(step.name)}</td><td>{step.reached:,}</td><td>{step.rejected:,}</td><td>{step.left:,}</td>"
        f"<td>{'<br>'.join(escape(f'{name}: {why}') for name, why, _ in step.examples)}</td></tr>"
        for step in made.steps
    ]
    header = "<tr><th>criterion</th><th>reached</th><th>rejected</th><th>left</th><th>for example</th></tr>"
    yield f"<table>{header}{''.join(rows)}</table>"


def plots(made: Selected) -> Iterator[str]:
    yield '<div class="plots">'
    taken = {step.name: float(step.rejected) for step in made.steps if step.rejected}
    yield figure("rejected by criterion", taken)
    for one in made.balance:
        yield figure(f"{one.by}, before", one.before)
        yield figure(f"{one.by}, after", one.after)
    yield "</div>"


def coverage(made: Selected) -> Iterator[str]:
    for matrix in made.coverage:
        one, other = map(escape, matrix["fields"])
        yield f"<h2>Coverage: {one} by {other}</h2><p>Kept, of all there were.</p>"
        yield grid(matrix)


def grid(matrix: Mapping[str, Any]) -> str:
    columns = sorted({value for row in matrix["before"].values() for value in row})
    head_ = "".join(f"<th>{escape(column)}</th>" for column in columns)
    rows = []
    for value, row in matrix["before"].items():
        after = matrix["after"].get(value, {})
        cells = [f"<td>{after.get(c, 0)} / {row[c]}</td>" if c in row else "<td></td>" for c in columns]
        rows.append(f"<tr><th>{escape(value)}</th>{''.join(cells)}</tr>")
    return f"<table><tr><th></th>{head_}</tr>{''.join(rows)}</table>"


def figures_of(found: Distributions) -> Iterator[str]:
    """Plots of how a corpus is made up."""
    yield '<div class="plots">'
    yield figure("turns", binned(found.turns))
    for name, counts in found.tags.items():
        if counts:
            yield figure(name, binned(counts))
    yield figure("how conversations ended", ranked(found.ends))
    yield figure("verdicts that did not pass, by judge", ranked(found.failed))
    yield figure("markers by principle", ranked(found.marked))
    yield figure("revisions that helped, by principle", ranked(found.helped))
    yield figure("revisions after which it was marked again", ranked(found.in_vain))
    yield figure("words of the chosen draft less those of the rejected one", binned(found.longer))
    yield "</div>"


def ranked(counts: Mapping[str, int]) -> dict[str, int]:
    some = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST]
    return {name: count for name, count in some if count}


def figure(title: str, counts: Mapping[str, float]) -> str:
    named: dict[str, float] = {}
    for name, count in counts.items():
        short = name if len(name) <= WIDE else f"{name[: WIDE - 4]} ..."
        named[short] = named.get(short, 0) + count
    drawn = shares(named) if named else "<p>none</p>"
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawn}</figure>"
