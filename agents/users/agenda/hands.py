"""What a user does with its own hands: using its own tools when it is told to, and telling what it saw."""

import json
from typing import Any

from tertulia.contracts import View
from tertulia.language.acts import Act, act_of
from tertulia.language.filling import assemble, read, slots
from tertulia.language.matching import about
from tertulia.language.saying import render
from tertulia.language.wording import humanize
from tertulia.records import Message, ToolCall
from tertulia.scenario import Want
from tertulia.world import ToolSpec

__all__ = ["own_call", "told_result"]

DID = ("I did that. It says: {result}.", "Done. What I see is: {result}.", "OK, I have tried it. It shows: {result}.")
FAILED = ("I tried, but it says: {result}", "I tried that. It only says: {result}")


def own_call(view: View, last: Message, want: Want | None) -> ToolCall | None:
    """The call that the assistant's last message tells the user to make, if it has such a tool."""
    if act_of(last.text) is not Act.INSTRUCT:
        return None
    rated = [(about(last.text, tool.name), tool) for tool in view.tools]
    best = max(rated, key=lambda entry: entry[0], default=None)
    if best is None or best[0] < 0.6:
        return None
    return ToolCall(id="", name=best[1].name, args=arguments(view, best[1], last.text, want))


def arguments(view: View, tool: ToolSpec, text: str, want: Want | None) -> dict[str, Any]:
    """The values for the user's own tool: those of its want, else what it knows or was told."""
    if want is not None and want.call == tool.name:
        return want.args
    wanted = slots(tool.parameters)
    values = {path: reading.value for path, reading in read(wanted, text).items()}
    for slot in wanted:
        if slot.path[-1] in view.party.knows:
            values[slot.path] = view.party.knows[slot.path[-1]]
    return assemble(values)


def told_result(view: View) -> str | None:
    """What the user says after its own call: the result in words. None if it has just called nothing."""
    last = view.messages[-1] if view.messages else None
    if last is None or last.role != "tool":
        return None
    try:
        value = json.loads(last.text)
    except json.JSONDecodeError:
        value = last.text
    if last.error:
        reason = value.get("error", last.text) if isinstance(value, dict) else last.text
        return view.rng.choice(FAILED).format(result=reason)
    said = render(value) if value not in (None, {}, []) else humanize(last.speaker) + " is done"
    return view.rng.choice(DID).format(result=said.rstrip("."))
