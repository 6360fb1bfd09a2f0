"""Static evaluation: the agent is given the recorded history up to each gold call, and has to make the call.

After AutoDE's baseline (Mu et al., arXiv 2403.11128): every history leads to its call, so nothing is measured of how
the agent gets there, and scores come out higher than those of people who really talk with it. The history is that of
the rule assistant with the rule user at the same item and seed. An item in which nothing is to be called is no static
item; one whose call the rule assistant does not make has no history, and its trial fails as the tool's. The call is
forced: its tool is the only one there is, and the instructions say so. The record is the recorded dialogue with the
agent's calls in place of the recorded ones, carried out in a world.
"""

from dataclasses import dataclass, replace

from tertulia.contracts import Utterance, View
from tertulia.errors import PartError
from tertulia.evaluation.casting import stage_of
from tertulia.evaluation.sets import calls_of
from tertulia.graph import Stage
from tertulia.parts import made
from tertulia.recipe import Recipe
from tertulia.records import Conversation, Message, ToolCall, Turn
from tertulia.scenario import Scenario
from tertulia.table import Item, Table
from tertulia.world import ToolSpec

__all__ = ["StaticStage"]

NO_CALL = "..."
FORCED = "Now call {tool} with what the conversation gives. Say nothing else."


@dataclass(slots=True)
class StaticStage:
    """Plays an item: the recorded dialogue again, with the agent at each gold call."""

    stage: Stage  # with the agent on the assistant's seat
    recorder: Stage  # with the rule assistant on it
    recipe: Recipe

    @classmethod
    def of(cls, recipe: Recipe, stage: Stage) -> "StaticStage":
        """Over a stage with the agent; histories come from the rule cast alone."""
        return cls(stage, stage_of(recipe, made("assistants", "form", "assistant"), "rules"), recipe)

    def seat(self, item: Item) -> Table:
        return self.stage.seat(item)

    async def play(self, table: Table) -> Conversation:
        """The recorded dialogue with the agent's calls in it.

        Raises:
            PartError: if the recorded dialogue lacks a gold call, so that there is no history.
            ModelFailure: if no turn comes from the agent."""
        recorded = await self.recorder.play(self.recorder.seat(replace(table.item, own_seed=None)))
        if lacking := unmade(table.item.scenario, recorded):
            raise PartError(f"no history leads to {lacking}: the rule assistant does not make that call")
        table.plan, table.end_reason = recorded.plan, recorded.end_reason
        left, worked = calls_of(table.item.scenario), worked_in(recorded)
        for turn in recorded.turns:
            due = [call for call in turn.message.calls if call.id in worked and (call.name, call.args) in left]
            if due and turn.speaker == table.item.scenario.assistant:
                left.remove((due[0].name, due[0].args))
            await self.take(table, turn, due[0].name if due else "")
        return table.record()

    async def take(self, table: Table, turn: Turn, due: str) -> None:
        """One turn of the record: as it was, or the agent's where a gold call of this tool is due."""
        table.floor = turn.speaker
        if due and turn.speaker == table.item.scenario.assistant:
            said = await self.forced(table, due)
        else:
            said = Utterance(turn.message.text, turn.message.to, tuple(map(unnumbered, turn.message.calls)))
        table.pending = said
        message = table.message(said)
        table.reviewed(message, ())
        table.commit()
        results: list[Message] = []
        for call in table.turns[-1].message.calls:
            results.append(await self.stage.result(table, call, results))
        if results:
            table.answered(tuple(results))

    async def forced(self, table: Table, name: str) -> Utterance:
        """The agent's turn where only one tool is left to it; words are no call, and nobody would answer them."""
        view = table.view()
        tool = next(tool for tool in view.tools if tool.name == name)
        said = await self.stage.speakers["assistant"].speak(with_one_tool(view, tool))
        calls = tuple(call for call in said.calls if call.name == name)
        return Utterance(calls=calls) if calls else Utterance(said.text or NO_CALL)


def with_one_tool(view: View, tool: ToolSpec) -> View:
    policy = "\n\n".join(filter(None, (view.policy, FORCED.format(tool=tool.name))))
    return replace(view, tools=(tool,), policy=policy)


def unnumbered(call: ToolCall) -> ToolCall:
    return call.model_copy(update={"id": ""})


def worked_in(recorded: Conversation) -> frozenset[str]:
    """The ids of the calls that worked; what was called in vain before leads to no gold call."""
    return frozenset(m.answers for m in recorded.messages if m.role == "tool" and not m.error)


def unmade(scenario: Scenario, recorded: Conversation) -> str:
    """A gold call that the recorded dialogue lacks; empty where it has all."""
    calls, worked = [call for message in recorded.messages for call in message.calls], worked_in(recorded)
    left = [(call.name, call.args) for call in calls if call.id in worked]
    for wanted in calls_of(scenario):
        if wanted not in left:
            return wanted[0]
        left.remove(wanted)
    return ""
