"""Principles: what a speaker must hold to, and the detectors that can tell without a model.

A detector is data from a small vocabulary (the `Detector` union below); what each one does with a
draft is in `tertulia.detectors`. A principle without a detector is left to model critics.
"""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

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


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Regex = Annotated[str, AfterValidator(_compiles)]


class Pattern(Record):
    """A sentence of the draft matches (or, with `must`, none of them matches) one of these regular expressions.

    Case is ignored. `unless` lists patterns that excuse the match when they hold in the same sentence. `when`
    limits the rule to the speaker's first words, or to what it says right after a call that failed. With `unseen`, a
    match is excused when the speaker has seen it: it was told to it, or stands in what it knows and may do."""

    kind: Literal["pattern"]
    any_of: tuple[Regex, ...] = Field(min_length=1)
    unless: tuple[Regex, ...] = ()
    must: bool = False
    unseen: bool = False
    when: Literal["always", "first_turn", "after_error"] = "always"


class Avoid(Record):
    """The draft names an entity it must not name. Each entry is a name with its aliases; whole words, any case."""

    kind: Literal["avoid"]
    entities: dict[str, tuple[str, ...]] = Field(min_length=1)


class AskFirst(Record):
    """A call is made before `of` was asked about it and said yes.

    `tools` empty means every tool that writes; with `of: colleague`, those that a colleague of the cast decides
    on, if any. A question asks for a go-ahead and names the action (the tool's verb or object, or the call's
    values); the yes is what the asked party says next. A yes counts for one call, or for each of the calls that
    the question named; a call that failed may be made again; a changed value ("yes, but monday") must be used."""

    kind: Literal["ask_first"]
    tools: tuple[str, ...] = ()
    of: Literal["user", "colleague"] = "user"


class CallFirst(Record):
    """A call of `tools` is made before the speaker's call of any of `first` has succeeded. Empty `tools`: every
    other tool."""

    kind: Literal["call_first"]
    first: tuple[str, ...] = Field(min_length=1)
    tools: tuple[str, ...] = ()


class NeverCall(Record):
    """One of these tools is called at all; or, with `repeats`, called again with the same arguments although it
    succeeded and nothing has happened since that calls for it (empty `tools`: any tool)."""

    kind: Literal["never_call"]
    tools: tuple[str, ...] = ()
    repeats: bool = False


class Grounded(Record):
    """A value (identifier, number, date, weekday, e-mail or web address, amount) appears that the speaker has seen
    nowhere: not in what it heard, called and got, not in its policy, knowledge, persona, script or tools.

    `where` is the draft's text or the arguments of its calls. Small counts of things ("two options") and list
    numbers are excused in text; choices of the tool's schema and reworded notes in arguments."""

    kind: Literal["grounded"]
    where: Literal["text", "arguments"]


class Claim(Record):
    """The draft claims that something was done, checked or passed on which no successful call or message of the
    conversation did. Questions, conditions, offers, plans and denials are no claims."""

    kind: Literal["claim"]


class Secret(Record):
    """The draft reveals, to somebody who has not been told it, something private.

    `own`: a value its speaker's party marks as secret, or a text its script must never say.
    `others`: a value under a field named in `fields` (`phone` also names `mobile_phone`) of a person's record
    that only tool results showed and that is not the counterpart's own. A record is a person's when its tool or
    one of its keys names one (customer, patient, account, ...); it is the counterpart's own when it holds, or
    links to, who the counterpart is.
    `internals`: names of tools, raw data, or sentences of the instructions that are addressed to the speaker."""

    kind: Literal["secret"]
    of: Literal["own", "others", "internals"]
    fields: tuple[str, ...] = ()


class Asks(Record):
    """The draft asks for something that must never be asked for (regular expressions, in a question or request
    that is not denied: "never send me your password" asks for nothing)."""

    kind: Literal["asks"]
    any_of: tuple[Regex, ...] = Field(min_length=1)


class Language(Record):
    """The draft is in another language than the conversation so far (or than `only`, a BCP-47 code). Told by
    function words: English, German, French, Spanish, Italian, Portuguese and Dutch, from five words on."""

    kind: Literal["language"]
    only: str = ""


class Length(Record):
    """The draft's text is longer or shorter than so many words, or asks more than so many questions."""

    kind: Literal["length"]
    most_words: int | None = Field(None, ge=1)
    least_words: int | None = Field(None, ge=1)
    most_questions: int | None = Field(None, ge=0)


class Repetition(Record):
    """The draft says (nearly) the same to the same party as an earlier message of its speaker: it has the same
    values and at least `share` (0 to 1) of the words."""

    kind: Literal["repetition"]
    share: float = Field(0.9, gt=0, le=1)
    least_words: int = Field(6, ge=1, description="shorter messages may repeat")


class Role(Record):
    """The speaker speaks for somebody else: a line labelled with another party ("Agent: ..."), or words that only
    the other role says (`any_of`, regular expressions; `unless` excuses, as in `Pattern`)."""

    kind: Literal["role"]
    any_of: tuple[Regex, ...] = ()
    unless: tuple[Regex, ...] = ()


class Script(Record):
    """A simulated party or its planner departs from the script.

    `invents`: it states a value that it neither knows nor has heard.
    `plan_incomplete`: a plan changes the fixed opening or leaves out a call that is wanted.
    `plan_reveals`: a plan holds a text that must never be said, or somebody's secret."""

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
    broken_by: tuple[str, ...] = Field(
        (),
        description="sentences that break it, for the faults that the rule cast plants; with `--slips`, critics are "
        "measured on them",
    )

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
