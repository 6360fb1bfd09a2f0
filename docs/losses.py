"""Writes into docs/formats.md what formats cannot hold, and which need no types told: `python docs/losses.py`."""

import re
from pathlib import Path

from tertulia.export import columns_of
from tertulia.exporting.columns import is_plain
from tertulia.parts import load, names

__all__ = ["PAGE", "written"]

PAGE = Path(__file__).resolve().parent / "formats.md"
BLOCK = re.compile(r"(<!-- (lost|plain) -->\n).*?(<!-- end -->)", re.DOTALL)


def table() -> str:
    """A row for each name under which formats count, with the formats that do; then the fields of items."""
    counted: dict[tuple[str, str], list[str]] = {}
    for name in names("exporters"):
        for lost, meaning in load("exporters", name).loses.items():
            counted.setdefault((lost, meaning), []).append(f"`{name}`")
    rows = ["| counted as | what is not carried over | formats |", "| --- | --- | --- |"]
    rows += [f"| `{lost}` | {meaning} | {', '.join(who)} |" for (lost, meaning), who in sorted(counted.items())]
    fields = ["| format | fields of a scenario that it carries; every other one that is set is counted by its path |"]
    fields.append("| --- | --- |")
    for name in names("exporters"):
        if carried := getattr(load("exporters", name), "carries", ()):
            fields.append(f"| `{name}` | {', '.join(f'`{path}`' for path in carried)} |")
    return "\n".join(rows) + "\n\n" + "\n".join(fields)


def plain() -> str:
    """The formats without a column that holds anything."""
    return ", ".join(f"`{name}`" for name in names("exporters") if is_plain(columns_of(name)))


def written(page: str) -> str:
    """The page with its blocks as the code has them."""
    made = {"lost": table(), "plain": plain()}
    return BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]}\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
