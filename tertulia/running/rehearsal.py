"""A few conversations played by the rule cast, with a note of every request that the models would have been sent.

The requests are those of the model parts themselves: each has a method `prompt` that gives the request for a view or a
hearing (None: it needs no call), and the rule part in the same seat says how the conversation goes on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tertulia.contracts import CallView, Critic, Hearing, Planned, Planner, PlanView, Speaker, Utterance, View
from tertulia.errors import PartError, SettingsError
from tertulia.graph import Stage
from tertulia.models.records import Reply, Request, ToolForm, Trouble
from tertulia.parts import made
from tertulia.recipe import Recipe
from tertulia.records import Marker, Plan
from tertulia.table import Item
from tertulia.world import Outcome

__all__ = ["Foreseen", "Rehearsal"]

DONE = Outcome('{"status": "done"}')


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A call that a model part would have made."""

    role: str
    request: Request
    reply: str | None  # what the rule part did, as a model would have written it; None: no rule part does this


class Silent:
    """A door with no model behind it: parts that hold it can say what they would ask."""

    def __init__(self, role: str, tool_form: ToolForm) -> None:
        self.role, self.tool_form = role, tool_form

    @property
    def model(self) -> str:
        return ""

    @property
    def candidates(self) -> "tuple[Silent, ...]":
        return (self,)

    async def __call__(self, request: Request) -> Reply:
        raise PartError(f"the {self.role} asked its model in a rehearsal")

    def note(self, request: Request, trouble: Trouble, raw: str = "") -> None:
        raise PartError(f"the {self.role} has nothing to complain of in a rehearsal")


@dataclass(slots=True)
class Understudy:
    """A rule part in the seat of a model part whose requests are noted. It plants no slips, for models get none."""

    role: str
    model: Any  # its `prompt` says what would be asked
    planner: Planner | None = None
    speaker: Speaker | None = None
    critic: Critic | None = None
    foreseen: list[Foreseen] = field(default_factory=list)

    def note(self, request: Request | None, reply: str | None) -> None:
        if request is not None:
            self.foreseen.append(Foreseen(self.role, request, reply))

    async def plan(self, view: PlanView) -> Planned:
        assert self.planner
        request = self.model.prompt(replace(view, rng=Random(0)))
        planned = await self.planner.plan(replace(view, slips=False))
        self.note(request, planned_text(planned.plan))
        return planned

    async def speak(self, view: View) -> Utterance:
        assert self.speaker
        request = self.model.prompt(replace(view, rng=Random(0)))
        said = await self.speaker.speak(replace(view, slips=False))
        self.note(request, said_text(said))
        return said

    async def answer(self, view: CallView) -> Outcome:
        """A tool that no rule part simulates: it says that it has done what it was told."""
        self.note(self.model.prompt(replace(view, rng=Random(0))), None)
        return DONE

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        assert self.critic
        found = await self.critic.review(hearing)
        self.note(self.model.prompt(hearing), markers_text(found))
        return found


class Rehearsal:
    """One recipe's cast, with rule parts in the seats of models.

    `tool_forms` are the roles that models play, each with the way its model is told of tools. `unforeseen` names the
    model parts that do not say what they would ask.

    Raises:
        SettingsError: if the recipe has no such cast, or no rule cast, or a part needs a model that is not named."""

    def __init__(self, recipe: Recipe, cast: str, tool_forms: Mapping[str, ToolForm]) -> None:
        self.tool_forms = tool_forms
        self.doors: set[str] = set()
        self.unforeseen: list[str] = []
        self.foreseen: list[Foreseen] = []
        self.stage = Stage(recipe, "rules")
        wanted = Stage(recipe, cast, self.door, tool_forms)
        stage = self.stage
        stage.planner = self.seat("planner", wanted.planner, planner=stage.planner)
        stage.speakers = {
            role: self.seat(role, part, speaker=stage.speakers[role]) for role, part in wanted.speakers.items()
        }
        stage.critic_part = self.seat("critic", wanted.critic_part, critic=stage.critic_part)
        stage.simulator = self.seat("tool", wanted.simulator) if wanted.simulator else None
        names = (*recipe.judges, *recipe.gates, *recipe.seats(cast, tool_forms).judges)
        self.judges = [made("judges", name, "judge", self.door) for name in dict.fromkeys(names)]

    def door(self, role: str) -> Silent:
        if role not in self.tool_forms:
            raise SettingsError(f"the {role} needs a model: name one with --model SPEC or --role-model {role}=SPEC")
        self.doors.add(role)
        return Silent(role, self.tool_forms[role])

    def seat(self, role: str, wanted: Any, **rules: Any) -> Any:
        """Who plays in a rehearsal: a rule part as it is, an understudy for a model part."""
        if role not in self.doors:
            return wanted
        if not hasattr(wanted, "prompt"):
            self.unforeseen.append(f"{type(wanted).__module__}.{type(wanted).__name__}")
            return next(iter(rules.values()), None)
        return Understudy(role, wanted, foreseen=self.foreseen, **rules)

    async def play(self, item: Item) -> list[Foreseen]:
        """The calls that one conversation would need, in order."""
        self.foreseen.clear()
        talk = await self.stage.play(self.stage.seat(item))
        calls = list(self.foreseen)
        for judge in self.judges:
            if hasattr(judge, "prompt") and (request := judge.prompt(item.scenario, talk)) is not None:
                calls.append(Foreseen("judge", request, None))
        return calls


# --- what a model would have written -----------------------------------------------------------------------------


def planned_text(plan: Plan) -> str:
    return json.dumps({"style": plan.style, "steps": plan.steps, "order": plan.order}, ensure_ascii=False)


def said_text(said: Utterance) -> str:
    called = [json.dumps({"name": call.name, "arguments": call.args}, ensure_ascii=False) for call in said.calls]
    return "\n".join(filter(None, (said.text, *called)))


def markers_text(markers: tuple[Marker, ...]) -> str:
    told = [{"principle": m.principle, "quote": m.quote, "evidence": m.evidence} for m in markers]
    return json.dumps({"markers": told}, ensure_ascii=False)
