"""What detectors read of a hearing: each thing is worked out once per review, and only when it is asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from tertulia.contracts import Hearing
from tertulia.language.wording import KEPT, forms, humanize, leaves, sentences, stem, stems, verb, words
from tertulia.memo import Memo
from tertulia.records import Message, ToolCall
from tertulia.world import ToolSpec

__all__ = ["Done", "Finding", "Known", "Scene", "first_words", "named"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a draft breaks a principle."""

    quote: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Done:
    """A call that was answered, by whom, and where in the conversation."""

    call: ToolCall
    result: Message
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a speaker knows before anybody has spoken."""

    texts: tuple[str, ...]
    forms: frozenset[str]
    stems: frozenset[str]


class Scene:
    """A hearing, read."""

    def __init__(self, hearing: Hearing) -> None:
        self.hearing = hearing
        self.text = hearing.message.text

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The draft's sentences."""
        return sentences(self.text)

    @cached_property
    def done(self) -> tuple[Done, ...]:
        """Every answered call of the conversation, failed ones too, in the order of the answers."""
        made: dict[str, tuple[ToolCall, str]] = {}
        found = []
        for at, message in enumerate(self.hearing.spoken):
            for call in message.calls:
                made[call.id] = (call, message.speaker)
            if message.answers in made:
                call, speaker = made[message.answers]
                found.append(Done(call, message, speaker, at))
        return tuple(found)

    @cached_property
    def writers(self) -> frozenset[str]:
        """The speaker's tools that change something."""
        return frozenset(tool.name for tool in self.hearing.tools if tool.writes)

    @cached_property
    def verbs(self) -> frozenset[str]:
        """The stems of the verbs in the names of the speaker's tools."""
        return frozenset(stem(verb(tool.name)) for tool in self.hearing.tools)

    @cached_property
    def own(self) -> tuple[Message, ...]:
        """What the speaker has said in words so far."""
        speaker = self.hearing.speaker
        return tuple(m for m in self.hearing.seen if m.text and m.speaker == speaker and m.role != "tool")

    @cached_property
    def known(self) -> Known:
        """What the speaker knows beforehand."""
        return known_beforehand(self.hearing)

    def seen_form(self, form: str) -> bool:
        """Whether the speaker has seen a value in this normal form."""
        seen = form in self.known.forms or any(form in forms(message.text) for message in self.hearing.seen)
        return seen or form in self.called

    @cached_property
    def called(self) -> frozenset[str]:
        """The normal forms of all values in calls that the speaker has seen."""
        return frozenset(
            form
            for message in self.hearing.seen
            for call in message.calls
            for leaf in leaves(call.args)
            for form in forms(str(leaf))
        )

    @cached_property
    def seen_texts(self) -> tuple[str, ...]:
        """Everything that the speaker has seen, in lower case."""
        heard = (message.text.lower() for message in self.hearing.seen if message.text)
        called = (
            str(leaf).lower() for message in self.hearing.seen for call in message.calls for leaf in leaves(call.args)
        )
        return (*self.known.texts, *heard, *called)

    @cached_property
    def all_forms(self) -> frozenset[str]:
        """The normal forms of all values that the speaker has seen."""
        return self.known.forms.union(self.called, *(forms(message.text) for message in self.hearing.seen))

    @cached_property
    def all_stems(self) -> frozenset[str]:
        """The stems of all words that the speaker has seen."""
        called = (stems(str(leaf)) for m in self.hearing.seen for call in m.calls for leaf in leaves(call.args))
        return self.known.stems.union(*called, *(stems(message.text) for message in self.hearing.seen))


Read = tuple[str, frozenset[str], frozenset[str]]  # a text in lower case, its forms, its stems

_known: Memo[Known] = Memo(512)  # parties of settled scenarios
_tools: Memo[Read] = Memo(4096)
_boxes: Memo[Known] = Memo(256)  # the tools of a party, which the conversations of a world share


def known_beforehand(hearing: Hearing) -> Known:
    """What the speaker knows before anybody has spoken. Kept for the scenarios played last."""
    return _known.of((hearing.scenario,), lambda: _knows(hearing), hearing.speaker, hearing.role)


def _knows(hearing: Hearing) -> Known:
    own = all_of([_read(text) for text in _beforehand(hearing) if text])
    tools = _boxes.of((hearing.tools,), lambda: all_of([_read_tool(tool) for tool in hearing.tools]))
    return Known(own.texts + tools.texts, own.forms | tools.forms, own.stems | tools.stems)


def all_of(read: Sequence[Read]) -> Known:
    """Several texts as one."""
    return Known(
        tuple(text for text, _, _ in read),
        frozenset().union(*(found for _, found, _ in read)),
        frozenset().union(*(found for _, _, found in read)),
    )


def _read(text: str) -> Read:
    return text.lower(), forms(text), stems(text)


def _read_tool(tool: ToolSpec) -> Read:
    """All that a tool says of itself. Tools are shared by the conversations of a world."""
    return _tools.of((tool,), lambda: _read(_written(tool)))


def _written(tool: ToolSpec) -> str:
    return "\n".join((humanize(tool.name), tool.description, json.dumps(tool.parameters, ensure_ascii=False)))


def _beforehand(hearing: Hearing) -> list[str]:
    party = hearing.party
    texts = [hearing.policy, party.persona, *_said(party.knows)]
    for decision in party.decides:
        texts += [humanize(decision.call), decision.because]
    if hearing.script:
        script = hearing.script
        texts += [script.opening, *script.never_say, *(aside.say for aside in script.asides)]
        for want in script.wants:
            texts += [want.say, *_said(want.args), humanize(want.call)]
            if want.change:
                texts += [want.change.say, *_said(want.change.args)]
    return texts


def _said(value: Any) -> list[str]:
    return [str(leaf) for leaf in leaves(value)]


def first_words(text: str, most: int = 12) -> str:
    """The beginning of a text, to quote."""
    said = text.split()
    return " ".join(said[:most]) + (" ..." if len(said) > most else "")


@lru_cache(maxsize=KEPT)
def named(name: str) -> frozenset[str]:
    """The stems of the words in a tool's name."""
    return frozenset(stem(word) for word in words(humanize(name)))
