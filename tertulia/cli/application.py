"""The application that commands are added to, the options that several of them share, and how one is performed."""

import errno
import os
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from tertulia.errors import UserError
from tertulia.permissions import allowing

__all__ = [
    "AllowCode",
    "AllowNet",
    "BaseUrl",
    "Json",
    "Model",
    "PriceFile",
    "RoleModels",
    "RoleSettings",
    "RunFolder",
    "app",
    "perform",
]

FULL = (errno.ENOSPC, errno.EDQUOT)

app = typer.Typer(
    name="tertulia",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

Json = Annotated[bool, typer.Option("--json", help="The last line of standard output is one JSON object.")]
Model = Annotated[
    str,
    typer.Option(
        metavar="SPEC",
        help="The model of all roles: openai:NAME for any OpenAI-compatible endpoint, or PROVIDER:NAME of LangChain's. "
        "Keys are read from the environment.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str,
    typer.Option(
        metavar="URL", help="Where openai models are served, such as http://localhost:8000/v1.", show_default=False
    ),
]
RoleModels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE=SPEC",
        help="A role's model (planner, user, assistant, colleague, critic, judge, tool), or ROLE=rules for none. "
        "Repeats; without --model, the roles that are not named are played by rules.",
        show_default=False,
    ),
]
RoleSettings = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE.KEY=VALUE",
        help="Such as user.temperature=0.9; without ROLE., for all. Repeats.",
        show_default=False,
    ),
]
PriceFile = Annotated[
    str, typer.Option(metavar="FILE", help="Prices that go before the bundled ones.", show_default=False)
]
AllowCode = Annotated[
    bool,
    typer.Option("--allow-code", help="Let scenario files run code: Python that they name, MCP servers."),
]
AllowNet = Annotated[bool, typer.Option("--allow-net", help="Let scenario files reach the network: HTTP, MCP.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)]


def perform(command: str, code: bool = False, net: bool = False, **options: Any) -> None:
    """Load a command's module, do it, and leave with its exit status; with 0 when whoever reads the output has left.

    `code` and `net` are what scenario files may do.

    Raises:
        UserError: if the disk is full."""
    try:
        with allowing(code=code, net=net):
            status = import_module(f"tertulia.commands.{command}").perform(**options)
        sys.stdout.flush()
    except BrokenPipeError:  # as in `tertulia report RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        if error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what waits there can be written nowhere
        raise UserError(f"cannot write {str(error.filename or 'its output')!r}: {error.strerror}") from None
    raise typer.Exit(status)


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tertulia {version('tertulia')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Play scenarios as multi-party dialogues with tools, keep what survives the critic, and export training data
    and evaluation sets.

    \b
    Start here:
      tertulia run                         play the bundled scenarios, offline, and export what is accepted
      tertulia report runs/...             what came of it: rejects by cause, markers, the critic measured
      tertulia new scenario lost-ring      write a scenario of your own ...
      tertulia check lost-ring.yaml        ... see every fault of it at its line ...
      tertulia run lost-ring.yaml          ... and play it

    \b
    Exit status: 0 all is well, 1 faults were found, 2 wrong usage or something to mend, 130 stopped by a signal.
    """
