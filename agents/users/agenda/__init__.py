"""The rule user: an agenda-based simulator that holds its script and releases values when asked.

After Schatzmann et al., *Agenda-based user simulation* (HLT-NAACL 2007): the script is the goal, the agenda is what is
still to be brought up, and every turn answers the other side's last act. Values are released verbatim and on request
(AutoDE, arXiv 2403.11128). A user without a script is a bystander that answers what it is asked.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tertulia.agents.users.agenda.facts import Fact, asked_for, facts, misstated
from tertulia.agents.users.agenda.hands import own_call, told_result
from tertulia.agents.users.agenda.progress import CORRECTION, Progress, follow, thinks_again
from tertulia.agents.users.agenda.slips import plant
from tertulia.contracts import Utterance, View
from tertulia.language.acts import Act, act_of
from tertulia.language.rewording import reworded
from tertulia.language.saying import render
from tertulia.language.wording import humanize
from tertulia.records import Message, Signal
from tertulia.scenario import Script, Want

__all__ = ["Agenda"]

YES = {
    "plain": ("Yes, please go ahead.", "Yes, that's right.", "Yes, please do."),
    "brief": ("Yes.", "Yes, do it.", "Yep, go ahead."),
    "polite": (
        "Yes, that would be very kind, thank you.",
        "Yes please, that is correct.",
        "Yes, please go ahead, thank you.",
    ),
}
TELL = {
    "plain": ("The {label} {be} {value}.", "It's {value}.", "{value}."),
    "brief": ("{value}.", "It's {value}."),
    "polite": ("Of course, the {label} {be} {value}.", "Certainly, it's {value}."),
}
UNKNOWN = ("I don't know, sorry.", "Sorry, I don't know that.", "I'm not sure, I don't have that.")
NEXT = ("I'd also like you to {deed}.", "One more thing: please {deed}.", "Could you also {deed}?")
FIRST = ("I'd like you to {deed}.", "Please {deed}.", "Could you {deed} for me?")
AGAIN = ("No, that's not what I meant. I'd like you to {deed}.", "No, that's something else. Please {deed}.")
BYE_DONE = (
    "That's all, thank you. Goodbye.",
    "Great, that's everything. Bye!",
    "Thanks, that is all I needed. Goodbye.",
)
BYE_REFUSED = (
    "All right, then that's all. Goodbye.",
    "That's a pity. Thanks anyway, goodbye.",
    "OK, I understand. Bye.",
)
GIVE_UP = ("This isn't getting anywhere. I'll try another time. Goodbye.", "Never mind, I give up for today. Goodbye.")
LAST_RESORT = "I'd rather not say."
BYSTANDER = ("Nothing from me.", "I have nothing to add.", "That's fine with me, I have nothing to add.")


class Agenda:
    """The rule user simulator."""

    async def speak(self, view: View) -> Utterance:
        said = partial(answer if view.script is not None else bystand, view)
        opens = view.script is not None and not any(message.speaker == view.name for message in view.messages)
        honest = said() if opens else reworded(view, said, LAST_RESORT)  # the opening is fixed
        slips = view.slips and not honest.calls and view.messages
        return (plant(view, honest) if slips else None) or honest


def answer(view: View) -> Utterance:
    """The holder of the script takes its turn."""
    script = view.script
    heard = [m for m in view.messages if m.role == "assistant" and not m.calls]
    if script is None or not heard or not any(m.speaker == view.name for m in view.messages):
        return Utterance(script.opening if script else "")
    hands = told_result(view)
    if hands is not None:
        return Utterance(hands)
    last, state = heard[-1], follow(view, script)
    if state.fruitless >= script.patience:
        return Utterance(view.rng.choice(GIVE_UP), signal=Signal.GAVE_UP)
    call = own_call(view, last, state.current)
    if call is not None:
        return Utterance(calls=(call,))
    words = aside(view, script, state, last)
    return Utterance(words) if words else react(view, script, state, last)


def react(view: View, script: Script, state: Progress, last: Message) -> Utterance:
    """Answer the assistant's last act."""
    act, want = act_of(last.text), state.current
    if want is None:
        return ask_or_leave(view, state, last, act)
    if state.ahead:
        return Utterance(view.rng.choice(YES[style(view)])) if act is Act.CONFIRM else by_name(view, want, NEXT)
    if act is Act.CONFIRM:
        return confirm(view, want, state, last)
    if act is Act.ASK:
        return tell(view, state, want, last)
    if state.unstarted:
        return bring_up(view, want, first=state.nothing_done)
    if act is Act.REPORT:
        return hear_report(view, want, state, last)
    if act is Act.INSTRUCT:
        return Utterance("I can't do that here, sorry.")
    if act is Act.REFUSE:
        return by_name(view, want, FIRST)
    return Utterance(view.rng.choice(FIRST).format(deed=deed(want)))


def hear_report(view: View, want: Want, state: Progress, last: Message) -> Utterance:
    """Answer a report that has not settled the current want."""
    if not state.on_topic:
        return Utterance(view.rng.choice(AGAIN).format(deed=deed(want)))
    if thinks_again(state, want):
        return Utterance(change_of_mind(want))
    wrong = misstated(want.gold if state.changed else want.args, last.text)
    return correct(view, want, state, wrong) if wrong else bring_up(view, want, first=False)


def aside(view: View, script: Script, state: Progress, last: Message) -> str:
    """What the user says next that asks for no call, between one want and the next; it answers questions first."""
    if (state.current is not None and not state.unstarted) or act_of(last.text) in (Act.ASK, Act.CONFIRM):
        return ""
    said = {message.text for message in view.messages if message.speaker == view.name}
    return next((one.say for one in script.asides if one.after <= state.at and one.say not in said), "")


def ask_or_leave(view: View, state: Progress, last: Message, act: Act) -> Utterance:
    """With nothing left to want: answer a question, decline an offer to act, or say goodbye."""
    if act is Act.ASK and state.nothing_wanted and not state.fruitless:
        known = asked_for(last.text, facts(view, None))
        if known:
            return say_fact(view, known)
    if act is Act.CONFIRM:
        return Utterance("No, thank you, please leave it as it is.")
    if state.refused or act is Act.REFUSE:
        return Utterance(view.rng.choice(BYE_REFUSED), signal=Signal.SCRIPT_EXHAUSTED)
    return Utterance(view.rng.choice(BYE_DONE), signal=Signal.GOAL_REACHED)


def confirm(view: View, want: Want, state: Progress, last: Message) -> Utterance:
    """Answer a request for a yes: change one's mind, correct what is wrong, or agree."""
    if not state.on_topic:
        return Utterance(view.rng.choice(AGAIN).format(deed=deed(want)))
    if want.change and not state.changed:
        return Utterance(change_of_mind(want))
    wrong = misstated(want.gold if state.changed else want.args, last.text)
    if wrong:
        return correct(view, want, state, wrong)
    return Utterance(view.rng.choice(YES[style(view)]))


def change_of_mind(want: Want) -> str:
    """The words with which the user changes its mind about a want."""
    change = want.change
    if change is None:
        return ""
    if change.say:
        return change.say
    if change.drop:
        return "Actually, forget it. I don't need that any more."
    said = " and ".join(f"the {fact.label} should be {render(fact.value)}" for fact in facts_of(change.args))
    return f"Actually, {said}."


def facts_of(args: dict[str, object]) -> list[Fact]:
    return [Fact((key,), value) for key, value in args.items()]


def correct(view: View, want: Want, state: Progress, wrong: list[Fact]) -> Utterance:
    """Say what is not right; where that has been said in vain, say once more what is wanted."""
    if f"the {wrong[0].label} should be" in state.said and not state.named:
        return by_name(view, want, AGAIN)
    return Utterance(correction(wrong))


def correction(wrong: list[Fact]) -> str:
    """What should have been said instead; a list of records is corrected on its own."""
    plain = [fact for fact in wrong if not any(isinstance(e, Mapping) for e in entries(fact.value))]
    said = "; ".join(f"the {fact.label} should be {render(fact.value)}" for fact in plain[:4] or wrong[:1])
    return f"{CORRECTION}{said}."


def entries(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def tell(view: View, state: Progress, want: Want, last: Message) -> Utterance:
    """Release the value that was asked for, if it is known; perhaps something that is wanted later needs it."""
    fact = asked_for(last.text, facts(view, want))
    if fact is None:
        fact = asked_for(last.text, [fact for later in state.wants[state.at + 1 :] for fact in facts_of(later.args)])
    return say_fact(view, fact) if fact else Utterance(view.rng.choice(UNKNOWN))


def say_fact(view: View, fact: Fact) -> Utterance:
    value = render(fact.value)
    if isinstance(fact.value, bool):
        return Utterance("Yes, please." if fact.value else "No, thank you.")
    be = "are" if isinstance(fact.value, list | tuple) else "is"
    line = view.rng.choice(TELL[style(view)]).format(label=fact.label, be=be, value=value)
    return Utterance(line[0].upper() + line[1:] if line[0].isalpha() and not line.startswith(value) else line)


def bring_up(view: View, want: Want, *, first: bool) -> Utterance:
    """Say the next thing wanted, with one value of it."""
    if want.say:
        return Utterance(want.say)
    return by_name(view, want, FIRST if first else NEXT)


def by_name(view: View, want: Want, lines: tuple[str, ...]) -> Utterance:
    """Call what is wanted by its name, with one value of it."""
    text = view.rng.choice(lines).format(deed=deed(want))
    some = facts_of(want.args)[:1]
    return Utterance(f"{text} The {some[0].label} is {render(some[0].value)}." if some else text)


def deed(want: Want) -> str:
    """A call as people would name it."""
    return humanize(want.call)


def style(view: View) -> str:
    return view.plan.style if view.plan and view.plan.style in YES else "plain"


def bystand(view: View) -> Utterance:
    """A user without a script answers what it is asked, from what it knows."""
    asked = next((m for m in reversed(view.messages) if m.role == "assistant" and not m.calls), None)
    own = [at for at, m in enumerate(view.messages) if m.speaker == view.name]
    if asked is not None and view.name in asked.to and act_of(asked.text) is Act.ASK:
        fact = asked_for(asked.text, facts(view, None))
        answered = bool(own) and any(m is asked for m in view.messages[: own[-1]])
        if fact and not answered:
            return say_fact(view, fact)
    return Utterance(view.rng.choice(BYSTANDER))
