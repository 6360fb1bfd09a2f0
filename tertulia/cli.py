"""The command line. This module only reads options; what a command does stands in `tertulia.commands.NAME`.

A command's module is loaded when the command is called, so that `--help` and shell completion answer at once.
"""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from tertulia.errors import RunInterrupted, ScenarioError, TertuliaError
from tertulia.permissions import allowing

__all__ = ["app", "main"]

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

    `code` and `net` are what scenario files may do."""
    try:
        with allowing(code=code, net=net):
            status = import_module(f"tertulia.commands.{command}").perform(**options)
        sys.stdout.flush()
    except BrokenPipeError:  # as in `tertulia report RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
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
    tertulia run --json | tail -1 | jq .rejected   for scripts
    tertulia run parcels --model openai:NAME --base-url http://localhost:8000/v1 --max-calls 500
    tertulia run --model openai:NAME --role-model critic=rules --role-setting user.temperature=0.9
    """
    perform(
        "run",
        scenarios=tuple(scenarios or ()),
        n=n,
        quota=quota,
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


@app.command()
def judge(
    run: RunFolder,
    judges: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JUDGE...]", help="Asked as well, by name.", show_default=False),
    ] = None,
    tags: Annotated[
        bool, typer.Option("--tags", help="Ask every heuristic judge as well; they measure, without a model.")
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="Of judges that are models; left out: the one that judged the run.",
            show_default=False,
        ),
    ] = "",
    base_url: BaseUrl = "",
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Judge nothing: tell how far critics and judges are right about planted slips."
        ),
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='With --calibrate: people\'s labels, JSONL of {"item": ID, "rater": "human", "label": true}.',
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        float,
        typer.Option(min=0, max=1, help="With --calibrate: the least precision of what is trusted and where is cut."),
    ] = 0.9,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Judge nothing: what changed since the verdicts in this copy of the run.",
            show_default=False,
        ),
    ] = None,
    allow_code: AllowCode = False,
    allow_net: AllowNet = False,
    json: Json = False,
) -> None:
    """Judge a run again without playing it again, with the judges of its recipes; verdicts are replaced.

    Exports are left as they are: `tertulia export RUN FORMAT --force` writes one anew.

    \b
    tertulia judge runs/p
    tertulia judge runs/p polite                   and with a judge of your own, see `tertulia list judges`
    tertulia judge runs/p --tags                   and with those that measure
    tertulia judge runs/p rubric --model openai:NAME --base-url http://localhost:8000/v1
    tertulia judge runs/p --calibrate --labels people.jsonl
    tertulia judge runs/p --against runs/p-before
    """
    if calibrate or against or labels:
        perform("calibrate", folder=run, labels=labels, precision=precision, against=against, json=json)
    perform(
        "judge",
        allow_code,
        allow_net,
        folder=run,
        judges=tuple(judges or ()),
        tags=tags,
        model=model,
        base_url=base_url,
        json=json,
    )


@app.command()
def export(
    run: RunFolder,
    format: Annotated[
        str, typer.Argument(metavar="FORMAT", help="sft, dpo, openai ...: see `tertulia list exporters`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="- for standard output; NAME.parquet for Parquet; left out: RUN/exports/FORMAT.jsonl.",
            show_default=False,
        ),
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet, also where the name is left out.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Load it as its consumer does and check it; a file that is there is left as is."),
    ] = False,
    tokenizer: Annotated[
        str,
        typer.Option(
            metavar="DIR", help="With --verify: render by the chat template in this folder.", show_default=False
        ),
    ] = "",
    push: Annotated[
        str,
        typer.Option(
            metavar="OWNER/NAME",
            help="To a dataset of the Hugging Face Hub; the token is HF_TOKEN.",
            show_default=False,
        ),
    ] = "",
    licence: Annotated[str, typer.Option(metavar="ID", help="For the dataset card, as the Hub names it.")] = "unknown",
    select: Annotated[
        str,
        typer.Option(metavar="NAME|FILE", help="Only what a selection of `tertulia corpus` keeps.", show_default=False),
    ] = "",
    split: Annotated[
        str, typer.Option(metavar="PART", help="Of the selection, such as train.", show_default=False)
    ] = "",
    allow_code: AllowCode = False,
    allow_net: AllowNet = False,
    json: Json = False,
) -> None:
    """Write a run in a format, with a dataset card and a manifest; exit status 1 when --verify finds faults.

    \b
    tertulia export runs/p dpo -o pairs.jsonl
    tertulia export runs/p sft -o - | head -1 | jq .
    tertulia export runs/p sft --parquet --verify
    tertulia export runs/p sft --select careful --split train
    """
    perform(
        "export",
        allow_code,
        allow_net,
        folder=run,
        format=format,
        out=out,
        parquet=parquet,
        force=force,
        verify=verify,
        tokenizer=tokenizer,
        push=push,
        licence=licence,
        select=select,
        split=split,
        json=json,
    )


@app.command()
def corpus(
    run: RunFolder,
    criteria: Annotated[
        str, typer.Argument(metavar="[CRITERIA]", help="A file, or bundled: plain, careful.")
    ] = "plain",
    eval_set: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Nothing of this evaluation set is kept, ours or any JSONL. Repeats; adds to what the file names.",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would become of the run; write nothing.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="A page with plots beside the tables.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Select what of a run is kept: rules over tags and verdicts, duplicates, leaks of evaluation sets, balance, split.

    Writes RUN/selections/ID.jsonl, which `tertulia export --select ID` takes. What each criterion lets through is
    shown in their order, with examples of what it rejects.

    
    tertulia judge runs/p --tags                   measure every conversation first
    tertulia corpus runs/p careful --preview
    tertulia corpus runs/p mine.yaml --eval-set evalset.jsonl --html corpus.html
    tertulia schema criteria > criteria.schema.json
    """
    perform(
        "corpus", folder=run, criteria=criteria, against=tuple(eval_set or ()), preview=preview, html=html, json=json
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
    k: Annotated[int, typer.Option("-k", min=1, help="Trials of each item; more go on in the same folder.")] = 1,
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

    The simulator's models, if any, are named as for `tertulia run`. Exit status 1 when a budget was spent.

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
        variants=variants,
        mode=mode,
        rerun=rerun,
        deadline=deadline,
        out=out,
        seed=seed,
        concurrency=concurrency,
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
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSONL, see below.", show_default=False)],
    json: Json = False,
) -> None:
    """Tell how well static and dynamic scores of agents track the human ones, and critics' and judges' labels people's.

    A row is a dialogue, with a mode of static, human or any name of a dynamic run, or a rater's label of an item:

    \b
    {"item": .., "agent": .., "mode": .., "trial": 0, "gold": {slot: value}, "predicted": {slot: value} | null}
    {"item": .., "rater": "human" | .., "label": ..}

    \b
    tertulia agreement scores.jsonl
    tertulia agreement static.jsonl dynamic.jsonl human.jsonl --json | tail -1 | jq .pearson
    """
    perform("agreement", files=tuple(files), json=json)


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
