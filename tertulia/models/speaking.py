"""How a model takes the floor: the request that gives it the floor, and its reply read as an utterance."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tertulia.contracts import Utterance, View
from tertulia.errors import did_you_mean
from tertulia.memo import Memo
from tertulia.models.answers import NotJson, WrongSchema, clean, parse_json
from tertulia.models.arguments import fitted, parse_arguments
from tertulia.models.asking import Reading, ask_for, raw_of
from tertulia.models.prompts import chat
from tertulia.models.records import Ask, BadReply, ModelFailure, RawCall, Reply, Request, Trouble
from tertulia.models.replies import (
    addressees,
    admitted,
    cut_other_sides,
    cut_reasoning,
    goodbye_loop,
    halted,
    inverted,
    stop_word,
)
from tertulia.models.tool_form import in_words, told, whole_call, written_calls
from tertulia.records import Draft, Message, Signal, ToolCall
from tertulia.scenario import Role
from tertulia.world import ToolSpec

__all__ = ["Voice", "drafted_by_each", "read_speech", "roles"]

FAREWELL = "Goodbye."
NOT_DONE = json.dumps({"error": "Not carried out: the draft was sent back."})
MOST_STOPS = 4  # what hosted endpoints take
SENT_BACK = """(A reviewer sent this draft back; nobody has heard it. What is wrong with it:
{remarks}
Give another draft in its place. Do not speak of the review.)"""


@dataclass(frozen=True, slots=True)
class Brief:
    """What stays the same in every request of one party."""

    system: str
    tools: tuple[dict[str, Any], ...]
    stop: tuple[str, ...]


@dataclass(slots=True)
class Voice:
    """A model in one role. `system` writes the system prompt; it is given the text on tools, if the model needs one."""

    ask: Ask
    role: Role
    system: Callable[[View, str], str]
    admits: bool = False  # whether it adds to its words which principles they break
    place: str = ""  # of one of several candidates: the end of its steps
    briefs: Memo[Brief] = field(default_factory=Memo)

    def brief(self, view: View) -> Brief:
        sources = (view.party, view.tools, view.others, view.script, view.plan)
        return self.briefs.of(sources, lambda: self.written(view))

    def written(self, view: View) -> Brief:
        native = self.ask.tool_form == "native"
        return Brief(
            system=self.system(view, "" if native else told(view.tools)),
            tools=tuple(tool.openai() for tool in view.tools) if native else (),
            stop=tuple(f"\n{other.name}:" for other in view.others[:MOST_STOPS]),
        )

    def request(self, view: View, heard: Sequence[Mapping[str, Any]]) -> Request:
        """What is asked when the party has the floor. `heard` is the conversation from its side (`views.as_chat`)."""
        brief = self.brief(view)
        messages = [*heard, *(part for draft in view.sent_back for part in sent_back(draft, view))]
        return Request(
            conversation=view.conversation,
            role=self.role,
            step=view.step + self.place,
            messages=chat(brief.system, messages if self.ask.tool_form == "native" else in_words(messages)),
            tools=brief.tools,
            stop=brief.stop,
            seed=view.rng.getrandbits(31),
        )

    async def say(self, view: View, heard: Sequence[Mapping[str, Any]]) -> Utterance:
        """What the model does with the floor.

        Raises:
            BadReply: when neither its reply nor its second one can be used."""
        request = self.request(view, heard)
        return await ask_for(self.ask, request, lambda reply: read_speech(reply, view, self.role, self.admits))


async def drafted_by_each(voices: Sequence[Voice], view: View, heard: Sequence[Mapping[str, Any]]) -> Utterance:
    """What several candidates do with the floor, all at once: the first one's draft, the others as its siblings.

    Raises:
        ModelFailure: the first one's, when none of them gave anything that can be used."""
    tried = await asyncio.gather(*(voice.say(view, heard) for voice in voices), return_exceptions=True)
    for one in tried:
        if isinstance(one, BaseException) and not isinstance(one, ModelFailure):
            raise one
    told = zip(voices, tried, strict=True)
    said = [replace(one, by=voice.ask.model) for voice, one in told if isinstance(one, Utterance)]
    if not said:
        raise next(one for one in tried if isinstance(one, ModelFailure))
    return replace(said[0], siblings=tuple(said[1:]))


def roles(view: View) -> dict[str, Role]:
    """Everybody in the conversation, as far as the view tells: name -> role."""
    return {view.name: view.party.role, **{other.name: other.role for other in view.others}}


# --- drafts that were sent back ----------------------------------------------------------------------------------


def sent_back(draft: Draft, view: View) -> Iterable[dict[str, Any]]:
    """A draft that the critic sent back, as the speaker's own message, and what is wrong with it as an answer."""
    message = draft.message
    own: dict[str, Any] = {"role": "assistant", "content": message.text}
    if message.calls:
        own["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.args, ensure_ascii=False)},
            }
            for call in message.calls
        ]
    yield own
    for call in message.calls:
        yield {"role": "tool", "tool_call_id": call.id, "content": NOT_DONE}
    yield {"role": "user", "content": SENT_BACK.replace("{remarks}", remarks(draft, view))}


def remarks(draft: Draft, view: View) -> str:
    rules = {principle.id: principle.text for principle in view.principles}
    return "\n".join(
        f"- {rules.get(m.principle, m.principle)}" + f" ({'; '.join(filter(None, (m.quote, m.evidence)))})"
        for m in draft.markers
        if m.revise
    )


# --- replies -----------------------------------------------------------------------------------------------------


def read_speech(reply: Reply, view: View, role: Role, admits: bool = False) -> Reading[Utterance]:
    """A reply as an utterance, with what had to be put right.

    Raises:
        BadReply: naming what keeps it from being used."""
    raw = raw_of(reply)
    text, leaked = cut_reasoning(clean(reply.text))
    if trouble := halted(reply, text):
        raise BadReply(trouble, f"nothing to use (finish: {reply.finish})", raw)
    words, written = written_calls(text)
    alone = whole_call(text)
    if alone and any(tool.name == alone.name for tool in view.tools):
        words, written = "", (alone,)
    calls = (*reply.calls, *written)
    reading = read_calls(calls, words, view.tools, raw) if calls else read_words(words, view, role, admits, raw)
    return Reading(reading.value, ((Trouble.REASONING_LEAK,) if leaked else ()) + reading.troubles)


def read_calls(calls: Sequence[RawCall], words: str, tools: Sequence[ToolSpec], raw: str) -> Reading[Utterance]:
    """Calls as the speaker's turn. Words beside them are dropped: nobody would hear them."""
    read = [read_call(call, tools, raw) for call in calls]
    troubles = [Trouble.WRONG_ARGUMENTS for _, mended in read if mended]
    troubles += [Trouble.SEVERAL_CALLS] * (len(calls) > 1) + [Trouble.CALL_AND_TEXT] * bool(words)
    return Reading(Utterance(calls=tuple(call for call, _ in read)), tuple(troubles))


def read_call(call: RawCall, tools: Sequence[ToolSpec], raw: str) -> tuple[ToolCall, bool]:
    """A call held against its tool's schema, and whether its arguments had to be put into other types."""
    name = clean(call.name)
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        known = [tool.name for tool in tools]
        raise BadReply(Trouble.UNKNOWN_TOOL, f"{name[:80]!r}{did_you_mean(name[:80], known)}", raw)
    try:
        args, mended = fitted(parse_arguments(clean(call.arguments)), tool.parameters)
    except NotJson as error:
        raise BadReply(Trouble.NOT_JSON, f"the arguments of {name}: {error}", raw) from None
    except WrongSchema as error:
        raise BadReply(Trouble.WRONG_ARGUMENTS, f"{name}: {error}", raw) from None
    return ToolCall(id="", name=name, args=args), mended


def read_words(text: str, view: View, role: Role, admits: bool, raw: str) -> Reading[Utterance]:
    """Spoken words: the speaker's own alone, with whom they address and what they say about the end."""
    words, label = cut_other_sides(text, view.name, role, (other.name for other in view.others))
    if label and not words:
        raise BadReply(Trouble.ROLE_INVERSION, f"spoken as {label!r}", raw)
    words, admissions = admitted(words) if admits else (words, ())
    words, signal = stop_word(words) if role == "user" else (words, None)
    if found := inverted(role, words):
        raise BadReply(Trouble.ROLE_INVERSION, repr(found), raw)
    if is_data(words):
        raise BadReply(Trouble.WRONG_SCHEMA, "plain words are wanted, not JSON", raw)
    words, to = addressees(words, (other.name for other in view.others)) if len(view.others) > 1 else (words, ())
    if not words and not signal:
        raise BadReply(Trouble.EMPTY, "no words", raw)
    troubles = [Trouble.BOTH_SIDES] * bool(label)
    if not signal and role != "colleague" and goodbye_loop([*said_last(view.messages), words]):
        signal = Signal.SCRIPT_EXHAUSTED if role == "user" else Signal.CLOSED
        troubles.append(Trouble.GOODBYE_LOOP)
    known = {principle.id for principle in view.principles}
    troubles += [Trouble.WRONG_SCHEMA for name in admissions if name not in known]
    admissions = tuple(name for name in admissions if name in known)
    return Reading(Utterance(words or FAREWELL, to=to, signal=signal, admits=admissions), tuple(troubles))


def is_data(text: str) -> bool:
    """Whether a text is a JSON object or list and nothing else."""
    if not text.startswith(("{", "[")):
        return False
    try:
        return isinstance(parse_json(text), dict | list)
    except NotJson:
        return False


def said_last(messages: Sequence[Message]) -> list[str]:
    """The last utterances of a view, in order."""
    said: list[str] = []
    for message in reversed(messages):
        if message.text and message.role != "tool" and not message.calls:
            said.append(message.text)
            if len(said) == 3:
                break
    return said[::-1]
