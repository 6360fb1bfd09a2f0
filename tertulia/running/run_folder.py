"""The folder of a run: whose it is, who holds it, and the settings it was begun with.

OUT/manifest.json   written first and atomically; a run is resumed only under the same settings
OUT/run.sqlite      one row per finished conversation, see `tertulia.running.store`
OUT/lock            held by the process that writes; the system frees it when that process dies
OUT/exports/        what the run exported
OUT/selections/     what `tertulia corpus` kept of it
OUT/calibration.json    what `tertulia judge --calibrate` found
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tertulia.errors import StoreError, UserError
from tertulia.replacing import replacing

__all__ = ["changed_settings", "clear", "locked", "prepare", "read_manifest", "write_atomically"]

FILES = {"manifest.json", "run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "calibration.json"}
LOCK = {"lock", "lock-journal"}
FOLDERS = {"exports", "selections"}
OURS = FILES | LOCK | FOLDERS


def prepare(folder: Path) -> None:
    """Make sure that the folder is ours to write in."""
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{str(folder)!r} is a file; --out must name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {entry.name for entry in folder.iterdir() if not entry.name.endswith(".part")}
    except OSError as error:
        raise StoreError(f"cannot write in {str(folder)!r}: {error.strerror}") from None
    if foreign := sorted(there - OURS):
        raise StoreError(f"{str(folder)!r} holds other files ({foreign[0]!r}); --out must name a new or a run's folder")


def clear(folder: Path) -> None:
    """Delete the run in a folder, so that it can be played anew.

    Raises:
        StoreError: if the folder holds anything else, or a process is writing in it."""
    if not folder.exists():
        return
    prepare(folder)
    with closing(locked(folder)):
        for name in sorted(FILES, reverse=True):
            (folder / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)


def locked(folder: Path) -> sqlite3.Connection:
    """Hold the folder. SQLite's file lock works on every system and ends with the process, however it dies."""
    lock = sqlite3.connect(folder / "lock", isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if "locked" in str(error):
            raise StoreError(f"{str(folder)!r} is in use: another process is writing this run") from None
        raise StoreError(f"cannot lock {str(folder)!r}: {error}") from None
    return lock


def read_manifest(folder: Path) -> dict[str, Any]:
    """The settings of the run in a folder.

    Raises:
        StoreError: if there is no run, or its manifest cannot be read."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise StoreError(f"{str(folder)!r} holds no run (it has no manifest.json)")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{str(path)!r} cannot be read: {error}") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("settings"), dict):
        raise StoreError(f"{str(path)!r} is not the manifest of a run")
    return manifest


def changed_settings(old: Mapping[str, Any], new: Mapping[str, Any], under: str = "") -> Iterator[str]:
    """What differs between two manifests, as `name was 1, is 2`."""
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from changed_settings(before, after, f"{key} ")
        else:
            yield f"{under if under != 'settings ' else ''}{key} was {said(before)}, is {said(after)}"


def said(value: Any) -> str:
    """A setting's value as a person reads it; a digest is shortened."""
    if value is None:
        return "absent"
    text = json.dumps(value)
    return text[:9] + '…"' if isinstance(value, str) and len(value) == 64 else text


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that it is there in full or not at all.

    Raises:
        StoreError: if it cannot be written, as on a full disk."""
    try:
        with replacing(path) as file:
            file.write(text)
    except UserError as error:
        raise StoreError(str(error)) from None
