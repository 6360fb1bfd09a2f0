"""The papers of an export: a manifest for machines, and a dataset card for people and for `load_dataset`.

    FORMAT.manifest.json    what was written, its SHA-256 (of a folder, those of its files under `beside`), columns and
                            balance, and the run that it comes from
    FORMAT.card.md          the same in words, under the YAML head that the Hugging Face Hub and `datasets` read
    README.md               in the `exports` folder of a run: one configuration for each format that is there

All of them depend on the file, the run's settings and the conversations alone: they hold no clock and no path.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tertulia.errors import UserError
from tertulia.exporting.apart import mixed, told_of
from tertulia.exporting.columns import Columns, features
from tertulia.exporting.folder import files_in
from tertulia.exporting.tally import Tally

__all__ = ["About", "Papers", "altered", "card", "index", "left_over", "manifest", "papers_of", "read_manifest"]

MOST = 20  # values of one aspect that a card shows
SUMS = ("sha256", "bytes")
KEYS = ("format", "file", "rows", "beside", "features", "licence", "scenarios")  # that whoever reads a manifest uses
NOT_NAMED = re.compile(r"[<>:/\\|?*]")


@dataclass(frozen=True, slots=True)
class About:
    """Where an export comes from: what its papers tell of the run."""

    settings: Mapping[str, Any] = field(default_factory=dict)  # of the run: n, seed, slips, cast, models
    scenarios: Mapping[str, str] = field(default_factory=dict)  # id -> SHA-256 of the scenario with its tools
    version: str = ""  # of tertulia
    gates: Mapping[str, Sequence[str]] = field(default_factory=dict)  # recipe -> judges that had to pass
    licence: str = "unknown"  # an identifier of the Hub
    selection: Mapping[str, Any] = field(default_factory=dict)  # which conversations were taken: name, part, criteria

    @property
    def models(self) -> dict[str, str]:
        """Role -> the model that played it; a role that is not named was played by rules."""
        made: Mapping[str, Any] = self.settings.get("models") or {}
        return {role: str(model.get("spec", {}).get("name", "")) for role, model in made.items()}


@dataclass(frozen=True, slots=True)
class Papers:
    """The two files beside an export."""

    manifest: Path
    card: Path


def papers_of(path: Path) -> Papers:
    """`sft.jsonl` -> `sft.manifest.json` and `sft.card.md`, as for a folder; `sft.parquet` -> `sft.parquet.card.md`."""
    stem = path.stem if path.suffix == ".jsonl" else path.name
    return Papers(path.with_name(f"{stem}.manifest.json"), path.with_name(f"{stem}.card.md"))


def sums(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return dict(zip(SUMS, (hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size), strict=True))


def manifest(
    format_name: str,
    path: Path,
    beside: Iterable[Path],
    columns: Columns | None,
    tally: Tally,
    lost: Mapping[str, int],
    about: About,
    evaluates: bool = False,
) -> dict[str, Any]:
    """What can be told of a file or folder that is on disk; `beside` are the other files that belong to it."""
    return {
        "format": format_name,
        "file": path.name,
        "evaluates": evaluates,
        **({} if path.is_dir() else sums(path)),
        "rows": tally.rows,
        "beside": {file.relative_to(path.parent).as_posix(): sums(file) for file in beside},
        "features": features(dict(columns)) if columns else None,
        **tally.as_json(),
        "lost": dict(lost),
        "licence": about.licence,
        "models": about.models,
        **({"selection": dict(about.selection)} if about.selection else {}),
        "gates": {name: list(gates) for name, gates in sorted(about.gates.items())},
        "scenarios": {
            name: {"rows": rows, "sha256": about.scenarios.get(name, "")}
            for name, rows in sorted(tally.scenarios.items())
        },
        "run": {"tertulia": about.version, "settings": dict(about.settings)},
    }


def as_text(made: Mapping[str, Any]) -> str:
    """A manifest as the text of its file."""
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest from its file.

    Raises:
        OSError: if it cannot be read.
        UserError: if it is none."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no manifest: {error}; export it anew, or take it away") from None
    missing = [key for key in KEYS if key not in made] if isinstance(made, dict) else list(KEYS)
    if missing:
        raise UserError(f"{path} is no manifest: it lacks {missing[0]!r}; export it anew, or take it away")
    return dict(made)


def altered(path: Path) -> list[str] | None:
    """Which files of an export are not those that its manifest describes; None: it has no manifest.

    In a folder every file that is there must be named, but for hidden ones."""
    paper = papers_of(path).manifest
    try:
        made = read_manifest(paper)
        known = {made["file"]: made["sha256"]} if "sha256" in made else {}
        known |= {name: one["sha256"] for name, one in made["beside"].items()}
    except FileNotFoundError:
        return None
    except UserError as error:
        return [str(error)]
    except (KeyError, TypeError, AttributeError) as error:
        return [f"{paper.name} is no manifest: {type(error).__name__}: {error}"]
    files = {name: path.parent / name for name in known}
    wrong = [
        f"{name} is not there, and {paper.name} names it"
        if not file.is_file()
        else f"{name} is not what {paper.name} describes: another SHA-256; export it anew"
        for name, file in files.items()
        if not file.is_file() or sums(file)["sha256"] != known[name]
    ]
    strange = sorted(file.relative_to(path.parent).as_posix() for file in files_in(path))
    return wrong + [f"{name} is there, and {paper.name} does not name it" for name in strange if name not in known]


def left_over(path: Path) -> list[Path]:
    """The files of a folder that the manifest beside it names; none without one."""
    try:
        beside = read_manifest(papers_of(path).manifest)["beside"]
    except (FileNotFoundError, UserError):
        return []
    return [file for file in files_in(path) if file.relative_to(path.parent).as_posix() in beside]


# --- in words ----------------------------------------------------------------------------------------------------


def head(manifests: Sequence[Mapping[str, Any]]) -> str:
    """The YAML head: how `load_dataset` finds each table and the types of its columns. A folder is no table."""
    tables = [made for made in manifests if made["features"]]
    licences = sorted({str(made["licence"]) for made in manifests})
    told: dict[str, Any] = {"license": licences[0] if len(licences) == 1 else "other"}
    told["tags"] = ["synthetic", "tertulia"]
    if tables:
        told["configs"] = [{"config_name": configuration(made), "data_files": made["file"]} for made in tables]
        told["dataset_info"] = [
            {"config_name": configuration(made), "features": [named(key, one) for key, one in made["features"].items()]}
            for made in tables
        ]
    return f"---\n{yaml.safe_dump(told, sort_keys=False, allow_unicode=True)}---\n"


def configuration(made: Mapping[str, Any]) -> str:
    """The name by which `load_dataset` finds a file in its folder: `sft`, `sft-mine-train`, `sft-parquet`.

    A folder may hold several files of one format, so it is the file's name; a hyphen stands for what `datasets` forbids
    in names of configurations."""
    file = Path(str(made["file"]))
    return NOT_NAMED.sub("-", file.stem) + ("-parquet" if file.suffix == ".parquet" else "")


def named(name: str, feature: Mapping[str, Any]) -> dict[str, Any]:
    """A feature as the Hub's cards write it (`datasets.Features._to_yaml_list`)."""
    return {"name": name, **yaml_of(feature)}


def yaml_of(feature: Mapping[str, Any]) -> dict[str, Any]:
    if feature.get("_type") == "Value":
        return {"dtype": feature["dtype"]}
    if feature.get("_type") == "Json":
        return {"dtype": "json"}
    if feature.get("_type") == "List":
        inner = yaml_of(feature["feature"])
        return {"list": inner["struct"] if "struct" in inner else inner.get("dtype", inner)}
    return {"struct": [named(name, inner) for name, inner in feature.items()]}


def card(made: Mapping[str, Any]) -> str:
    """The card of one export."""
    return head([made]) + f"# {made['format']}\n\n" + told(made)


def index(manifests: Sequence[Mapping[str, Any]]) -> str:
    """The card of a folder of exports."""
    lines = ["# Exports of one run", "", "| configuration | file | rows |", "| --- | --- | --- |"]
    lines += [f"| {shown(made)} | `{made['file']}` | {made['rows']} |" for made in manifests]
    lines += ["", '`load_dataset(FOLDER, "CONFIGURATION")` reads a file with the types of its columns.', ""]
    lines += [line for asked in manifests if (line := apart(asked, manifests))]
    return head(manifests) + "\n".join(lines)


def apart(asked: Mapping[str, Any], manifests: Sequence[Mapping[str, Any]]) -> str:
    """A paragraph on an evaluation set that was made of the same scenarios as files for training."""
    told = told_of(mixed(manifests), str(asked["file"])) if asked.get("evaluates") else ""
    return f"**{told}**\n" if told else ""


def shown(made: Mapping[str, Any]) -> str:
    return f"`{configuration(made)}`" if made["features"] else f"none: `{made['format']}` is a folder of files"


def told(made: Mapping[str, Any]) -> str:
    talks, run = made["conversations"], made["run"]
    settings = {key: value for key, value in run["settings"].items() if key != "models"}
    models = ", ".join(f"{role}: {name}" for role, name in made["models"].items()) or "none; rules played every role"
    gates = [f"- conversations of `{name}` had to pass: {', '.join(given)}" for name, given in made["gates"].items()]
    gates += [f"- left out, {cause}: {count} conversations" for cause, count in talks["left_out"].items()]
    parts = [
        f"`{made['file']}`: {made['rows']} rows from {talks['used']} of {talks['seen']} synthetic conversations, "
        f"played by tertulia {run['tertulia']}.",
        "## Balance\n\nRows by what their conversation is about.\n\n" + "\n\n".join(balance(made["balance"])),
        "## Filters\n\n" + ("\n".join(gates) or "None."),
        "## What the format could not hold\n\n"
        + ("\n".join(f"- {name}: {count}" for name, count in made["lost"].items()) or "Nothing."),
        f"## Models\n\n{models}",
        f"## Licence\n\n{made['licence']}. Words that a model wrote may be bound by the terms of that model.",
        f"## Settings\n\n`{json.dumps(settings, ensure_ascii=False)}`",
        "## Scenarios\n\n" + table(("scenario", "rows", "SHA-256"), scenarios(made["scenarios"])),
    ]
    return "\n\n".join(parts) + "\n"


def balance(counts: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    for aspect, values in counts.items():
        shown = [(name, str(count)) for name, count in list(values.items())[:MOST]]
        if len(values) > MOST:
            shown.append((f"{len(values) - MOST} more", str(sum(list(values.values())[MOST:]))))
        if shown:
            yield table((aspect, "rows"), shown)


def scenarios(given: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    return [(name, str(one["rows"]), f"`{one['sha256'][:16]}`") for name, one in given.items()]


def table(names: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [names, ["---"] * len(names), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
