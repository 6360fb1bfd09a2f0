"""A format that is a folder: rows that each name their file, written to all files at once and put in place together.

A row is `{"file": NAME, "row": VALUE}` or `{"file": NAME, "text": TEXT}`, with a path inside the folder as its name. A
file of rows is a JSON list when it ends in `.json`, else JSONL; an exporter may say otherwise by `shape(name)`. A text
is a whole file, and the first one counts.
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

__all__ = ["FolderRows", "Foldered", "Shape", "folder_of", "folder_rows"]

Shape = tuple[str, str, str]  # before the rows, between two of them, behind them
LIST: Shape = ("[\n", ",\n", "\n]\n")
LINES: Shape = ("", "\n", "\n")


@runtime_checkable
class Foldered(Protocol):
    """An exporter whose rows name their files."""

    def shape(self, name: str) -> Shape: ...


def folder_of(path: Path) -> Path:
    """The folder that a path stands for: `exports/tau2.jsonl` -> `exports/tau2`."""
    return path.with_suffix("") if path.suffix == ".jsonl" else path


def usual(name: str) -> Shape:
    """A JSON list for `.json`, else one row a line."""
    return LIST if name.endswith(".json") else LINES


@dataclass(slots=True)
class FolderRows:
    """The files of a folder, as far as they are written."""

    folder: Path
    exporter: Foldered
    stack: ExitStack
    files: dict[str, TextIO] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    count: int = 0  # of rows; a text is none

    def add(self, line: str) -> None:
        """Write a row, given as its line of JSON, to the file that it names."""
        row: Mapping[str, Any] = json.loads(line)
        name = row["file"]
        if "text" not in row:
            began = name in self.files
            file = self.files[name] if began else self.opened(name)
            head, between, _ = self.exporter.shape(name)
            file.write(between if began else head)
            file.write(as_line(row["row"]))
            self.count += 1
        elif name not in self.files:
            self.opened(name).write(row["text"])
            self.whole.add(name)

    def opened(self, name: str) -> TextIO:
        path = self.folder / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = self.stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n"))
        self.files[name] = file
        return file

    def end(self) -> None:
        for name, file in self.files.items():
            file.write("" if name in self.whole else self.exporter.shape(name)[2])
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
        for name in rows.files:
            target = folder / PurePosixPath(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (part / PurePosixPath(name)).replace(target)
    finally:
        rmtree(part, ignore_errors=True)
