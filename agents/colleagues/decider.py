"""The rule colleague: answers the assistant's requests for a yes as its party has decided."""

from tertulia.contracts import Utterance, View
from tertulia.language.acts import Act, act_of
from tertulia.language.filling import assemble, read, slots
from tertulia.language.matching import about
from tertulia.language.rewording import reworded
from tertulia.language.wording import stem, stems, verb
from tertulia.records import Message, ToolCall
from tertulia.scenario import Decision
from tertulia.world import ToolSpec

__all__ = ["Decider"]

YES = ("Yes, go ahead.", "Yes, that is fine with me.", "Yes, please do.")
NO = ("No, I can't allow that.", "No, please don't.", "No, not this time.")
UNDECIDED = ("No, I can't decide that.", "No, that is not for me to decide.", "No, I have no say in that.")
LAST_RESORT = "No, I can't answer that."
IDLE = ("Nothing from my side.", "I have nothing to add.", "Carry on without me.")


class Decider:
    """Says yes or no as its party's `decides` has it; with a tool of its own for a yes, it uses that first."""

    async def speak(self, view: View) -> Utterance:
        return reworded(view, lambda: answer(view), LAST_RESORT)


def answer(view: View) -> Utterance:
    """The answer to the open request, or a word in passing."""
    asked = open_request(view)
    if asked is None:
        return Utterance(view.rng.choice(IDLE))
    decision = decision_on(view, asked.text)
    if decision is None:
        return Utterance(view.rng.choice(UNDECIDED), to=(asked.speaker,))
    call = own_call(view, decision, asked)
    if call is not None and not sent_back(view, call):
        return Utterance(calls=(call,))
    words = view.rng.choice(YES if decision.answer == "yes" else NO)
    return Utterance(f"{words} {sentence(decision.because)}".strip(), to=(asked.speaker,))


def sent_back(view: View, call: ToolCall) -> bool:
    """Whether this very call was sent back in this turn."""
    return any((made.name, made.args) == (call.name, call.args) for d in view.sent_back for made in d.message.calls)


def sentence(text: str) -> str:
    """A reason as a sentence of its own."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def open_request(view: View) -> Message | None:
    """The last request for its word that this colleague has not answered yet."""
    for message in reversed(view.messages):
        if message.speaker == view.name and not message.calls:
            return None
        if message.role == "assistant" and not message.calls and act_of(message.text) in (Act.CONFIRM, Act.ASK):
            return message if not message.to or view.name in message.to else None
    return None


def decision_on(view: View, text: str) -> Decision | None:
    """The decision whose call the text speaks of most."""
    rated = [(about(text, d.call) + (stem(verb(d.call)) in stems(text)) * 0.1, d) for d in view.party.decides]
    best = max(rated, key=lambda entry: entry[0], default=None)
    return best[1] if best and best[0] >= 0.5 else None


def own_call(view: View, decision: Decision, asked: Message) -> ToolCall | None:
    """The call of its own that goes with a yes: a tool that shares its object with the call it is asked about."""
    at = next(nth for nth, m in enumerate(view.messages) if m is asked)
    if decision.answer != "yes" or any(m.calls and m.speaker == view.name for m in view.messages[at:]):
        return None
    for tool in view.tools:
        if about(decision.call.replace(verb(decision.call), "", 1), tool.name) >= 0.5:
            values = fillable(tool, asked.text)
            return ToolCall(id="", name=tool.name, args=values) if values is not None else None
    return None


def fillable(tool: ToolSpec, text: str) -> dict[str, object] | None:
    """The arguments that a text gives for a tool, or None when a required one is missing."""
    wanted = slots(tool.parameters)
    found = read(wanted, text)
    if any(slot.required and slot.path not in found for slot in wanted):
        return None
    return assemble({path: reading.value for path, reading in found.items()})
