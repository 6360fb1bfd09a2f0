"""Writes conversations in one of the export formats: streamed, atomic, the same bytes for the same conversations.

An exporter has `rows` (see `tertulia.contracts.Exporter`) and may have two things more:

    lost: Counter[str]          counts, by name, what the format could not carry
    sidecar(scenario, talk)     rows for a second file beside the first, `NAME.sidecar.jsonl`
"""

import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
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
TOLD = 20  # failures of an exporter that are kept with their cause
FAILED = "failed_conversations"  # the name under which all of them are counted
Lines = tuple[list[str], list[str]]  # of one conversation: in the file, and in its sidecar
Attempt = Callable[[Callable[[], Lines]], Lines | Exception]  # what the work gives, or what it raises
NAMESPACE = UUID("5b0a1c7e-3f0d-5c52-9f7e-6c1d0f6a7a11")  # of every id in an export


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and what was left behind."""

    format: str
    path: Path
    rows: int
    lost: dict[str, int] = field(default_factory=dict)
    sidecar: Path | None = None
    failed: dict[str, str] = field(default_factory=dict)  # conversation -> what the exporter raised; the first `TOLD`

    @property
    def trouble(self) -> str:
        """Where the exporter failed, in one line; empty: nowhere."""
        if not self.failed:
            return ""
        name, cause = next(iter(self.failed.items()))
        count = self.lost[FAILED]
        return f"{count} conversation{'s' * (count > 1)} missing in {self.path}, the first is {name}: {cause}"


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


def straight(work: Callable[[], Lines]) -> Lines | Exception:
    """Whatever an exporter raises comes through; a run tries in another way (`tertulia.running.runner.tried`)."""
    return work()


def export(
    format_name: str,
    pairs: Iterable[tuple[Scenario, Conversation]],
    path: Path,
    *,
    force: bool = False,
    attempt: Attempt = straight,
) -> ExportReport:
    """Write the conversations, each with the settled scenario it played, to `path` as JSONL.

    The rows go to a temporary file beside `path` that takes its place when all of them are on disk; nothing is left
    behind when something fails. The path `-` is standard output; rows of a sidecar are then counted as lost. A
    conversation for which `attempt` gives what the exporter raised is left out and counted as lost.

    Raises:
        UserError: if the file exists and `force` is not given, or if it cannot be written.
        UnknownPart: if there is no such format."""
    exporter: Exporter = load("exporters", format_name)()
    carried = Carried(exporter, attempt)
    if path == STDOUT:
        to_stdout(carried, pairs)
        return carried.report(format_name, path, None)
    beside = sidecar_of(path) if isinstance(exporter, WithSidecar) else None
    for target in filter(None, (path, beside)):
        if target.is_dir():
            raise UserError(f"{str(target)!r} is a folder; name a file")
        if target.exists() and not force:
            raise UserError(f"{str(target)!r} exists; to overwrite it, give --force (force=True from Python)")
    try:
        write(carried, pairs, path, beside)
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    return carried.report(format_name, path, beside)


@dataclass(slots=True)
class Carried:
    """What an exporter made of conversations, and where it failed."""

    exporter: Exporter
    attempt: Attempt
    rows: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)

    def lines(self, pairs: Iterable[tuple[Scenario, Conversation]]) -> Iterator[Lines]:
        """The lines of each conversation. One on which the exporter raises has none."""
        for scenario, talk in pairs:
            lines = self.attempt(partial(self.lines_of, scenario, talk))
            if isinstance(lines, Exception):
                self.lost[FAILED] += 1
                if len(self.failed) < TOLD:
                    self.failed[talk.id] = in_one_line(lines)
            else:
                self.rows += len(lines[0])
                yield lines

    def lines_of(self, scenario: Scenario, talk: Conversation) -> Lines:
        rows, exporter = self.exporter.rows(scenario, talk), self.exporter
        main = [as_line(row) for row in rows]
        beside = exporter.sidecar(scenario, talk) if isinstance(exporter, WithSidecar) else ()
        return main, [as_line(row) for row in beside]

    def report(self, format_name: str, path: Path, beside: Path | None) -> ExportReport:
        lost = self.lost + self.exporter.lost if isinstance(self.exporter, Counting) else self.lost
        return ExportReport(format_name, path, self.rows, dict(sorted(lost.items())), beside, self.failed)


def in_one_line(error: Exception) -> str:
    """What was raised, and where."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{said} ({Path(place.filename).name}:{place.lineno})"


def to_stdout(carried: Carried, pairs: Iterable[tuple[Scenario, Conversation]]) -> None:
    """Stream every row to standard output, and count those that a sidecar would have had."""
    for main, side in carried.lines(pairs):
        sys.stdout.buffer.writelines((line + "\n").encode("utf-8", "backslashreplace") for line in main)
        if side:
            carried.lost["rows of the sidecar"] += len(side)


def write(carried: Carried, pairs: Iterable[tuple[Scenario, Conversation]], path: Path, beside: Path | None) -> None:
    """Stream every row."""
    with ExitStack() as stack:
        main_file = stack.enter_context(replacing(path))
        side_file = stack.enter_context(replacing(beside)) if beside else None
        for main, side in carried.lines(pairs):
            main_file.writelines(line + "\n" for line in main)
            if side_file:
                side_file.writelines(line + "\n" for line in side)


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
