"""OpenAPI documents as scenarios: user scripts with gold calls over simulated tools, every one of them linted.

values, patterns, vocabulary    values for parameters, as people would say them
links                           identifiers that one call returns and another one needs
words                           requests, facts and personas in words
retelling                       the words by a model instead, with the same checks
scripts                         a draft of each kind, output first
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tertulia.importers.openapi.retelling import Retelling
from tertulia.importers.openapi.scripts import KINDS, Draft, Writer
from tertulia.importers.openapi.words import persona
from tertulia.importing import Asked, Imported, Lost
from tertulia.language.wording import humanize
from tertulia.lint import complaints
from tertulia.lint.duplicates import ALIKE, alikeness, spoken, task
from tertulia.principles import NeverCall, Principle
from tertulia.scenario import Kind, Scenario
from tertulia.streams import number, stream
from tertulia.strict_yaml import read_document
from tertulia.tool_schema import ToolSource
from tertulia.worlds.openapi_document import BOUNDS, Api, read_api
from tertulia.worlds.simulated import SimulatedWorld

__all__ = ["Openapi"]

EACH = 3  # scripts for each operation, where nobody says how many
TRIES = 12  # drafts for one place, before it goes to another kind
PRINCIPLES = ("confirm_before_change", "grounded_arguments", "no_false_claims", "no_internals")
USER, ASSISTANT = "customer", "agent"


class Openapi:
    """Makes scripts for an API document, balanced over its operations, their parameters and the kinds."""

    def read(self, asked: Asked) -> Imported:
        """Scenarios in which the document's operations are simulated tools.

        Raises:
            ScenarioError: for a document that cannot be read, with every line that is wrong."""
        api = read_api(asked.path)
        made = Making(api, asked.seed)
        scenarios = made.scenarios(asked.count or EACH * len(api.tools))
        coverage = made.coverage()
        if asked.writer is not None:
            retelling = Retelling(asked.writer, api.title, asked.seed)
            scenarios = retelling.all(scenarios, list(map(made.world, scenarios)))
            coverage["words of the model"] = dict(sorted(retelling.counts.items()))
        lost = [Lost(f"{Path(note.file).name}:{note.line}", "document", note.message) for note in api.notes]
        return Imported(scenarios, {made.file: as_json(asked.path)}, lost, coverage)


def as_json(path: Path) -> bytes:
    """The document as JSON: a YAML file beside scenarios would be taken for one."""
    if path.suffix == ".json":
        return path.read_bytes()
    return (json.dumps(read_document(path, BOUNDS).value, ensure_ascii=False, indent=1) + "\n").encode()


@dataclass
class Making:
    """The scripts of one document, as far as they have come."""

    api: Api
    seed: int
    kinds: Counter[str] = field(default_factory=Counter)
    matrix: dict[str, Counter[str]] = field(default_factory=dict)
    parameters: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    tasks: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The name of the document beside the scenarios."""
        return f"{self.slug}.openapi.json"

    @property
    def slug(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", humanize(self.api.title).lower()).strip("-")[:40]
        return words if re.match(r"[a-z]", words) else f"api-{words}".strip("-")

    def scenarios(self, count: int) -> list[Scenario]:
        """So many scripts, the kinds in turn; fewer where the document has no more in it."""
        found: list[Scenario] = []
        spent: set[Kind] = set()
        nth = 0
        while len(found) < count and len(spent) < len(KINDS):
            kind = KINDS[nth % len(KINDS)]
            nth += 1
            if kind in spent:
                continue
            scenario = self.one(kind, len(found), nth)
            if scenario is None:
                spent.add(kind)
            else:
                found.append(scenario)
        return found

    def one(self, kind: Kind, place: int, nth: int) -> Scenario | None:
        """A script of this kind that passes the lint and repeats none before it."""
        for attempt in range(TRIES):
            rng = stream(self.seed, "script", self.slug, kind, nth, attempt)
            base = self.base(kind, place, rng)
            operations = Counter({name: row[kind] * 1_000 + row.total() for name, row in self.matrix.items()})
            world = self.world(base)
            live = partial(world.open, base)
            draft = Writer(tuple(world.tools.values()), rng, operations, self.parameters, live).write(kind)
            if draft is None:
                return None
            scenario = self.scenario(base, draft)
            wrong = next(complaints(scenario, self.world(scenario)), None)
            if wrong is not None:
                self.dropped[wrong.rule] += 1
            elif self.repeats(scenario):
                self.dropped["gold-near-duplicate"] += 1
            else:
                self.count(kind, draft)
                return scenario
        return None

    def base(self, kind: Kind, place: int, rng: Random) -> Scenario:
        """The scenario before its script is written. Its world has a seed of its own."""
        about = f" {self.api.description}" if self.api.description else ""
        return Scenario.model_validate(
            {
                "id": f"{self.slug}-{place:03d}-{kind.replace('_', '-')}",
                "title": f"{self.api.title}: {kind.replace('_', ' ')}",
                "kind": kind,
                "world": ToolSource(openapi=self.file, seed=number(self.seed, self.slug, place) % 10_000),
                "policy": f"You help the users of {self.api.title}.{about[:600]}",
                "principles": PRINCIPLES,
                "cast": {
                    USER: {"role": "user", "persona": persona(rng, self.api.title)},
                    ASSISTANT: {"role": "assistant"},
                },
                "script": {"opening": "Hello."},
            }
        )

    def world(self, scenario: Scenario) -> SimulatedWorld:
        """The world that the scenario is going to be played in."""
        assert scenario.source is not None
        return SimulatedWorld(self.api.tools, scenario.policy, seed=scenario.source.seed)

    def scenario(self, base: Scenario, draft: Draft) -> Scenario:
        """The scenario of a draft."""
        raw = base.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        raw["cast"][USER] |= {"knows": dict(draft.knows)} if draft.knows else {}
        wants = [want.model_dump(mode="json", by_alias=True, exclude_defaults=True) for want in draft.wants]
        raw["script"] = {"opening": draft.opening} | ({"wants": wants} if wants else {})
        if draft.forbidden:
            raw["policy"] += f" {draft.grounds}"
            raw["principles"] = [*raw["principles"], forbids(draft).model_dump(mode="json", exclude_defaults=True)]
            raw["success"] = {"never_calls": [draft.forbidden], "unchanged": True}
        elif not draft.wants:
            raw["success"] = {"calls": {"match": "strict"}, "unchanged": True}
        return Scenario.model_validate(raw)

    def repeats(self, scenario: Scenario) -> bool:
        """Whether an earlier script asks for the same in nearly the same words."""
        said, earlier = spoken(scenario), self.tasks.setdefault(task(scenario), [])
        if any(alikeness(said, other) > ALIKE for other in earlier):
            return True
        earlier.append(said)
        return False

    # --- what the scripts cover --------------------------------------------------------------------------------

    def count(self, kind: Kind, draft: Draft) -> None:
        self.kinds[kind] += 1
        for operation, parameter in draft.used:
            if parameter:
                self.parameters[operation, parameter] += 1
            else:
                self.matrix.setdefault(operation, Counter())[kind] += 1

    def coverage(self) -> dict[str, Any]:
        """Kinds; operations by kind; parameters by operation, how many of how many; what was dropped, by rule."""
        shares = {}
        for tool in self.api.tools:
            names = list(tool.parameters.get("properties", {}))
            used = sum(1 for name in names if self.parameters[tool.name, name])
            shares[tool.name] = f"{used}/{len(names)}"
        found: dict[str, Any] = {
            "kinds": {kind: self.kinds[kind] for kind in KINDS},
            "operations": {tool.name: dict(sorted(self.matrix.get(tool.name, {}).items())) for tool in self.api.tools},
            "parameters": shares,
        }
        return found | ({"dropped": dict(sorted(self.dropped.items()))} if self.dropped else {})


def forbids(draft: Draft) -> Principle:
    """The sentence of a policy that forbids a call, as a principle whose breach rules can tell."""
    return Principle(
        id=re.sub(r"\W+", "_", f"never_{humanize(draft.forbidden)}".lower()),
        text=draft.grounds,
        source="the policy of this scenario",
        topic="procedure",
        severity="high",
        detector=NeverCall(kind="never_call", tools=(draft.forbidden,)),
    )
