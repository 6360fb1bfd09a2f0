"""What an evaluation is told, and the manifest that fixes what decides its outcome.

How many trials there are (`k`) and how many are played again (`rerun`) is not among it: an evaluation goes on in the
same folder with more of them.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from tertulia.errors import SettingsError
from tertulia.evaluation.agents.version import code_of_agent
from tertulia.evaluation.sets import EvalSet, digest
from tertulia.models.langchain import PROVIDERS
from tertulia.running.run_settings import RunSettings, Told, code_digest, manifest_of

__all__ = ["METRIC", "MODELS", "EvaluationSettings", "code_of_trials", "manifest_of_evaluation", "simulator_version"]

METRIC = "2"  # grows with every change that makes scores incomparable
MODELS = ("openai", "scripted", "replay", *PROVIDERS)  # what a model's spec begins with
PLAYS = ("agents/*.py", "casting.py", "static.py", "trials.py")  # what decides what a trial gives, in this folder
SIMULATES = ("agents/users", "agents/planners", "agents/colleagues", "language")  # what decides what users say


class EvaluationSettings(Told):
    """What `tertulia evaluate` is told."""

    sets: tuple[str, ...] = Field((), description="evalset files, scenario files, folders or bundled names")
    agent: str = Field(min_length=1, description="see `tertulia.evaluation.agents.seating`")
    k: int = Field(1, ge=1, le=1000, description="trials of each item; changes no trial")
    per_seed: int = Field(1, ge=1, le=1000, description="trials of an item that share a simulator seed")
    variants: int = Field(1, ge=1, le=10_000, description="balanced variants of each scenario")
    mode: Literal["dynamic", "static"] = "dynamic"
    rerun: int = Field(0, ge=0, le=100_000, description="trials set aside that are played again; changes no other")
    deadline: float = Field(60.0, gt=0, description="seconds that the agent may take for one turn")
    run: RunSettings = Field(RunSettings(), description="seed, concurrency, folder, and the models that simulate")

    @property
    def agent_is_model(self) -> bool:
        """Whether the agent is a model that this process calls itself."""
        return self.agent.partition(":")[0] in MODELS and ":" in self.agent and not self.agent.startswith("http")

    @property
    def playing(self) -> RunSettings:
        """The settings of the run, in which the agent alone sits on the assistant's seat."""
        others = tuple(role for role in self.run.role_models if not role.startswith("assistant="))
        if len(others) < len(self.run.role_models):
            raise SettingsError("--role-model assistant=...: the assistant is the agent; name it with --agent")
        seat = f"assistant={self.agent if self.agent_is_model else 'rules'}"
        told = self.run.model_dump() | {"role_models": (*others, seat), "slips": 0.0, "scenarios": self.sets}
        return RunSettings.of(**told)


def manifest_of_evaluation(settings: EvaluationSettings, evalset: EvalSet) -> dict[str, Any]:
    """Everything that decides what a trial gives, and the versions that make two scores comparable."""
    playing = settings.playing
    digests = {item.id: digest(item.scenario.model_dump(mode="json", by_alias=True)) for item in evalset.items}
    manifest = manifest_of(playing, 0, digests)
    decided = {name: value for name, value in manifest["settings"].items() if name != "n"}
    told = {"agent": settings.agent, "mode": settings.mode, "deadline": settings.deadline}
    if settings.per_seed > 1:
        told["trials per simulator seed"] = settings.per_seed
    if not settings.agent_is_model and (code := code_of_agent(settings.agent)):
        told["code of the agent"] = code
    versions = {"set": evalset.version, "metric": METRIC, "simulator": simulator_version(decided)}
    return manifest | {"settings": told | decided, "versions": versions, "code of tertulia": code_of_trials()}


@cache
def code_of_trials() -> str:
    """The SHA-256 of the code that decides what a trial gives: tertulia's own, and what seats the agent."""
    home = Path(str(files("tertulia.evaluation")))
    played = (path for pattern in PLAYS for path in sorted(home.glob(pattern)))
    return digest([code_digest(), *(path.read_text(encoding="utf-8") for path in played)])


def simulator_version(decided: Mapping[str, Any]) -> str:
    """A digest of what plays the users: the parts' code, or the models with their settings and prompts."""
    models = {role: model for role, model in decided.get("models", {}).items() if role != "assistant"}
    return digest([decided["cast"], models, code_of_simulator()])[:12]


@cache
def code_of_simulator() -> str:
    """The SHA-256 of the code and prompts of the parts that play users, planners and colleagues."""
    made = sha256()
    roots = [Path(str(files("tertulia.agents"))) / name.partition("/")[2] for name in SIMULATES if "/" in name]
    roots += [Path(str(files("tertulia"))) / name for name in SIMULATES if "/" not in name]
    for root in roots:
        for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".txt")):
            made.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return made.hexdigest()
