"""The replay: the wants of a settled scenario, made one after the other on a fresh world."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tertulia.checks.obtainable import told
from tertulia.checks.reading import Steps
from tertulia.checks.tool_values import misfits
from tertulia.gold import end_state, gold_of, measure, state_faults
from tertulia.lint.ambiguity import Replayed, rivals
from tertulia.lint.complaints import GoldComplaint
from tertulia.lint.computed import computed
from tertulia.lint.failures import hidden_error
from tertulia.lint.values import Values, place_of
from tertulia.records import Message, ToolCall
from tertulia.scenario import Scenario, Want
from tertulia.world import LiveWorld, Outcome, World
from tertulia.worlds.schema import SchemaWorld

__all__ = ["Replay"]

DOES_NOTHING_RIGHTLY = ("nothing_to_do", "refusal", "unanswerable")


@dataclass(slots=True)
class Replay:
    """The gold of one settled scenario, played in its world."""

    scenario: Scenario
    world: World
    messages: list[Message] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)  # what the calls so far returned, refusals included
    open_ended: bool = False  # some call is answered by a model, so that nobody knows what its answer will tell

    def complaints(self) -> Iterator[GoldComplaint]:
        live, values = self.world.open(self.scenario), Values(self.scenario, self.world)
        for nth, want in enumerate(self.scenario.script.wants):
            at: Steps = ("script", "wants", nth)
            if want.due:
                yield from self._types(want, at)
                yield from () if self.open_ended else values.complaints(want, at, self.answers)
                yield from self._done(live, want, at)
            elif want.outcome == "refused":
                yield from self._refused(want, at)
        yield from self._outcome()
        yield from self._words(values)
        yield from self._null()

    # --- one call ----------------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[ToolCall]:
        """The gold calls made so far."""
        return [call for message in self.messages for call in message.calls]

    def _types(self, want: Want, at: Steps) -> Iterator[GoldComplaint]:
        """Values that a tool takes, though it declares another type: a library may not look at them."""
        for path, message, hint in misfits(self.world.tools[want.call].parameters, want.gold):
            if path:
                key = str(path[0])
                said = f"{key!r} of {want.call!r} does not fit its declared type: {message}"
                yield GoldComplaint(place_of(want, at, key), "gold-type", said, hint)

    def _done(self, live: LiveWorld, want: Want, at: Steps) -> Iterator[GoldComplaint]:
        before = Replayed(self.calls, [*self.answers])
        outcome = live.call(want.call, want.gold)
        self.open_ended |= outcome.unanswered
        self._record(want, outcome)
        writes = self.world.tools[want.call].writes
        silent = "" if outcome.error else hidden_error(self.answers[-1], writes=writes)
        if outcome.error:
            hint = " (mend its values, or give the want outcome: refused)"
            message = f"the call wanted, {want.call!r}, does not work: {_answer(outcome)}"
            yield GoldComplaint(at, "gold-runs", message, hint, once=False)
        elif silent:
            message = f"{want.call!r} fails silently: its result is no error, but says {silent!r}"
            yield GoldComplaint(at, "gold-silent", message, " (let the tool refuse, or mend the call)", once=False)
        elif writes and not outcome.changes and self._has_state() and not outcome.unanswered:
            message = f"{want.call!r} writes, but this call of it changes nothing"
            yield GoldComplaint(at, "gold-writes", message, " (drop it, or start from another state)")
        elif writes:
            yield from rivals(self.scenario, self.world, want, at, before, outcome)

    def _refused(self, want: Want, at: Steps) -> Iterator[GoldComplaint]:
        """A want that is to be refused is tried on a world of its own, after the calls before it. What the policy
        forbids is refused by the assistant, whatever the tool would do."""
        live = self.world.open(self.scenario)
        for call in self.calls:
            live.call(call.name, call.args)
        outcome = live.call(want.call, want.gold)
        self.answers.append(json.loads(outcome.text))
        if not outcome.error and not hidden_error(self.answers[-1], writes=True) and not self._forbidden(want.call):
            message = f"{want.call!r} is not refused: the tool does it"
            hint = f" (list it in success.never_calls and forbid it in the policy, if {self.scenario.assistant!r} must)"
            yield GoldComplaint(at, "gold-refused", message, hint)

    def _forbidden(self, call: str) -> bool:
        """Whether success rules a call out and there is a policy that may say so."""
        return call in self.scenario.success.never_calls and bool(self.world.policy or self.scenario.policy)

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
        return type(self.world) is not SchemaWorld  # the simulated ones, which are made of schemas too, keep records

    # --- the end -----------------------------------------------------------------------------------------------

    def _outcome(self) -> Iterator[GoldComplaint]:
        success, failed = self.scenario.success, any(message.error for message in self.messages)
        changes = [change for message in self.messages for change in message.changes]
        end = end_state(self.world.start(self.scenario), self.messages) if success.state or changes else {}
        for path, value in success.state.items():
            for wrong in state_faults({path: value}, end):
                place: Steps = ("success", "state", path)
                yield GoldComplaint(place, "gold-state", f"after the calls wanted, {wrong}", once=False)
        if changes and not failed and end == self.world.start(self.scenario) and not success.unchanged:
            message = "the calls wanted undo each other: the state at the end is that of the start"
            hint = " (say success.unchanged: true if that is meant)"
            yield GoldComplaint(("script", "wants"), "gold-end", message, hint)
        measured = measure(self.scenario, self.world, self.messages)
        if failed and not any(measured.faults[part] for part in ("state", "unchanged", "nothing_else")):
            yield from self._silent(bool(changes))
        for part in ("calls", "writes", "refused", "unchanged", "nothing_else", "never_calls"):
            if measured.faults[part] and not failed:
                message = f"the calls wanted are no success themselves: {measured.faults[part]}"
                yield GoldComplaint(("success",), "gold-passes", message)

    def _silent(self, changed: bool) -> Iterator[GoldComplaint]:
        """Writing calls that fail, while the state that is expected is reached all the same."""
        made = [nth for nth, want in enumerate(self.scenario.script.wants) if want.due]
        results = [message for message in self.messages if message.role == "tool"]
        for nth, result in zip(made, results, strict=True):
            if result.error and self.world.tools[result.speaker].writes:
                rest = "is reached without it" if changed else "is the start state, which doing nothing reaches too"
                message = f"a silent failure: {result.speaker!r} fails, yet the end state that is expected {rest}"
                hint = " (mend its values, so that the state is reached by it)"
                yield GoldComplaint(("script", "wants", nth), "gold-silent", message, hint)

    def _words(self, values: Values) -> Iterator[GoldComplaint]:
        known = told(self.scenario, self.scenario.assistant)
        known.add(self.world.policy, self.answers)
        for want in self.scenario.script.wants:
            known.add(want.args, want.gold)
        known.add([spec.description for spec in self.world.tools.values()])
        says = () if self.open_ended else self.scenario.success.says
        lacking = [nth for nth, text in enumerate(says) if not known.holds(text) and not computed(text, self.answers)]
        wanted = [says[nth] for nth in lacking]
        unknown = values.unknown(self.scenario.assistant, wanted, self.answers) if wanted else []
        for nth, text in zip(lacking, wanted, strict=True):
            if text in unknown:
                message = f"{text!r} must be said, but nothing that the assistant hears or reads holds it"
                hint = " (say a text that a tool returns, or drop it)"
                yield GoldComplaint(("success", "says", nth), "gold-says", message, hint)

    def _null(self) -> Iterator[GoldComplaint]:
        gold = gold_of(self.scenario)
        if gold.calls and gold.match in ("strict", "unordered", "superset"):
            return  # the calls would be missing
        if self.scenario.kind not in DOES_NOTHING_RIGHTLY and measure(self.scenario, self.world, []).passed:
            message = "an assistant that does nothing would pass"
            hint = " (give state, says, or calls with another match)"
            yield GoldComplaint(("success",), "gold-null", message, hint)


def _answer(outcome: Outcome) -> str:
    answer = json.loads(outcome.text)
    return str(answer.get("error", answer)) if isinstance(answer, Mapping) else str(answer)
