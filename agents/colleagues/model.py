"""The model colleague: answers the assistant's requests for a yes as its party has decided, in its own words."""

from dataclasses import replace

from tertulia.contracts import Utterance, View
from tertulia.models.prompts import block, fill_prompt, read_prompt, rules
from tertulia.models.records import Ask, Request
from tertulia.models.speaking import Voice, roles
from tertulia.views import as_chat

__all__ = ["Model"]

TEXT = read_prompt("tertulia.agents.colleagues", "model.txt")


class Model:
    """Plays a colleague with a model."""

    def __init__(self, ask: Ask) -> None:
        self.voice = Voice(ask, "colleague", system)

    def prompt(self, view: View) -> Request:
        """The request for this turn."""
        return self.voice.request(view, as_chat(view.messages, view.name, roles(view)))

    async def speak(self, view: View) -> Utterance:
        said = await self.voice.say(view, as_chat(view.messages, view.name, roles(view)))
        return said if said.calls or said.to else replace(said, to=asker(view))


def asker(view: View) -> tuple[str, ...]:
    """Whoever spoke to this colleague last; nobody where nobody has."""
    spoken = (message.speaker for message in reversed(view.messages) if view.name in message.to)
    return tuple(name for name in (next(spoken, ""),) if name)


def system(view: View, tools: str) -> str:
    """The system prompt: what all colleagues are told, then this one's card."""
    decisions = [{"call": d.call, "answer": d.answer, "because": d.because} for d in view.party.decides]
    values = {
        "tools": tools,
        "you": block("you", {"name": view.name, "persona": view.party.persona}),
        "others": block("others", [{"name": other.name, "role": other.role} for other in view.others]),
        "decides": block("decides", decisions),
        "facts": block("facts", view.party.knows),
        "secret": block("secret", view.party.secret),
        "principles": rules(view.principles),
    }
    return fill_prompt(TEXT, values)
