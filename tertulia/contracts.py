"""What a part must be: six protocols with one method each, and the views that parts are given.

A part sees only what it is handed here. Speakers get a `View`: the messages whose audience they belong to,
in order, and nothing of the others' knowledge, scripts or gold labels. Critics get a `Hearing`: everything that
was said, but not which faults were planted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from tertulia.principles import Principle
from tertulia.records import Conversation, Draft, Marker, Message, Plan, Signal, ToolCall, Verdict
from tertulia.scenario import Party, Role, Scenario, Script
from tertulia.world import Outcome, ToolSpec

__all__ = [
    "CallView",
    "Critic",
    "Exporter",
    "Hearing",
    "Judge",
    "Neighbour",
    "PlanView",
    "Planned",
    "Planner",
    "Speaker",
    "ToolSimulator",
    "Utterance",
    "View",
]


def _unseeded() -> Random:
    return Random(0)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another party, as far as everybody knows it."""

    name: str
    role: Role
    tools: tuple[ToolSpec, ...] = ()  # what this party can do itself
    decides: tuple[str, ...] = ()  # for a colleague: the calls it has a say in; not what it will say


@dataclass(frozen=True, slots=True)
class View:
    """All that a speaker may see when it has the floor."""

    name: str
    party: Party  # its own persona, knowledge and secrets
    others: tuple[Neighbour, ...]
    messages: Sequence[Message]  # what it has heard, said, called and been answered so far
    tools: tuple[ToolSpec, ...]  # its own tools
    policy: str  # for an assistant or colleague: what it is told to do; empty for a user
    principles: tuple[Principle, ...]  # those that apply to it
    rng: Random  # its own stream for this draft
    script: Script | None = None  # for its owner alone
    plan: Plan | None = None  # for simulated parties, never for an assistant
    sent_back: tuple[Draft, ...] = ()  # this turn's earlier drafts with their markers
    slips: bool = False  # whether the rule cast is to plant a fault in this draft, if it can
    slip_rng: Random = field(default_factory=_unseeded)  # for faults alone, so that they change no honest wording
    conversation: str = ""  # its id
    step: str = ""  # names this draft within the conversation: party/turn/draft


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a speaker does with the floor: say something, or make calls. With calls there is no signal."""

    text: str = ""
    to: tuple[str, ...] = ()  # empty: everybody
    calls: tuple[ToolCall, ...] = ()
    signal: Signal | None = None
    admits: tuple[str, ...] = ()  # the principles that the speaker itself says it breaks here
    slip: str = ""  # kind of the fault planted in this draft, if any
    breaks: tuple[str, ...] = ()  # the principles it breaks
    slip_detail: str = ""
    held_out: bool = False  # the fault's words are none that the detectors were written with
    by: str = ""  # the model that made it, where several draft for one turn
    siblings: "tuple[Utterance, ...]" = ()  # what the others would do with the floor, in their order


@dataclass(frozen=True, slots=True)
class PlanView:
    """All that a planner may see: the whole scenario, and its earlier plans with their markers."""

    scenario: Scenario
    principles: tuple[Principle, ...]  # those that apply to plans
    rng: Random
    sent_back: tuple[Draft, ...] = ()
    slips: bool = False
    slip_rng: Random = field(default_factory=_unseeded)
    conversation: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the fault planted in it, if any."""

    plan: Plan
    slip: str = ""
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hearing:
    """All that a critic may see of a draft and what came before it."""

    scenario: Scenario
    speaker: str
    party: Party
    role: str  # user, assistant or colleague; plan for a plan
    turn: int
    draft: int
    message: Message  # the draft's message
    seen: Sequence[Message]  # what the speaker has seen so far (its view)
    spoken: Sequence[Message]  # everything that anybody said, called or got so far
    tools: tuple[ToolSpec, ...]  # the speaker's own tools
    policy: str
    principles: tuple[Principle, ...]  # those that apply to the speaker
    plan: Plan | None = None
    script: Script | None = None  # the speaker's own script, for a simulated user
    conversation: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class CallView:
    """All that a tool simulator may see of the call that it answers."""

    call: ToolCall  # its arguments fit the tool's schema
    tools: tuple[ToolSpec, ...]  # those of the caller, the one that is called among them
    earlier: Sequence[Message]  # every call of this conversation so far, and its result
    rng: Random
    conversation: str = ""
    step: str = ""


class Planner(Protocol):
    """Turns a scenario into a plan."""

    async def plan(self, view: PlanView) -> Planned: ...


class Speaker(Protocol):
    """Takes the floor: user simulators, assistants and colleagues alike."""

    async def speak(self, view: View) -> Utterance: ...


class Critic(Protocol):
    """Reviews a draft before it is committed."""

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]: ...


class Judge(Protocol):
    """Judges a finished conversation."""

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict: ...


class ToolSimulator(Protocol):
    """Answers a call for which there is no fixed answer. It keeps nothing from one conversation to the next."""

    async def answer(self, view: CallView) -> Outcome: ...


class Exporter(Protocol):
    """Turns a conversation into the rows of one format. `lost` of a row's dropped content is counted by name."""

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterable[dict[str, Any]]: ...
