"""The rule planner: lays out the fixed opening and one step for each thing the user wants."""

from tertulia.contracts import Planned, PlanView
from tertulia.language.rewording import holds, quotes
from tertulia.language.saying import render
from tertulia.language.wording import humanize
from tertulia.principles import Script
from tertulia.records import Plan
from tertulia.scenario import Scenario, Want

__all__ = ["Agenda"]

STYLES = ("plain", "brief", "polite")
COMPLETE = "plan_incomplete"


class Agenda:
    """Plans by the script: what to say first, then each want in its order."""

    async def plan(self, view: PlanView) -> Planned:
        scenario, rng = view.scenario, view.rng
        plan = Plan(
            opening=scenario.script.opening,
            steps=tuple(step(want, quotes(view.sent_back)) for want in scenario.script.wants),
            order=order(scenario),
            style=rng.choice(STYLES),
        )
        breaks = tuple(p.id for p in view.principles if isinstance(p.detector, Script) and p.detector.what == COMPLETE)
        if view.slips and plan.steps and breaks:
            lost = view.slip_rng.randrange(len(plan.steps))
            kept = plan.steps[:lost] + plan.steps[lost + 1 :]
            return Planned(plan.model_copy(update={"steps": kept}), slip="drop_want", breaks=breaks)
        return Planned(plan)


def step(want: Want, quoted: tuple[str, ...] = ()) -> str:
    """One want in words, with the tool's name so that a critic can check the plan against the script. Its values are
    left out where an earlier plan was sent back for one of them."""
    who = f" from {want.by}" if want.by else ""
    values = f": {render(want.args)}" if want.args and not holds(render(want.args), quoted) else ""
    turn = "; then change it" if want.change and not want.change.drop else "; then take it back" if want.change else ""
    return f"get {humanize(want.call)}{who} ({want.call}){values}{turn}"


def order(scenario: Scenario) -> tuple[str, ...]:
    """Who speaks when, for the planned floor: every colleague gets a word after the assistant."""
    ring = [scenario.user, scenario.assistant]
    for name, party in scenario.cast.items():
        if name not in (scenario.user, scenario.assistant):
            ring += [name] if party.role == "user" else [name, scenario.assistant]
    return tuple(ring)
