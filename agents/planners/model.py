"""The model planner: lays out how the user will go about what it wants; the opening stays the script's own."""

from typing import Any

from tertulia.contracts import Planned, PlanView
from tertulia.language.wording import humanize
from tertulia.models.asking import Reading, ask_for, raw_of, read_answer
from tertulia.models.prompts import block, fill_prompt, read_prompt, rules
from tertulia.models.records import Ask, BadReply, Reply, Request, Trouble
from tertulia.records import Draft, Plan
from tertulia.scenario import Scenario, Want

__all__ = ["Model"]

TEXT = read_prompt("tertulia.agents.planners", "model.txt")
GO = "Write the plan."
SENT_BACK = """(The plan was sent back. What is wrong with it:
{remarks}
Write another plan in its place.)"""
ANSWER = {
    "type": "object",
    "properties": {
        "style": {"type": "string", "enum": ["plain", "brief", "polite"]},
        "steps": {"type": "array", "items": {"type": "string"}},
        "order": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["style", "steps", "order"],
    "additionalProperties": False,
}


class Model:
    """Plans with a model."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def prompt(self, view: PlanView) -> Request:
        """The request for this plan."""
        system = fill_prompt(TEXT, {"principles": rules(view.principles), "scenario": block("scenario", card(view))})
        return Request(
            conversation=view.conversation,
            role="planner",
            step=view.step,
            messages=(
                {"role": "system", "content": system},
                {"role": "user", "content": GO},
                *(part for draft in view.sent_back for part in sent_back(draft, view)),
            ),
            answer=ANSWER,
            seed=view.rng.getrandbits(31),
        )

    async def plan(self, view: PlanView) -> Planned:
        return Planned(await ask_for(self.ask, self.prompt(view), lambda reply: read_plan(reply, view.scenario)))


def read_plan(reply: Reply, scenario: Scenario) -> Reading[Plan]:
    """The plan in a reply; steps without words and names that nobody has are no plan."""
    reading = read_answer(reply, ANSWER)
    order = tuple(reading.value["order"])
    if unknown := [name for name in order if name not in scenario.cast]:
        raise BadReply(Trouble.WRONG_SCHEMA, f"nobody is called {unknown[0][:80]!r}", raw_of(reply))
    if scenario.floor == "planned" and order[:1] != (scenario.user,):
        raise BadReply(Trouble.WRONG_SCHEMA, f"the order must begin with {scenario.user!r}", raw_of(reply))
    steps = tuple(step.strip() for step in reading.value["steps"] if step.strip())
    plan = Plan(opening=scenario.script.opening, steps=steps, order=order, style=reading.value["style"])
    return Reading(plan, reading.troubles)


def card(view: PlanView) -> dict[str, Any]:
    """What a planner is told of a scenario; not what success is."""
    scenario, script = view.scenario, view.scenario.script
    return {
        "title": scenario.title,
        "kind": scenario.kind,
        "cast": [{"name": name, "role": p.role, "persona": p.persona} for name, p in scenario.cast.items()],
        "floor": scenario.floor,
        "opening": script.opening,
        "wants": [told(want) for want in script.wants],
        "never_say": script.never_say,
    }


def told(want: Want) -> dict[str, Any]:
    known: dict[str, Any] = {"what": humanize(want.call), "call": want.call, "with": want.args}
    if want.by:
        known["by"] = want.by
    if want.say:
        known["say"] = want.say
    if want.change:
        known["when_asked_to_confirm"] = {"drop": True} if want.change.drop else {"with": want.change.args}
    return known


def sent_back(draft: Draft, view: PlanView) -> tuple[dict[str, Any], ...]:
    """A plan that the critic sent back, and what is wrong with it."""
    texts = {principle.id: principle.text for principle in view.principles}
    said = "\n".join(f"- {texts.get(m.principle, m.principle)} ({m.evidence})" for m in draft.markers if m.revise)
    return (
        {"role": "assistant", "content": draft.message.text},
        {"role": "user", "content": SENT_BACK.replace("{remarks}", said)},
    )
