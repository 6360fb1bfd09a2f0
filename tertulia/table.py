"""The table a conversation is played at: what has been said so far, who heard it, and the draft under review."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, cast

from tertulia.contracts import CallView, Hearing, Planned, PlanView, Utterance, View
from tertulia.errors import PartError, UserError
from tertulia.records import (
    Conversation,
    Draft,
    EndReason,
    Marker,
    Message,
    Plan,
    Slip,
    ToolCall,
    Turn,
)
from tertulia.scenario import InjectedFault, Scenario
from tertulia.setting import Setting
from tertulia.streams import chance, stream
from tertulia.tool_faults import Faults, spoilt, stale_answer
from tertulia.views import audience_of
from tertulia.world import LiveWorld, Outcome, RemoteWorld

__all__ = ["Item", "Table"]

LEARNT = 1 / 3  # of the rate of faults that is left for a draft that is made anew
UNUSED = Random(0)  # nothing is drawn from it
PLAN_TURN = -1  # markers and slips of a plan carry this turn


@dataclass(frozen=True, slots=True)
class Item:
    """One conversation to be played."""

    index: int
    id: str
    scenario: Scenario  # settled: every slot filled
    choice: dict[str, object]
    seed: int
    slips: float = 0.0
    own_seed: int | None = None  # of the assistant's draws, where they are not to hang on `seed` as all others do
    unplayable: str = ""  # why this choice cannot be settled; the scenario is then as its file has it

    @property
    def heading(self) -> dict[str, Any]:
        """What every record of it begins with."""
        return {
            "id": self.id,
            "index": self.index,
            "scenario": self.scenario.id,
            "variant": dict(self.choice),
            "seed": self.seed,
            "roles": {name: party.role for name, party in self.scenario.cast.items()},
        }


@dataclass(slots=True)
class Table:
    """The working state of one conversation; `record` makes the lasting one of it."""

    item: Item
    setting: Setting
    world: LiveWorld
    floor: str = ""
    plan: Plan | None = None
    plan_drafts: list[Draft] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)  # the open turn's, all sent back so far
    pending: Utterance | None = None  # the draft that nobody has reviewed yet
    turns: list[Turn] = field(default_factory=list)
    spoken: list[Message] = field(default_factory=list)
    heard: dict[str, list[Message]] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    utterances: int = 0
    calls_made: int = 0
    rounds: int = 0  # tool rounds in a row
    faults: Faults | None = None  # those that the scenario declares
    remote: RemoteWorld | None = None  # the world, where others serve its tools
    end_reason: EndReason | None = None

    @classmethod
    def laid(cls, item: Item, setting: Setting) -> "Table":
        """A fresh table for this item, in a world of its own.

        Raises:
            UserError: if the item cannot be played."""
        if item.unplayable:
            raise UserError(item.unplayable)
        declared, world = item.scenario.faults, setting.world.open(item.scenario)
        return cls(
            item=item,
            setting=setting,
            world=world,
            heard={name: [] for name in item.scenario.cast},
            faults=Faults(declared, item.seed) if declared else None,
            remote=cast(RemoteWorld, world) if hasattr(world, "ask") else None,
        )

    @property
    def turn(self) -> int:
        """The index of the turn that is open."""
        return len(self.turns)

    @property
    def said(self) -> Utterance:
        """The draft that nobody has reviewed yet."""
        if self.pending is None:
            raise PartError(f"{self.floor} said nothing")
        return self.pending

    @property
    def planning(self) -> bool:
        """Whether the draft on the table is the plan."""
        return not self.floor

    def view(self) -> View:
        """What the party with the floor may see, and nothing else."""
        scenario, setting, name = self.item.scenario, self.setting, self.floor
        party = scenario.cast[name]
        holder = name == scenario.user
        own = self.item.own_seed if party.role == "assistant" else None
        slips = self.slip_stream(self.drafts, name, self.turn)
        return View(
            name=name,
            party=party,
            others=setting.others[name],
            messages=self.heard[name],
            tools=setting.tools[name],
            policy=setting.policies[name],
            principles=setting.principles[party.role],
            rng=stream(self.item.seed if own is None else own, party.role, name, self.turn, len(self.drafts)),
            script=scenario.script if holder else None,
            plan=self.plan if holder else None,
            sent_back=tuple(self.drafts),
            slips=slips is not UNUSED,
            slip_rng=slips,
            conversation=self.item.id,
            step=f"{name}/{self.turn}/{len(self.drafts)}",
        )

    def plan_view(self) -> PlanView:
        """What the planner may see."""
        slips = self.slip_stream(self.plan_drafts, "planner")
        return PlanView(
            scenario=self.item.scenario,
            principles=self.setting.principles["plan"],
            rng=stream(self.item.seed, "planner", len(self.plan_drafts)),
            sent_back=tuple(self.plan_drafts),
            slips=slips is not UNUSED,
            slip_rng=slips,
            conversation=self.item.id,
            step=f"plan/{len(self.plan_drafts)}",
        )

    def slip_stream(self, sent_back: Sequence[Draft], *place: object) -> Random:
        """What the fault of a draft is drawn from, where one is to be planted; otherwise `UNUSED`."""
        rate = self.item.slips * LEARNT if sent_back else self.item.slips
        names = ("slip", *place, len(sent_back))
        tries = rate > 0 and chance(self.item.seed, *names, "tried") < rate
        return stream(self.item.seed, *names) if tries else UNUSED

    def message(self, said: Utterance) -> Message:
        """The pending utterance as a message, with its audience.

        Raises:
            PartError: if it addresses somebody who is not there, or makes calls and ends the conversation, so that
                nobody would hear what they gave."""
        if said.calls and said.signal:
            raise PartError(f"{self.floor} makes calls and ends the conversation in one: {said.signal.value}")
        scenario = self.item.scenario
        to = self.addressees(said)
        audience = audience_of(self.floor, scenario.cast, calls=bool(said.calls), to=to, private=scenario.private)
        return Message(
            speaker=self.floor,
            role=scenario.cast[self.floor].role,
            text=said.text,
            to=to,
            audience=tuple(name for name in scenario.cast if name in audience),
            calls=self.numbered(said.calls),
            admits=said.admits,
        )

    def addressees(self, said: Utterance) -> tuple[str, ...]:
        """Whom an utterance addresses, each once and without its speaker."""
        cast = self.item.scenario.cast
        if strangers := [name for name in said.to if name not in cast]:
            raise PartError(f"{self.floor} addresses {strangers[0]!r}, who is not in the cast: {', '.join(cast)}")
        others = tuple(name for name in dict.fromkeys(said.to) if name != self.floor)
        if said.to and not others:
            raise PartError(f"{self.floor} addresses nobody but itself")
        return others

    def numbered(self, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """The calls with an id each that no other call of the conversation has."""
        taken = {call.id for message in self.spoken for call in message.calls} if calls else set()
        named = []
        for nth, call in enumerate(calls):
            if not call.id or call.id in taken:
                free = next(name for at in count(nth) if (name := f"call_{self.turn}_{at}") not in taken)
                call = call.model_copy(update={"id": free})
            taken.add(call.id)
            named.append(call)
        return tuple(named)

    def hearing(self, message: Message) -> Hearing:
        """What the critic may see of the draft under review."""
        scenario, setting = self.item.scenario, self.setting
        name = self.floor or scenario.user
        role = "plan" if self.planning else scenario.cast[name].role
        return Hearing(
            scenario=scenario,
            speaker=name,
            party=scenario.cast[name],
            role=role,
            turn=PLAN_TURN if self.planning else self.turn,
            draft=len(self.plan_drafts) if self.planning else len(self.drafts),
            message=message,
            seen=self.heard[name],
            spoken=self.spoken,
            tools=setting.tools[name],
            policy=setting.policies[name],
            principles=setting.principles[role],
            plan=self.plan,
            script=scenario.script if name == scenario.user else None,
            conversation=self.item.id,
            step=f"{name}/{self.turn}/{len(self.drafts)}" if not self.planning else f"plan/{len(self.plan_drafts)}",
        )

    def call_view(self, call: ToolCall, earlier: Sequence[Message]) -> CallView:
        """What a tool simulator may see of a call of the last turn; `earlier` are the results of that turn so far."""
        nth = len(earlier)
        return CallView(
            call=call,
            tools=self.setting.tools[self.floor],
            earlier=(*self.spoken, *earlier),
            rng=stream(self.item.seed, "tool", self.turn, nth),
            conversation=self.item.id,
            step=f"{self.floor}/{self.turn - 1}/tool/{nth}",
        )

    def note_slip(self, said: Utterance | Planned) -> None:
        """Keep the fault planted in a draft, if any, where no critic looks."""
        if not said.slip:
            return
        slip = Slip(
            kind=said.slip,
            speaker=self.floor or "planner",
            turn=PLAN_TURN if self.planning else self.turn,
            draft=len(self.plan_drafts) if self.planning else len(self.drafts),
            breaks=said.breaks,
            detail=said.slip_detail if isinstance(said, Utterance) else "",
            held_out=isinstance(said, Utterance) and said.held_out,
        )
        self.slips.append(slip)

    def reviewed(self, message: Message, markers: tuple[Marker, ...]) -> Draft:
        """Put a reviewed draft on the pile of its turn (or of the plan)."""
        draft = drafted(message, markers)
        (self.plan_drafts if self.planning else self.drafts).append(draft)
        return draft

    def chosen(self, reviews: Sequence[tuple[Utterance, Message, tuple[Marker, ...]]]) -> Draft:
        """Of what several candidates drafted for one turn, put the first that breaks least on the pile."""
        best = min(range(len(reviews)), key=lambda nth: sum(marker.revise for marker in reviews[nth][2]))
        drafts = [drafted(message, markers, said.by) for said, message, markers in reviews]
        draft = drafts.pop(best).model_copy(update={"siblings": tuple(drafts)})
        self.pending = reviews[best][0]
        self.drafts.append(draft)
        return draft

    def commit(self) -> Turn:
        """Close the open turn: its last draft is what everybody in the audience hears."""
        turn = Turn(index=self.turn, speaker=self.floor, drafts=tuple(self.drafts))
        self.turns.append(turn)
        self.drafts = []
        self.pending = None
        self.hear(turn.message)
        if turn.message.calls:
            self.rounds += 1
        else:
            self.rounds = 0
            self.utterances += 1
        return turn

    def answered(self, results: tuple[Message, ...]) -> None:
        """Add the results of the last turn's calls to it."""
        self.turns[-1] = self.turns[-1].model_copy(update={"results": results})
        for result in results:
            self.hear(result)

    def hear(self, message: Message) -> None:
        """Keep a message in full, and let its audience see it without what is shown to nobody."""
        self.spoken.append(message)
        if message.changes or message.injected or message.admits:
            message = message.model_copy(update={"changes": (), "injected": False, "fault": "", "admits": ()})
        for name in message.audience:
            self.heard[name].append(message)

    def spoilt(self, fault: InjectedFault, call: ToolCall, outcome: Outcome) -> Outcome:
        """The answer to a call as a declared fault leaves it."""
        assert self.faults
        world, scenario = self.setting.world, self.item.scenario
        return spoilt(
            fault, outcome, self.faults.draws(call), lambda: stale_answer(world, scenario, call.name, call.args)
        )

    def record(self, error: str = "") -> Conversation:
        """The lasting record. With `error`, the conversation failed and what it had so far is kept."""
        turns = self.turns
        if self.drafts:  # the turn that was open when the conversation ended
            turns = [*turns, Turn(index=self.turn, speaker=self.floor, drafts=tuple(self.drafts))]
        return Conversation(
            **self.item.heading,
            plan=self.plan,
            plan_drafts=tuple(self.plan_drafts),
            turns=tuple(turns),
            end_reason=EndReason.FAILED if error else self.end_reason or EndReason.FAILED,
            error=error,
            slips=tuple(self.slips),
        )


def drafted(message: Message, markers: tuple[Marker, ...], by: str = "") -> Draft:
    """A draft with what the critic said of it."""
    critique = "\n".join(f"{m.principle}: {m.evidence}" for m in markers)
    return Draft(message=message, markers=markers, critique=critique, by=by)
