"""The desk: what the conversation so far means to the assistant, read from the messages it has heard."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from tertulia.agents.assistants.form.requests import first_request, foreign, several_meant
from tertulia.contracts import Neighbour, View
from tertulia.language.acts import Act, act_of, drops, negates, question, substance
from tertulia.language.filling import LABELLED, LIKELY, SHAPED, Path, Slot, label_said, read, slots
from tertulia.language.matching import Match, best_tools
from tertulia.language.results import from_results
from tertulia.language.wording import humanize, stems, words
from tertulia.memo import Memo
from tertulia.records import Message, ToolCall
from tertulia.world import ToolSpec

__all__ = ["Called", "Desk", "Request"]

UNKNOWN = re.compile(
    r"\b(don't know|do not know|not sure|no idea|don't have|do not have|can't say|cannot say|no clue|unsure)\b",
    re.IGNORECASE,
)
DISOWNED = re.compile(
    r"\b(?:(?:don't|do not|can't|cannot) (?:know|have|remember|find|recall)|not sure about)"
    r" (?:his|her|their|the|my|its|our)((?: [\w-]+){1,4})",
    re.IGNORECASE,
)
THINKS_AGAIN = re.compile(r"\b(?:actually|changed my mind|instead|on second thou?ght|wait)\b", re.IGNORECASE)
SPOKEN, UNSPOKEN = 5.0, 6.0  # the score that a match needs when a part, or nothing, of the tool's name is said
TELLING = frozenset(("code", "enum", "day", "date", "time", "email"))  # what a correction may change without naming it
LASTING = frozenset(("code", "email", "ip"))  # what somebody said about these still holds for the next request


@dataclass(frozen=True, slots=True)
class Called:
    """One of the assistant's own calls with its result."""

    at: int  # index of the call's message
    call: ToolCall
    result: Message


@dataclass(slots=True)
class Request:
    """What the user wants now: the tool it is about, and where it began."""

    start: int
    client: str
    tool: ToolSpec | None
    owner: str  # who has that tool
    corrects: bool = False  # the values of the former request still hold
    text: str = ""  # the part of its first message that is about it; empty: all of it
    meant: tuple[ToolSpec, ...] = ()  # several tools that a vague request may be about


_together: Memo[tuple[ToolSpec, ...]] = Memo(256)  # what several parties can do


@dataclass
class Desk:
    """The assistant's reading of the conversation."""

    view: View
    request: Request | None = None
    spoken: list[tuple[int, Message]] = field(default_factory=list)  # its own words, with their place
    calls: list[Called] = field(default_factory=list)
    filled: dict[int, tuple[dict[Path, Any], set[Path]]] = field(default_factory=dict)  # forms, by the tool's identity

    @classmethod
    def read(cls, view: View) -> "Desk":
        desk = cls(view)
        results = {m.answers: m for m in view.messages if m.role == "tool"}
        for at, message in enumerate(view.messages):
            if message.speaker == view.name and message.calls:
                desk.calls += [Called(at, c, results[c.id]) for c in message.calls if c.id in results]
            elif message.speaker == view.name:
                desk.spoken.append((at, message))
            elif message.role == "user":
                desk.hear(at, message)
        return desk

    # --- whose turn it is to be served ---------------------------------------------------------------------------

    @cached_property
    def colleagues(self) -> tuple[Neighbour, ...]:
        return tuple(other for other in self.view.others if other.role == "colleague")

    @cached_property
    def reachable(self) -> dict[str, str]:
        """Tools of other users, with who has them."""
        return {tool.name: other.name for other in self.view.others if other.role == "user" for tool in other.tools}

    @cached_property
    def known_tools(self) -> tuple[ToolSpec, ...]:
        """The assistant's own tools and those that users have at their end."""
        theirs = [other.tools for other in self.view.others if other.role == "user" and other.tools]
        if not theirs:
            return self.view.tools
        return _together.of((self.view.tools, *theirs), lambda: tuple(chain(self.view.tools, *theirs)))

    def hear(self, at: int, message: Message) -> None:
        """Take in a user's message: a new request, or an answer within the open one."""
        last = act_of(self.spoken[-1][1].text) if self.spoken else None
        text = first_request(message.text, self.known_tools)
        matches = best_tools(substance(text), self.known_tools)
        best = matches[0] if matches else None
        if (
            self.request is None
            or last in (None, Act.REPORT, Act.REFUSE, Act.OTHER, Act.CLOSE)
            or (
                last is Act.CONFIRM
                and negates(message.text)
                and not drops(message.text)
                and self.switches(message, best)
            )
        ):
            meant = several_meant(text, matches) if self.request is None else ()
            if meant:
                self.request = Request(at, message.speaker, None, self.view.name, meant=meant)
                return
            self.open(at, message, best)
            if text != message.text and self.request is not None and self.request.start == at:
                self.request.text = text

    def switches(self, message: Message, best: Match | None) -> bool:
        """Whether a reply that says no names another tool instead."""
        request = self.request
        return best is not None and best.named >= 0.6 and (request is None or best.tool is not request.tool)

    def open(self, at: int, message: Message, best: Match | None) -> None:
        """Begin a request with this message."""
        former = self.request
        fits = best is not None and (best.named >= 0.5 or best.score >= (SPOKEN if best.named else UNSPOKEN))
        fits = fits and best is not None and not foreign(message.text, best.tool)
        if not fits and (by_values := self.by_values(message)) is not None:
            best, fits = Match(by_values, 0.0, 0.0), True
        if (
            not fits
            and former is None
            and len(self.known_tools) == 1
            and act_of(message.text) not in (Act.OTHER, Act.CLOSE)
        ):
            best, fits = Match(self.known_tools[0], 0.0, 0.0), True  # it is what it is there for
        if former is not None and former.tool is not None and (not fits or self.objects(message, best, former.tool)):
            mended = self.mended(former, message)
            if mended is not None:
                self.request = Request(former.start, message.speaker, mended, former.owner, corrects=True)
                return
        tool = best.tool if fits and best is not None else None
        owner = self.reachable.get(tool.name, self.view.name) if tool else self.view.name
        if tool and any(tool is own for own in self.view.tools):
            owner = self.view.name
        unheard = former is not None and former.tool is None and former.client == message.speaker and tool is not None
        start = former.start if former is not None and unheard else at  # what was not understood holds values too
        self.request = Request(start, message.speaker, tool, owner)

    def by_values(self, message: Message) -> ToolSpec | None:
        """The one tool whose required values a message gives by their shape, where its words name none."""
        found = []
        for tool in self.view.tools:
            wanted = [slot for slot in slots(tool.parameters) if slot.required]
            readings = read(slots(tool.parameters), message.text)
            telling = [readings[slot.path] for slot in wanted if slot.path in readings and slot.schema.get("pattern")]
            if wanted and len(telling) == len(wanted):
                found.append(tool)
        return found[0] if len(found) == 1 else None

    def objects(self, message: Message, best: Match | None, tool: ToolSpec) -> bool:
        """Whether a message says that something is not right without naming another tool."""
        otherwise = negates(message.text) or THINKS_AGAIN.search(message.text) is not None
        return otherwise and (best is None or best.tool is tool or best.named < 0.6)

    def mended(self, former: Request, message: Message) -> ToolSpec | None:
        """The tool of the former request, or of a step towards it, of which a message gives a value by its label."""
        steps = [called.call.name for called in reversed(self.calls) if called.at >= former.start]
        own = {tool.name: tool for tool in self.view.tools}
        options = [former.tool, *(own[name] for name in dict.fromkeys(steps) if name in own)]
        return next((tool for tool in options if tool is not None and self.mends(tool, message)), None)

    def mends(self, tool: ToolSpec, message: Message) -> bool:
        """Whether a message gives a value of that tool by its label."""
        found = read(slots(tool.parameters), message.text)
        return any(reading.strength >= LABELLED - 0.2 for reading in found.values())

    # --- the form ------------------------------------------------------------------------------------------------

    @property
    def start(self) -> int:
        return self.request.start if self.request else 0

    def replies(self) -> Iterator[tuple[int, Message, Message | None]]:
        """What others said, each with the assistant's own words that it follows."""
        own = dict(self.spoken)
        last: Message | None = None
        for at, message in enumerate(self.view.messages):
            if at in own:
                last = message
            elif message.role in ("user", "colleague"):
                yield at, message, last

    def asked(self, wanted: tuple[Slot, ...], asking: Message | None) -> tuple[bool, Slot | None]:
        """Whether a message of its own asked for a value, and for which of these slots."""
        if asking is None or act_of(asking.text) is not Act.ASK:
            return False, None
        core = question(asking.text)
        named = [slot for slot in wanted if label_said(slot.label, core)]
        said = words(core)
        return True, max(named, key=lambda slot: (exactly(slot.label, said), len(slot.label)), default=None)

    def fill(self, tool: ToolSpec) -> tuple[dict[Path, Any], set[Path]]:
        """The values that the form of this tool has so far, and the slots whose value nobody could give."""
        if id(tool) not in self.filled:
            self.filled[id(tool)] = self.filled_in(tool)
        values, unknown = self.filled[id(tool)]
        return dict(values), unknown

    def filled_in(self, tool: ToolSpec) -> tuple[dict[Path, Any], set[Path]]:
        """The form of this tool, read off what was said."""
        wanted = slots(tool.parameters)
        values: dict[Path, Any] = {}
        sure: dict[Path, float] = {}
        unknown: set[Path] = set()
        kinds = {slot.path: slot.kind for slot in wanted}
        needed = {slot.path for slot in wanted if slot.required}
        part = self.request.text if self.request else ""
        for at, message, asking in self.replies():
            text = part if part and at == self.start else message.text
            current = at >= self.start
            was_asked, slot = self.asked(wanted, asking) if current else (False, None)
            if slot is not None and UNKNOWN.search(message.text):
                unknown.add(slot.path)
                continue
            corrects = current and asking is not None and act_of(asking.text) is Act.CONFIRM
            corrects &= " should be " not in message.text  # that names what is not right
            lacking = disowned(wanted, text) if current else set()
            unknown |= lacking
            for path, reading in read(wanted, text, slot).items():
                if path in lacking and reading.strength < LABELLED - 0.2:
                    continue
                lasting = current or (path in needed and kinds[path] in LASTING and reading.strength >= SHAPED - 0.6)
                sure_enough = not was_asked or slot is not None or reading.strength >= SHAPED - 0.4
                known = sure.get(path, 0.0)
                enough = LIKELY - 0.2 if corrects and kinds[path] in TELLING else min(known, SHAPED)
                if lasting and sure_enough and reading.strength >= enough:
                    values[path], sure[path] = reading.value, reading.strength
                    unknown.discard(path)
        return values, unknown

    def from_results(self, slot: Slot) -> Any:
        """An identifier for a slot out of what the assistant's calls have returned."""
        results = [(called.call.name, called.result.text) for called in self.calls if not called.result.error]
        hints = frozenset().union(*(stems(m.text) for at, m, _ in self.replies() if at >= self.start))
        return from_results(slot, results, hints)

    def times_asked(self, slot: Slot, wanted: tuple[Slot, ...]) -> int:
        """How often the assistant has asked for a slot in this request."""
        return sum(self.asked(wanted, m)[1] == slot for at, m in self.spoken if at >= self.start)

    # --- permission ----------------------------------------------------------------------------------------------

    def answer_to(self, clause: str, party: str) -> Message | None:
        """What a party said to the assistant's latest question to it that has this clause."""
        own = reversed(self.spoken)
        put = (at for at, m in own if clause in m.text and at >= self.start and (not m.to or party in m.to))
        asked_at = next(put, None)
        if asked_at is None:
            return None
        return next((m for m in self.view.messages[asked_at + 1 :] if m.speaker == party), None)

    def asked_about(self, clause: str, party: str) -> int:
        """How often the assistant has put this clause to a party."""
        hits = [m for at, m in self.spoken if at >= self.start and clause in m.text]
        return sum(1 for m in hits if not m.to or party in m.to)

    def last_asked(self, clause: str, party: str) -> int | None:
        """Where the assistant last put this clause to a party by name."""
        own = reversed(self.spoken)
        return next((at for at, m in own if at >= self.start and clause in m.text and party in m.to), None)

    # --- calls ---------------------------------------------------------------------------------------------------

    def calls_of(self, tool: str, since: int = 0) -> list[Called]:
        return [called for called in self.calls if called.call.name == tool and called.at >= since]

    def succeeded(self, names: tuple[str, ...]) -> bool:
        return any(called.call.name in names and not called.result.error for called in self.calls)

    def opens(self, message: Message) -> bool:
        """Whether the request began with this very message."""
        return self.request is not None and self.view.messages[self.request.start] is message

    def last_heard(self) -> Message | None:
        """The newest message of somebody else."""
        others = (m for m in reversed(self.view.messages) if m.role in ("user", "colleague"))
        return next((m for m in others if m.speaker != self.view.name), None)


def exactly(label: str, said: tuple[str, ...]) -> bool:
    """Whether every word of a label is said in its own form: `verse` is not `version`, though their stems agree."""
    return all(word in said for word in label.split())


def disowned(wanted: tuple[Slot, ...], text: str) -> set[Path]:
    """The slots whose value a message says its speaker does not have: `I don't know his user id`."""
    if "n't" not in text and "not" not in text:
        return set()
    said = [" ".join(map(humanize, match[1].split())) for match in DISOWNED.finditer(text)]
    return {slot.path for slot in wanted if any(label_said(slot.label, words) for words in said)}
