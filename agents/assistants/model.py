"""The model assistant: sees its policy, its principles, what it heard and what its tools gave, and nothing else."""

from typing import Any

from tertulia.contracts import Neighbour, Utterance, View
from tertulia.models.prompts import block, fill_prompt, read_prompt, rules
from tertulia.models.records import Ask, Request
from tertulia.models.speaking import Voice, roles
from tertulia.views import as_chat

__all__ = ["Model", "system"]

TEXT = read_prompt("tertulia.agents.assistants", "model.txt")


class Model:
    """Plays an assistant with a model."""

    def __init__(self, ask: Ask) -> None:
        self.voice = Voice(ask, "assistant", system)

    def prompt(self, view: View) -> Request:
        """The request for this turn."""
        return self.voice.request(view, as_chat(view.messages, view.name, roles(view)))

    async def speak(self, view: View) -> Utterance:
        return await self.voice.say(view, as_chat(view.messages, view.name, roles(view)))


def system(view: View, tools: str) -> str:
    """The system prompt: what all assistants of a world are told, then this assistant's card."""
    several = len(view.others) > 1
    values = {
        "policy": view.policy.strip(),
        "tools": tools,
        "principles": rules(view.principles),
        "others": block("others", [card(other) for other in view.others]) if several else "",
        "first": view.others[-1].name if several else "",
        "persona": view.party.persona,
        "facts": block("facts", view.party.knows),
        "secret": block("secret", view.party.secret),
    }
    return fill_prompt(TEXT, values)


def card(other: Neighbour) -> dict[str, Any]:
    """Another party, with what it decides."""
    known: dict[str, Any] = {"name": other.name, "role": other.role}
    return known | ({"decides": other.decides} if other.decides else {})
