"""The records a conversation is made of: frozen, strict, and the same in memory, on disk and in exports.

Conversation
  plan      Plan?           what the planner laid out (never shown to an assistant)
  turns     Turn ...        one utterance each; a tool round is a turn whose message holds calls
    drafts  Draft ...       every version that was spoken, in order; the last accepted one counts
      message  Message
      markers  Marker ...   what the critic said of this draft
    results Message ...     the tool results that the accepted draft's calls produced
  slips     Slip ...        faults planted on purpose, kept out of the critic's sight
"""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Change",
    "Conversation",
    "Draft",
    "EndReason",
    "Marker",
    "Message",
    "Plan",
    "Record",
    "Severity",
    "Signal",
    "Slip",
    "ToolCall",
    "Turn",
    "Usage",
    "Verdict",
]

Speaking = Literal["user", "assistant", "colleague", "tool"]
Severity = Literal["low", "medium", "high"]


class Record(BaseModel):
    """A frozen, strict value."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class EndReason(StrEnum):
    """Why a conversation stopped."""

    GOAL_REACHED = "goal_reached"  # the user says that everything it wanted is done
    SCRIPT_EXHAUSTED = "script_exhausted"  # the user has nothing left to ask, with some of it refused
    DONE_BY_USER = "done_by_user"  # the user gave up
    DONE_BY_ASSISTANT = "done_by_assistant"  # the assistant closed the conversation
    VIOLATION_FOUND = "violation_found"  # the recipe stops at the first violation
    TURN_LIMIT = "turn_limit"
    ROUND_LIMIT = "round_limit"  # too many tool rounds in a row
    CONTEXT_LIMIT = "context_limit"
    BUDGET = "budget"  # the run's budget in calls, tokens or money is spent
    PARSE_FAILURE = "parse_failure"
    MODEL_FAILURE = "model_failure"
    REJECTED = "rejected"  # a draft still broke a principle when its revision budget was spent
    FAILED = "failed"  # a part raised; `error` holds the trace


class Signal(StrEnum):
    """What a speaker says about the conversation besides its words."""

    GOAL_REACHED = "goal_reached"
    SCRIPT_EXHAUSTED = "script_exhausted"
    GAVE_UP = "gave_up"
    CLOSED = "closed"  # the assistant ends the conversation


class ToolCall(Record):
    """A call that a party makes on one of its tools."""

    id: str
    name: str
    args: dict[str, Any] = {}


class Change(Record):
    """One value of a world's state that a tool call changed; `None` stands for absent."""

    path: str = Field(description="dotted path, such as orders.A1042.day")
    before: Any = None
    after: Any = None


class Message(Record):
    """Something said, called or returned. Only the parties in `audience` ever see it."""

    speaker: str = Field(description="a party's name, or the tool's name for a result")
    role: Speaking
    text: str = ""
    to: tuple[str, ...] = Field((), description="whom it addresses; empty means everybody who hears it")
    audience: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    answers: str = Field("", description="for a tool result: the id of the call it answers")
    error: bool = Field(False, description="for a tool result: the tool refused or failed")
    injected: bool = Field(
        False, description="for a tool result: it failed through no doing of its caller; shown to nobody"
    )
    fault: str = Field("", description="for such a result: how, as declared (timeout, stale_read ...) or met (lost)")
    changes: tuple[Change, ...] = Field((), description="for a tool result: what it changed; shown to nobody")
    admits: tuple[str, ...] = Field(
        (), description="principles that the speaker itself says this draft breaks; shown to critics alone"
    )


class Marker(Record):
    """A critic's remark on a draft."""

    principle: str
    turn: int
    draft: int
    severity: Severity
    quote: str = Field("", description="the words of the draft that break the principle")
    evidence: str = Field("", description="why they do")
    critic: str
    revise: bool = Field(True, description="whether the marker sends the draft back; otherwise it only labels")


class Slip(Record):
    """A fault planted in a draft on purpose, so that critics can be measured."""

    kind: str
    speaker: str
    turn: int
    draft: int
    breaks: tuple[str, ...] = Field(description="ids of the principles in force that it breaks")
    detail: str = ""
    held_out: bool = Field(False, description="its words are none that the detectors were written with")


class Draft(Record):
    """One version of a turn, with what the critic said of it."""

    message: Message
    markers: tuple[Marker, ...] = ()
    critique: str = Field("", description="the critic's remarks as one readable text")
    by: str = Field("", description="the model that made it, where several draft for one turn")
    siblings: tuple["Draft", ...] = Field(
        (), description="what the other models drafted in its place, each reviewed; nobody heard them"
    )

    @property
    def sent_back(self) -> bool:
        return any(marker.revise for marker in self.markers)


class Turn(Record):
    """One utterance: all its drafts, and the tool results it led to."""

    index: int
    speaker: str
    drafts: tuple[Draft, ...]
    results: tuple[Message, ...] = ()

    @property
    def message(self) -> Message:
        return self.drafts[-1].message


class Plan(Record):
    """How the planner lays a scenario out. The simulated parties may see it, an assistant never does."""

    opening: str
    steps: tuple[str, ...] = ()
    order: tuple[str, ...] = Field((), description="who speaks when, for the planned floor policy; repeats")
    style: str = Field("plain", description="how the user words things")


class Verdict(Record):
    """What a judge says of a finished conversation. `score` is None where it does not apply."""

    judge: str
    passed: bool
    score: float | None = Field(None, description="0 to 1")
    reason: str = ""
    detail: dict[str, Any] = {}


class Usage(Record):
    """What a conversation cost, and what was wrong with the replies it used. The same after a resume."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = Field(0.0, description="None when the price of a model is unknown")
    troubles: dict[str, int] = Field({}, description="how often, by the value of a `tertulia.models.records.Trouble`")


class Conversation(Record):
    """One scenario, played out."""

    id: str
    index: int = Field(description="its place in the run; exports are written in this order")
    scenario: str
    variant: dict[str, Any] = Field({}, description="the choice made in the scenario's variation grid")
    seed: int
    roles: dict[str, str] = Field(description="party name -> user, assistant or colleague")
    plan: Plan | None = None
    plan_drafts: tuple[Draft, ...] = Field((), description="plans that the critic sent back, and the last")
    turns: tuple[Turn, ...] = ()
    end_reason: EndReason
    rejected_by: str = Field(
        "",
        description="why nothing of it is exported: the gate that failed, revisions_spent, failed, or what was wrong "
        "with a model's reply; empty: accepted",
    )
    error: str = ""
    slips: tuple[Slip, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    usage: Usage = Field(Usage(), description="what its model calls cost; nothing for the rule cast")

    @property
    def accepted(self) -> bool:
        return not self.rejected_by

    @property
    def messages(self) -> tuple[Message, ...]:
        """The accepted path: each turn's message, then the tool results it led to. Made anew at each use."""
        return tuple([message for turn in self.turns for message in (turn.message, *turn.results)])

    @property
    def markers(self) -> tuple[Marker, ...]:
        """What critics said of every draft, those of the plan first. Made anew at each use."""
        drafts = (*self.plan_drafts, *(draft for turn in self.turns for draft in turn.drafts))
        return tuple([marker for draft in drafts for marker in draft.markers])
