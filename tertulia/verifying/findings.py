"""What a verification found."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["MOST", "Findings"]

MOST = 50  # faults that are kept with their words; all are counted


@dataclass(slots=True)
class Findings:
    """Faults of one export as lines `FILE:ROW: what is wrong`, rows counted from 1, and what is worth knowing."""

    file: Path
    rows: int = 0
    faults: list[str] = field(default_factory=list)  # the first `MOST`
    count: int = 0  # of all faults
    notes: list[str] = field(default_factory=list)  # no faults, such as a bias in length
    checked: list[str] = field(default_factory=list)  # what was looked at, in words
    unchecked: dict[str, str] = field(default_factory=dict)  # what could not be -> what to install for it
    figures: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> bool:
        return self.count == 0

    def add(self, row: int, wrong: Iterable[str], inside: str = "") -> None:
        """Keep what is wrong with a row; row 0 is the file as a whole, `inside` a file in a folder."""
        where = self.file / inside
        for what in wrong:
            self.count += 1
            if len(self.faults) < MOST:
                self.faults.append(f"{where}:{row}: {what}" if row else f"{where}: {what}")
