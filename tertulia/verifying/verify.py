"""Reads an export back and checks it: `tertulia export RUN FORMAT --verify`.

    manifest   the files are those that its manifest describes
    columns    every row has the columns of its format, with their types; ids are unique; JSON is JSON
    rules      what the consumer wants of rows, sidecar and folder (`tertulia.verifying.consumers`)
    secrecy    no row shows a plan, a script, or the card of another party (`tertulia.verifying.secrecy`)
    datasets   the file loads with the types of its columns and unchanged (`tertulia.verifying.loading`)
    template   chats render, and the loss falls on the assistant alone (`tertulia.verifying.templates`)
    PACKAGE    the consumer's own library reads it (`tertulia.verifying.libraries`)

The last three need the libraries; without them they are named as not checked, with what to install.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.export import PARQUET, placed, sidecar_of
from tertulia.exporting.card import altered
from tertulia.exporting.columns import Columns, misfits
from tertulia.exporting.folder import Foldered, folder_entries
from tertulia.exporting.parquet import read_parquet
from tertulia.parts import load
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.verifying.consumers import CONSUMERS
from tertulia.verifying.findings import Findings
from tertulia.verifying.libraries import LIBRARIES, installed
from tertulia.verifying.loading import load_faults
from tertulia.verifying.rules import Beside, Rules, Whole
from tertulia.verifying.secrecy import conversation_of, hidden_texts, leaks
from tertulia.verifying.templates import Template

__all__ = ["consumer_of", "verify"]

Pairs = Iterable[tuple[Scenario, Conversation]]
TEMPLATED = ("sft", "pairs", "comparisons", "judgements")
GOLD = ("items", "samples", "goldens", "entries")  # rows that hold the gold on purpose
IDS = ("id", "message_tree_id", "external_id", "name")
TRAIN = "tertulia[train]"
UNSHAPED = (KeyError, TypeError, AttributeError, IndexError)  # what rules raise on a row that lacks what they look at


def consumer_of(format_name: str) -> str:
    """The name of who reads a format.

    Raises:
        UserError: if the format names none, or neither columns nor a folder.
        UnknownPart: if there is no such format."""
    part = load("exporters", format_name)
    consumer = getattr(part, "consumer", "")
    if consumer not in CONSUMERS or not (hasattr(part, "columns") or isinstance(part, Foldered)):
        raise UserError(
            f"the format {format_name!r} names no columns and consumer, so there is nothing to verify it by"
        )
    return str(consumer)


def verify(format_name: str, path: Path, pairs: Pairs, tokenizer: str = "") -> Findings:
    """What is wrong with what was exported from these conversations, which come in the order of the run.

    `tokenizer` is a folder with a tokenizer whose chat template is used instead of our own.

    Raises:
        UserError: if it is not there or no table at all, if the format names no consumer, or if `tokenizer` cannot be
            used.
        UnknownPart: if there is no such format."""
    consumer, exporter = consumer_of(format_name), load("exporters", format_name)()
    path = placed(format_name, path)
    folder = isinstance(exporter, Foldered)
    if not (path.is_dir() if folder else path.is_file()):
        raise UserError(f"{str(path)!r} is not there; export it first")
    found, rules = Findings(path), CONSUMERS[consumer]()
    if (wrong := altered(path)) is not None:
        found.add(0, wrong)
        found.checked.append("manifest")
    if isinstance(exporter, Foldered):
        by_entry(found, exporter, rules)
    else:
        by_table(found, exporter.columns, consumer, rules, pairs, tokenizer)
    by_library(found, consumer)
    return found


def by_table(found: Findings, columns: Columns, consumer: str, rules: Rules, pairs: Pairs, tokenizer: str) -> None:
    """All that is checked of a file of rows, but by its consumer's own library."""
    path, templated = found.file, consumer in TEMPLATED
    template = Template(tokenizer) if templated and (tokenizer or installed("transformers", "jinja2")) else None
    by_row(found, columns, rules, template)
    found.checked += ["columns", "rules"]
    if found.passed and consumer not in GOLD:
        shown(found, path, columns, pairs)
        found.checked.append("secrecy")
    if installed("datasets"):
        for number, fault in load_faults(path, columns, (row for _, row in rows_of(path, columns, found.add))):
            found.add(number, [fault])
        found.checked.append("datasets")
    else:
        found.unchecked["datasets"] = TRAIN
    if template:
        found.checked.append("template")
        if not template.marked and consumer == "sft":
            found.notes.append("the template has no generation marks, so no mask was checked")
    elif templated:
        found.unchecked["template"] = TRAIN


def by_library(found: Findings, consumer: str) -> None:
    """What the consumer's own code refuses; it reads JSON alone."""
    library = LIBRARIES.get(consumer)
    if library is None or not found.passed or found.file.suffix == PARQUET:
        return
    if not installed(library.module):
        found.unchecked[library.package] = library.wanted
        return
    for number, fault in library.faults(found.file):
        found.add(number, [fault])
    found.checked.append(library.package)


def by_entry(found: Findings, exporter: Foldered, rules: Rules) -> None:
    """The rules, for every row and text of a folder."""
    try:
        for name, number, entry in folder_entries(found.file, exporter):
            found.rows += "row" in entry
            found.add(number, safely(rules.faults, entry), name)
        found.add(0, rules.whole() if isinstance(rules, Whole) else ())
    except ValueError as error:
        found.add(0, [str(error)])
    found.notes += rules.notes()
    found.checked.append("rules")


def by_row(found: Findings, columns: Columns, rules: Rules, template: Template | None) -> None:
    """Columns, ids, rules, sidecar and template, in one pass."""
    ids = set[str]()
    for number, row, line in with_sidecar(found, columns, rules):
        found.rows += 1
        wrong = list(misfits(columns, row))
        name = next((row[key] for key in IDS if row.get(key)), None)
        if isinstance(name, str):
            wrong += [f"the id {name} stands in a row before"] if name in ids else []
            ids.add(name)
        wrong = wrong or safely(rules.faults, row)
        if line is not None and isinstance(rules, Beside):
            wrong = wrong or safely(rules.beside, row, line)
        if not wrong and template:
            wrong = list(template.faults(row))
        found.add(number, wrong)
    found.notes += rules.notes()


def safely(look: Callable[..., Iterable[str]], *given: Any) -> list[str]:
    """What is wrong with a row; one that lacks what the rules look at is told as such."""
    try:
        return list(look(*given))
    except UNSHAPED as error:
        return [f"it lacks what the format needs: {type(error).__name__}: {error}"]


def with_sidecar(
    found: Findings, columns: Columns, rules: Rules
) -> Iterator[tuple[int, dict[str, Any], dict[str, Any] | None]]:
    """The rows with their numbers, each with its line of the sidecar where the rules know one."""
    path = found.file
    beside = sidecar_of(path)
    if not isinstance(rules, Beside) or not beside.is_file():
        yield from ((number, row, None) for number, row in rows_of(path, columns, found.add))
        return
    lines = rows_of(beside, {}, lambda number, wrong: found.add(0, (f"{beside.name}:{number}: {w}" for w in wrong)))
    for given, line in zip_longest(rows_of(path, columns, found.add), lines):
        if given is None:
            found.add(0, [f"{beside.name} has a line for which there is no row"])
            return
        yield *given, line[1] if line else {}


def rows_of(
    path: Path, columns: Columns, tell: Callable[[int, Iterable[str]], None]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file with their numbers; what is no row is told."""
    if path.suffix == PARQUET:
        yield from enumerate(read_parquet(path, columns), start=1)
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
            except ValueError as error:
                tell(number, [f"no JSON: {error}"])
                continue
            if isinstance(row, dict):
                yield number, row
            else:
                tell(number, ["no object"])


def shown(found: Findings, path: Path, columns: Columns, pairs: Pairs) -> None:
    """What rows show that is hidden from their reader. Rows come in the order of the run, so one pass is enough."""
    settings, order = Settings(), iter(pairs)
    talk: Conversation | None = None
    hidden: dict[str, str] = {}
    for (number, row), source in zip(rows_of(path, columns, found.add), sources(path, columns), strict=False):
        while talk is None or talk.id != source:
            step = next(order, None)
            if step is None:
                found.add(number, [f"it comes from {source!r}, which the run does not have at this place"])
                return
            scenario, talk = step
            hidden = hidden_texts(settings.of(scenario), talk) if talk.id == source else {}
        found.add(number, leaks(row, hidden))


def sources(path: Path, columns: Columns) -> Iterator[str]:
    """The conversation that each row comes from, as the row or its line in the sidecar says."""
    with ExitStack() as stack:
        beside = sidecar_of(path)
        file = stack.enter_context(beside.open(encoding="utf-8")) if beside.is_file() else iter(())
        for _, row in rows_of(path, columns, lambda *_: None):
            yield conversation_of(row) or conversation_of(json.loads(next(file, "{}")))
