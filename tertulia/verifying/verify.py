"""Reads an export back and checks it: `tertulia export RUN FORMAT --verify`.

    columns    every row has the columns of its format, with their types; ids are unique; JSON is JSON
    rules      what the consumer wants of a row (`tertulia.verifying.consumers`)
    secrecy    no row shows a plan, a script, or the card of another party (`tertulia.verifying.secrecy`)
    datasets   the file loads with the types of its columns and unchanged (`tertulia.verifying.loading`)
    template   chats render, and the loss falls on the assistant alone (`tertulia.verifying.templates`)

The last two need `tertulia[train]`; without it they are named as not checked.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.export import sidecar_of
from tertulia.exporting.columns import Columns, misfits
from tertulia.exporting.parquet import read_parquet
from tertulia.parts import load
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.verifying.consumers import CONSUMERS, Rules
from tertulia.verifying.findings import Findings
from tertulia.verifying.loading import load_faults
from tertulia.verifying.secrecy import conversation_of, hidden_texts, leaks
from tertulia.verifying.templates import Template

__all__ = ["consumer_of", "verify"]

Pairs = Iterable[tuple[Scenario, Conversation]]
TEMPLATED = ("sft", "pairs", "comparisons", "judgements")
GOLD = ("items",)  # rows that hold the gold on purpose


def consumer_of(format_name: str) -> tuple[Columns, str]:
    """The columns of a format, and the name of who reads it.

    Raises:
        UserError: if the format names none, as those that are a folder of files.
        UnknownPart: if there is no such format."""
    part = load("exporters", format_name)
    columns, consumer = getattr(part, "columns", None), getattr(part, "consumer", "")
    if columns is None or consumer not in CONSUMERS:
        raise UserError(
            f"the format {format_name!r} names no columns and consumer, so there is nothing to verify it by"
        )
    return columns, consumer


def verify(format_name: str, path: Path, pairs: Pairs, tokenizer: str = "") -> Findings:
    """What is wrong with a file that was exported from these conversations, which come in the order of the run.

    `tokenizer` is a folder with a tokenizer whose chat template is used instead of our own.

    Raises:
        UserError: if the file is not there or no table at all, if the format names no consumer, or if `tokenizer`
            cannot be used.
        UnknownPart: if there is no such format."""
    columns, consumer = consumer_of(format_name)
    if not path.is_file():
        raise UserError(f"{str(path)!r} is not there; export it first")
    found = Findings(path)
    templated = consumer in TEMPLATED
    template = Template(tokenizer) if templated and (tokenizer or installed("transformers", "jinja2")) else None
    by_row(found, path, columns, CONSUMERS[consumer](), template)
    found.checked += ["columns", "rules"]
    if found.passed and consumer not in GOLD:
        shown(found, path, columns, pairs)
        found.checked.append("secrecy")
    if installed("datasets"):
        for number, fault in load_faults(path, columns, (row for _, row in rows_of(path, columns, found.add))):
            found.add(number, [fault])
        found.checked.append("datasets")
    else:
        found.unchecked.append("datasets")
    if templated:
        (found.checked if template else found.unchecked).append("template")
        if template and not template.marked and consumer == "sft":
            found.notes.append("the template has no generation marks, so no mask was checked")
    return found


def installed(*modules: str) -> bool:
    return all(find_spec(module) for module in modules)


def by_row(found: Findings, path: Path, columns: Columns, rules: Rules, template: Template | None) -> None:
    """Columns, ids, rules and template, in one pass."""
    ids = set[str]()
    for number, row in rows_of(path, columns, found.add):
        found.rows += 1
        wrong = list(misfits(columns, row))
        name = row.get("id") or row.get("message_tree_id") or row.get("external_id")
        if isinstance(name, str):
            wrong += [f"the id {name} stands in a row before"] if name in ids else []
            ids.add(name)
        if not wrong:
            wrong = list(rules.faults(row))
        if not wrong and template:
            wrong = list(template.faults(row))
        found.add(number, wrong)
    found.notes += rules.notes()


def rows_of(
    path: Path, columns: Columns, tell: Callable[[int, Iterable[str]], None]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file with their numbers; what is no row is told."""
    if path.suffix == ".parquet":
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
