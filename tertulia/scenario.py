"""The scenario file: who talks, what each knows, what the user wants, and what success is.

A file is strict YAML. `${name}` stands for a slot; `vary` spans a grid of variants over slots, personas
and known facts; `tertulia.variation.settle` makes one choice and fills every slot, ready to be played.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from tertulia.principles import Principle
from tertulia.records import Record
from tertulia.tool_schema import (
    Answers,
    Credential,
    Example,
    FaultKind,
    McpServer,
    Operation,
    Place,
    Response,
    Role,
    ToolSchema,
    ToolSource,
)

__all__ = [
    "Aside",
    "CallsExpected",
    "ChangeOfMind",
    "Credential",
    "Decision",
    "Example",
    "InjectedFault",
    "Limits",
    "McpServer",
    "Operation",
    "Party",
    "Place",
    "Response",
    "Role",
    "Scenario",
    "Script",
    "Success",
    "ToolSchema",
    "ToolSource",
    "Want",
]

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", description="lower case letters, digits, - and _")]
Choices = Annotated[tuple[Any, ...], Field(min_length=1)]
Kind = Literal[
    "single_call",
    "multi_call",
    "missing_information",
    "change_of_mind",
    "refusal",
    "nothing_to_do",
    "tool_error",
    "approval",
    "user_tools",
    "chain",
    "parallel",
    "missing_optional",
    "unanswerable",
    "ambiguous",
]


def _given(principle: Any) -> str:
    """How a principle is given; the answer is the tag of a branch of `GivenPrinciple`."""
    return "principle" if isinstance(principle, dict | Principle) else "id"


def _named(world: Any) -> str:
    """How a world is given; the answer is the tag of a branch of `GivenWorld`."""
    return "source" if isinstance(world, dict | ToolSource) else "name"


GivenWorld = Annotated[Annotated[str, Tag("name")] | Annotated[ToolSource, Tag("source")], Discriminator(_named)]
GivenPrinciple = Annotated[Annotated[str, Tag("id")] | Annotated[Principle, Tag("principle")], Discriminator(_given)]


class Decision(Record):
    """How a colleague answers when it is asked about a call."""

    call: str = Field(description="the tool it is asked about")
    answer: Literal["yes", "no"] = Field(description="what it says to the call")
    because: str = Field("", description="the reason it gives")


class Party(Record):
    """One speaker."""

    role: Role = Field(description="what it is in the conversation")
    persona: str = Field("", description="who this is and how they talk")
    knows: dict[str, Any] = Field({}, description="facts the party holds and may tell when asked")
    secret: tuple[str, ...] = Field((), description="keys of `knows` that it must not tell")
    tools: tuple[str, ...] | None = Field(
        None,
        description="its tools; left out: an assistant gets every tool of the world that is meant for it, others none",
    )
    decides: tuple[Decision, ...] = Field((), description="for a colleague: what it allows and refuses")


class ChangeOfMind(Record):
    """What the user changes about a want when the assistant asks it to confirm."""

    say: str = Field("", description="the words; made from the values when left out")
    args: dict[str, Any] = Field({}, alias="with", description="the values that replace those of the want")
    drop: bool = Field(False, description="the user no longer wants it at all")


class Want(Record):
    """Something the user wants: a call that somebody should make for it."""

    call: str = Field(description="the tool's name")
    args: dict[str, Any] = Field({}, alias="with", description="the values it should be called with")
    by: str = Field("", description="who makes the call; left out: the assistant")
    say: str = Field("", description="how the user brings it up; made from the call when left out")
    outcome: Literal["done", "refused"] = Field(
        "done", description="refused: the rules of the world forbid it, and success is that it did not happen"
    )
    change: ChangeOfMind | None = Field(None, description="what the user changes about it when asked to confirm")

    @property
    def gold(self) -> dict[str, Any]:
        """The values of the call that should be made in the end."""
        return {**self.args, **self.change.args} if self.change else self.args

    @property
    def due(self) -> bool:
        """Whether a successful conversation contains this call."""
        return self.outcome == "done" and not (self.change and self.change.drop)


class Aside(Record):
    """Something the user says that asks for no call."""

    say: str = Field(min_length=1, description="the words")
    after: int = Field(0, ge=0, description="how many of the wants come first")


class Script(Record):
    """What a simulated user holds. Nobody but its owner and the planner ever sees it."""

    of: str = Field("", description="the party that holds it; left out: the only user")
    opening: str = Field(min_length=1, description="the fixed first message")
    wants: tuple[Want, ...] = Field((), description="what the user wants, in the order it comes up")
    asides: tuple[Aside, ...] = Field((), description="what the user says besides, in its order; no call is due for it")
    never_say: tuple[str, ...] = Field((), description="texts that the user must not say")
    patience: int = Field(3, ge=1, le=20, description="fruitless answers before the user gives up")


class CallsExpected(Record):
    """How the assistant's calls must match the calls wanted (the modes are those of agentevals).

    strict: the same calls in the same order; unordered: the same calls; superset: at least the calls wanted;
    subset: no call that is not wanted; none: calls are not compared. Calls of tools that only read are compared
    for strict and unordered alone, and a write that nobody wanted fails in every mode but none."""

    match: Literal["strict", "unordered", "superset", "subset", "none"] = Field(
        "superset", description="how the calls made are compared with the calls wanted"
    )


class Success(Record):
    """What makes a conversation a success."""

    calls: CallsExpected = Field(CallsExpected(), description="how the calls made must match those wanted")
    state: dict[str, Any] = Field({}, description="dotted path in the world's state -> value at the end")
    says: tuple[str, ...] = Field(
        (), description="texts the assistant must have said to the user, as whole words, any case"
    )
    never_calls: tuple[str, ...] = Field((), description="tools that nobody may call")
    never_says: tuple[str, ...] = Field(
        (), description="texts the assistant must not say to the user, as whole words, any case"
    )
    unchanged: bool = Field(False, description="the state at the end equals the state at the start")
    nothing_else: bool = Field(
        False, description="but for the paths of `state`, the state at the end equals the state at the start"
    )


class Limits(Record):
    """Where a conversation stops."""

    turns: int = Field(24, ge=2, le=500, description="utterances of all parties")
    revisions: int = Field(2, ge=0, le=20, description="how often one answer may be sent back")
    user_revisions: int = Field(2, ge=0, le=20, description="how often one user turn may be sent back")
    plan_revisions: int = Field(2, ge=0, le=20, description="how often the plan may be sent back")
    tool_calls: int = Field(16, ge=0, le=500, description="in the whole conversation")
    rounds: int = Field(6, ge=1, le=50, description="tool rounds in a row, before the speaker must say something")


class InjectedFault(Record):
    """A tool fails on purpose: at the calls named, else at a seeded rate, else so many times from its first call on.

    timeout, server_error and rate_limit: nothing is done, and the caller reads an error. stale_read: a tool that reads
    answers as if nothing had been changed in this conversation. schema_drift: keys of the answer are called otherwise.
    partial_result: a part of the answer is missing."""

    tool: str = Field("", description="the tool's name; left out: any tool")
    kind: FaultKind = Field("timeout", description="how it fails")
    error: str = Field("", description="what its caller reads, for a kind that is an error")
    times: int = Field(1, ge=1, le=20, description="how many of its first calls fail")
    calls: tuple[Annotated[int, Field(ge=1, le=500)], ...] = Field(
        (), description="which of its calls fail, counted from 1; goes before `times`"
    )
    rate: float = Field(0.0, ge=0, le=1, description="share of its calls that fail, drawn by seed; before `times`")


class Scenario(Record):
    """One scenario file."""

    id: Name
    title: str = Field("", description="one line for people")
    kind: Kind = Field(description="what makes it hard")
    recipe: str = Field(
        "user_script",
        description="the method it is played by: a bundled or installed recipe, or a file beside this one",
    )
    world: GivenWorld = Field("", description="a bundled or installed world, or where tools come from; or give `tools`")
    tools: tuple[ToolSchema, ...] = Field((), description="tools as JSON Schema, when no world is named")
    tools_file: str = Field("", description="a JSON or YAML list of tools beside the scenario file")
    answers: Answers = Field(
        "fixed", description="for `tools`: their fixed answers alone, or drawn by rules or by the recipe's tool model"
    )
    policy: str = Field("", description="what the assistant is told, when no world is named or to add to its policy")
    principles: tuple[GivenPrinciple, ...] = Field((), description="ids of bundled principles, or principles in full")
    cast: dict[Name, Party] = Field(min_length=2, description="who talks; at least a user and an assistant")
    floor: Literal["alternate", "round_robin", "addressed", "planned"] = Field(
        "alternate",
        description="who speaks next: user and assistant in turn, everybody, the addressee, or the plan's order",
    )
    private: bool = Field(False, description="an addressed message is heard by its addressees alone")
    slots: dict[Name, Any] = Field({}, description="named values, used as ${name}")
    script: Script = Field(description="what the user holds")
    success: Success = Field(Success(), description="what makes the conversation a success")
    start: dict[str, Any] = Field({}, description="dotted path in the world's state -> value at the start")
    faults: tuple[InjectedFault, ...] = Field((), description="tools that fail on purpose")
    vary: dict[str, Choices] = Field({}, description="slots.NAME, PARTY.persona or PARTY.knows.KEY -> choices")
    limits: Limits = Field(Limits(), description="where the conversation stops")

    @property
    def source(self) -> ToolSource | None:
        """Where its tools come from, when that is neither a world by name nor the file itself."""
        return self.world if isinstance(self.world, ToolSource) else None

    @property
    def user(self) -> str:
        """The name of the party that holds the script."""
        return self.script.of or next(name for name, party in self.cast.items() if party.role == "user")

    @property
    def assistant(self) -> str:
        """The name of the (first) assistant."""
        return next(name for name, party in self.cast.items() if party.role == "assistant")
