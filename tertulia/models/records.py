"""What travels between a part and a model: requests, replies, their cost, and the names of what goes wrong."""

from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import Field

from tertulia.errors import PartError, UserError
from tertulia.records import Record, Usage

__all__ = [
    "Ask",
    "BadReply",
    "BudgetSpent",
    "CallFailed",
    "ChatEndpoint",
    "EndpointDenies",
    "ModelFailure",
    "ModelRole",
    "RawCall",
    "Reply",
    "Request",
    "ToolForm",
    "Trouble",
    "Usage",
    "Wanted",
]

ModelRole = Literal["planner", "user", "assistant", "colleague", "critic", "judge", "tool"]
ToolForm = Literal["native", "prompt"]
Wanted = Literal["reply", "logprobs", "embedding"]


class Trouble(StrEnum):
    """What can be wrong with a reply, or keep one from coming. Every cause is counted and shown."""

    EMPTY = "empty"
    TRUNCATED = "truncated"  # finish reason `length`
    REFUSED = "refused"  # the provider's refusal field or content filter
    NOT_JSON = "not_json"
    JSON_IN_PROSE = "json_in_prose"  # found and used
    WRONG_SCHEMA = "wrong_schema"
    UNKNOWN_TOOL = "unknown_tool"
    WRONG_ARGUMENTS = "wrong_arguments"
    SEVERAL_CALLS = "several_calls"  # legal, counted
    CALL_AND_TEXT = "call_and_text"  # legal, counted
    REASONING_LEAK = "reasoning_leak"  # thinking inside the spoken text; cut out
    ROLE_INVERSION = "role_inversion"  # the user speaks as the assistant, or the other way round
    BOTH_SIDES = "both_sides"  # wrote the other party's lines too; cut off
    GOODBYE_LOOP = "goodbye_loop"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    CONNECTION = "connection"
    MALFORMED = "malformed"  # the endpoint's answer is not a chat completion
    NO_LOGPROBS = "no_logprobs"  # the endpoint does not tell how likely the tokens of a prompt are
    DENIED = "denied"  # 4xx that no retry mends: key, model name, bad request
    TOO_LONG = "too_long"  # the request does not fit the model's context; no retry mends it
    CRASHED = "crashed"  # what was to answer raised an error or died


class Request(Record):
    """One request to a model. Its hash, with `conversation`, `role` and `step`, is its key in the journal.

    How messages are laid out, so that programs can read them back, is told in `tertulia.models.prompts`.
    """

    conversation: str = Field(description="the conversation's id")
    role: ModelRole = Field(description="whose model and sampling settings are used")
    step: str = Field(
        description="names the draft within the conversation, such as agent/3/0; the second of several candidates "
        "appends /by/2, a re-ask /again"
    )
    messages: tuple[dict[str, Any], ...] = Field(
        description="OpenAI chat messages; append-only from step to step of a role"
    )
    tools: tuple[dict[str, Any], ...] = Field((), description="tools in OpenAI's shape")
    answer: dict[str, Any] | None = Field(None, description="JSON Schema that the reply must fit")
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: bool = False
    wants: Wanted = Field(
        "reply",
        description="logprobs, embedding: nothing is said; what is measured is the text of the only message",
    )


class RawCall(Record):
    """A tool call as the model wrote it; `arguments` is unchecked text."""

    id: str
    name: str
    arguments: str


class Reply(Record):
    """What a model answered."""

    text: str = ""
    calls: tuple[RawCall, ...] = ()
    reasoning: str = ""
    refusal: str = ""
    finish: str = "stop"
    tokens_in: int = 0
    tokens_out: int = 0
    cached_in: int = Field(0, description="of tokens_in, those that the endpoint served from its prefix cache")
    model: str = ""
    raw: str = Field("", description="the endpoint's answer as it came")
    logprobs: tuple[tuple[str, float], ...] = Field((), description="each token with its log probability, when asked")
    embedding: tuple[float, ...] = ()
    counted: bool = Field(True, description="False: the endpoint told no usage, and the tokens are our own count")


class ModelFailure(PartError):
    """No usable reply came, after every retry. `trouble` names the cause, `raw` what came last."""

    def __init__(self, trouble: Trouble, detail: str, raw: str = "") -> None:
        self.trouble, self.detail, self.raw = trouble, detail, raw
        super().__init__(f"{trouble}: {detail}")


class CallFailed(ModelFailure):
    """One HTTP call gave no reply. `retry_after` is how many seconds the endpoint asks to wait, if it says."""

    def __init__(
        self, trouble: Trouble, detail: str, raw: str = "", status: int = 0, retry_after: float | None = None
    ) -> None:
        self.status, self.retry_after = status, retry_after
        super().__init__(trouble, detail, raw)


class BadReply(ModelFailure):
    """A reply came, and it could not be used."""


class BudgetSpent(PartError):
    """The run's budget in calls, tokens or money allows no further call. The run stops and can be resumed."""


class EndpointDenies(UserError):
    """Nothing but denials came from an endpoint (a wrong key, model name or address), or nobody is there any more. The
    run ends."""


class Ask(Protocol):
    """How a part reaches a model. Parts get one bound to their role; a double is `tertulia.testing.Scripted`."""

    @property
    def tool_form(self) -> ToolForm:
        """How this role's model is told of its tools: as such, or in the prompt, for models without tool calls."""
        ...

    @property
    def model(self) -> str:
        """The model's spec without where it is served, as records name it."""
        ...

    @property
    def candidates(self) -> "tuple[Ask, ...]":
        """The doors to every model that drafts for this role's turns, this one first; mostly this one alone."""
        ...

    async def __call__(self, request: Request) -> Reply:
        """The reply, from the journal if this very request was answered before.

        Raises:
            ModelFailure: when no reply came within the deadline and the retries.
            BudgetSpent: when the run may make no further call."""
        ...

    def note(self, request: Request, trouble: Trouble, raw: str = "") -> None:
        """Count something wrong with a reply, and keep what came."""
        ...


class ChatEndpoint(Protocol):
    """A model that can be called: `tertulia.models.client.OpenAIChat`, an adapter, or a double."""

    async def complete(self, request: Request, deadline: float) -> Reply:
        """One call, without retries; `deadline` is how many seconds from now it may take.

        Raises:
            CallFailed: with the trouble that kept a reply from coming."""
        ...
