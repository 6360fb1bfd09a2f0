"""Plays and judges one conversation with the parts of its recipe.

Whatever a part raises ends its own conversation only: it is recorded with its trace, and the others go on.
"""

import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tertulia.contracts import Judge
from tertulia.corpus.rules import Rules
from tertulia.errors import StoreError
from tertulia.graph import Stage
from tertulia.models.caller import Caller
from tertulia.models.records import BadReply, BudgetSpent, EndpointDenies, ModelFailure, Trouble
from tertulia.parts import made
from tertulia.recipe import Recipe, bundled_recipe
from tertulia.records import Conversation, EndReason, Usage, Verdict
from tertulia.scenario import Scenario
from tertulia.table import Item, Table

__all__ = ["Bench", "Ensemble", "Player", "ensembles", "tried"]

Given = TypeVar("Given")
NO_RULES = Rules()
SHOWN = 2_000  # characters kept of a reply that ended a conversation
SPOILT = {  # endings for which a conversation is rejected, each with the name of that cause
    EndReason.REJECTED: "revisions_spent",
    EndReason.FAILED: "failed",
    EndReason.PARSE_FAILURE: "parse_failure",
    EndReason.MODEL_FAILURE: "model_failure",
    EndReason.BUDGET: "budget",
    EndReason.CONTEXT_LIMIT: "context_limit",
}
UNPLAYED = {EndReason.MODEL_FAILURE, EndReason.PARSE_FAILURE, EndReason.CONTEXT_LIMIT}  # ended by a model's failure


class Player(Protocol):
    """Whatever can play items: `tertulia.graph.Stage`, or a double in a test."""

    recipe: Recipe

    def seat(self, item: Item) -> Table: ...
    async def play(self, table: Table) -> Conversation: ...


@dataclass(frozen=True, slots=True)
class Broken:
    """How a conversation or a judge came to nothing."""

    end_reason: EndReason
    cause: str
    error: str

    def unseated(self, item: Item) -> Conversation:
        """A conversation that never began."""
        return Conversation(**item.heading, end_reason=self.end_reason, rejected_by=self.cause, error=self.error)

    def record(self, table: Table) -> Conversation:
        """What the conversation had so far."""
        talk = table.record(error=self.error)
        return talk.model_copy(update={"end_reason": self.end_reason, "rejected_by": self.cause})


async def guarded(work: Awaitable[Given]) -> Given | Broken:
    """What a part gives, or what ended it. What ends the run comes through."""
    try:
        return await work
    except (BudgetSpent, EndpointDenies, StoreError):
        raise
    except ModelFailure as failure:
        return Broken(end_of(failure), failure.trouble.value, f"{failure}\n{failure.raw[:SHOWN]}".strip())
    except Exception:  # noqa: BLE001 - a bug in a part ends its own conversation, never the run; the trace is kept
        return Broken(EndReason.FAILED, EndReason.FAILED.value, traceback.format_exc())


def tried(work: Callable[[], Given]) -> Given | Exception:
    """What a part gives that does not wait for anything, or what it raised."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - a bug in an exporter costs one conversation in one format, no run
        return error


def end_of(failure: ModelFailure) -> EndReason:
    """How a conversation ends that gets no usable reply."""
    if failure.trouble is Trouble.TOO_LONG:
        return EndReason.CONTEXT_LIMIT
    return EndReason.PARSE_FAILURE if isinstance(failure, BadReply) else EndReason.MODEL_FAILURE


class Bench:
    """The judges of one recipe; those of a cast come on top, and those whose verdicts rules read."""

    def __init__(
        self, recipe: Recipe, caller: Caller | None = None, more: Sequence[str] = (), rules: Rules = NO_RULES
    ) -> None:
        self.gates, self.rules = recipe.gates, rules
        ask_for = caller.ask_for if caller else None
        self.judges: dict[str, Judge] = {
            name: made("judges", name, "judge", ask_for)
            for name in dict.fromkeys((*recipe.judges, *recipe.gates, *more, *rules.judges))
        }

    async def judged(self, scenario: Scenario, talk: Conversation) -> Conversation:
        """The conversation with fresh verdicts and the cause for which it is rejected, if any.

        One that failed is left alone: there is nothing in it to judge."""
        if talk.end_reason is EndReason.FAILED:
            return talk.model_copy(update={"rejected_by": talk.end_reason.value})
        if talk.end_reason in UNPLAYED and talk.rejected_by:
            return talk
        verdicts = await guarded(self.verdicts(scenario, talk))
        if isinstance(verdicts, Broken):
            return talk.model_copy(update={"verdicts": (), "rejected_by": verdicts.cause, "error": verdicts.error})
        return talk.model_copy(update={"verdicts": verdicts, "rejected_by": self.cause(talk, verdicts), "error": ""})

    async def verdicts(self, scenario: Scenario, talk: Conversation) -> tuple[Verdict, ...]:
        return tuple([await judge.judge(scenario, talk) for judge in self.judges.values()])

    def cause(self, talk: Conversation, verdicts: Sequence[Verdict]) -> str:
        if talk.end_reason in SPOILT:
            return SPOILT[talk.end_reason]
        passed = dict(zip(self.judges, (verdict.passed for verdict in verdicts), strict=True))
        return next((gate for gate in self.gates if not passed[gate]), "")

    def ruled(self, scenario: Scenario, talk: Conversation) -> Conversation:
        """What passed the gates, with the rule that rejects it, if one does. It is complete: rules read its costs too.

        Raises:
            ScenarioError: at a rule that cannot be worked out."""
        cause = self.rules.cause(scenario, talk) if talk.accepted and self.rules.rules else ""
        return talk.model_copy(update={"rejected_by": cause}) if cause else talk


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The parts that play one recipe, and those that judge it."""

    stage: Player
    bench: Bench
    caller: Caller | None = None

    async def finished(self, item: Item) -> Conversation:
        """The item played and judged. When a part raises, the record says so and keeps what there was so far.

        Raises:
            BudgetSpent: when it cannot be played to its end.
            ScenarioError: at a rule of the run's criteria that cannot be worked out."""
        usage = Usage()
        try:
            if self.caller:
                await self.caller.turns.take(item.id)
            judged = await self.bench.judged(item.scenario, await self.played(item))
        finally:
            if self.caller:
                usage = self.caller.leave(item.id)
        whole = judged if usage == Usage() else judged.model_copy(update={"usage": usage})
        return self.bench.ruled(item.scenario, whole)

    async def played(self, item: Item) -> Conversation:
        table = await guarded(self.seated(item))
        if isinstance(table, Broken):
            return table.unseated(item)
        talk = await guarded(self.stage.play(table))
        return talk.record(table) if isinstance(talk, Broken) else talk

    async def seated(self, item: Item) -> Table:
        return self.stage.seat(item)


def ensembles(
    scenarios: Sequence[Scenario], cast: str, caller: Caller | None = None, rules: Rules = NO_RULES
) -> dict[str, Ensemble]:
    """One ensemble for each recipe that the scenarios name. Models play the roles for which the caller has lines.

    Raises:
        SettingsError: if a recipe has no such cast, or one of its parts needs a model."""
    by_model = set(caller.lines) if caller else set()
    ask_for = caller.ask_for if caller else None
    found = {}
    for name in dict.fromkeys(scenario.recipe for scenario in scenarios):
        recipe = bundled_recipe(name)
        bench = Bench(recipe, caller, recipe.seats(cast, by_model).judges, rules)
        found[name] = Ensemble(Stage(recipe, cast, ask_for, by_model), bench, caller)
    return found
