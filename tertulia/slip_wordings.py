"""The words of planted faults, read once from `scenarios/slips/wordings.yaml`, and how they are drawn.

Every list comes twice: `tuned` wordings may be read by whoever writes detectors, `held_out` ones may not, so that a
critic's recall on them says how it does with words that nobody fitted it to."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random

from pydantic import Field

from tertulia.records import Record
from tertulia.source import read_records

__all__ = ["HELD_OUT", "Drawer", "Wordings", "WordingsFile", "slip_wordings"]

HELD_OUT = 1 / 3  # how often a fault takes its words from the held-out lists
DIGITS, CAPITALS = "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Wordings(Record):
    """Ways to say the same."""

    tuned: tuple[str, ...] = Field(min_length=1)
    held_out: tuple[str, ...] = Field(min_length=1)

    def of(self, held_out: bool) -> tuple[str, ...]:
        return self.held_out if held_out else self.tuned


class WordingsFile(Record):
    """Whole sentences by the principle that they break, and templates for faults that need something from the talk."""

    principles: dict[str, Wordings] = Field(description="{rival} stands for something that must not be named")
    claims: Wordings = Field(description="with {done}, or {thing} and {participle}")
    invented: Wordings = Field(description="with {value}: the assistant states what nobody told it")
    values: Wordings = Field(description="shapes of such values: # is any digit, A is any capital letter")
    secrets: Wordings = Field(description="with {name} and {value} of somebody else's record")
    internals: Wordings = Field(description="with the name of a {tool}")
    leaks: Wordings = Field(description="with a {value} to be kept secret")
    inversions: Wordings = Field(description="the user speaks as the service would")
    facts: Wordings = Field(description="with {value}: the user states what it does not know")
    languages: dict[str, Wordings] = Field(description="by language code")
    filler: Wordings = Field(description="sentences of no use; all of them together are too long for any answer")


@cache
def slip_wordings() -> WordingsFile:
    """The bundled wordings."""
    return read_records(Path(str(files("tertulia.scenarios"))) / "slips" / "wordings.yaml", WordingsFile)[1]


@dataclass(frozen=True, slots=True)
class Drawer:
    """Draws the words of one fault, all of them from the same side."""

    rng: Random
    held_out: bool

    @classmethod
    def of(cls, rng: Random) -> "Drawer":
        return cls(rng, rng.random() < HELD_OUT)

    def draw(self, wordings: Wordings) -> str:
        return self.rng.choice(wordings.of(self.held_out))

    def value(self) -> str:
        """A made-up value."""
        return "".join(self._character(sign) for sign in self.draw(slip_wordings().values))

    def _character(self, sign: str) -> str:
        if sign == "#":
            return self.rng.choice(DIGITS)
        return self.rng.choice(CAPITALS) if sign == "A" else sign

    def filler(self, words: int) -> str:
        """More than so many words of no use."""
        lines = slip_wordings().filler.of(self.held_out)
        said = self.rng.sample(lines, len(lines))
        while sum(len(line.split()) for line in said) <= words:
            said += said
        for most in range(1, len(said) + 1):
            if sum(len(line.split()) for line in said[:most]) > words:
                return " ".join(said[:most])
        return " ".join(said)
