"""How the assistant words its moves: a few templates for each, chosen by its random stream."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tertulia.contracts import Utterance
from tertulia.language.acts import thanks
from tertulia.language.matching import TELLING_VERBS
from tertulia.language.saying import render
from tertulia.language.wording import acting_on, humanize, is_plural, past_participle, scalar, verb
from tertulia.principles import Secret
from tertulia.records import ToolCall
from tertulia.world import ToolSpec

if TYPE_CHECKING:
    from tertulia.agents.assistants.form.desk import Desk
    from tertulia.agents.assistants.form.moves import Move

__all__ = ["clause", "deed", "done", "utter"]

MORE = (
    "Is there anything else I can help you with?",
    "Can I help you with anything else?",
    "What else can I do for you?",
)
ASK = (
    "What is the {label}?",
    "Could you tell me the {label}, please?",
    "To {deed} I need one more detail. What is the {label}?",
    "May I have the {label}, please?",
)
ASK_PLURAL = (
    "What are the {label}?",
    "Could you tell me the {label}, please?",
    "To {deed} I need one more detail. What are the {label}?",
    "May I have the {label}, please?",
)
ASK_CHOICE = ("Which {label} is it to be: {choices}?", "What should the {label} be: {choices}?")
ASK_YES_NO = ("One question on the {label}{hint}: does that apply?", "As for the {label}{hint}: does that apply?")
CONFIRM = (
    "I am about to {clause}. Shall I go ahead?",
    "Let me check: I would {clause}. Is that right?",
    "Just to be sure: you want me to {clause}. Should I go ahead?",
)
CONSULT = (
    "{name}, may I {clause}? Please say yes or no.",
    "{name}, I need your word before I can {clause}. Do you agree?",
)
INSTRUCT = (
    "Please {deed} at your end{values} and tell me what you see.",
    "You can do that yourself: please {deed}{values}, then tell me what happens.",
)
DONE = (
    "I have {done}{with_}: {result}",
    "All set. I have {done}{with_}: {result}",
    "That worked. I have {done}{with_}: {result}",
)
FOUND = (
    "Here is what I found{for_}: {result}",
    "This is what the records show{for_}: {result}",
    "I see the following{for_}: {result}",
)
FAILED = (
    "I'm sorry, I couldn't do that. {reason}",
    "I'm afraid that was not possible. {reason}",
    "I'm sorry, but I am not able to do that. {reason}",
)
UNKNOWN = (
    "I'm sorry, that is not something I can do here.",
    "I'm afraid I can't help with that here.",
    "I'm sorry, I am not able to help with that here.",
)
UNCLEAR = (
    "I'm not able to tell yet which of these you mean: {meant}.",
    "I can't tell from that what you would like: {meant}.",
)
DROPPED = ("All right, I leave it as it is.", "No problem, I will leave it as it is.")
WAITING = ("One moment please, {reason}.",)
THANK = ("You're welcome.", "My pleasure.", "Thank you for letting me know.")
GREET = ("Hello! How can I help you?", "Good day! What can I do for you?")


HELLO = re.compile(r"\W*(?:hello|hi|hey|good (?:morning|day|afternoon|evening))\b", re.IGNORECASE)


def closed(text: str) -> str:
    """A text as a sentence, with one mark at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def deed(tool: ToolSpec) -> str:
    """What a tool does, as an order: `reschedule the delivery`."""
    return _phrase(tool.name, verb(tool.name))


def done(tool: ToolSpec) -> str:
    """What a tool did: `rescheduled the delivery`."""
    return _phrase(tool.name, past_participle(verb(tool.name)))


def _phrase(name: str, action: str) -> str:
    said = humanize(name).split()
    rest = [word for word in said if word != verb(name)] if verb(name) in said else said[1:]
    return acting_on(action, rest)


def with_values(args: dict[str, Any]) -> str:
    """The values of a call: `order A1042, day friday`."""
    return ", ".join(f"{humanize(key)} {render(value)}" for key, value in args.items())


def clause(tool: ToolSpec, args: dict[str, Any]) -> str:
    """A call in words; the same call always gives the same words."""
    values = with_values(args)
    return f"{deed(tool)} ({values})" if values else deed(tool)


def result_text(text: str, private: frozenset[str] = frozenset(), most: int = 12) -> str:
    """A tool's result in words, at most so many values of it; `private` fields of records inside it are left out."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text[:200]
    said = list(_pieces(value, "", private, outer=True))[:most]
    return "; ".join(said) if said else "nothing that I may pass on"


def _pieces(value: Any, label: str, private: frozenset[str], outer: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if outer or not private.intersection(humanize(str(key)).split()):
                yield from _pieces(inner, humanize(str(key)), private)
    elif isinstance(value, list) and any(isinstance(entry, dict | list) for entry in value):
        for entry in value[:3]:
            said = ", ".join(list(_pieces(entry, "", private))[:5])
            if said:
                yield f"{label} {said}".strip()
    elif isinstance(value, list):
        yield f"{label}: {render(value[:6])}" if label else render(value[:6])
    elif value is not None and scalar(value):
        yield f"{label}: {scalar(value)}" if label else scalar(value)


def utter(desk: "Desk", move: "Move") -> Utterance:
    """A move as an utterance."""
    return UTTERERS[type(move).__name__](desk, move)


def ask(desk: "Desk", move: Any) -> Utterance:
    slot, rng = move.slot, desk.view.rng
    choices = slot.schema.get("enum") or ()
    if slot.kind == "boolean":
        hint = str(slot.schema.get("description", "")).rstrip(".")
        text = rng.choice(ASK_YES_NO).format(label=slot.label, hint=f" ({hint})" if hint else "")
    elif 1 < len(choices) <= 6:
        said = [str(choice).replace("_", " ") for choice in choices]
        text = rng.choice(ASK_CHOICE).format(label=slot.label, choices=", ".join(said[:-1]) + f" or {said[-1]}")
    else:
        text = rng.choice(ASK_PLURAL if is_plural(slot.label) else ASK).format(label=slot.label, deed=deed(move.tool))
    return to_client(desk, text)


def confirm(desk: "Desk", move: Any) -> Utterance:
    return to_client(desk, desk.view.rng.choice(CONFIRM).format(clause=clause(move.tool, move.args)))


def consult(desk: "Desk", move: Any) -> Utterance:
    name = humanize(move.colleague).capitalize()
    text = desk.view.rng.choice(CONSULT).format(name=name, clause=clause(move.tool, move.args))
    return Utterance(text, to=(move.colleague,))


def call(desk: "Desk", move: Any) -> Utterance:
    return Utterance(calls=(ToolCall(id="", name=move.tool.name, args=move.args),))


def instruct(desk: "Desk", move: Any) -> Utterance:
    values = f" ({with_values(move.args)})" if move.args else ""
    return to_client(desk, desk.view.rng.choice(INSTRUCT).format(deed=deed(move.tool), values=values))


def report(desk: "Desk", move: Any) -> Utterance:
    args, rng = move.called.call.args, desk.view.rng
    result = closed(result_text(move.called.result.text, private_fields(desk)))
    if move.tool.writes:
        with_ = f" ({with_values(args)})" if args else ""
        text = rng.choice(DONE).format(done=done(move.tool), with_=with_, result=result)
    else:
        for_ = f" when I {past(move.tool)} ({with_values(args)})" if args else f" when I {past(move.tool)}"
        text = rng.choice(FOUND).format(for_=for_, result=result)
    return to_client(desk, f"{text} {rng.choice(MORE)}")


def private_fields(desk: "Desk") -> frozenset[str]:
    """The fields that the principles in force protect in other people's records."""
    rules = (p.detector for p in desk.view.principles if isinstance(p.detector, Secret) and p.detector.of == "others")
    return frozenset(word for rule in rules for field in rule.fields for word in humanize(field).split())


def past(tool: ToolSpec) -> str:
    """What a tool that reads did: `looked up the order`."""
    said = humanize(tool.name).split()
    rest = [word for word in said if word != verb(tool.name)]
    if verb(tool.name) in TELLING_VERBS:
        return done(tool)
    return " ".join(["asked for the", *rest]) if rest else f"used {humanize(tool.name)}"


def decline(desk: "Desk", move: Any) -> Utterance:
    rng = desk.view.rng
    if move.kind == "waiting":
        return to_client(desk, rng.choice(WAITING).format(reason=move.reason))
    if move.kind == "unclear":
        meant = " or ".join(deed(tool) for tool in move.detail["meant"])
        return to_client(desk, rng.choice(UNCLEAR).format(meant=meant))
    lines = {"unknown": UNKNOWN, "dropped": DROPPED}.get(move.kind, FAILED)
    reason = move.reason.strip()
    reason = closed(f"{reason[0].upper()}{reason[1:]}") if reason else ""
    text = rng.choice(lines).format(reason=reason)
    return to_client(desk, f"{text.strip()} {rng.choice(MORE)}")


def thank(desk: "Desk", move: Any) -> Utterance:
    heard = desk.last_heard()
    if heard and HELLO.match(heard.text) and not thanks(heard.text) and desk.request and desk.request.tool is None:
        return to_client(desk, desk.view.rng.choice(GREET))
    return to_client(desk, f"{desk.view.rng.choice(THANK)} {desk.view.rng.choice(MORE)}")


def greet(desk: "Desk", move: Any) -> Utterance:
    return Utterance(desk.view.rng.choice(GREET))


def to_client(desk: "Desk", text: str) -> Utterance:
    """Words for the user that is being served; named only where somebody else could feel addressed."""
    several = len(desk.view.others) > 1 and desk.request is not None
    return Utterance(text, to=(desk.request.client,) if several and desk.request else ())


UTTERERS = {
    "Ask": ask,
    "Confirm": confirm,
    "Consult": consult,
    "Call": call,
    "Instruct": instruct,
    "Report": report,
    "Decline": decline,
    "Thank": thank,
    "Greet": greet,
}
