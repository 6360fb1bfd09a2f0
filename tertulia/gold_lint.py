"""The gold lint: the calls that a scenario calls right are made on a fresh world, to see whether they can be right.

Injected faults of the scenario play no part here: the lint asks what the world itself does.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tertulia.checks.obtainable import choices, look_everything_up, told
from tertulia.checks.reading import Reading, Steps, Variant
from tertulia.errors import Fault
from tertulia.files import read_scenario
from tertulia.gold import end_state, measure, state_faults
from tertulia.records import Message, ToolCall
from tertulia.scenario import Scenario, Want
from tertulia.source import Source, parse
from tertulia.variation import resolved
from tertulia.world import LiveWorld, Outcome, World
from tertulia.worlds import open_world
from tertulia.worlds.toolkit import ToolkitWorld

__all__ = ["check_file", "lint"]

DOES_NOTHING_RIGHTLY = ("nothing_to_do", "refusal")


def check_file(path: Path) -> tuple[Scenario | None, list[Fault]]:
    """A scenario and every fault of its file; one that is sound is also played against its gold."""
    scenario, faults = read_scenario(path)
    if scenario is None or faults:
        return scenario, faults
    return scenario, lint(scenario, parse(path))


def lint(scenario: Scenario, source: Source) -> list[Fault]:
    """Every fault of the gold of a sound scenario, as it is written and for every choice of its grid."""
    found: dict[tuple[Steps, str, str], Fault] = {}
    for variant, settled in Reading(source, scenario).settled:
        slots = {**scenario.slots, **_chosen_slot(scenario, variant)}
        for complaint in Replay(settled, open_world(settled), resolved(slots)).complaints():
            key = (complaint.at, complaint.rule, "" if complaint.once else complaint.message)
            if key not in found:
                at = variant.path(complaint.at)
                fault = source.fault(at, variant.label + complaint.message, complaint.suggestion, complaint.rule)
                found[key] = replace(fault, item=scenario.id)
    return sorted(found.values())


def _chosen_slot(scenario: Scenario, variant: Variant) -> dict[str, Any]:
    if not variant.origin:
        return {}
    _, axis, nth = variant.origin
    head, name = str(axis).split(".", 1)
    return {name: scenario.vary[str(axis)][int(nth)]} if head == "slots" else {}


@dataclass(frozen=True, slots=True)
class GoldComplaint:
    """One thing that is wrong with the gold."""

    at: Steps
    rule: str
    message: str
    suggestion: str = ""
    once: bool = True  # said once for all variants, whatever its words


@dataclass(slots=True)
class Replay:
    """The wants of a settled scenario, made one after the other."""

    scenario: Scenario
    world: World
    slots: Mapping[str, Any]
    messages: list[Message] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)  # what the calls so far returned, refusals included

    def complaints(self) -> Iterator[GoldComplaint]:
        live = self.world.open(self.scenario)
        for nth, want in enumerate(self.scenario.script.wants):
            at: Steps = ("script", "wants", nth)
            if want.due:
                yield from self._values(want, at)
                yield from self._done(live, want, at)
            elif want.outcome == "refused":
                yield from self._refused(want, at)
        yield from self._outcome()
        yield from self._words()
        yield from self._null()

    # --- one call ----------------------------------------------------------------------------------------------

    def _done(self, live: LiveWorld, want: Want, at: Steps) -> Iterator[GoldComplaint]:
        outcome = live.call(want.call, want.gold)
        self._record(want, outcome)
        if outcome.error:
            yield GoldComplaint(at, "gold-runs", f"the call wanted does not work: {_answer(outcome)}", once=False)
        elif not outcome.changes and self.world.tools[want.call].writes and self._has_state():
            yield GoldComplaint(at, "gold-writes", f"{want.call!r} writes, but this call of it changes nothing")

    def _refused(self, want: Want, at: Steps) -> Iterator[GoldComplaint]:
        """A want that is to be refused is tried on a world of its own, after the calls before it."""
        live = self.world.open(self.scenario)
        for message in self.messages:
            for call in message.calls:
                live.call(call.name, call.args)
        outcome = live.call(want.call, want.gold)
        self.answers.append(json.loads(outcome.text))
        if not outcome.error:
            yield GoldComplaint(at, "gold-refused", f"{want.call!r} is not refused: the tool does it")

    def _record(self, want: Want, outcome: Outcome) -> None:
        name = want.by or self.scenario.assistant
        call = ToolCall(id=f"gold-{len(self.messages)}", name=want.call, args=want.gold)
        role = self.scenario.cast[name].role
        self.messages.append(Message(speaker=name, role=role, calls=(call,)))
        result = Message(
            speaker=want.call,
            role="tool",
            text=outcome.text,
            answers=call.id,
            error=outcome.error,
            changes=outcome.changes,
        )
        self.messages.append(result)
        self.answers.append(json.loads(outcome.text))

    def _has_state(self) -> bool:
        return isinstance(self.world, ToolkitWorld)

    # --- where the values come from ----------------------------------------------------------------------------

    def _values(self, want: Want, at: Steps) -> Iterator[GoldComplaint]:
        caller = want.by or self.scenario.assistant
        spec = self.world.tools[want.call]
        known = told(self.scenario, self.slots, caller)
        known.add(self.world.policy, list(choices(spec.parameters)), self.answers)
        lacking = [key for key, value in want.gold.items() if not known.holds(value)]
        if lacking:
            readers = [tool for tool in self.world.tools.values() if not tool.writes]
            look_everything_up(self.world.open(self.scenario), readers, known)
        for key in lacking:
            if not known.holds(want.gold[key]):
                changed = want.change is not None and key in want.change.args
                place = (*at, "change", "with", key) if changed else (*at, "with", key)
                message = f"{caller!r} cannot come to know {want.gold[key]!r}"
                hint = f" (let {self.scenario.user!r} know it, say it in the opening, or let a tool return it)"
                yield GoldComplaint(place, "gold-value", message, hint)

    # --- the end -----------------------------------------------------------------------------------------------

    def _outcome(self) -> Iterator[GoldComplaint]:
        success = self.scenario.success
        end = end_state(self.world.start(self.scenario), self.messages)
        for path, value in success.state.items():
            for wrong in state_faults({path: value}, end):
                place: Steps = ("success", "state", path)
                yield GoldComplaint(place, "gold-state", f"after the calls wanted, {wrong}", once=False)
        measured = measure(self.scenario, self.world, self.messages)
        for part in ("calls", "writes", "refused", "unchanged", "never_calls"):
            if measured.faults[part] and not any(message.error for message in self.messages):
                message = f"the calls wanted are no success themselves: {measured.faults[part]}"
                yield GoldComplaint(("success",), "gold-passes", message)

    def _words(self) -> Iterator[GoldComplaint]:
        known = told(self.scenario, self.slots, self.scenario.assistant)
        known.add(self.world.policy, self.answers)
        for want in self.scenario.script.wants:
            known.add(want.args, want.gold)
        known.add([spec.description for spec in self.world.tools.values()])
        lacking = [nth for nth, text in enumerate(self.scenario.success.says) if not known.holds(text)]
        if lacking:
            readers = [tool for tool in self.world.tools.values() if not tool.writes]
            look_everything_up(self.world.open(self.scenario), readers, known)
        for nth in lacking:
            text = self.scenario.success.says[nth]
            if not known.holds(text):
                message = f"{text!r} must be said, but nothing that the assistant hears or reads holds it"
                yield GoldComplaint(("success", "says", nth), "gold-says", message)

    def _null(self) -> Iterator[GoldComplaint]:
        if self.scenario.kind not in DOES_NOTHING_RIGHTLY and measure(self.scenario, self.world, []).passed:
            message = "an assistant that does nothing would pass"
            hint = " (give state, says, or calls with another match)"
            yield GoldComplaint(("success",), "gold-null", message, hint)


def _answer(outcome: Outcome) -> str:
    answer = json.loads(outcome.text)
    return str(answer.get("error", answer)) if isinstance(answer, Mapping) else str(answer)
