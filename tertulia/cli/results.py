"""What a run gave is judged, selected and written: judge, export, corpus."""

from pathlib import Path
from typing import Annotated

import typer

from tertulia.cli.application import AllowCode, AllowNet, BaseUrl, Json, RunFolder, app, perform


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
            help='With --calibrate: people\'s labels, JSONL of {"item": ID, "rater": "human", "label": true} (it is '
            'good), or for a draft "turn", "draft", "principle" and "violates" in place of "label".',
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        float,
        typer.Option(min=0, max=1, help="With --calibrate: the least precision of what is trusted and where is cut."),
    ] = 0.9,
    criteria: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --calibrate: write a file of criteria that rejects what those mark that are right often enough.",
            show_default=False,
        ),
    ] = None,
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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
) -> None:
    """Judge a run again without playing it again, with the judges of its recipes; verdicts are replaced.

    Exports are left as they are: `tertulia export RUN FORMAT --force` writes one anew.

    \b
    tertulia judge runs/p
    tertulia judge runs/p polite                   and with a judge of your own, see `tertulia list judges`
    tertulia judge runs/p --tags                   and with those that measure
    tertulia judge runs/p rubric --model openai:NAME --base-url http://localhost:8000/v1
    tertulia judge runs/p rubric:mine.yaml --model openai:NAME     and with rubrics of your own
    tertulia judge runs/p --calibrate --labels people.jsonl
    tertulia judge runs/p --against runs/p-before
    """
    if calibrate or against or labels or criteria:
        perform(
            "calibrate",
            folder=run,
            labels=labels,
            precision=precision,
            criteria=criteria,
            against=against,
            json=json,
        )
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
        quiet=quiet,
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
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="People's labels, as `tertulia judge --calibrate` takes them: how many bad conversations go is told.",
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
        "corpus",
        folder=run,
        criteria=criteria,
        against=tuple(eval_set or ()),
        labels=labels,
        preview=preview,
        html=html,
        json=json,
    )
