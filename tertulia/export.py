"""Writes conversations in one of the export formats: streamed, atomic, the same bytes for the same conversations.

An exporter has `rows` (see `tertulia.contracts.Exporter`) and may have five things more:

    lost: Counter[str]          counts, by name, what the format could not carry
    columns: Columns            what each column of its rows holds (`tertulia.exporting.columns`); Parquet needs it
    sidecar(scenario, talk)     rows for a second file beside the first, `NAME.sidecar.jsonl`
    evaluates = True            its rows are evaluation items (`tertulia.exporting.apart`)
    shape(name)                 its rows name their files in a folder (`tertulia.exporting.folder`)

What is written is JSONL, Parquet when its name ends in `.parquet`, or a folder. With `about`, a manifest and a card
stand beside it.
"""

import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable

from tertulia.contracts import Exporter
from tertulia.errors import UserError
from tertulia.exporting.apart import mixed
from tertulia.exporting.card import About, Papers, as_text, card, index, left_over, manifest, papers_of, read_manifest
from tertulia.exporting.columns import Columns
from tertulia.exporting.folder import Foldered, folder_of, folder_rows
from tertulia.exporting.parquet import ParquetRows, parquet_rows
from tertulia.exporting.rows import NAMESPACE, as_line, row_id
from tertulia.exporting.tally import Tally
from tertulia.parts import load
from tertulia.records import Conversation
from tertulia.replacing import replacing, taking_place
from tertulia.scenario import Scenario

__all__ = [
    "NAMESPACE",
    "PARQUET",
    "STDOUT",
    "ExportReport",
    "as_line",
    "columns_of",
    "export",
    "placed",
    "row_id",
    "sidecar_of",
    "write_index",
]

STDOUT = Path("-")
PARQUET = ".parquet"
TOLD = 20  # failures of an exporter that are kept with their cause
FAILED = "failed_conversations"  # the name under which all of them are counted
Lines = tuple[list[str], list[str]]  # of one conversation: in the file, and in its sidecar
Attempt = Callable[[Callable[[], Lines]], Lines | Exception]  # what the work gives, or what it raises


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and what was left behind."""

    format: str
    path: Path
    rows: int
    lost: dict[str, int] = field(default_factory=dict)
    sidecar: Path | None = None
    papers: Papers | None = None  # the manifest and the card beside the file
    failed: dict[str, str] = field(default_factory=dict)  # conversation -> what the exporter raised; the first `TOLD`
    apart: str = ""  # with which files of its folder it must not be used together, in one line

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


@runtime_checkable
class Columned(Protocol):
    """An exporter whose rows all have the same columns."""

    columns: Columns


def columns_of(format_name: str) -> Columns | None:
    """What the columns of a format hold, if it says so.

    Raises:
        UnknownPart: if there is no such format."""
    part = load("exporters", format_name)
    return part.columns if isinstance(part, Columned) else None


def placed(format_name: str, path: Path) -> Path:
    """Where a format is written when it is asked for at `path`: a folder's name has no `.jsonl`.

    Raises:
        UnknownPart: if there is no such format."""
    return folder_of(path) if isinstance(load("exporters", format_name), Foldered) else path


def sidecar_of(path: Path) -> Path:
    """`oasst.jsonl` and `oasst.parquet` -> `oasst.sidecar.jsonl`."""
    return path.with_name(f"{path.stem}.sidecar{'.jsonl' if path.suffix == PARQUET else path.suffix}")


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
    about: About | None = None,
) -> ExportReport:
    """Write the conversations, each with the settled scenario it played, to `path`.

    The rows go to a temporary file beside `path` that takes its place when all of them are on disk; nothing is left
    behind when something fails. The path `-` is standard output; rows of a sidecar are then counted as lost. A
    conversation for which `attempt` gives what the exporter raised is left out and counted as lost. With `about`, the
    manifest and the card are written beside the file; older ones are replaced.

    Raises:
        UserError: if the file exists and `force` is not given, if it cannot be written, or if it is to be Parquet and
            the format names no columns.
        UnknownPart: if there is no such format."""
    exporter: Exporter = load("exporters", format_name)()
    carried = Carried(exporter, attempt)
    if path == STDOUT:
        to_stdout(carried, pairs)
        return carried.report(format_name, path, None)
    columns = columns_of(format_name)
    if path.suffix == PARQUET and columns is None:
        what = "is a folder of files" if isinstance(exporter, Foldered) else "names no columns"
        raise UserError(f"the format {format_name!r} {what}, so it has no Parquet")
    path = placed(format_name, path)
    sidecar = sidecar_of(path) if isinstance(exporter, WithSidecar) else None
    try:
        if isinstance(exporter, Foldered):
            beside = to_folder(carried, exporter, pairs, path, force=force)
        else:
            free(path, sidecar, force=force)
            write(carried, pairs, path, sidecar, columns)
            beside = [sidecar] if sidecar else []
        report = carried.report(format_name, path, sidecar)
        if about is None:
            return report
        return replace(report, papers=write_papers(report, beside, columns, carried.tally, about))
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror or error}") from error


def free(path: Path, sidecar: Path | None, *, force: bool) -> None:
    """Refuse to write over files, but by force, and over folders."""
    for target in filter(None, (path, sidecar)):
        if target.is_dir():
            raise UserError(f"{str(target)!r} is a folder; name a file")
        if target.exists() and not force:
            raise UserError(f"{str(target)!r} exists; to overwrite it, give --force (force=True from Python)")


def write_papers(
    report: ExportReport, beside: Iterable[Path], columns: Columns | None, tally: Tally, about: About
) -> Papers:
    """The manifest and the card of an export that is on disk, with the other files that belong to it."""
    evaluates = bool(getattr(load("exporters", report.format), "evaluates", False))
    made = manifest(report.format, report.path, beside, columns, tally, report.lost, about, evaluates)
    papers = papers_of(report.path)
    for path, text in ((papers.manifest, as_text(made)), (papers.card, card(made))):
        with replacing(path) as file:
            file.write(text)
    return papers


def write_index(folder: Path) -> list[tuple[str, str, int]]:
    """The card of a folder of exports, from the manifests in it; which of them must not be used together.

    Raises:
        UserError: naming a manifest that is none."""
    found = map(read_manifest, sorted(folder.glob("*.manifest.json")))
    there = [made for made in found if (folder / made["file"]).exists()]
    with replacing(folder / "README.md") as file:
        file.write(index(there))
    return mixed(there)


@dataclass(slots=True)
class Carried:
    """What an exporter made of conversations, and where it failed."""

    exporter: Exporter
    attempt: Attempt
    tally: Tally = field(default_factory=Tally)
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
                self.tally.add(scenario, talk, self.rows_in(lines[0]))
                yield lines

    def rows_in(self, main: list[str]) -> int:
        """How many lines are rows; in a folder some are files that are a text."""
        return sum("row" in json.loads(line) for line in main) if isinstance(self.exporter, Foldered) else len(main)

    def lines_of(self, scenario: Scenario, talk: Conversation) -> Lines:
        rows, exporter = self.exporter.rows(scenario, talk), self.exporter
        main = [as_line(row) for row in rows]
        beside = exporter.sidecar(scenario, talk) if isinstance(exporter, WithSidecar) else ()
        return main, [as_line(row) for row in beside]

    def report(self, format_name: str, path: Path, beside: Path | None) -> ExportReport:
        lost = self.lost + self.exporter.lost if isinstance(self.exporter, Counting) else self.lost
        return ExportReport(format_name, path, self.tally.rows, dict(sorted(lost.items())), beside, failed=self.failed)


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


def to_folder(
    carried: Carried,
    exporter: Foldered,
    pairs: Iterable[tuple[Scenario, Conversation]],
    folder: Path,
    *,
    force: bool,
) -> list[Path]:
    """Write every row to the file of the folder that it names; these files. What an older export has left there by
    its manifest goes, foreign files stay."""
    old = left_over(folder)
    with folder_rows(folder, exporter, force=force) as rows:
        for main, _ in carried.lines(pairs):
            for line in main:
                rows.add(line)
    made = sorted(folder / name for name in rows.files)
    for path in set(old) - set(made):
        path.unlink()
        if path.parent != folder and not any(path.parent.iterdir()):
            path.parent.rmdir()
    return made


def write(
    carried: Carried,
    pairs: Iterable[tuple[Scenario, Conversation]],
    path: Path,
    beside: Path | None,
    columns: Columns | None,
) -> None:
    """Stream every row."""
    with ExitStack() as stack:
        main_file = stack.enter_context(replacing_rows(path, columns))
        side_file = stack.enter_context(replacing(beside)) if beside else None
        for main, side in carried.lines(pairs):
            main_file.writelines(line + "\n" for line in main)
            if side_file:
                side_file.writelines(line + "\n" for line in side)


@contextmanager
def replacing_rows(path: Path, columns: Columns | None) -> Iterator[TextIO | ParquetRows]:
    """A file of rows that takes the place of `path`: Parquet by its name and columns, otherwise JSONL."""
    if path.suffix != PARQUET or columns is None:
        with replacing(path) as file:
            yield file
        return
    with taking_place(path) as part:
        with parquet_rows(part, columns) as rows:
            yield rows
        with part.open("rb") as written:
            os.fsync(written.fileno())
