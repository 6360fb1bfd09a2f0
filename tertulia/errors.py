"""Every error that tertulia raises on purpose.

TertuliaError
├── UserError            the person at the keyboard must mend something (exit status 2)
│   ├── ScenarioError    a scenario, recipe or principle file has faults; carries all of them
│   ├── SettingsError    options contradict each other or a resumed run
│   └── UnknownPart      no part of that name is bundled or installed
├── ToolError            a tool refuses or fails; it becomes a result, never a crash
├── PartError            a planner, speaker, critic or judge broke its contract
├── RunInterrupted       a signal stopped a run; what had finished is kept (exit status 130)
├── RunStopped           a run's budget is spent; what had finished and every reply is kept (exit status 1)
└── StoreError           a run folder cannot be read or written
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

__all__ = [
    "Edit",
    "Fault",
    "PartError",
    "RunInterrupted",
    "RunStopped",
    "ScenarioError",
    "SettingsError",
    "StoreError",
    "TertuliaError",
    "ToolError",
    "UnknownPart",
    "UserError",
    "did_you_mean",
]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The closest known word as ` (did you mean 'x'?)`, or an empty string."""
    near = get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file: at this place (from 1), `old` becomes `new`. With an empty `old`, `new` is put in."""

    line: int
    column: int
    old: str
    new: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend in a file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    rule: str = "scenario"
    item: str = ""
    suggestion: str = ""
    edit: Edit | None = field(default=None, compare=False)  # what takes the fault away, where that is safe

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}{self.suggestion}"


class TertuliaError(Exception):
    """The root of the tree."""


class UserError(TertuliaError):
    """Something the caller can mend; the message is one line that says what."""


class ScenarioError(UserError):
    """A file has faults. `faults` holds every one of them, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class SettingsError(UserError):
    """Options contradict each other, or those of the run that is being resumed."""


class UnknownPart(UserError):
    """No part of that kind and name is bundled or installed."""


class ToolError(TertuliaError):
    """Raised by a tool to refuse or to fail. The text is what the caller of the tool reads."""


class PartError(TertuliaError):
    """A planner, speaker, critic or judge returned something its contract forbids."""


class RunInterrupted(TertuliaError):
    """Ctrl-C or SIGTERM stopped a run; the message says how much is kept and where."""


class RunStopped(TertuliaError):
    """A run's budget is spent; the message says how much is kept in `folder`, and how to go on."""

    def __init__(self, message: str, folder: Path) -> None:
        self.folder = folder
        super().__init__(message)


class StoreError(UserError):
    """A run folder is missing, foreign or unreadable."""
