"""How far the user's script has come, read from what it has said and been answered."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from tertulia.agents.users.agenda.facts import misstated
from tertulia.contracts import View
from tertulia.language.acts import Act, act_of, substance
from tertulia.language.matching import LOOSE_VERBS, TELLING_VERBS, about
from tertulia.language.wording import KEPT, humanize, past_participle, sentences, stem, stems, verb
from tertulia.records import Message
from tertulia.scenario import Script, Want

__all__ = ["CORRECTION", "Progress", "follow", "thinks_again"]


CORRECTION = "Not quite: "
UNKNOWN = re.compile(r"\b(?:don't know|not sure|don't have)\b")


@dataclass(slots=True)
class Progress:
    """Where the user stands."""

    wants: tuple[Want, ...]
    at: int = 0  # index of the current want
    unstarted: bool = False  # the current want has not been brought up yet
    changed: bool = False  # the user has changed its mind about the current want
    on_topic: bool = True  # the assistant's last message is about the current want
    refused: list[int] = field(default_factory=list)
    done: set[int] = field(default_factory=set)  # later wants that came to be dealt with before the current one
    ahead: bool = False  # the assistant's last message deals with a later want
    fruitless: int = 0  # answers in a row that brought nothing
    said: str = ""  # the user's last words
    named: bool = False  # the user has called the current want by its name

    @property
    def current(self) -> Want | None:
        return self.wants[self.at] if self.at < len(self.wants) else None

    @property
    def nothing_done(self) -> bool:
        return self.at == 0

    @property
    def nothing_wanted(self) -> bool:
        return not self.wants

    def settle(self, *, refused: bool) -> None:
        """The current want is dealt with."""
        if refused:
            self.refused.append(self.at)
        self.at += 1
        while self.at in self.done:
            self.at += 1
        self.unstarted, self.changed, self.named, self.fruitless = True, False, False, 0


def follow(view: View, script: Script) -> Progress:
    """Read the progress off the messages this user has heard."""
    state = Progress(script.wants)
    asides = {aside.say for aside in script.asides}
    done_by_hand = {m.speaker for m in view.messages if m.role == "tool" and not m.error}
    said: Message | None = None
    for message in view.messages:
        if message.speaker == view.name and not message.calls:
            said = message
            state.unstarted = state.unstarted and message.text in asides
            state.said = message.text
            state.named |= state.current is not None and humanize(state.current.call) in message.text
            note_change(state, message)
        elif said is not None and meant_for(view.name, message):
            take_in(state, message, done_by_hand, view.name)
    return state


def meant_for(name: str, message: Message) -> bool:
    """Whether these are words of an assistant to this user."""
    return message.role == "assistant" and not message.calls and (not message.to or name in message.to)


def note_change(state: Progress, message: Message) -> None:
    """Notice in one's own words that the change of mind has been said."""
    want = state.current
    if want is None or want.change is None or state.changed:
        return
    change = want.change
    said = change.say and change.say in message.text
    made = not change.say and message.text.startswith("Actually, ")
    state.changed = bool(said or made)


def take_in(state: Progress, message: Message, by_hand: set[str], name: str) -> None:
    """Take in something the assistant said."""
    want = state.current
    if want is None:
        state.fruitless += act_of(message.text) is not Act.OTHER
        return
    act = act_of(message.text)
    state.on_topic = topical(message.text, want.call)
    later = later_want(state, want, message.text) if act in (Act.CONFIRM, Act.REPORT) else None
    state.ahead = later is not None
    if later is not None:
        state.done |= {later} if act is Act.REPORT else set()
    elif want.by == name:
        take_in_by_hand(state, want, act, by_hand)
    elif act is Act.REFUSE and dropped(state, want):
        state.settle(refused=False)
    elif act is Act.REFUSE:
        if not misunderstood(state, message):  # else the user calls it by its name once
            state.settle(refused=True)
    elif act is Act.REPORT:
        take_in_report(state, want, message)
    elif act in (Act.OTHER, Act.CLOSE):
        state.fruitless += 1
    elif act in (Act.ASK, Act.CONFIRM) and not state.on_topic:
        state.fruitless += act is Act.CONFIRM


def later_want(state: Progress, want: Want, text: str) -> int | None:
    """The later want that a message is about and states in full, where it does not state the current one."""
    rest = range(state.at + 1, len(state.wants))
    if not rest or not misstated(want.gold if state.changed else want.args, text):
        return None
    for at in rest:
        other = state.wants[at]
        plain = other.args and not other.by and not other.change and at not in state.done
        if plain and topical(text, other.call) and not misstated(other.args, text):
            return at
    return None


def take_in_by_hand(state: Progress, want: Want, act: Act, by_hand: set[str]) -> None:
    """A want that the user sees to itself is done once its own call has worked and the assistant has gone on."""
    if want.call in by_hand and act is not Act.INSTRUCT:
        state.settle(refused=False)
    elif act is Act.REFUSE:
        state.settle(refused=True)
    elif act is not Act.INSTRUCT:
        state.fruitless += 1


def take_in_report(state: Progress, want: Want, message: Message) -> None:
    """A report settles the want if it is about it and states its values."""
    values = want.gold if state.changed else want.args
    wrong = misstated(values, message.text)
    if state.on_topic and not wrong and thinks_again(state, want) and not claimed(message.text, want):
        state.fruitless = 0  # nothing was done that could not be asked for otherwise
    elif claimed(message.text, want) or (state.on_topic and not wrong):
        state.settle(refused=False)
    elif state.said.startswith(CORRECTION) and not any(f"the {f.label} should be" in state.said for f in wrong):
        state.fruitless = 0  # what was corrected is right now; something else is not
    else:
        state.fruitless += 1


def thinks_again(state: Progress, want: Want) -> bool:
    """Whether the user is still to ask for the thing with another value. Where nobody asked for a yes, since the call
    only reads, the user does so when it is told the result."""
    return want.change is not None and not want.change.drop and not state.changed


def misunderstood(state: Progress, message: Message) -> bool:
    """Whether a refusal may come of a misunderstanding: it gives no reason, or follows a correction or an `I don't
    know`, and the user has not yet called the thing by its name."""
    unclear = state.said.startswith(CORRECTION) or bool(UNKNOWN.search(state.said))
    return not state.named and (unclear or len(sentences(substance(message.text))) == 1)


def dropped(state: Progress, want: Want) -> bool:
    return bool(want.change and want.change.drop and state.changed)


def claimed(text: str, want: Want) -> bool:
    """Whether the assistant says that it has done the thing: nothing is left to correct then."""
    doing = past_participle(verb(want.call))
    return f"have {doing}" in text.lower() or f"has been {doing}" in text.lower()


@lru_cache(maxsize=KEPT)
def topical(text: str, call: str) -> bool:
    """Whether a message speaks of what is wanted."""
    core, doing = substance(text), verb(call)
    named = stem(doing) in stems(core)
    if doing in TELLING_VERBS:
        return named
    return about(core, thing(call)) > 0.5 or (named and doing not in LOOSE_VERBS)


def thing(name: str) -> str:
    """What a tool does something to: its name without the verb."""
    return " ".join(word for word in humanize(name).split() if word != verb(name)) or name
