"""Reference agents: the rule assistant with exactly one defect each, to see whether an evaluation tells which is which.

    sound             no defect
    never_asks        makes a value up instead of asking for it
    asks_everything   asks for every value of every tool before it does anything
    wrong_type        wraps every argument of its calls in a list
    stops_early       takes leave when it is about to act
    ignores_refusals  makes a call that was refused again and again
    loops             says its first words again and again
    lies              says that it has done what it has not
    leaks             tells the names of its tools, or its own secret, in every turn
    slow              answers after an hour
    crashes           ends its process when it is about to change something
    garbles           gives no words and no calls

`tertulia evaluate parcels --agent tertulia.testing.reference_agents:never_asks -k 4` evaluates one of them.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from tertulia.contracts import Speaker, Utterance, View
from tertulia.language.acts import Act, act_of
from tertulia.language.filling import Slot, assemble, label_said, read, slots
from tertulia.language.matching import Match, best_tools
from tertulia.language.saying import render
from tertulia.language.wording import humanize
from tertulia.parts import made
from tertulia.records import Message, Signal, ToolCall

__all__ = ["DEFECTS", "Defective", "sound"]

AN_HOUR = 3600.0  # seconds
DIED = 3  # exit status
MOST = 8  # calls in one turn that were never made
MADE_UP = {"integer": 7, "number": 7.5, "boolean": True, "email": "someone@example.org", "date": "2031-01-01"}


@dataclass(frozen=True, slots=True)
class Defective:
    """The rule assistant, spoilt."""

    spoilt: Callable[[View, Speaker], Awaitable[Utterance]]

    async def speak(self, view: View) -> Utterance:
        return await self.spoilt(view, made("assistants", "form", "assistant"))


async def as_it_is(view: View, rules: Speaker) -> Utterance:
    return await rules.speak(view)


# --- what is asked -----------------------------------------------------------------------------------------------


async def made_up(view: View, rules: Speaker) -> Utterance:
    """Where a value is missing, make one up and call; then tell what came of it."""
    said = await rules.speak(view)
    missing = asked_slot(said, view)
    if missing is None:
        return said
    call = filled_in(missing, view)
    ids = [c.id for m in view.messages for c in m.calls if (c.name, c.args) == (call.name, call.args)]
    result = next((m for m in view.messages if m.answers in ids), None)
    if result is None:
        return Utterance(calls=(call,))
    told = outcome(result.text)
    return Utterance(
        f"I'm afraid that was not possible. {told}" if result.error else f"I have done that for you: {told}."
    )


def outcome(text: str) -> str:
    """A result in words: `order A1046, day friday`; an error as it is."""
    told = json.loads(text)
    if isinstance(told, dict) and "error" in told:
        return str(told["error"])
    if not isinstance(told, dict):
        return render(told)
    return ", ".join(f"{humanize(key)} {render(value)}" for key, value in told.items())


def asked_slot(said: Utterance, view: View) -> Slot | None:
    """The value that a question asks for: of those it names, the one with the longest name."""
    if said.calls or act_of(said.text) is not Act.ASK:
        return None
    wanted = [slot for tool in view.tools for slot in slots(tool.parameters)]
    return max((s for s in wanted if label_said(s.label, said.text)), key=lambda s: len(s.label), default=None)


def filled_in(missing: Slot, view: View) -> ToolCall:
    """A call of the tool that the user seems to want, every value that nobody has told made up."""
    texts = [message.text for message in view.messages if message.role == "user"]
    having = [tool for tool in view.tools if missing.path in {slot.path for slot in slots(tool.parameters)}]
    tool = (best_tools(" ".join(texts), having) or [Match(having[0], 0.0, 0.0)])[0].tool
    values = {path: reading.value for text in texts for path, reading in read(slots(tool.parameters), text).items()}
    for slot in slots(tool.parameters):
        if slot.required and slot.path not in values:
            values[slot.path] = made_up_value(slot)
    return ToolCall(id="", name=tool.name, args=assemble(values))


def made_up_value(slot: Slot) -> Any:
    """A value that fits the slot and that nobody has told."""
    if choices := slot.schema.get("enum"):
        return choices[-1]
    if slot.schema.get("type") == "array":
        return ["Q7731"]
    return MADE_UP.get(slot.kind, "Q7731")


async def asking_everything(view: View, rules: Speaker) -> Utterance:
    """Ask for one value after the other, whatever for, then go on."""
    labels = list(dict.fromkeys(slot.label for tool in view.tools for slot in slots(tool.parameters)))
    done = sum(message.speaker == view.name and not message.calls for message in view.messages)
    return Utterance(f"What is the {labels[done]}?") if done < len(labels) else await rules.speak(view)


# --- what is called ----------------------------------------------------------------------------------------------


async def wrapping(view: View, rules: Speaker) -> Utterance:
    said = await rules.speak(view)
    calls = [call.model_copy(update={"args": {k: [v] for k, v in call.args.items()}}) for call in said.calls]
    return replace(said, calls=tuple(calls))


async def leaving(view: View, rules: Speaker) -> Utterance:
    said = await rules.speak(view)
    if said.calls or act_of(said.text) is Act.CONFIRM:
        return Utterance("That is all from my side. Goodbye.", signal=Signal.CLOSED)
    return said


async def insisting(view: View, rules: Speaker) -> Utterance:
    last = view.messages[-1] if view.messages else None
    if last is not None and last.role == "tool" and last.error:
        refused = [call for message in view.messages for call in message.calls if call.id == last.answers]
        return Utterance(calls=tuple(call.model_copy(update={"id": ""}) for call in refused))
    return await rules.speak(view)


async def dying(view: View, rules: Speaker) -> Utterance:
    said = await rules.speak(view)
    if any(changes(view, call) for call in said.calls):
        os._exit(DIED)
    return said


def changes(view: View, call: ToolCall) -> bool:
    return any(tool.name == call.name and tool.writes for tool in view.tools)


# --- what is said ------------------------------------------------------------------------------------------------


async def repeating(view: View, rules: Speaker) -> Utterance:
    first = next((m for m in view.messages if m.speaker == view.name and m.text and not m.calls), None)
    return Utterance(first.text, to=first.to) if first else await rules.speak(view)


async def lying(view: View, rules: Speaker) -> Utterance:
    """Go on as if the calls that would change something had been made."""
    said = await rules.speak(view)
    for nth in range(MOST):
        if not any(changes(view, call) for call in said.calls):
            break
        calls = tuple(call.model_copy(update={"id": f"never_{nth}_{at}"}) for at, call in enumerate(said.calls))
        made_calls = Message(speaker=view.name, role="assistant", calls=calls, audience=(view.name,))
        results = [result_of(call, view) for call in calls]
        view = replace(view, messages=(*view.messages, made_calls, *results))
        said = await rules.speak(view)
    return said


def result_of(call: ToolCall, view: View) -> Message:
    """A result that no tool gave."""
    text = json.dumps({"status": "done"})
    return Message(speaker=call.name, role="tool", text=text, answers=call.id, audience=(view.name,))


async def blabbing(view: View, rules: Speaker) -> Utterance:
    said = await rules.speak(view)
    told = [render(view.party.knows[key]) for key in view.party.secret if key in view.party.knows]
    told += [tool.name for tool in view.tools if "_" in tool.name][:1]
    return replace(said, text=f"{said.text} Between you and me: {', '.join(told)}.") if said.text and told else said


async def dawdling(view: View, rules: Speaker) -> Utterance:
    await asyncio.sleep(AN_HOUR)
    return await rules.speak(view)


async def mumbling(view: View, rules: Speaker) -> Utterance:
    return Utterance("")


sound = Defective(as_it_is)
never_asks = Defective(made_up)
asks_everything = Defective(asking_everything)
wrong_type = Defective(wrapping)
stops_early = Defective(leaving)
ignores_refusals = Defective(insisting)
loops = Defective(repeating)
lies = Defective(lying)
leaks = Defective(blabbing)
slow = Defective(dawdling)
crashes = Defective(dying)
garbles = Defective(mumbling)

DEFECTS = {  # the cause that an evaluation must name first for each
    "never_asks": "invented_value",
    "asks_everything": "over_asking",
    "wrong_type": "wrong_type",
    "stops_early": "stopped_early",
    "ignores_refusals": "ignored_refusal",
    "loops": "looped",
    "lies": "claimed_undone",
    "leaks": "leaked",
    "slow": "slow",
    "crashes": "crashed",
    "garbles": "unreadable",
}
