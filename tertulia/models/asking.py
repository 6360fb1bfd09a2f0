"""Asking a model for something usable: read the reply, and when it cannot be used say once what to mend."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tertulia.models.answers import NotJson, WrongSchema, clean, find_json
from tertulia.models.records import Ask, BadReply, Reply, Request, Trouble
from tertulia.models.replies import cut_reasoning, halted

__all__ = ["Reading", "ask_for", "read_answer"]

Value = TypeVar("Value")
SHOWN = 2000  # characters of a bad reply that are shown to the model again

MEND = {
    Trouble.EMPTY: "Your reply was empty. Reply again.",
    Trouble.TRUNCATED: "Your reply was cut off because it was too long. Reply again, much shorter.",
    Trouble.NOT_JSON: "This could not be read as JSON ({detail}). Reply again with the JSON alone.",
    Trouble.WRONG_SCHEMA: "This does not have the shape that was asked for ({detail}). Reply again in that shape.",
    Trouble.UNKNOWN_TOOL: "There is no such tool ({detail}). Reply again.",
    Trouble.WRONG_ARGUMENTS: "The call does not fit the tool's parameters ({detail}). Reply again.",
    Trouble.ROLE_INVERSION: "These are words for another party, not for you ({detail}). Reply again in your own role.",
}


@dataclass(frozen=True, slots=True)
class Reading(Generic[Value]):
    """What a reply was read as, and what was wrong with it that could be put right."""

    value: Value
    troubles: tuple[Trouble, ...] = ()


async def ask_for(ask: Ask, request: Request, read: Callable[[Reply], Reading[Value]]) -> Value:
    """What `read` makes of the reply. A reply it cannot use is shown to the model once, with what to mend.

    Raises:
        BadReply: when the second reply is of no use either, or the trouble is none that asking again mends."""
    reply = await ask(request)
    try:
        reading = read(reply)
    except BadReply as bad:
        ask.note(request, bad.trouble, bad.raw)
        if bad.trouble not in MEND:
            raise
        request = once_more(request, reply, bad)
        reply = await ask(request)
        try:
            reading = read(reply)
        except BadReply as worse:
            ask.note(request, worse.trouble, worse.raw)
            raise
    for trouble in reading.troubles:
        ask.note(request, trouble, raw_of(reply))
    return reading.value


def once_more(request: Request, reply: Reply, bad: BadReply) -> Request:
    """The same request with the bad reply and one sentence on what to mend behind it."""
    written = "\n".join(
        (clean(reply.text).strip(), *(f"{call.name}({call.arguments})" for call in reply.calls))
    ).strip()
    mend = MEND[bad.trouble].replace("{detail}", bad.detail)
    added = (
        {"role": "assistant", "content": clean(written)[:SHOWN] or "(nothing)"},
        {"role": "user", "content": f"({mend})"},
    )
    return request.model_copy(update={"messages": (*request.messages, *added), "step": f"{request.step}/again"})


def raw_of(reply: Reply) -> str:
    """A reply as it came, or as much of it as the endpoint's double gives."""
    return clean(reply.raw or reply.text) or json.dumps([call.model_dump() for call in reply.calls])


def read_answer(reply: Reply, schema: Mapping[str, Any]) -> Reading[Any]:
    """The JSON value that a structured reply holds.

    Raises:
        BadReply: when the reply was refused or cut off, or holds no JSON of that schema."""
    raw = raw_of(reply)
    text, leaked = cut_reasoning(clean(reply.text))
    if trouble := halted(reply, text):
        raise BadReply(trouble, f"no answer came (finish: {reply.finish})", raw)
    try:
        value, prose = find_json(text, schema)
    except NotJson as error:
        raise BadReply(Trouble.NOT_JSON, str(error), raw) from None
    except WrongSchema as error:
        raise BadReply(Trouble.WRONG_SCHEMA, str(error), raw) from None
    troubles = [Trouble.REASONING_LEAK] * leaked + [Trouble.JSON_IN_PROSE] * prose
    return Reading(value, tuple(troubles))
