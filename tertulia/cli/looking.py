"""What is there is shown, and a first file of one's own is written: report, show, list, schema, new."""

from pathlib import Path
from typing import Annotated

import typer

from tertulia.cli.application import Json, RunFolder, app, perform


@app.command()
def report(
    run: RunFolder,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="A page with plots as well.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show what a run gave: ends, rejects by cause, markers, the critic measured, and each scenario's success.

    \b
    tertulia report runs/p
    tertulia report runs/p --html report.html
    """
    perform("report", folder=run, html=html, json=json)


@app.command()
def show(
    run: RunFolder,
    which: Annotated[
        str, typer.Argument(metavar="ID|INDEX", help="Its id, or its place from 0 on.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Show one conversation: its turns, calls and results, and the drafts that were sent back with the reasons.

    \b
    tertulia show runs/p 17
    tertulia show runs/p new-flat-000009 --json    the whole record
    """
    perform("show", folder=run, which=which, json=json)


@app.command("list")
def list_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="[KIND]",
            help="worlds, tools, scenarios, principles, recipes, judges, exporters, importers, planners, users, "
            "assistants, colleagues or critics; left out: how many there are of each.",
            show_default=False,
        ),
    ] = "",
    world: Annotated[str, typer.Argument(metavar="[WORLD]", help="Whose tools.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """List what is bundled and installed, each with a line on what it is.

    \b
    tertulia list scenarios
    tertulia list tools parcels
    tertulia list principles --json | jq -r '.items[].principle'
    """
    perform("list", kind=kind, world=world, json=json)


@app.command()
def schema(
    of: Annotated[str, typer.Argument(metavar="[scenario|recipe|principles|criteria|evalset]")] = "scenario",
) -> None:
    """Print the JSON Schema of a file format, for editors and validators.

    \b
    tertulia schema > scenario.schema.json         then, in the first line of a scenario file:
                                                   # yaml-language-server: $schema=scenario.schema.json
    """
    perform("schema", of=of)


@app.command()
def new(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="scenario, judge, exporter, planner, user, assistant or critic")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as lost-ring or goal_calls.")],
    folder: Annotated[
        Path | None,
        typer.Option("--in", metavar="DIR", help="Left out: where that kind lives, from here.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Write a starting file that works as it stands, and its test.

    \b
    tertulia new scenario lost-ring
    tertulia new judge polite
    """
    perform("new", kind=kind, name=name, folder=folder, json=json)
