"""What every page is made of: the document around it, tiles, figures, tables, and text that anybody may have written.

A page is one file. Its policy lets no script run and nothing be loaded, whatever stands in it.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

__all__ = ["document", "figure", "folded", "named", "table", "text", "tiles", "title", "wide"]

STYLE = (files("tertulia.pages") / "page.css").read_text(encoding="utf-8")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
JOINT = re.compile(r"(?<=[_:./-])(?=\w)")
LONGEST = 200  # characters of a name
UNSEEN = {  # what no reader could see, or no file could hold
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},  # the pictures of control characters
    **dict.fromkeys([*range(0x7F, 0xA0), *range(0xD800, 0xE000)], 0xFFFD),  # and halves of surrogate pairs
}


def document(name: str, body: Iterable[str]) -> str:
    """A page with this title; `body` is HTML."""
    inside = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(name[:LONGEST])}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{STYLE}</style></head>\n<body><main>\n{inside}\n</main></body></html>\n"
    )


def text(said: str, most: int | None = None) -> str:
    """A text to be read, not obeyed: markup is escaped, what cannot be seen is shown, and it ends after `most`
    characters with how many are left out."""
    left = len(said) - most if most is not None else 0
    seen = escape(said[:most].replace("\r\n", "\n").translate(UNSEEN))
    return seen + (f' <small class="cut">… {left:,} characters more</small>' if left > 0 else "")


def named(name: str) -> str:
    """A name apart from the direction of what stands around it, that may be broken where its parts meet."""
    return f"<bdi>{JOINT.sub('<wbr>', text(name[:LONGEST]))}</bdi>"


def title(said: str) -> str:
    """The heading of a page, apart from the direction of what stands around it."""
    return f"<h1>{named(said)}</h1>"


def tiles(entries: Iterable[tuple[str, str, str]]) -> str:
    """Numbers that stand for themselves: what it is, the number, a note."""
    return '<dl class="tiles">' + "".join(map(tile, entries)) + "</dl>"


def tile(entry: tuple[str, str, str]) -> str:
    name, value, note = map(text, entry)
    return f"<div><dt>{name}</dt><dd>{value}{f' <small>{note}</small>' if note else ''}</dd></div>"


def figure(caption: str, drawn: str, note: str = "") -> str:
    """A plot or a table, with what it shows and a line on how to read it; `drawn` is HTML."""
    return (
        f"<figure><figcaption>{text(caption)}{f'<small>{text(note)}</small>' if note else ''}</figcaption>"
        f"{drawn}</figure>"
    )


def folded(summary: str, inside: str) -> str:
    """What is there for who asks; `inside` is HTML."""
    return f"<details><summary>{text(summary)}</summary>{inside}</details>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], name: str = "") -> str:
    """A table whose first column names its rows; cells are HTML, headers are text, and a header that begins with `<`
    stands over words, not numbers."""
    words = [nth == 0 or column.startswith("<") for nth, column in enumerate(columns)]
    head = "".join(
        f'<th scope="col"{shape(of)}>{text(column.removeprefix("<"))}</th>'
        for column, of in zip(columns, words, strict=True)
    )
    body = "".join(f"<tr>{''.join(cells(row, words))}</tr>" for row in rows)
    caption = f"<caption>{text(name)}</caption>" if name else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cells(row: Sequence[str], words: Sequence[bool]) -> Iterable[str]:
    yield f'<th scope="row">{row[0]}</th>'
    for cell, of in zip(row[1:], words[1:], strict=True):
        yield f"<td{shape(of)}>{cell}</td>"


def shape(words: bool) -> str:
    return "" if words else ' class="n"'


def wide(name: str, drawn: str) -> str:
    """What may be wider than the screen, and then is moved by hand or key."""
    return f'<div class="wide" role="region" tabindex="0" aria-label="{text(name)}">{drawn}</div>'
