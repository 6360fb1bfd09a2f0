"""The settings of a run, and the manifest that fixes those which decide its outcome."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tertulia.errors import SettingsError
from tertulia.records import Record
from tertulia.scenario import Scenario

__all__ = ["RunSettings", "default_folder", "manifest_of"]

DECIDES = {".py", ".yaml", ".json", ".md", ".txt"}  # the package's files that can change what a run gives ...
SHOWS = {"commands", "templates", "schema", "cli.py", "progress.py", "summary.py", "__main__.py"}  # ... without these


class RunSettings(Record):
    """What `tertulia run` is told."""

    scenarios: tuple[str, ...] = Field((), description="files, folders or bundled names; none: the bundled set")
    n: int | None = Field(None, ge=1, description="conversations; left out: three of each scenario")
    out: str = Field("", description="the run's folder; left out: one under runs/ that the other settings name")
    cast: str = "rules"
    seed: int = 0
    slips: float = Field(0.15, ge=0, le=1, description="share of the assistant's drafts with a planted fault")
    concurrency: int = Field(64, ge=1, le=100_000, description="conversations open at once; changes no result")
    fresh: bool = Field(False, description="delete the run that is in the folder and play it anew")

    @classmethod
    def of(cls, **options: Any) -> "RunSettings":
        """The settings that options give.

        Raises:
            SettingsError: naming the option that is out of its range."""
        try:
            return cls(**options)
        except ValidationError as error:
            first = error.errors()[0]
            raise SettingsError(f"{first['loc'][0]}: {first['msg']}, got {first['input']!r}") from None


def manifest_of(settings: RunSettings, n: int, digests: Mapping[str, str]) -> dict[str, Any]:
    """Everything that decides what a run gives; `digests` are the SHA-256 of the scenarios by id."""
    return {
        "settings": {"n": n, "seed": settings.seed, "slips": settings.slips, "cast": settings.cast},
        "scenarios": dict(sorted(digests.items())),
        "tertulia": version("tertulia"),
        "code of tertulia": code_digest(),
    }


def default_folder(scenarios: Sequence[Scenario], asked: Sequence[str], manifest: Mapping[str, Any]) -> Path:
    """`runs/NAME-DIGEST`: the same command finds its run again, and another command gets a folder of its own."""
    if not asked:
        name = "bundled"
    elif len(scenarios) == 1:
        name = scenarios[0].id
    else:
        name = Path(asked[0]).stem or "run"
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return Path("runs") / f"{name}-{digest[:8]}"


@cache
def code_digest() -> str:
    """The SHA-256 of the installed package: its code, worlds, principles and recipes, without scenario files."""
    digest = hashlib.sha256()
    for name in ("tertulia", "tertulia.agents", "tertulia.judges", "tertulia.exporters", "tertulia.scenarios"):
        root = Path(str(files(name)))
        for path in sorted(path for path in root.rglob("*") if path.suffix in DECIDES and path.is_file()):
            inside = path.relative_to(root)
            scenario = path.suffix == ".yaml" and "worlds" in inside.parts
            if not scenario and SHOWS.isdisjoint(inside.parts):
                digest.update(f"{name}/{inside.as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
