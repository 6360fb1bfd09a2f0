"""Sets come in, and agents are scored on them: import, evaluate, agreement."""

from pathlib import Path
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


@app.command("import")
def import_(
    format: Annotated[str, typer.Argument(metavar="FORMAT", help="See `tertulia list importers`.", show_default=False)],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file or a folder.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Left out: imported/FORMAT-NAME.", show_default=False),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="So many scenarios; left out: all there are.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="For formats whose scenarios are drawn.")] = 0,
    toolkit: Annotated[
        list[str] | None,
        typer.Option(metavar="MODULE:NAME", help="The Python behind the format's tools. Repeats.", show_default=False),
    ] = None,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Run the Python that --toolkit names.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.")] = False,
    model: Annotated[
        str, typer.Option(metavar="SPEC", help="Writes the words of scripts for openapi.", show_default=False)
    ] = "",
    base_url: BaseUrl = "",
    json: Json = False,
) -> None:
    """Bring another format in as scenario files; what it holds and a scenario cannot say is listed.

    \b
    tertulia import deepeval goldens.json -o mine
    tertulia import tau2 retail/ --toolkit tau2.domains.retail.tools:RetailTools --allow-code
    """
    perform(
        "import_",
        allow_code,
        format=format,
        path=path,
        out=out,
        n=n,
        seed=seed,
        toolkits=tuple(toolkit or ()),
        allow_code=allow_code,
        force=force,
        json=json,
        model=model,
        base_url=base_url,
    )


@app.command()
def evaluate(
    sets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SET...]",
            help="An evalset file (.jsonl), scenario files, folders or bundled names; none: the bundled set.",
            show_default=False,
        ),
    ] = None,
    agent: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="rules, none, oracle, MODULE:NAME, http(s)://..., or a model such as openai:NAME.",
            show_default=False,
        ),
    ] = "",
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            min=1,
            help="Trials of each item; more go on in the same folder. Left out: 1, with --rescore all there are.",
            show_default=False,
        ),
    ] = None,
    per_seed: Annotated[
        int,
        typer.Option(min=1, help="Of the -k trials, so many share a simulator seed: they differ by the agent alone."),
    ] = 1,
    variants: Annotated[int, typer.Option(min=1, help="Balanced variants of each scenario.")] = 1,
    mode: Annotated[
        str, typer.Option(help="dynamic, or static: a recorded history, and the call is forced.")
    ] = "dynamic",
    rerun: Annotated[
        int, typer.Option(min=0, help="Trials that the simulator tainted and that are played again, at most.")
    ] = 0,
    deadline: Annotated[
        float, typer.Option(min=0.001, metavar="SECONDS", help="How long the agent may take for one turn.")
    ] = 60.0,
    out: Annotated[
        str, typer.Option("--out", metavar="DIR", help="Left out: runs/eval-AGENT-DIGEST.", show_default=False)
    ] = "",
    seed: Annotated[int, typer.Option(help="Settles every random choice.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Conversations open at once; changes no result.")] = 64,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the trials; changes no result.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what is in the folder and play it anew.")] = False,
    model: Model = "",
    base_url: BaseUrl = "",
    role_model: RoleModels = None,
    role_setting: RoleSettings = None,
    max_calls: Annotated[
        int | None, typer.Option(min=0, help="Stop cleanly before more model calls are paid.", show_default=False)
    ] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="The same for US dollars.", show_default=False)] = None,
    prices: PriceFile = "",
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="Compare the evaluations in two folders.", show_default=False),
    ] = None,
    floors: Annotated[
        bool, typer.Option("--floors/--no-floors", help="Also play the agents none, rules and oracle.")
    ] = True,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Score what is kept anew; nothing is played or asked.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Compare in spite of different versions.")] = False,
    html: Annotated[
        str, typer.Option(metavar="FILE", help="The report; left out: exports/report.html.", show_default=False)
    ] = "",
    rows: Annotated[
        str,
        typer.Option(metavar="FILE", help="Write slots by trial, for `tertulia agreement`.", show_default=False),
    ] = "",
    allow_code: AllowCode = False,
    allow_net: AllowNet = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
) -> None:
    """Score an agent on an evaluation set: pass^k with intervals, beside what is for free, and why trials failed.

    The simulator's models, if any, are named as for `tertulia run`. Exit status 1 when trials are lacking: a budget
    was spent, or the agent could not be reached; the same command goes on.

    \b
    tertulia evaluate parcels --agent rules -k 4
    tertulia evaluate items.jsonl --agent my_agent:answer -k 8 --rerun 20
    tertulia evaluate parcels --agent openai:NAME --base-url http://localhost:8000/v1 --max-calls 500
    tertulia evaluate --compare runs/eval-a runs/eval-b
    """
    perform(
        "evaluate",
        allow_code,
        allow_net,
        sets=tuple(sets or ()),
        agent=agent,
        k=k,
        per_seed=per_seed,
        variants=variants,
        mode=mode,
        rerun=rerun,
        deadline=deadline,
        out=out,
        seed=seed,
        concurrency=concurrency,
        workers=workers,
        fresh=fresh,
        model=model,
        base_url=base_url,
        role_models=tuple(role_model or ()),
        role_settings=tuple(role_setting or ()),
        max_calls=max_calls,
        max_usd=max_usd,
        prices=prices,
        compare=compare,
        floors=floors,
        rescore=rescore,
        force=force,
        html=html,
        rows=rows,
        json=json,
        quiet=quiet,
    )


@app.command()
def agreement(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="JSONL files of dialogues and labels, as above.", show_default=False),
    ],
    json: Json = False,
) -> None:
    """Measure how well scores of agents track people's, and how well critics and judges agree with them.

    A line is either one dialogue of an agent, whose mode is static, human or any name of a run with a simulator
    (`tertulia evaluate --rows` writes them), or a rater's label of an item. What is compared with is the mode, or
    the rater, called human.

    \b
    {"item": .., "agent": .., "mode": .., "trial": 0, "gold": {slot: value}, "predicted": {slot: value} | null}
    {"item": .., "rater": "human" | .., "label": ..}

    \b
    tertulia agreement scores.jsonl
    tertulia agreement static.jsonl dynamic.jsonl human.jsonl --json | tail -1 | jq .pearson
    """
    perform("agreement", files=tuple(files), json=json)
