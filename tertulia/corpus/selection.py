"""What a file of criteria gives: one line for each conversation of a run, in `RUN/selections/ID.jsonl`.

    {"place": 17, "id": .., "kept": true, "part": "train"}
    {"place": 18, "id": .., "kept": false, "rule": "near duplicate", "note": "0.91 like late-parcel-000003"}

Beside it, `ID.json` says how it came about: counts by rule, balance, coverage, parts, and the digest of the criteria.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from tertulia.errors import Fault, ScenarioError, UserError, did_you_mean

__all__ = ["FOLDER", "Selection", "find_selection"]

FOLDER = "selections"


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection on disk, and the part of it that is wanted (empty: all that is kept)."""

    path: Path
    part: str = ""

    @property
    def name(self) -> str:
        """`careful`, or `careful-train` for a part."""
        return f"{self.path.stem}-{self.part}" if self.part else self.path.stem

    def as_json(self) -> dict[str, str]:
        """What papers tell of it."""
        with self.path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        return {"name": self.path.stem, "part": self.part, "sha256": digest}

    def places(self) -> Iterator[tuple[int, str]]:
        """The places of what is kept, in order, each with the conversation's id; one line in memory at a time.

        Raises:
            ScenarioError: naming the line that cannot be read.
            UserError: if there is no such part."""
        parts: set[str] = set()
        with self.path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                    place, name, kept = int(row["place"]), str(row["id"]), bool(row["kept"])
                    part = str(row.get("part", ""))
                except (ValueError, KeyError, TypeError):
                    raise ScenarioError([Fault(str(self.path), number, 1, "no line of a selection")]) from None
                parts.add(part)
                if kept and self.part in ("", part):
                    yield place, name
        if self.part and self.part not in parts:
            known = ", ".join(sorted(filter(None, parts))) or "none"
            raise UserError(f"{str(self.path)!r} has no part {self.part!r}; it has: {known}")


def find_selection(run: Path, given: str, part: str = "") -> Selection:
    """A selection by its name in a run, or by its file.

    Raises:
        UserError: if there is none."""
    folder = run / FOLDER
    known = sorted(path.stem for path in folder.glob("*.jsonl"))
    path = folder / f"{given}.jsonl" if given in known else Path(given)
    if not path.is_file():
        made = f"; this run has: {', '.join(known)}" if known else "; `tertulia corpus RUN` makes one"
        raise UserError(f"no selection {given!r}{did_you_mean(given, known)}{made}")
    return Selection(path, part)
