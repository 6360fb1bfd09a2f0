"""A format that is a folder: rows that each name their file, written to all files at once and put in place together.

A row is `{"file": NAME, "row": VALUE}` or `{"file": NAME, "text": TEXT}`, with a path inside the folder as its name.
How a file of rows begins, goes on and ends is the exporter's `shape(name)`. A text is a whole file, and the first one
counts. `folder_entries` reads the same rows back.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from shutil import rmtree
from typing import Any, Protocol, TextIO, runtime_checkable

from tertulia.errors import UserError
from tertulia.exporting.rows import as_line

__all__ = ["LIST", "TEXT", "FolderRows", "Foldered", "Shape", "files_in", "folder_entries", "folder_of", "folder_rows"]

Shape = tuple[str, str, str]  # before the rows, between two of them, behind them
LIST: Shape = ("[\n", ",\n", "\n]\n")
TEXT: Shape = ("", "", "")  # a file that is a text


@runtime_checkable
class Foldered(Protocol):
    """An exporter whose rows name their files."""

    def shape(self, name: str) -> Shape: ...


def folder_of(path: Path) -> Path:
    """The folder that a path stands for: `exports/tau2.jsonl` -> `exports/tau2`."""
    return path.with_suffix("") if path.suffix == ".jsonl" else path


def files_in(folder: Path) -> list[Path]:
    """Its files at any depth by name, but for hidden ones; none of what is no folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def folder_entries(folder: Path, exporter: Foldered) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """What stands in a folder, as it was given: the file's name, the row's number in it from 1, and the row.

    The files come in the order of their names; a text is row 0.

    Raises:
        ValueError: with name and number, for a file that does not begin, go on or end as its shape says."""
    for path in files_in(folder):
        name = path.relative_to(folder).as_posix()
        text, shape = path.read_text(encoding="utf-8"), exporter.shape(name)
        if shape == TEXT:
            yield name, 0, {"file": name, "text": text}
            continue
        head, between, tail = shape
        if not (text.startswith(head) and text.endswith(tail) and len(text) >= len(head) + len(tail)):
            raise ValueError(f"{name} does not begin with {head.strip()!r} and end with {tail.strip()!r}")
        for number, line in enumerate(text[len(head) : len(text) - len(tail)].split(between), start=1):
            try:
                yield name, number, {"file": name, "row": json.loads(line)}
            except ValueError as error:
                raise ValueError(f"{name}:{number}: no JSON: {error}") from None


@dataclass(slots=True)
class FolderRows:
    """The files of a folder, as far as they are written."""

    folder: Path
    exporter: Foldered
    stack: ExitStack
    files: dict[str, TextIO] = field(default_factory=dict)

    def add(self, line: str) -> None:
        """Write a row, given as its line of JSON, to the file that it names."""
        row: Mapping[str, Any] = json.loads(line)
        name = row["file"]
        began = name in self.files
        if "text" not in row:
            file = self.files[name] if began else self.opened(name)
            head, between, _ = self.exporter.shape(name)
            file.write(between if began else head)
            file.write(as_line(row["row"]))
        elif not began:
            self.opened(name).write(row["text"])

    def opened(self, name: str) -> TextIO:
        path = self.folder / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = self.stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n"))
        self.files[name] = file
        return file

    def end(self) -> None:
        for name, file in self.files.items():
            file.write(self.exporter.shape(name)[2])
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def folder_rows(folder: Path, exporter: Foldered, *, force: bool) -> Iterator[FolderRows]:
    """The files take their places in `folder` when the block ends well, and vanish otherwise.

    Raises:
        UserError: if the folder exists and `force` is not given."""
    if folder.is_file():
        raise UserError(f"{str(folder)!r} is a file; this format is a folder")
    if folder.exists() and not force:
        raise UserError(f"{str(folder)!r} exists; to overwrite its files, give --force (force=True from Python)")
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        with ExitStack() as stack:
            rows = FolderRows(part, exporter, stack)
            yield rows
            rows.end()
        folder.mkdir(parents=True, exist_ok=True)
        for name in rows.files:
            target = folder / PurePosixPath(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (part / PurePosixPath(name)).replace(target)
    finally:
        rmtree(part, ignore_errors=True)
