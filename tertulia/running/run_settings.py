"""The settings of a run, and the manifest that fixes those which decide its outcome."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from tertulia.corpus.criteria import read_plan
from tertulia.corpus.rules import Rules
from tertulia.errors import SettingsError
from tertulia.models.budget import Allowance
from tertulia.models.prices import Prices, prices_from
from tertulia.models.spec import RoleModel, known_role, role_models
from tertulia.records import Record
from tertulia.scenario import Scenario

__all__ = ["RunSettings", "Told", "default_folder", "manifest_of", "models_in"]

DECIDES = {".py", ".yaml", ".json", ".md", ".txt"}  # the package's files that can change what a run gives ...
SHOWS = {
    "commands",
    "evaluation",
    "templates",
    "schema",
    "cli",
    "progress.py",
    "summary.py",
    "__main__.py",
}  # ... without these


RULES = "rules"  # in place of a model's spec
SERVED = ("base_url", "key_env")  # of a model's spec: where it is served, which changes no result


class Told(Record):
    """What a command is told."""

    @classmethod
    def of(cls, **options: Any) -> Self:
        """The settings that options give.

        Raises:
            SettingsError: naming the option that is out of its range."""
        try:
            return cls(**options)
        except ValidationError as error:
            first = error.errors()[0]
            option, wrong = option_of(str(first["loc"][0])), first["msg"].removeprefix("Input ")
            raise SettingsError(f"{option} {first['input']!r}: {wrong}") from None


def option_of(name: str) -> str:
    """A setting as it is typed: `-n`, `--max-calls`."""
    return f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"


class RunSettings(Told):
    """What `tertulia run` is told."""

    scenarios: tuple[str, ...] = Field((), description="files, folders or bundled names; none: the bundled set")
    n: int | None = Field(None, ge=1, le=10_000_000, description="conversations; left out: three of each scenario")
    quota: str = Field("", description="FIELD[,FIELD]=N: so many accepted of each; `n` is then the most to be played")
    criteria: str = Field("", description="a file of criteria, or bundled ones: their rules are gates of the run")
    out: str = Field("", description="the run's folder; left out: one under runs/ that the other settings name")
    cast: str = "rules"
    seed: int = 0
    slips: float = Field(0.15, ge=0, le=1, description="rate at which the rule cast tries to plant a fault in a draft")
    concurrency: int = Field(64, ge=1, le=100_000, description="conversations open at once; changes no result")
    fresh: bool = Field(False, description="delete the run that is in the folder and play it anew")
    model: str = Field("", description="plays every role that `role_models` does not name; see `tertulia.models.spec`")
    base_url: str = Field("", description="of OpenAI-compatible models that name no address of their own")
    role_models: tuple[str, ...] = Field((), description="ROLE=SPEC, or ROLE=rules for the part of the rule cast")
    role_settings: tuple[str, ...] = Field((), description="ROLE.KEY=VALUE, such as critic.temperature=0")
    max_calls: int | None = Field(None, ge=0, description="model calls that the run may pay for; changes no result")
    max_tokens: int | None = Field(None, ge=0, description="tokens, in and out; changes no result")
    max_usd: float | None = Field(None, ge=0, description="US dollars; changes no result")
    deadline: float = Field(120.0, gt=0, description="seconds that one try of a call may take")
    retries: int = Field(6, ge=0, description="how often a call that failed is tried again")
    workers: int = Field(1, ge=1, le=256, description="processes that share the conversations; changes no result")
    prices: str = Field("", description="a file of prices that go before the bundled ones")
    allow_code: bool = Field(False, description="scenario files may run code; see `tertulia.permissions`")
    allow_net: bool = Field(False, description="scenario files may reach the network")

    @cached_property
    def models(self) -> dict[str, RoleModel]:
        """The model of each role that a model plays.

        Raises:
            SettingsError: naming the option that cannot be read."""
        options = [option.partition("=") for option in self.role_models]
        by_rules = [known_role(role, f"{role}={RULES}") for role, _, spec in options if spec == RULES]
        named = [role + equals + spec for role, equals, spec in options if spec != RULES]
        models = role_models(self.model, named, self.base_url, self.role_settings)
        return {role: model for role, model in models.items() if role not in by_rules}

    @property
    def allowance(self) -> Allowance:
        return Allowance(self.max_calls, self.max_tokens, self.max_usd)

    @cached_property
    def price_table(self) -> Prices:
        """Raises:
        ScenarioError: with the faults of the file of prices.
        SettingsError: if there is no such file."""
        if self.prices and not Path(self.prices).is_file():
            raise SettingsError(f"--prices {self.prices!r}: there is no such file")
        return prices_from(Path(self.prices) if self.prices else None)

    @cached_property
    def rules(self) -> Rules:
        """Raises:
        ScenarioError: with the faults of the file of criteria.
        UserError: if there is no such file."""
        return Rules.of(read_plan(self.criteria)) if self.criteria else Rules()

    @property
    def base_cast(self) -> str:
        """The cast of the roles that no model plays."""
        return RULES if self.cast == "models" and self.model else self.cast


def manifest_of(settings: RunSettings, n: int, digests: Mapping[str, str]) -> dict[str, Any]:
    """Everything that decides what a run gives; `digests` are the SHA-256 of the scenarios by id."""
    decided: dict[str, Any] = {"n": n, "seed": settings.seed, "slips": settings.slips, "cast": settings.base_cast}
    if settings.quota:
        decided |= {"n": 0, "quota": settings.quota}
    if settings.criteria:
        decided |= {"criteria": settings.rules.as_json()}
    manifest: dict[str, Any] = {
        "settings": decided,
        "scenarios": dict(sorted(digests.items())),
        "tertulia": version("tertulia"),
        "code of tertulia": code_digest(),
    }
    if settings.models:
        dumped = {role: model.model_dump(mode="json") for role, model in sorted(settings.models.items())}
        served = {role: taken_out(model) for role, model in dumped.items()}
        return manifest | {"settings": decided | {"models": dumped}, "endpoints": served}
    return manifest


def taken_out(model: dict[str, Any]) -> dict[str, Any]:
    """Where a model is served, and its other candidates, is taken out of what decides results, and given."""
    served: dict[str, Any] = {name: model["spec"].pop(name) for name in SERVED}
    if others := [taken_out(other) for other in model["others"]]:
        return served | {"others": others}
    del model["others"]
    return served


def put_back(model: Mapping[str, Any], served: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `taken_out`."""
    others, places = model.get("others", []), served.get("others", [])
    at = {name: place for name, place in served.items() if name in SERVED}
    both = [put_back(other, place) for other, place in zip(others, places, strict=True)]
    return {**model, "spec": model["spec"] | at, "others": both}


def models_in(manifest: Mapping[str, Any]) -> dict[str, RoleModel]:
    """The models that a manifest tells of.

    Raises:
        SettingsError: if they cannot be read."""
    models, served = manifest["settings"].get("models", {}), manifest.get("endpoints", {})
    try:
        return {role: RoleModel.model_validate(put_back(model, served.get(role, {}))) for role, model in models.items()}
    except (TypeError, KeyError, AttributeError, ValidationError):
        raise SettingsError("the manifest of the run names models in a way that cannot be read") from None


def default_folder(scenarios: Sequence[Scenario], asked: Sequence[str], manifest: Mapping[str, Any]) -> Path:
    """`runs/NAME-DIGEST`: the same command finds its run again, and another command gets a folder of its own.

    With models, also when a scenario or tertulia itself has changed: what was paid for is not left behind."""
    if not asked:
        name = "bundled"
    elif len(scenarios) == 1:
        name = scenarios[0].id
    else:
        name = Path(asked[0]).stem or "run"
    named: Any = manifest
    if manifest["settings"].get("models"):
        named = (manifest["settings"], list(manifest["scenarios"]))
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
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
