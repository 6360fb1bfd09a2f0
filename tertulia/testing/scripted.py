"""A model that answers what it is told to: from a list, a function, or a file of replies by role and step.

    replies:
    - role: planner
      json: {opening: "Where is my parcel?", steps: []}
    - role: assistant
      step: "agent/1/*"
      calls: [{name: find_order, args: {order: A1042}}]
    - text: "All done. Anything else?"

The first entry that fits a request answers it; `step` and `conversation` are shell patterns, and an entry with
`times` is used up after so many replies.
"""

import json
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import Field

from tertulia.models.records import CallFailed, ModelRole, RawCall, Reply, Request, ToolForm, Trouble
from tertulia.records import Record
from tertulia.source import read_records

__all__ = ["NoReply", "Scripted", "ScriptedReply", "replies_of"]

Given = Reply | str | dict[str, Any] | Exception
Replies = Sequence[Given] | Callable[[Request], Given]


class NoReply(CallFailed):
    """A double was asked something for which it has no reply. The message names the request."""

    def __init__(self, request: Request, why: str) -> None:
        asked = f"{request.role} {request.step!r} of conversation {request.conversation!r}"
        last = str(request.messages[-1].get("content") or "")[:120] if request.messages else ""
        super().__init__(Trouble.DENIED, f"{why} for {asked}, which ends in {last!r}")


class ScriptedCall(Record):
    """A tool call of a scripted reply."""

    name: str
    args: dict[str, Any] = Field({}, description="its arguments")


class ScriptedReply(Record):
    """One entry of a file of replies: whom it answers, and with what."""

    role: ModelRole | None = Field(None, description="left out: any role")
    step: str = Field("*", description="shell pattern of the step, such as agent/1/*")
    conversation: str = Field("*", description="shell pattern of the conversation's id")
    times: int | None = Field(None, ge=1, description="how often it may be used; left out: always")
    text: str = Field("", description="what is said")
    data: Any = Field(None, alias="json", description="said as JSON text instead")
    calls: tuple[ScriptedCall, ...] = Field((), description="tool calls")
    reasoning: str = ""
    refusal: str = ""
    finish: str = ""

    def fits(self, request: Request) -> bool:
        return (
            self.role in (None, request.role)
            and fnmatchcase(request.step, self.step)
            and fnmatchcase(request.conversation, self.conversation)
        )

    def reply(self) -> Reply:
        calls = tuple(
            RawCall(id=f"call_{nth}", name=call.name, arguments=json.dumps(call.args, ensure_ascii=False))
            for nth, call in enumerate(self.calls)
        )
        return Reply(
            text=self.text if self.data is None else json.dumps(self.data, ensure_ascii=False),
            calls=calls,
            reasoning=self.reasoning,
            refusal=self.refusal,
            finish=self.finish or ("tool_calls" if calls else "stop"),
            model="scripted",
        )


class ReplyFile(Record):
    """A file of replies."""

    replies: tuple[ScriptedReply, ...] = Field(min_length=1)


class Scripted:
    """A double for both doors to a model: an `Ask` that a part holds, and an endpoint that the caller calls.

    A list answers in its order, a function by the request; a reply is a `Reply`, a text, data that is sent as JSON, or
    an exception that is raised. `asked` holds every request, `noted` what the part found wrong with the replies."""

    def __init__(self, replies: Replies, tool_form: ToolForm = "native") -> None:
        self.replies, self.tool_form = replies, tool_form
        self.asked: list[Request] = []
        self.noted: list[tuple[str, Trouble, str]] = []  # step, trouble, raw

    @property
    def model(self) -> str:
        return "scripted"

    @property
    def candidates(self) -> "tuple[Scripted, ...]":
        return (self,)

    @classmethod
    def from_file(cls, path: str | Path) -> "Scripted":
        """Replies from a YAML or JSON file.

        Raises:
            ScenarioError: with every fault of the file, at its line."""
        return cls(replies_of(Path(path)))

    async def __call__(self, request: Request) -> Reply:
        """As an `Ask`."""
        return self.next(request)

    async def complete(self, request: Request, deadline: float = 0.0) -> Reply:
        """As a `ChatEndpoint`."""
        return self.next(request)

    def note(self, request: Request, trouble: Trouble, raw: str = "") -> None:
        self.noted.append((request.step, trouble, raw))

    def next(self, request: Request) -> Reply:
        nth = len(self.asked)
        self.asked.append(request)
        if callable(self.replies):
            given = self.replies(request)
        elif nth < len(self.replies):
            given = self.replies[nth]
        else:
            raise NoReply(request, f"all {len(self.replies)} scripted replies are used up; there is none")
        if isinstance(given, Exception):
            raise given
        if isinstance(given, Reply):
            return given
        return Reply(text=given if isinstance(given, str) else json.dumps(given, ensure_ascii=False), model="scripted")


def replies_of(path: Path) -> Callable[[Request], Reply]:
    """The function that a file of replies stands for."""
    entries = read_records(path, ReplyFile)[1].replies
    used = [0] * len(entries)

    def answer(request: Request) -> Reply:
        for nth, entry in enumerate(entries):
            if entry.fits(request) and (entry.times is None or used[nth] < entry.times):
                used[nth] += 1
                return entry.reply()
        raise NoReply(request, f"{str(path)!r} has no reply")

    return answer
