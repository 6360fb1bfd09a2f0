"""What the assistant does next: one of a few moves, decided from the desk alone."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tertulia.agents.assistants.form.desk import Called, Desk
from tertulia.agents.assistants.form.phrases import clause
from tertulia.language.acts import Act, act_of, affirms, drops, negates, thanks
from tertulia.language.filling import Path, Slot, assemble, slots
from tertulia.language.results import bare_name
from tertulia.language.wording import humanize, sentences, stem
from tertulia.memo import Memo
from tertulia.principles import AskFirst, CallFirst, NeverCall, Principle
from tertulia.world import ToolSpec

__all__ = ["Ask", "Call", "Confirm", "Consult", "Decline", "Greet", "Instruct", "Move", "Report", "Thank", "next_move"]

TRANSIENT = re.compile(r"try again|timed? ?out|in time|unavailable|temporar|busy|overload|later", re.IGNORECASE)
DEPTH = 3  # how far back a missing value is chased through other tools


@dataclass(frozen=True, slots=True)
class Greet:
    """Offer help."""


@dataclass(frozen=True, slots=True)
class Thank:
    """Take leave, or answer thanks."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the user for a value."""

    tool: ToolSpec
    slot: Slot
    values: dict[Path, Any]


@dataclass(frozen=True, slots=True)
class Confirm:
    """Ask the user for a yes."""

    tool: ToolSpec
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask a colleague for a yes."""

    tool: ToolSpec
    args: dict[str, Any]
    colleague: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a tool. `instead_of` is the tool it is a step towards."""

    tool: ToolSpec
    args: dict[str, Any]
    towards: ToolSpec | None = None


@dataclass(frozen=True, slots=True)
class Instruct:
    """Ask the user to use a tool of its own."""

    tool: ToolSpec
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the result of a call."""

    tool: ToolSpec
    called: Called


@dataclass(frozen=True, slots=True)
class Decline:
    """Say that it will not or cannot be done, and why."""

    reason: str
    kind: str = "failed"  # failed, unknown, unclear, dropped, waiting
    detail: dict[str, Any] = field(default_factory=dict)


Move = Greet | Thank | Ask | Confirm | Consult | Call | Instruct | Report | Decline


def next_move(desk: Desk) -> Move:
    """The assistant's next move."""
    request, heard = desk.request, desk.last_heard()
    if request is None or heard is None:
        return Greet()
    if request.meant:
        return Decline("", "unclear", {"meant": request.meant})
    if request.tool is None:
        polite = act_of(heard.text) in (Act.OTHER, Act.CLOSE) or thanks(heard.text)
        return Thank() if polite else Decline("", "unknown")
    if heard.role == "user" and drops(heard.text) and not desk.opens(heard):
        return Decline("", "dropped")
    if forbidden(desk, request.tool):
        return Decline("", "unknown")
    if request.owner != desk.view.name:
        return guide(desk, request.tool)
    move = pursue(desk, request.tool, 0, None)
    return Report(request.tool, move) if isinstance(move, Called) else move


def forbidden(desk: Desk, tool: ToolSpec) -> bool:
    """Whether a principle in force never allows a call of this tool."""
    rules = [p.detector for p in desk.view.principles if isinstance(p.detector, NeverCall) and p.revises]
    return any(tool.name in rule.tools and not rule.repeats for rule in rules)


def guide(desk: Desk, tool: ToolSpec) -> Move:
    """See the user through something that it does with a tool of its own."""
    told = [at for at, m in desk.spoken if at >= desk.start and act_of(m.text) is Act.INSTRUCT]
    replies = [m for at, m, _ in desk.replies() if told and at > told[-1] and m.role == "user"]
    if replies:
        return Thank()
    return Instruct(tool, assemble(desk.fill(tool)[0]))


def pursue(desk: Desk, tool: ToolSpec, depth: int, towards: ToolSpec | None) -> Move | Called:
    """The next move towards a call of this tool, or the call if it has succeeded in this request."""
    values, unknown = desk.fill(tool)
    wanted = slots(tool.parameters)
    missing = [slot for slot in wanted if slot.required and slot.path not in values]
    for slot in list(missing):
        found = desk.from_results(slot)
        if found is not None:
            values[slot.path] = found
            missing.remove(slot)
    for rule in call_first(desk, tool):
        step = step_before(desk, rule, depth)
        if step is not None:
            return step
    for slot in missing:
        return chase(desk, tool, slot, values, unknown, depth)
    return carry_out(desk, tool, assemble(values), towards)


def call_first(desk: Desk, tool: ToolSpec) -> list[CallFirst]:
    """The rules that want another call before one of this tool."""
    rules = [p.detector for p in desk.view.principles if isinstance(p.detector, CallFirst)]
    return [rule for rule in rules if tool.name not in rule.first and (not rule.tools or tool.name in rule.tools)]


def step_before(desk: Desk, rule: CallFirst, depth: int) -> Move | None:
    """The next move towards one of the calls that a rule wants first; None once one has succeeded."""
    if desk.succeeded(rule.first) or depth >= DEPTH:
        return None
    own = {tool.name: tool for tool in desk.view.tools}
    options = [own[name] for name in rule.first if name in own]
    for tool in options:
        values = desk.fill(tool)[0]
        if all(slot.path in values for slot in slots(tool.parameters) if slot.required):
            options = [tool]
            break
    move = pursue(desk, options[0], depth + 1, desk.request.tool if desk.request else None) if options else None
    return None if isinstance(move, Called) else move


def providers(desk: Desk, slot: Slot, tool: ToolSpec, *, writes: bool = False) -> list[ToolSpec]:
    """Tools whose result holds a value of that name, the readiest first; those that only read, or those that write."""
    head = [stem(word) for word in slot.label.split() if word not in ("id", "number", "code", "reference")]
    found = []
    for other in desk.view.tools:
        if other.writes != writes or other is tool or slot.path in {s.path for s in slots(other.parameters)}:
            continue
        gives = slot.label in keys(other) or bare_name(slot.label, other.name) in keys(other)
        named = bool(head) and not writes and all(word in map(stem, humanize(other.name).split()) for word in head)
        if gives or (named and not other.output):
            filled = desk.fill(other)[0]
            lacking = sum(1 for s in slots(other.parameters) if s.required and s.path not in filled)
            found.append((lacking, not gives, other.name, other))
    return [other for *_, other in sorted(found, key=lambda entry: entry[:3])]


_keys: Memo[frozenset[str]] = Memo(4096)  # tools


def keys(tool: ToolSpec) -> frozenset[str]:
    """The names of every property in a tool's output schema, as words."""
    return _keys.of((tool,), lambda: _names(tool.output))


def _names(schema: dict[str, Any]) -> frozenset[str]:
    names = re.findall(r'"properties": \{|"([A-Za-z_][\w-]*)": \{', json.dumps(schema))
    return frozenset(humanize(name) for name in names if name)


def chase(desk: Desk, tool: ToolSpec, slot: Slot, values: dict[Path, Any], unknown: set[Path], depth: int) -> Move:
    """Get the value of a missing slot: from a tool that is ready to tell it, from the user, or by way of a tool."""
    sources = providers(desk, slot, tool) if depth < DEPTH else []
    for source in sources:
        filled = desk.fill(source)[0]
        ready = all(s.path in filled for s in slots(source.parameters) if s.required)
        if ready and not desk.calls_of(source.name, desk.start):
            move = pursue(desk, source, depth + 1, tool)
            if not isinstance(move, Called):
                return move
    if slot.path not in unknown and desk.times_asked(slot, slots(tool.parameters)) < 2:
        return Ask(tool, slot, values)
    if slot.kind == "code" and depth < DEPTH:
        sources += providers(desk, slot, tool, writes=True)
    for source in sources:
        if not desk.calls_of(source.name, desk.start):
            move = pursue(desk, source, depth + 1, tool)
            if not isinstance(move, Called):
                return move
    if not desk.times_asked(slot, slots(tool.parameters)):
        return Ask(tool, slot, values)
    return Decline(f"I can't go on without the {slot.label}", "failed")


def carry_out(desk: Desk, tool: ToolSpec, args: dict[str, Any], towards: ToolSpec | None) -> Move | Called:
    """Get the permissions that a complete form needs, then make the call; then its result."""
    made = [called for called in desk.calls_of(tool.name, desk.start) if called.call.args == args]
    if made and not made[-1].result.error:
        return made[-1]
    if made:
        text = made[-1].result.text
        if not TRANSIENT.search(text) or len(made) > 2:
            return Decline(reason_of(text), "failed")
    elif move := permission(desk, tool, args):
        return move
    return Call(tool, args, towards)


def permission(desk: Desk, tool: ToolSpec, args: dict[str, Any]) -> Move | None:
    """The yes that is still wanted before a call, or the refusal it met; None when all have agreed."""
    client = desk.request.client if desk.request else ""
    said = clause(tool, args)
    if tool.writes or asks_first(desk.view.principles, tool, "user"):
        reply = desk.answer_to(said, client)
        if reply is None or not affirms(reply.text):
            refused = reply is not None and negates(reply.text) and desk.asked_about(said, client) > 1
            return Decline("", "dropped") if refused else Confirm(tool, args)
    deciders = [colleague.name for colleague in desk.colleagues if tool.name in colleague.decides]
    if deciders and asks_first(desk.view.principles, tool, "colleague"):
        return consult(desk, tool, args, said, deciders)
    return None


def consult(desk: Desk, tool: ToolSpec, args: dict[str, Any], said: str, deciders: list[str]) -> Move | None:
    """Ask those who have a say in turn, until one decides."""
    for name in deciders:
        asked = desk.last_asked(said, name)
        if asked is None:
            return Consult(tool, args, name)
        reply = next((m for m in desk.view.messages[asked + 1 :] if m.speaker == name), None)
        if reply is None:
            waited = sum(1 for at, _ in desk.spoken if at > asked)
            return Decline(f"the word of the {humanize(name)} is still missing", "waiting" if waited < 2 else "failed")
        if affirms(reply.text):
            return None
        if negates(reply.text):
            return Decline(f"The {humanize(name)} did not agree. {grounds(reply.text)}".strip(), "failed")
    return Decline("nobody could approve it", "failed")


def grounds(text: str) -> str:
    """The reason in a no: what comes after its first sentence."""
    return " ".join(sentences(text)[1:])


def asks_first(principles: tuple[Principle, ...], tool: ToolSpec, of: str) -> list[Principle]:
    """The principles that want somebody's yes before a call of this tool."""
    found = []
    for principle in principles:
        rule = principle.detector
        if (
            isinstance(rule, AskFirst)
            and rule.of == of
            and (tool.name in rule.tools or (not rule.tools and tool.writes))
        ):
            found.append(principle)
    return found


def reason_of(text: str) -> str:
    """The reason in an error result, as the tool gives it."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return str(value.get("error", text)) if isinstance(value, dict) else text
