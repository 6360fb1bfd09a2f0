"""The command line: its modules only read options; what a command does stands in `tertulia.commands.NAME`.

A command's module of `tertulia.commands` is loaded when the command is called, so that `--help` and shell completion
answer at once.
"""

import sys
from importlib import import_module

from tertulia.cli.application import app
from tertulia.errors import RunInterrupted, ScenarioError, TertuliaError

__all__ = ["app", "main"]

for chapter in ("playing", "results", "evaluating", "looking"):  # in the order of `--help`
    import_module(f"{__name__}.{chapter}")


def complain(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    """The entry point: what a person can mend is one line on standard error, never a traceback."""
    try:
        app()
    except ScenarioError as error:
        for fault in error.faults:
            complain(str(fault))
        complain(f"tertulia: {len(error.faults)} fault{'s' * (len(error.faults) != 1)} to mend; nothing was done")
        sys.exit(2)
    except RunInterrupted as error:
        complain(f"tertulia: {error}; the same command goes on from there")
        sys.exit(130)
    except TertuliaError as error:
        complain(f"tertulia: {error}")
        sys.exit(2)
