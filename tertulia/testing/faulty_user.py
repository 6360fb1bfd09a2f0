"""A user simulator with faults planted at seeded rates, to see whether an evaluation blames it rightly."""

import re
from dataclasses import dataclass, replace

from tertulia.contracts import Utterance, View
from tertulia.parts import made
from tertulia.records import Signal
from tertulia.streams import stream

__all__ = ["FaultyUser"]

CODE = re.compile(r"\b[A-Z]{1,3}\d{2,6}\b")
BYE = "That's all, thank you. Goodbye."


@dataclass(frozen=True, slots=True)
class FaultyUser:
    """The rule user, which in a share of its turns tells a value that it made up, or leaves at once.

    A made-up value stands in place of an identifier that the turn holds, else beside what is said."""

    invents: float = 0.1
    leaves: float = 0.1
    seed: int = 0

    async def speak(self, view: View) -> Utterance:
        said: Utterance = await made("users", "agenda", "user").speak(view)
        opens = not any(message.speaker == view.name for message in view.messages)
        if opens or view.script is None or said.calls or said.signal:
            return said
        chance = stream(self.seed, "faulty", view.rng.getrandbits(63))  # the same in trials of one simulator seed
        if chance.random() < self.leaves:
            return Utterance(BYE, signal=Signal.GOAL_REACHED)
        if chance.random() < self.invents:
            value = f"Z{chance.randrange(10_000, 99_999)}"
            text, changed = CODE.subn(value, said.text, count=1)
            return replace(said, text=text if changed else f"{said.text} My reference is {value}.")
        return said
