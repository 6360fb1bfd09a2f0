"""Principles: what a speaker must hold to, and the detectors that can tell without a model.

A detector is data from a small vocabulary (the `Detector` union below); what each one does with a
draft is in `tertulia.detectors`. A principle without a detector is left to model critics.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tertulia.errors import ScenarioError, did_you_mean
from tertulia.records import Record, Severity
from tertulia.source import read_records

__all__ = [
    "Detector",
    "Principle",
    "PrincipleFile",
    "bundled_principles",
    "load_principles",
]

Subject = Literal["user", "assistant", "colleague", "plan"]


class Pattern(Record):
    """The draft's text matches (or, with `must`, fails to match) one of these regular expressions.

    Case is ignored. `unless` lists patterns that excuse the match when they hold in the same sentence."""

    kind: Literal["pattern"]
    any_of: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    must: bool = False
    when: Literal["always", "first_turn", "after_error", "after_refusal"] = "always"


class Avoid(Record):
    """The draft names an entity it must not name. Each entry is a name with its aliases; whole words, any case."""

    kind: Literal["avoid"]
    entities: dict[str, tuple[str, ...]] = Field(min_length=1)


class AskFirst(Record):
    """A call is made before `of` was asked about it and said yes.

    `tools` empty means every tool that writes. A yes counts once, for one call of the tool that was asked about."""

    kind: Literal["ask_first"]
    tools: tuple[str, ...] = ()
    of: Literal["user", "colleague"] = "user"


class CallFirst(Record):
    """A call of `tools` is made before any of `first` has succeeded. Empty `tools`: every other tool."""

    kind: Literal["call_first"]
    first: tuple[str, ...] = Field(min_length=1)
    tools: tuple[str, ...] = ()


class NeverCall(Record):
    """One of these tools is called at all, or called again with the same arguments (`repeats`)."""

    kind: Literal["never_call"]
    tools: tuple[str, ...] = ()
    repeats: bool = False


class Grounded(Record):
    """A value (identifier, number, date, address, amount) appears that the speaker has not seen anywhere.

    `where` is the draft's text or the arguments of its calls."""

    kind: Literal["grounded"]
    where: Literal["text", "arguments"]


class Claim(Record):
    """The draft claims that something was done which no successful call of the conversation did."""

    kind: Literal["claim"]


class Secret(Record):
    """The draft reveals, to somebody who has not been told it, something private.

    `own`: a value its speaker's party marks as secret, or a text its script must never say.
    `others`: a value that belongs to somebody else's record: it was seen only in tool results, under a
    field named in `fields`, in a record that is not the counterpart's own.
    `internals`: the names of tools or the text of the instructions."""

    kind: Literal["secret"]
    of: Literal["own", "others", "internals"]
    fields: tuple[str, ...] = ()


class Asks(Record):
    """The draft asks for something that must never be asked for (regular expressions, in a question or request)."""

    kind: Literal["asks"]
    any_of: tuple[str, ...] = Field(min_length=1)


class Language(Record):
    """The draft is in another language than the conversation so far (or than `only`, a BCP-47 code)."""

    kind: Literal["language"]
    only: str = ""


class Length(Record):
    """The draft's text is longer or shorter than so many words, or asks more than so many questions."""

    kind: Literal["length"]
    most_words: int | None = Field(None, ge=1)
    least_words: int | None = Field(None, ge=1)
    most_questions: int | None = Field(None, ge=0)


class Repetition(Record):
    """The draft says (nearly) the same as an earlier message of its speaker. `share` of its words, 0 to 1."""

    kind: Literal["repetition"]
    share: float = Field(0.9, gt=0, le=1)
    least_words: int = Field(6, ge=1, description="shorter messages may repeat")


class Role(Record):
    """The speaker speaks for somebody else: a line labelled with another party, or words that only the other role says."""

    kind: Literal["role"]
    any_of: tuple[str, ...] = ()


class Script(Record):
    """A simulated party departs from its script: it states a value that is neither known to it nor heard,
    or denies knowing one that it does know (`withholds`), or a plan leaves out a want or the fixed opening."""

    kind: Literal["script"]
    what: Literal["invents", "plan_incomplete", "plan_reveals"]


Detector = Annotated[
    Pattern
    | Avoid
    | AskFirst
    | CallFirst
    | NeverCall
    | Grounded
    | Claim
    | Secret
    | Asks
    | Language
    | Length
    | Repetition
    | Role
    | Script,
    Field(discriminator="kind"),
]


class Principle(Record):
    """One thing a speaker must hold to."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    text: str = Field(min_length=10, description="the rule, as it is told to the speaker")
    source: str = Field(min_length=3, description="where the idea comes from")
    topic: Literal["procedure", "privacy", "honesty", "tone", "safety", "role"]
    severity: Severity = Field("medium", description="low only labels; medium and high send the draft back")
    applies_to: tuple[Subject, ...] = Field(("assistant",), min_length=1)
    detector: Detector | None = None

    @property
    def revises(self) -> bool:
        return self.severity != "low"


class PrincipleFile(Record):
    """A file of principles."""

    principles: tuple[Principle, ...] = Field(min_length=1)


def load_principles(path: Path) -> dict[str, Principle]:
    """The principles of one file by id.

    Raises:
        ScenarioError: with every fault of the file."""
    source, loaded = read_records(path, PrincipleFile)
    found: dict[str, Principle] = {}
    faults = []
    for at, principle in enumerate(loaded.principles):
        if principle.id in found:
            faults.append(source.fault(("principles", at, "id"), f"principle {principle.id!r} is defined twice"))
        found[principle.id] = principle
    if faults:
        raise ScenarioError(faults)
    return found


@cache
def bundled_principles() -> dict[str, Principle]:
    """Every principle that comes with tertulia."""
    found: dict[str, Principle] = {}
    folder = files("tertulia.scenarios") / "principles"
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".yaml"):
            found |= load_principles(Path(str(entry)))
    return found


def unknown_principle(name: str, known: dict[str, Principle]) -> str:
    """The message for a principle that nobody defined."""
    return f"unknown principle {name!r}{did_you_mean(name, known)}"
