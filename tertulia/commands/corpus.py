"""`tertulia corpus`: what of a run is kept, criterion by criterion."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from tertulia.commands.calibrate import BY, labels_of, surely, tell_unseen
from tertulia.commands.corpus_page import page_of
from tertulia.commands.printing import as_json, console, note, table
from tertulia.corpus.balance import Balanced
from tertulia.corpus.selecting import Selected
from tertulia.corpus.trust.calibration import PEOPLE
from tertulia.corpus.trust.faulty import Shares
from tertulia.replacing import replacing
from tertulia.running.runs import Run

__all__ = ["perform"]

WIDE = 12  # values of one field that a matrix shows


def perform(
    *,
    folder: Path,
    criteria: str,
    against: Sequence[Path],
    labels: Path | None,
    preview: bool,
    html: Path | None,
    json: bool,
) -> int:
    run = Run(folder)
    if partly := run.unfinished:
        note(partly)
    said = labels_of(folder, labels)
    made = run.select(criteria, against=against, preview=preview, labels=said)
    tell_unseen(said, labels, folder)
    if labels and not any(shares.truth == PEOPLE for shares in made.faulty):
        note(f"{labels}: nothing in it tells whether a conversation of {folder} is good or bad")
    if html:
        with replacing(html) as file:
            file.write(page_of(made, run.conversations()))
        note(f"{html}: the same with plots")
    if json:
        times: dict[str, Any] = {step.name: round(step.seconds, 3) for step in made.steps}
        as_json({"run": str(folder), "path": str(made.path or "")} | made.as_json() | {"seconds": times})
        return 0
    screen = console()
    for part in parts(made):
        screen.print(part)
    print(f"{made.kept} of {made.conversations} conversations kept" + (f": {made.path}" if made.path else ""))
    return 0


def parts(made: Selected) -> Iterator[RenderableType]:
    """Tables: the criteria in their order, examples, balance, parts, coverage."""
    steps = table("criteria, in their order", "criterion", "reached", "rejected", "left", "unknown")
    for step in made.steps:
        counts = (step.reached, step.rejected, step.left, step.unknown)
        steps.add_row(escape(step.name), *map(str, counts))
    yield steps
    shown = [step for step in made.steps if step.examples]
    if shown:
        yield "\n[bold]rejected, for example[/]"
    for step in shown:
        yield escape(step.name)
        for name, why, opening in step.examples:
            yield escape(f"    {name}: {why}  | {opening}")
    for one in made.balance:
        yield weighed(one)
    for shares in made.faulty:
        yield from faulty(shares)
    if made.tags:
        yield tagged(made.tags.as_json())
    if made.parts:
        yield "\nparts: " + ", ".join(f"{part} {count}" for part, count in made.parts.items())
        yield from map(escape, made.notes)
    for matrix in made.coverage:
        yield covered(matrix)


def weighed(one: Balanced) -> RenderableType:
    found = table(f"\nbalance by {one.by}", "", "before", "after", "missing")
    for sort, count in one.before.items():
        found.add_row(escape(sort), str(count), str(one.after.get(sort, 0)), str(one.short.get(sort, "")))
    for sort in [sort for sort in one.short if sort not in one.before]:
        found.add_row(escape(sort), "0", "0", str(one.short[sort]))
    return found


def covered(matrix: dict[str, Any]) -> RenderableType:
    """Kept of reached, by two fields."""
    one, other = matrix["fields"]
    columns = sorted({value for row in matrix["before"].values() for value in row})
    found = table(f"\nkept of all, {one} by {other}", "", *columns[:WIDE])
    for value, row in matrix["before"].items():
        after = matrix["after"].get(value, {})
        cells = [f"{after.get(column, 0)}/{row[column]}" if column in row else "-" for column in columns[:WIDE]]
        found.add_row(escape(value), *cells)
    if len(columns) > WIDE:
        found.caption = f"and {len(columns) - WIDE} more of {other}"
    return found


def faulty(shares: Shares) -> Iterator[RenderableType]:
    """The share of faulty conversations as it shrinks, and both error rates of the rules."""
    found = table(f"\nfaulty, by {BY[shares.truth]}", "conversations", "of", "faulty", "<share [95% interval]")
    rules = shares.rules
    rows = [("as first drafted", shares.planted, rules.total)] if shares.planted else []
    rows += [("before the rules", *rules.parts["faulty_before"]), ("after the rules", *rules.parts["faulty_after"])]
    for name, part, whole in (*rows, ("kept", shares.kept_faulty, shares.kept)):
        found.add_row(name, str(whole), str(part), surely(part, whole))
    yield found
    missed, false = surely(*rules.parts["miss_rate"]), surely(*rules.parts["false_alarm_rate"])
    yield f"the rules let {missed} of the faulty pass and reject {false} of the others"


def tagged(tags: Mapping[str, Any]) -> str:
    """How many tags there are, and what the most frequent ones stand for."""
    some = [f"{tag} {one['conversations']}" for tag, one in list(tags["tags"].items())[:WIDE]]
    told = f"{tags['wordings']} wordings in {tags['tagged']} conversations, {tags['rare']} rare"
    return escape(f"\ntags: {len(tags['tags'])} of {told}: {', '.join(some)}")
