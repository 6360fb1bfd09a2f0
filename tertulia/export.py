"""Writes conversations in one of the export formats: streamed, atomic, the same bytes for the same conversations.

An exporter has `rows` (see `tertulia.contracts.Exporter`) and may have two things more:

    lost: Counter[str]          counts, by name, what the format could not carry
    sidecar(scenario, talk)     rows for a second file beside the first, `NAME.sidecar.jsonl`
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable
from uuid import UUID, uuid5

from tertulia.contracts import Exporter
from tertulia.errors import UserError
from tertulia.parts import load
from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["STDOUT", "ExportReport", "as_line", "export", "row_id", "sidecar_of"]

STDOUT = Path("-")
NAMESPACE = UUID("5b0a1c7e-3f0d-5c52-9f7e-6c1d0f6a7a11")  # of every id in an export


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and what was left behind."""

    format: str
    path: Path
    rows: int
    lost: dict[str, int] = field(default_factory=dict)
    sidecar: Path | None = None


@runtime_checkable
class Counting(Protocol):
    """An exporter that counts what it could not carry."""

    lost: Counter[str]


@runtime_checkable
class WithSidecar(Protocol):
    """An exporter with rows for a second file."""

    def sidecar(self, scenario: Scenario, talk: Conversation) -> Iterable[dict[str, Any]]: ...


def row_id(talk: Conversation, *parts: object) -> str:
    """An id that depends on the conversation's id and the parts alone."""
    return str(uuid5(NAMESPACE, "/".join(map(str, (talk.id, *parts)))))


def as_line(row: dict[str, Any]) -> str:
    """A row as one line of JSON, with its keys in the order in which the exporter gave them."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def sidecar_of(path: Path) -> Path:
    """`oasst.jsonl` -> `oasst.sidecar.jsonl`."""
    return path.with_name(f"{path.stem}.sidecar{path.suffix}")


def export(
    format_name: str, pairs: Iterable[tuple[Scenario, Conversation]], path: Path, *, force: bool = False
) -> ExportReport:
    """Write the conversations, each with the settled scenario it played, to `path` as JSONL.

    The rows go to a temporary file beside `path` that takes its place when all of them are on disk; nothing is left
    behind when something fails. The path `-` is standard output; rows of a sidecar are then counted as lost.

    Raises:
        UserError: if the file exists and `force` is not given, or if it cannot be written.
        UnknownPart: if there is no such format."""
    exporter: Exporter = load("exporters", format_name)()
    if path == STDOUT:
        rows, left_out = to_stdout(exporter, pairs)
        return ExportReport(format_name, path, rows, lost_by(exporter) | left_out)
    beside = sidecar_of(path) if isinstance(exporter, WithSidecar) else None
    for target in filter(None, (path, beside)):
        if target.is_dir():
            raise UserError(f"{str(target)!r} is a folder; name a file")
        if target.exists() and not force:
            raise UserError(f"{str(target)!r} exists; to overwrite it, give --force (force=True from Python)")
    try:
        rows = write(exporter, pairs, path, beside)
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    return ExportReport(format_name, path, rows, lost_by(exporter), beside)


def lost_by(exporter: Exporter) -> dict[str, int]:
    return dict(sorted(exporter.lost.items())) if isinstance(exporter, Counting) else {}


def to_stdout(exporter: Exporter, pairs: Iterable[tuple[Scenario, Conversation]]) -> tuple[int, dict[str, int]]:
    """Stream every row to standard output; how many there were, and how many a sidecar would have had."""
    rows = beside = 0
    for scenario, talk in pairs:
        for row in exporter.rows(scenario, talk):
            sys.stdout.buffer.write((as_line(row) + "\n").encode("utf-8", "backslashreplace"))
            rows += 1
        if isinstance(exporter, WithSidecar):
            beside += sum(1 for _ in exporter.sidecar(scenario, talk))
    return rows, {"rows of the sidecar": beside} if beside else {}


def write(exporter: Exporter, pairs: Iterable[tuple[Scenario, Conversation]], path: Path, beside: Path | None) -> int:
    """Stream every row, and count those of the main file."""
    rows = 0
    with ExitStack() as stack:
        main = stack.enter_context(replacing(path))
        side = stack.enter_context(replacing(beside)) if beside else None
        for scenario, talk in pairs:
            for row in exporter.rows(scenario, talk):
                main.write(as_line(row) + "\n")
                rows += 1
            if side and isinstance(exporter, WithSidecar):
                side.writelines(as_line(row) + "\n" for row in exporter.sidecar(scenario, talk))
    return rows


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A file that takes the place of `path` when the block ends well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # A lone surrogate has no UTF-8; its backslash escape is the very escape that JSON uses.
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
