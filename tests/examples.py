"""Conversations made by hand, on a small world of their own, for whoever tests judges, exporters and accounts.

`Scene` plays one out: its calls are answered by the live world, so results and changes are real."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from tertulia.errors import ToolError
from tertulia.principles import Principle
from tertulia.records import Conversation, Draft, EndReason, Marker, Message, Plan, Slip, ToolCall, Turn
from tertulia.scenario import Scenario
from tertulia.views import audience_of
from tertulia.worlds import open_world
from tertulia.worlds.toolkit import Toolkit, ToolkitWorld, tool

CONFIRM = Principle(
    id="confirm_first",
    text="Ask for a clear yes before you change anything.",
    source="made for tests",
    topic="procedure",
    applies_to=("assistant",),
)
HONEST = Principle(
    id="no_empty_claims",
    text="Never say that something is done when it is not.",
    source="made for tests",
    topic="honesty",
    applies_to=("assistant", "colleague"),
)
STEADY = Principle(
    id="stay_in_role",
    text="Speak only for yourself, as the customer you are.",
    source="made for tests",
    topic="role",
    applies_to=("user",),
)


class Order(BaseModel):
    day: str
    paid: int
    refunded: int = 0


class Shop(BaseModel):
    orders: dict[str, Order]


class ShopTools(Toolkit):
    """Orders of a shop."""

    state: Shop

    @tool()
    def find_order(self, order: str) -> Order:
        """Look an order up."""
        if order not in self.state.orders:
            raise ToolError(f"There is no order {order}.")
        return self.state.orders[order]

    @tool(writes=True)
    def move_delivery(self, order: str, day: str, notify: bool = True) -> str:
        """Deliver an order on another day."""
        self.state.orders[order].day = day
        return "moved"

    @tool(writes=True)
    def refund(self, order: str, amount: int) -> str:
        """Pay money back."""
        self.state.orders[order].refunded += amount
        return "refunded"


START = {"orders": {"A1042": {"day": "monday", "paid": 80}, "B2077": {"day": "tuesday", "paid": 35}}}
SHOP = ToolkitWorld("shop", ShopTools, json.dumps(START).encode(), "You work for a shop. Be brief and correct.")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> ToolkitWorld:
    """Lets scenarios name the world `shop`."""
    monkeypatch.setattr("tertulia.worlds.bundled_world", lambda name: SHOP)
    return SHOP


def scenario(**fields: Any) -> Scenario:
    """A customer who wants a delivery moved; keywords replace fields of the file."""
    raw: dict[str, Any] = {
        "id": "move-delivery",
        "kind": "single_call",
        "world": "shop",
        "principles": [CONFIRM, HONEST, STEADY],
        "cast": {
            "customer": {
                "role": "user",
                "persona": "A carpenter who types in a hurry between two jobs.",
                "knows": {"order": "A1042", "day": "friday", "door_code": "K7731"},
                "secret": ["door_code"],
            },
            "agent": {"role": "assistant"},
        },
        "script": {
            "opening": "Can my parcel come on another day?",
            "wants": [{"call": "move_delivery", "with": {"order": "A1042", "day": "friday"}}],
            "never_say": ["my brother took it"],
        },
        "success": {"state": {"orders.A1042.day": "friday"}, "says": ["friday"]},
    }
    return Scenario.model_validate(raw | fields)


def three_party_scenario(**fields: Any) -> Scenario:
    """A refund that a supervisor must allow, asked for in private."""
    cast: dict[str, Any] = {
        "customer": {"role": "user", "knows": {"order": "B2077", "amount": 35}},
        "agent": {"role": "assistant"},
        "lead": {"role": "colleague", "knows": {"ticket": "RF-9310"}, "decides": [{"call": "refund", "answer": "yes"}]},
    }
    script = {
        "opening": "I want my money back for order B2077.",
        "wants": [{"call": "refund", "with": {"order": "B2077", "amount": 35}}],
    }
    raw = {
        "id": "refund-approved",
        "kind": "approval",
        "private": True,
        "floor": "addressed",
        "cast": cast,
        "script": script,
    }
    return scenario(**(raw | {"success": {"state": {"orders.B2077.refunded": 35}}} | fields))


def marker(principle: str, turn: int, draft: int, revise: bool = True) -> Marker:
    return Marker(
        principle=principle,
        turn=turn,
        draft=draft,
        severity="medium" if revise else "low",
        quote="the words",
        evidence=f"it breaks {principle}",
        critic="detectors",
        revise=revise,
    )


@dataclass
class Scene:
    """A conversation as it is being played."""

    scenario: Scenario
    turns: list[Turn] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    pending: list[Draft] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = open_world(self.scenario).open(self.scenario)

    def message(self, speaker: str, text: str, to: tuple[str, ...], calls: tuple[ToolCall, ...]) -> Message:
        cast = self.scenario.cast
        audience = audience_of(speaker, cast, calls=bool(calls), to=to, private=self.scenario.private)
        heard = tuple(name for name in cast if name in audience)
        return Message(speaker=speaker, role=cast[speaker].role, text=text, to=to, audience=heard, calls=calls)

    def sent_back(
        self, speaker: str, text: str, *principles: str, call: tuple[str, dict[str, Any]] | None = None
    ) -> None:
        """A draft of the coming turn that the critic sends back."""
        at, number = len(self.turns), len(self.pending)
        calls = (ToolCall(id=f"call_{at}_0", name=call[0], args=call[1]),) if call else ()
        marks = tuple(marker(principle, at, number) for principle in principles)
        critique = "\n".join(f"{m.principle}: {m.evidence}" for m in marks)
        self.pending.append(Draft(message=self.message(speaker, text, (), calls), markers=marks, critique=critique))

    def slip(self, kind: str, *breaks: str) -> None:
        """A fault planted in the draft that comes next."""
        at, number = len(self.turns), len(self.pending)
        self.slips.append(Slip(kind=kind, speaker="agent", turn=at, draft=number, breaks=breaks, detail=f"a {kind}"))

    def say(self, speaker: str, text: str, *, to: tuple[str, ...] = (), labels: tuple[str, ...] = ()) -> None:
        """An accepted turn of words; labels are principles that the critic marks without sending it back."""
        at, number = len(self.turns), len(self.pending)
        marks = tuple(marker(principle, at, number, revise=False) for principle in labels)
        self.commit(Draft(message=self.message(speaker, text, to, ()), markers=marks), ())

    def call(self, speaker: str, tool_name: str, /, **args: Any) -> None:
        """An accepted turn that makes one call, answered by the world."""
        call = ToolCall(id=f"call_{len(self.turns)}_0", name=tool_name, args=args)
        outcome = self.world.call(tool_name, args)
        result = Message(
            speaker=tool_name,
            role="tool",
            text=outcome.text,
            audience=(speaker,),
            answers=call.id,
            error=outcome.error,
            changes=outcome.changes,
        )
        self.commit(Draft(message=self.message(speaker, "", (), (call,))), (result,))

    def commit(self, draft: Draft, results: tuple[Message, ...]) -> None:
        turn = Turn(
            index=len(self.turns), speaker=draft.message.speaker, drafts=(*self.pending, draft), results=results
        )
        self.turns.append(turn)
        self.pending = []

    def end(self, reason: EndReason = EndReason.GOAL_REACHED, **fields: Any) -> Conversation:
        """The finished record; keywords replace its fields."""
        script = self.scenario.script
        steps = tuple(f"When asked, say what {want.call} needs to know" for want in script.wants)
        values: dict[str, Any] = {
            "id": f"{self.scenario.id}-0",
            "index": 0,
            "scenario": self.scenario.id,
            "seed": 7,
            "roles": {name: party.role for name, party in self.scenario.cast.items()},
            "plan": Plan(opening=script.opening, steps=steps),
            "turns": tuple(self.turns),
            "end_reason": reason,
            "slips": tuple(self.slips),
        }
        return Conversation(**values | fields)


def two_party(**fields: Any) -> Conversation:
    """A delivery moved after the agent's first draft of turn 3, a call without asking, was sent back.

    0 customer asks, 1 agent asks for the order, 2 customer tells, 3 agent asks to confirm (revised; the first draft
    was a planted slip), 4 customer says yes, 5 agent calls, 6 agent reports (revised twice), 7 customer thanks."""
    scene = Scene(scenario())
    scene.say("customer", "Can my parcel come on another day?")
    scene.say("agent", "Of course. Which order, and which day?")
    scene.say("customer", "Order A1042, on friday please.")
    scene.slip("skip_confirmation", "confirm_first")
    hasty = ("move_delivery", {"order": "A1042", "day": "friday"})
    scene.sent_back("agent", "", "confirm_first", call=hasty)
    scene.say("agent", "Order A1042 to friday: shall I do that?")
    scene.say("customer", "Yes.")
    scene.call("agent", "move_delivery", order="A1042", day="friday")
    scene.sent_back("agent", "It comes on friday, and I have paid you 5 euros.", "no_empty_claims")
    scene.sent_back("agent", "It comes on friday, and 5 euros are on their way.", "no_empty_claims")
    scene.say("agent", "Done. It comes on friday.")
    scene.say("customer", "Thank you, that is all.")
    return scene.end(**fields)


def three_party(**fields: Any) -> Conversation:
    """A refund: the agent asks its lead in private (turns 1 and 2), then calls and reports."""
    scene = Scene(three_party_scenario())
    scene.say("customer", "I want my money back for order B2077.")
    scene.say("agent", "May I refund order B2077?", to=("lead",))
    scene.say("lead", "Yes, under ticket RF-9310.", to=("agent",))
    scene.call("agent", "find_order", order="B2077")
    scene.call("agent", "refund", order="B2077", amount=35)
    scene.say("agent", "You get 35 euros back.", to=("customer",))
    scene.say("customer", "Great, thanks.", to=("agent",))
    return scene.end(**fields)


def with_tool_error(**fields: Any) -> Conversation:
    """The agent looks up an order that is not there, is told the right one, and goes on."""
    scene = Scene(scenario())
    scene.say("customer", "Please deliver order C9 on friday.")
    scene.call("agent", "find_order", order="C9")
    scene.say("agent", "I find no order C9. What is its number?")
    scene.say("customer", "Sorry, A1042. And yes, please do it.")
    scene.call("agent", "move_delivery", order="A1042", day="friday")
    scene.say("agent", "It comes on friday.", labels=("no_empty_claims",))
    scene.say("customer", "Thanks.")
    return scene.end(**fields)
