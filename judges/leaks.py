"""Whether anybody saw, or said, what it must not know.

Three questions are asked of a conversation:

    audience  does every message stay with those who may see it (`tertulia.views.audience_of`)?
    prompt    is the assistant's system prompt free of plan, script, secrets and gold values, and did no tool or
              colleague read it a step of the plan?
    values    is everything that a party says or calls with, and that stands in what is hidden from it, also in
              what it had seen?

What counts as a value in the last question: e-mail addresses, identifiers with letters and digits, and numbers of five
or more digits, wherever they stand; and whole texts that are secret, must never be said, or run to three words.
Dates, times and quantities with a unit are left out, for they can be worked out ("next friday"). A value that nobody
holds is an invention, which is the critic's concern and no leak. What the user says aloud is no longer hidden.
"""

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from tertulia.language.wording import stands_in
from tertulia.memo import Memo
from tertulia.records import Conversation, Message, Verdict
from tertulia.scenario import Party, Scenario
from tertulia.setting import Setting, Settings
from tertulia.views import audience_of, briefing

__all__ = ["Leaks"]

EMAIL = re.compile(r"(?<![\w.-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")  # tried once in a run of letters, however long
SIGNS = re.compile(r"[\W_]+")
ALNUM = re.compile(r"[^\W_]+")
ESCAPE = re.compile(r"\\(?:[bfnrt]|u[0-9a-fA-F]{4})")  # of JSON; its letter is no part of the word behind it
WORD = re.compile(r"[^\W_]+(?:[-_][^\W_]+)*")
DERIVED = re.compile(r"\d+[a-z]{1,5}|\d{4}-\d{2}-\d{2}t?\w*|\d{4}-\d{2}|\d+-\d{1,2}")
MOST_FAULTS = 20


class Leaks:
    """Finds every leak on the accepted path. The score is 1 or 0."""

    def __init__(self) -> None:
        self.settings = Settings()

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        setting = self.settings.of(scenario)
        by_question = {
            "audience": list(overheard(scenario, talk)),
            "prompt": list(in_prompts(setting, talk)),
            "values": list(unseen_values(setting, talk)),
        }
        faults = [fault for found in by_question.values() for fault in found]
        return Verdict(
            judge="leaks",
            passed=not faults,
            score=float(not faults),
            reason="; ".join(faults[:MOST_FAULTS]),
            detail={question: not found for question, found in by_question.items()},
        )


def overheard(scenario: Scenario, talk: Conversation) -> Iterator[str]:
    for turn in talk.turns:
        said = turn.message
        may = audience_of(turn.speaker, scenario.cast, calls=bool(said.calls), to=said.to, private=scenario.private) & {
            *scenario.cast
        }
        for what, message, allowed in [
            ("what is said" if not said.calls else "a call", said, may),
            *((f"the result of {result.speaker}", result, {turn.speaker}) for result in turn.results),
        ]:
            for name in message.audience:
                if name not in allowed:
                    yield f"turn {turn.index}: {name!r} must not see {what}"


# --- what stands where -------------------------------------------------------------------------------------------


def plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def words_of(message: Message) -> str:
    """Everything that a message tells, calls included."""
    return " ".join([message.text, *(plain(call.args) for call in message.calls)])


def squeezed(text: str) -> str:
    """Letters and digits alone, so that spacing and punctuation make no difference."""
    return SIGNS.sub("", text.casefold())


def values_in(text: str) -> set[str]:
    """The identifiers, addresses and long numbers of a text."""
    found = set(EMAIL.findall(text))
    for word in WORD.findall(EMAIL.sub(" ", text)):
        bare = squeezed(word)
        digits = sum(map(str.isdigit, bare))
        telling = digits >= 5 if digits == len(bare) else digits and len(bare) >= 4
        if telling and not DERIVED.fullmatch(word.casefold()):
            found.add(word)
    return found


def repeats(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase as whole words, any case."""
    return stands_in(phrase.strip().casefold(), text.casefold())


@dataclass(slots=True)
class Told:
    """Texts as letters and digits alone, with the places where words begin and end.

    Spacing and punctuation make no difference, but words stay whole: 34567 does not stand in 12345678."""

    texts: list[str]  # those that nobody has asked about yet
    letters: str = ""
    edges: "array[int]" = field(default_factory=lambda: array("I"))  # ascending; a set takes twenty times the memory

    def holds(self, value: str) -> bool:
        for text in self.texts:
            self.read(text)
        self.texts.clear()
        bare = squeezed(value)
        at = self.letters.find(bare)
        while at >= 0:
            if not bare or (self.edge(at) and self.edge(at + len(bare))):
                return True
            at = self.letters.find(bare, at + 1)
        return False

    def edge(self, at: int) -> bool:
        """Whether a word begins or ends there."""
        place = bisect_left(self.edges, at)
        return place < len(self.edges) and self.edges[place] == at

    def read(self, text: str) -> None:
        at, found = len(self.letters), ALNUM.findall((ESCAPE.sub(" ", text) if "\\" in text else text).casefold())
        self.edges.extend(accumulate(map(len, found), initial=at))
        self.letters += "".join(found)


def texts_in(value: Any) -> Iterator[str]:
    """Every scalar of a value as text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)
    elif value is not None and not isinstance(value, bool):
        yield plain(value)


def long_texts(value: Any) -> list[str]:
    return [text for text in texts_in(value) if len(text.split()) >= 3]


def secrets(party: Party) -> list[str]:
    return [text for key in party.secret for text in texts_in(party.knows.get(key)) if len(text) >= 3]


def unsaid(scenario: Scenario) -> list[str]:
    return [text for text in scenario.script.never_say if len(text.strip()) >= 3]


def plan_steps(talk: Conversation) -> list[str]:
    return long_texts(list(talk.plan.steps)) if talk.plan else []


@dataclass(frozen=True, slots=True)
class Card:
    """What a party can know before anybody has spoken, and what is hidden from it: the same in all conversations."""

    own: Told  # instructions, tools, knowledge, script
    hidden: dict[str, Told]
    phrases: tuple[str, ...]  # hidden texts that must not be repeated as a whole

    @classmethod
    def of(cls, setting: Setting, name: str) -> "Card":
        scenario = setting.scenario
        script = plain(scenario.script.model_dump(mode="json", by_alias=True))
        others = {other: card for other, card in scenario.cast.items() if other != name}
        own = [briefing(setting, name)]
        own += [plain(decision.model_dump()) for decision in scenario.cast[name].decides]
        own += [plain(tool.model_dump()) for tool in setting.tools[name]]
        hidden = {f"what {other!r} knows": plain(card.knows) for other, card in others.items()}
        hidden["the success criteria"] = plain([scenario.success.state, scenario.success.says])
        phrases = [text for card in others.values() for text in (*secrets(card), *long_texts(card.knows))]
        if name == scenario.user:
            own.append(script)
        else:
            hidden["the script"] = script
            phrases += unsaid(scenario)
        return cls(Told(own), {where: Told([text]) for where, text in hidden.items()}, tuple(phrases))


cards: Memo[Card] = Memo(512)


@dataclass(slots=True)
class Sight:
    """What one party can know in a conversation, and what is hidden from it."""

    card: Card
    plan: Told
    sees_plan: bool
    phrases: tuple[str, ...]
    heard: Told = field(default_factory=lambda: Told([]))
    unheard: Told = field(default_factory=lambda: Told([]))

    @classmethod
    def of(cls, setting: Setting, talk: Conversation, name: str) -> "Sight":
        card = cards.of((setting,), lambda: Card.of(setting, name), name)
        plan = [plain(talk.plan.model_dump(mode="json", exclude={"style", "order"}))] if talk.plan else []
        holder = name == setting.scenario.user
        return cls(
            card, Told(plan), holder, tuple(dict.fromkeys((*card.phrases, *(() if holder else plan_steps(talk)))))
        )

    def knows(self, value: str) -> bool:
        return self.card.own.holds(value) or self.heard.holds(value) or (self.sees_plan and self.plan.holds(value))

    def leaks(self, text: str) -> Iterator[tuple[str, str]]:
        """Each value or phrase of a text that this party cannot know, and where it stands."""
        for value in sorted(values_in(text)):
            if not self.knows(value) and (where := self.place(value)):
                yield value, where
        for phrase in self.phrases:
            if repeats(text, phrase) and not self.knows(phrase):
                yield phrase, self.place(phrase) or "what is hidden from it"

    def place(self, value: str) -> str:
        """Where a value stands that this party cannot know; empty where nobody holds it."""
        hidden = self.card.hidden if self.sees_plan else {**self.card.hidden, "the plan": self.plan}
        for where, told in {**hidden, "a message that it did not hear": self.unheard}.items():
            if told.holds(value):
                return where
        return ""


# --- the questions -----------------------------------------------------------------------------------------------


def unseen_values(setting: Setting, talk: Conversation) -> Iterator[str]:
    sights = {name: Sight.of(setting, talk, name) for name in setting.scenario.cast}
    for turn in talk.turns:
        sight = sights.get(turn.speaker)
        if sight is None:
            continue
        for value, where in sight.leaks(words_of(turn.message)):
            yield f"turn {turn.index}: {turn.speaker!r} cannot know {value!r}, which stands in {where}"
        for message in (turn.message, *turn.results):
            told = words_of(message)
            for name, other in sights.items():
                (other.heard if name in message.audience else other.unheard).texts.append(told)


def in_prompts(setting: Setting, talk: Conversation) -> Iterator[str]:
    scenario = setting.scenario
    aloud = Told([m.text for m in talk.messages if m.role == "user"])
    steps = plan_steps(talk)
    gold = Told([plain([want.gold for want in scenario.script.wants])])
    for name, party in scenario.cast.items():
        if party.role != "assistant":
            continue
        prompt = briefing(setting, name)
        kept = [text for other, card in scenario.cast.items() if other != name for text in secrets(card)]
        guarded = [*unsaid(scenario), *steps, *kept]
        written_here = "\n".join([scenario.policy, *(p.text for p in scenario.principles if not isinstance(p, str))])
        found: Iterable[str] = [phrase for phrase in guarded if repeats(prompt, phrase)]
        found = [*found, *(value for value in values_in(written_here) if gold.holds(value))]
        for text in sorted({text for text in found if not aloud.holds(text)}):
            yield f"the system prompt of {name!r} holds {text!r}"
        for message in talk.messages:
            if name in message.audience and message.role not in ("user", "assistant"):
                for step in steps:
                    if repeats(message.text, step) and not aloud.holds(step):
                        yield f"{message.speaker!r} reads {name!r} the step {step!r} of the plan"
