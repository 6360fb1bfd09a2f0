"""Scenarios are played: run, check, estimate."""

from typing import Annotated

import typer

from tertulia.cli.application import (
    AllowCode,
    AllowNet,
    BaseUrl,
    Json,
    Model,
    PriceFile,
    RoleModels,
    RoleSettings,
    app,
    perform,
)


@app.command()
def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO...]",
            help="Files, folders or bundled names (a world or a scenario); none: the bundled set.",
            show_default=False,
        ),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option("-n", min=1, help="How many conversations; left out: three of each scenario.", show_default=False),
    ] = None,
    quota: Annotated[
        str,
        typer.Option(
            metavar="FIELD[,FIELD]=N",
            help="Play until so many of each are accepted, such as principles,world=40; -n is then the most to play. "
            "Fields: scenario, kind, recipe, world, principles.",
            show_default=False,
        ),
    ] = "",
    criteria: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Count as accepted only what the rules of a file of criteria keep; their judges are asked as well.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="DIR",
            help="The run's folder; left out: runs/NAME-DIGEST, the same for the same options.",
            show_default=False,
        ),
    ] = "",
    cast: Annotated[str, typer.Option(help="Which parts of the recipe play: rules needs no model.")] = "rules",
    seed: Annotated[int, typer.Option(help="Settles every random choice.")] = 0,
    slips: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="RATE",
            help="Rate at which the rule cast tries to plant a fault in a draft: of the plan, the user, the assistant. "
            "A third of it where a draft is made anew.",
        ),
    ] = 0.15,
    concurrency: Annotated[int, typer.Option(min=1, help="Conversations open at once; changes no result.")] = 64,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the run in the folder, replies included, and play it anew.")
    ] = False,
    model: Model = "",
    base_url: BaseUrl = "",
    role_model: RoleModels = None,
    role_setting: RoleSettings = None,
    max_calls: Annotated[
        int | None,
        typer.Option(min=0, help="Stop cleanly before more model calls than this are paid.", show_default=False),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, help="The same for tokens, in and out.", show_default=False)
    ] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="The same for US dollars.", show_default=False)] = None,
    deadline: Annotated[
        float, typer.Option(min=0.001, metavar="SECONDS", help="How long one try of a call may take.")
    ] = 120.0,
    retries: Annotated[int, typer.Option(min=0, help="How often a call that failed is tried again.")] = 6,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the work; changes no result.")] = 1,
    prices: PriceFile = "",
    allow_code: AllowCode = False,
    allow_net: AllowNet = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
) -> None:
    """Play scenarios, judge the conversations, and export what is accepted.

    A folder that holds an unfinished run of the same settings is resumed: what is there is not played again.

    \b
    tertulia run                                   the bundled set, three conversations of each scenario
    tertulia run parcels -n 500 --out runs/p       one bundled world, into a folder of your choice
    tertulia run mine.yaml --slips 0 --seed 7      your own scenario, with no planted faults
    tertulia run --quota principles,world=40       until so many of each are accepted
    tertulia run --quota kind=9 --criteria careful until so many of each pass those rules as well
    tertulia run --json | tail -1 | jq .rejected   for scripts
    tertulia run parcels --model openai:NAME --base-url http://localhost:8000/v1 --max-calls 500
    tertulia run --model openai:NAME --role-model critic=rules --role-setting user.temperature=0.9
    """
    perform(
        "run",
        scenarios=tuple(scenarios or ()),
        n=n,
        quota=quota,
        criteria=criteria,
        out=out,
        cast=cast,
        seed=seed,
        slips=slips,
        concurrency=concurrency,
        fresh=fresh,
        model=model,
        base_url=base_url,
        role_models=tuple(role_model or ()),
        role_settings=tuple(role_setting or ()),
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_usd=max_usd,
        deadline=deadline,
        retries=retries,
        workers=workers,
        prices=prices,
        allow_code=allow_code,
        allow_net=allow_net,
        json=json,
        quiet=quiet,
    )


@app.command()
def check(
    files: Annotated[
        list[str],
        typer.Argument(metavar="SCENARIO...", help="Files, folders or bundled names.", show_default=False),
    ],
    floors: Annotated[
        bool, typer.Option("--floors/--no-floors", help="Play the scenarios to see what doing nothing scores.")
    ] = True,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend in the files what can safely be mended; comments and layout stay.")
    ] = False,
    allow_code: AllowCode = False,
    allow_net: AllowNet = False,
    json: Json = False,
) -> None:
    """Find every fault of scenario files, each at its file, line and column.

    Checks the form, every name and reference, and the gold: each wanted call is replayed on a fresh world. The floors
    tell what an agent that does nothing and what the rule cast score. Exit status 1 when there are faults.

    \b
    tertulia check lost-ring.yaml
    tertulia check lost-ring.yaml --fix
    tertulia check scenarios/ --json | tail -1 | jq '.faults[].message'
    """
    perform("check", allow_code, allow_net, files=tuple(files), floors=floors, fix=fix, json=json)


@app.command()
def estimate(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO...]", help="Files, folders or bundled names; none: the bundled set."),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option("-n", min=1, help="How many conversations; left out: three of each scenario.", show_default=False),
    ] = None,
    cast: Annotated[str, typer.Option(help="Which parts of the recipe play the roles without a model.")] = "rules",
    seed: Annotated[int, typer.Option(help="Settles every random choice.")] = 0,
    model: Model = "",
    base_url: BaseUrl = "",
    role_model: RoleModels = None,
    role_setting: RoleSettings = None,
    prices: PriceFile = "",
    allow_code: AllowCode = False,
    allow_net: AllowNet = False,
    json: Json = False,
) -> None:
    """Foresee what a run with models will cost: calls, tokens, and money with a range. Nothing is sent.

    Takes the options of `tertulia run`; a few conversations are rehearsed by rules to count what would be asked.

    \b
    tertulia estimate parcels -n 500 --model openai:NAME
    """
    perform(
        "estimate",
        allow_code,
        allow_net,
        scenarios=tuple(files or ()),
        n=n,
        cast=cast,
        seed=seed,
        model=model,
        base_url=base_url,
        role_models=tuple(role_model or ()),
        role_settings=tuple(role_setting or ()),
        prices=prices,
        json=json,
    )
