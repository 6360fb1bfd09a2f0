"""The state machine that plays one conversation. Read this file first.

                    +-- sent back --+        +-- sent back --------+
                    v               |        v                     |
    START -------> plan ---------> critic -> speak -------------> critic
                                             ^  ^                  | | |
                                             |  +-- next speaker --+ | |
                                             |                       | |
                                             +------- tools <- calls-+ |
                                                                       v
                                                             close --> END

There is one `critic` node; it reviews whatever draft lies on the table: the plan, a user's or colleague's turn, an
assistant's turn. Where several models draft for one turn it reviews each, and the first that breaks least counts. A
draft with a marker that revises goes back to whoever made it, as often as the limit of that kind allows
(`plan_revisions`, `user_revisions`, `revisions`); after that the conversation is rejected. A draft becomes part of the
conversation only when it is committed, and every draft is kept.

The nodes work on a `Table`; the functions called `after_*` are pure and decide where to go.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from tertulia.contracts import Critic, Planner, Speaker, ToolSimulator, Utterance
from tertulia.errors import PartError, SettingsError
from tertulia.floor import next_speaker
from tertulia.models.records import Ask
from tertulia.parts import made
from tertulia.recipe import Recipe
from tertulia.records import Conversation, EndReason, Marker, Message, Plan, Signal, ToolCall
from tertulia.scenario import InjectedFault, Limits, Scenario
from tertulia.setting import Settings
from tertulia.table import Item, Table
from tertulia.tool_faults import failure
from tertulia.world import Outcome, refusal

__all__ = ["Item", "Stage"]

Reviewed = Literal["plan", "speak", "tools", "close"]  # where the critic's word may lead
Answered = Literal["speak", "close"]  # where the results of calls may lead

ENDS = {
    Signal.GOAL_REACHED: EndReason.GOAL_REACHED,
    Signal.SCRIPT_EXHAUSTED: EndReason.SCRIPT_EXHAUSTED,
    Signal.GAVE_UP: EndReason.DONE_BY_USER,
    Signal.CLOSED: EndReason.DONE_BY_ASSISTANT,
}


class State(TypedDict):
    """What travels along the graph."""

    table: Table


def budget(table: Table) -> int:
    """How often the draft on the table may be sent back."""
    limits = table.item.scenario.limits
    if table.planning:
        return limits.plan_revisions
    return limits.revisions if table.item.scenario.cast[table.floor].role == "assistant" else limits.user_revisions


def after_critic(table: Table, sent_back: bool, stop_at_violation: bool) -> tuple[Reviewed, EndReason | None]:
    """Where a reviewed draft leads, and why the conversation ends if it does."""
    drafts = table.plan_drafts if table.planning else table.drafts
    if not sent_back:
        return after_commit(table)
    if stop_at_violation and not table.planning:
        return "close", EndReason.VIOLATION_FOUND
    if len(drafts) > budget(table):
        return "close", EndReason.REJECTED
    return ("plan" if table.planning else "speak"), None


def after_commit(table: Table) -> tuple[Reviewed, EndReason | None]:
    """Where an accepted draft leads."""
    if table.planning:
        return "speak", None
    limits, said = table.item.scenario.limits, table.said
    if said.signal:
        return "close", ENDS[said.signal]
    if said.calls:
        return "tools", None
    return ("close", EndReason.TURN_LIMIT) if table.utterances + 1 >= limits.turns else ("speak", None)


def steps_at_most(limits: Limits) -> int:
    """How many nodes a conversation within these limits visits at most."""
    drafts = 2 * (max(limits.revisions, limits.user_revisions) + 1)  # each is spoken and reviewed
    rounds = min(limits.tool_calls + 1, limits.turns * (limits.rounds + 1))
    plan, close, start_and_end = 2 * (limits.plan_revisions + 1), 1, 2
    return plan + limits.turns * drafts + rounds * (drafts + 1) + close + start_and_end


def after_tools(table: Table) -> tuple[Answered, EndReason | None]:
    """The caller goes on, unless it has called too often."""
    limits = table.item.scenario.limits
    spent = table.rounds > limits.rounds or table.calls_made > limits.tool_calls
    return ("close", EndReason.ROUND_LIMIT) if spent else ("speak", None)


class Stage:
    """Plays conversations with the parts of one recipe; the graph is compiled once and shared by all of them."""

    def __init__(
        self,
        recipe: Recipe,
        cast_name: str = "rules",
        ask_for: Callable[[str], Ask] | None = None,
        by_model: Collection[str] = (),
    ) -> None:
        """`by_model` are the roles that the cast `models` plays; `ask_for` gives each the door to its model."""
        self.recipe = recipe
        chosen = recipe.seats(cast_name, by_model)
        self.planner: Planner = made("planners", chosen.planner, "planner", ask_for)
        self.speakers: dict[str, Speaker] = {
            "user": made("users", chosen.user, "user", ask_for),
            "assistant": made("assistants", chosen.assistant, "assistant", ask_for),
            "colleague": made("colleagues", chosen.colleague, "colleague", ask_for),
        }
        self.critic_part: Critic = made("critics", chosen.critic, "critic", ask_for)
        self.simulator: ToolSimulator | None = made("tools", chosen.tools, "tool", ask_for) if chosen.tools else None
        self.settings = Settings()
        self.graph = self.compiled()

    def compiled(self) -> Any:
        """The LangGraph graph of the machine drawn above."""
        graph = StateGraph(State)
        graph.add_node("plan", self.plan)
        graph.add_node("speak", self.speak)
        graph.add_node("critic", self.critic)
        graph.add_node("tools", self.tools)
        graph.add_node("close", self.close)
        graph.add_edge(START, "plan")
        graph.add_edge("close", END)
        return graph.compile()

    def seat(self, item: Item) -> Table:
        """A fresh table for this item.

        Raises:
            SettingsError: if its tools are answered by a model and there is none."""
        if not self.simulator and answered_by_model(item.scenario):
            raise SettingsError(
                f"a model answers the tools of scenario {item.scenario.id!r}: name one with --role-model tool=SPEC"
            )
        return Table.laid(item, self.settings.of(item.scenario))

    async def play(self, table: Table) -> Conversation:
        """Play the conversation out. What the parts raise comes through; `table.record(error)` then saves the rest."""
        config = {"recursion_limit": steps_at_most(table.item.scenario.limits)}
        try:
            async for _ in self.graph.astream({"table": table}, config, stream_mode=[]):
                pass  # nobody watches the steps: what they do is on the table
        finally:
            if table.remote:
                await table.remote.close()
        return table.record()

    async def plan(self, state: State) -> Command[Literal["critic"]]:
        table = state["table"]
        planned = await self.planner.plan(table.plan_view())
        table.plan = planned.plan
        table.note_slip(planned)
        return Command(goto="critic")

    async def speak(self, state: State) -> Command[Literal["critic"]]:
        table = state["table"]
        if not table.floor or not (table.drafts or table.rounds):
            table.floor = next_speaker(table.item.scenario, table.turns, table.plan)
        said = await self.speakers[table.item.scenario.cast[table.floor].role].speak(table.view())
        table.note_slip(said)
        table.pending = said
        return Command(goto="critic")

    async def critic(self, state: State) -> Command[Literal["plan", "speak", "tools", "close"]]:
        table = state["table"]
        if table.planning or not table.said.by:
            message = plan_message(table.plan) if table.planning else table.message(table.said)
            draft = table.reviewed(message, await self.critic_part.review(table.hearing(message)))
        else:
            draft = table.chosen([await self.reviewed(table, said) for said in (table.said, *table.said.siblings)])
        step, table.end_reason = after_critic(table, draft.sent_back, self.recipe.stop_at_violation)
        if not draft.sent_back and not table.planning:
            table.commit()
        return Command(goto=step)

    async def reviewed(self, table: Table, said: Utterance) -> tuple[Utterance, Message, tuple[Marker, ...]]:
        """One of several drafts for a turn, with what the critic says of it."""
        message = table.message(said)
        return said, message, await self.critic_part.review(table.hearing(message))

    async def tools(self, state: State) -> Command[Literal["speak", "close"]]:
        table = state["table"]
        results: list[Message] = []
        for call in table.turns[-1].message.calls:
            results.append(await self.result(table, call, results))
        table.answered(tuple(results))
        step, table.end_reason = after_tools(table)
        return Command(goto=step)

    async def result(self, table: Table, call: ToolCall, earlier: Sequence[Message]) -> Message:
        """The result of one call as a message that its caller alone sees; `earlier` are those of the same turn."""
        table.calls_made += 1
        outcome, fault = answer(table, call)
        if not isinstance(outcome, Outcome):
            outcome = await outcome
        if self.simulator and outcome.unanswered:
            outcome = await self.simulator.answer(table.call_view(call, earlier))
        if fault:
            outcome = table.spoilt(fault, call, outcome)
        return Message(
            speaker=call.name,
            role="tool",
            text=outcome.text,
            audience=(table.floor,),
            answers=call.id,
            error=outcome.error,
            injected=bool(outcome.fault),
            fault=outcome.fault,
            changes=outcome.changes,
        )

    async def close(self, state: State) -> None:
        state["table"].pending = None


def answered_by_model(scenario: Scenario) -> bool:
    """Whether the scenario leaves the answers of its tools to a model."""
    return "model" in (scenario.answers, scenario.source.answers if scenario.source else "")


def plan_message(plan: Plan | None) -> Message:
    """The plan as a message that the critic can read; nobody hears it."""
    if plan is None:
        raise PartError("the planner returned no plan")
    return Message(speaker="planner", role="user", text="\n".join((plan.opening, *plan.steps)))


def answer(table: Table, call: ToolCall) -> tuple[Outcome | Awaitable[Outcome], InjectedFault | None]:
    """What a call gives, where others serve the tools after a wait, and the fault that is to spoil it."""
    if table.calls_made > table.item.scenario.limits.tool_calls:
        return refusal("No more calls are allowed in this conversation."), None
    if all(tool.name != call.name for tool in table.setting.tools[table.floor]):
        return refusal(f"You have no tool called {call.name!r}."), None
    fault = table.faults.due(call.name) if table.faults else None
    if fault and (failed := failure(fault)):
        return failed, None
    return table.remote.ask(call.name, call.args) if table.remote else table.world.call(call.name, call.args), fault
