"""The model user: a simulator that holds its script, tells facts when asked, and says itself when it is over.

The opening is the script's own, without a model, so that assistants are compared on the same first words (AutoDE, arXiv
2403.11128). A user without a script is a bystander that answers what it is asked.
"""

from typing import Any

from tertulia.contracts import Utterance, View
from tertulia.language.wording import humanize
from tertulia.models.prompts import block, fill_prompt, read_prompt, rules
from tertulia.models.records import Ask, Request
from tertulia.models.speaking import Voice, roles
from tertulia.scenario import ChangeOfMind, Script, Want
from tertulia.views import as_chat

__all__ = ["Model"]

HOLDER = read_prompt("tertulia.agents.users", "model.txt")
BYSTANDER = read_prompt("tertulia.agents.users", "bystander.txt")


class Model:
    """Plays a user with a model."""

    def __init__(self, ask: Ask) -> None:
        self.voice = Voice(ask, "user", system)

    def prompt(self, view: View) -> Request | None:
        """The request for this turn; None for the opening, which needs none."""
        return None if opens(view) else self.voice.request(view, as_chat(view.messages, view.name, roles(view)))

    async def speak(self, view: View) -> Utterance:
        if view.script and opens(view):
            return Utterance(view.script.opening)
        return await self.voice.say(view, as_chat(view.messages, view.name, roles(view)))


def opens(view: View) -> bool:
    """Whether the holder of the script has said nothing yet."""
    return view.script is not None and not any(message.speaker == view.name for message in view.messages)


def system(view: View, tools: str) -> str:
    """The system prompt: what all users are told, then this user's card."""
    values = {
        "tools": tools,
        "you": block("you", {"name": view.name, "persona": view.party.persona}),
        "others": block("others", [{"name": other.name, "role": other.role} for other in view.others]),
        "first": view.others[0].name if len(view.others) > 1 else "",
        "facts": block("facts", view.party.knows),
        "secret": block("secret", view.party.secret),
        "principles": rules(view.principles),
    }
    return fill_prompt(HOLDER, values | held(view.script, view)) if view.script else fill_prompt(BYSTANDER, values)


def held(script: Script, view: View) -> dict[str, str]:
    """What only the holder of a script is told."""
    plan = {"style": view.plan.style, "steps": view.plan.steps} if view.plan and view.plan.steps else {}
    return {
        "patience": str(script.patience),
        "wants": block("wants", in_order(script)),
        "never_say": block("never_say", script.never_say),
        "plan": block("plan", plan),
    }


def in_order(script: Script) -> list[dict[str, Any]]:
    """All that its holder brings up; what asks for no call is words alone."""
    cards: list[dict[str, Any]] = []
    for nth in range(len(script.wants) + 1):
        last = nth == len(script.wants)
        due = [aside for aside in script.asides if aside.after == nth or (last and aside.after > nth)]
        cards += [{"number": len(cards) + at, "say": aside.say} for at, aside in enumerate(due, 1)]
        cards += [] if last else [told(len(cards) + 1, script.wants[nth])]
    return cards


def told(number: int, want: Want) -> dict[str, Any]:
    """One want as its holder reads it; whether it can be had is for it to find out."""
    card = {"number": number, "what": humanize(want.call), "call": want.call, "with": want.args}
    if want.by:
        card["by"] = want.by
    if want.say:
        card["say"] = want.say
    if want.change:
        card["when_asked_to_confirm"] = changed(want.change)
    return card


def changed(change: ChangeOfMind) -> dict[str, Any]:
    said = {"say": change.say} if change.say else {}
    return said | ({"drop": True} if change.drop else {"with": change.args})
