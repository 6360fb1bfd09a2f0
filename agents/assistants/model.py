"""The model assistant: sees its policy, its principles, what it heard and what its tools gave, and nothing else."""

from collections.abc import Callable
from typing import Any

from tertulia.contracts import Neighbour, Utterance, View
from tertulia.models.prompts import block, fill_prompt, read_prompt, rules
from tertulia.models.records import Ask, Request
from tertulia.models.speaking import Voice, drafted_by_each, roles
from tertulia.views import as_chat

__all__ = ["Model", "system", "voices"]

TEXT = read_prompt("tertulia.agents.assistants", "model.txt")


class Model:
    """Plays an assistant with a model, or with several that all draft for each turn."""

    def __init__(self, ask: Ask) -> None:
        self.voices = voices(ask, system)

    def prompt(self, view: View) -> Request:
        """The request for this turn; that of the first, where several draft."""
        return self.voices[0].request(view, as_chat(view.messages, view.name, roles(view)))

    async def speak(self, view: View) -> Utterance:
        heard = as_chat(view.messages, view.name, roles(view))
        if len(self.voices) > 1:
            return await drafted_by_each(self.voices, view, heard)
        return await self.voices[0].say(view, heard)


def voices(ask: Ask, system: Callable[[View, str], str], admits: bool = False) -> tuple[Voice, ...]:
    """A voice for each candidate."""
    return tuple(
        Voice(door, "assistant", system, admits, place=f"/by/{number}" if number > 1 else "")
        for number, door in enumerate(ask.candidates, 1)
    )


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
