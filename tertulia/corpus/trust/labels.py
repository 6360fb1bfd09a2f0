"""What people say of a run's conversations and drafts, as rows of JSONL.

    {"item": ID, "rater": "human", "label": true}                                        the conversation is good
    {"item": ID, "rater": "human", "turn": 3, "draft": 0, "principle": P, "violates": true}   that draft breaks P

An item is the id of a conversation; turns and drafts are counted from 0, and the turn of a plan is -1. Other raters'
rows and those of `tertulia agreement` may stand between them; a null says nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, ValidationError

from tertulia.errors import Fault, ScenarioError, UserError, did_you_mean
from tertulia.lines import lines_of
from tertulia.records import Conversation, Record
from tertulia.slips import accepted, placed
from tertulia.validation import complaints, strictly

__all__ = ["Labels", "read_labels"]

HUMAN = "human"
GOOD = {"true", "1", "good", "pass", "accept", "yes"}
BAD = {"false", "0", "bad", "fail", "reject", "no"}
Place = tuple[int, int]  # turn and draft


class Said(Record):
    """What a rater says of a conversation."""

    item: str = Field(min_length=1)
    rater: str = Field(min_length=1)
    label: bool | int | str | None


class Violation(Record):
    """What a rater says of a draft and a principle."""

    item: str = Field(min_length=1)
    rater: str = Field(min_length=1)
    turn: int = Field(ge=-1)
    draft: int = Field(ge=0)
    principle: str = Field(min_length=1)
    violates: bool | None


@dataclass(slots=True)
class Labels:
    """What people say, by conversation; and on which line, until the run has shown that there is such a thing.

    Memory grows with the labels."""

    good: dict[str, bool] = field(default_factory=dict)
    drafts: dict[str, dict[Place, dict[str, bool]]] = field(default_factory=dict)
    unmet: dict[tuple[str, Place], list[Fault]] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)  # conversations that are labelled -> the line

    def of(self, talk: Conversation) -> Mapping[Place, Mapping[str, bool]]:
        """Of the drafts of a conversation: principle -> whether it is broken there."""
        said = self.drafts.get(talk.id, {})
        for place, _ in placed(talk) if said else ():
            self.unmet.pop((talk.id, place), None)
        return said

    def faulty(self, talk: Conversation) -> bool | None:
        """Whether people call a conversation bad, or say of a draft that was accepted in it that it breaks a principle;
        None: nobody has said either."""
        self.unseen.pop(talk.id, None)
        said = self.of(talk)
        if said and any(any(said[place].values()) for place in accepted(talk) & said.keys()):
            return True
        return None if talk.id not in self.good else not self.good[talk.id]

    def check(self) -> None:
        """Call it when every conversation of the run has been asked for.

        Labels of conversations that it has not are left in `unseen`: one file may be about several runs.

        Raises:
            ScenarioError: with the lines about drafts that the run has not."""
        faults = [fault for some in self.unmet.values() for fault in some]
        if faults:
            raise ScenarioError(sorted(faults, key=lambda fault: (fault.file, fault.line)))


def read_labels(path: Path, principles: set[str]) -> Labels:
    """Read a file; blank lines are skipped. `principles` are those that a row may name.

    Raises:
        ScenarioError: with every line that cannot be read, says a thing twice, or names no such principle.
        UserError: if the file cannot be read, or holds nothing that people say."""
    found, faults = Labels(), list[Fault]()
    for row, number in rows(path, faults):
        fault = kept(found, row, str(path), number, principles)
        faults += [fault] if fault else []
    if faults:
        raise ScenarioError(faults)
    if not found.good and not found.drafts:
        raise UserError(f"{path}: no row of the rater {HUMAN!r} says anything of a conversation or a draft")
    return found


def rows(path: Path, faults: list[Fault]) -> Iterator[tuple[Said | Violation, int]]:
    """Every row that people could have written, with its line; what is wrong goes to `faults`."""
    for number, line in enumerate(lines_of(path), 1):
        try:
            value = json.loads(line) if line.strip() else None
        except ValueError as error:
            faults.append(Fault(str(path), number, 1, f"not JSON: {error}", rule="labels"))
            continue
        if value is None or (isinstance(value, dict) and "predicted" in value):
            continue  # a dialogue of `tertulia agreement`
        model: type[Said | Violation] = Violation if isinstance(value, dict) and "principle" in value else Said
        try:
            yield strictly(model, json.dumps(value)), number
        except ValidationError as error:
            for one in complaints(model, error):
                where = f"{'.'.join(map(str, one.at))}: " if one.at and not one.on_key else ""
                faults.append(Fault(str(path), number, 1, where + one.message, "labels", suggestion=one.suggestion))


def kept(found: Labels, row: Said | Violation, file: str, number: int, principles: set[str]) -> Fault | None:
    """Put a row to the others; what is wrong with it."""

    def fault(message: str, suggestion: str = "") -> Fault:
        return Fault(file, number, 1, message, rule="labels", suggestion=suggestion)

    if row.rater != HUMAN:
        return None
    if isinstance(row, Said):
        said = str(row.label).lower()
        if row.label is None:
            return None
        if said not in GOOD | BAD:
            return fault(f"the label {row.label!r} of {row.item!r} is neither good (true) nor bad (false)")
        if row.item in found.good:
            return fault(f"{row.item!r} is labelled on an earlier line already")
        found.good[row.item] = said in GOOD
        found.unseen[row.item] = number
        return None
    if row.principle not in principles:
        hint = did_you_mean(row.principle, principles)
        return fault(f"no scenario of this run has a principle {row.principle!r}", hint)
    if row.violates is None:
        return None
    place = (row.turn, row.draft)
    broken = found.drafts.setdefault(row.item, {}).setdefault(place, {})
    if row.principle in broken:
        where = f"turn {row.turn}, draft {row.draft} of {row.item!r}"
        return fault(f"{where} has a label for {row.principle!r} already")
    broken[row.principle] = row.violates
    missing = fault(f"{row.item!r} has no turn {row.turn} with a draft {row.draft} in this run")
    found.unmet.setdefault((row.item, place), []).append(missing)
    return None
