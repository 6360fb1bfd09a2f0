"""Form filling: the values of a tool's parameters, read out of plain text by the parameter's JSON Schema alone.

A parameter schema is flattened into slots (nested objects by path). `read` finds what one message says about
them; every reading carries a strength, so that a value that answers a question or follows its own label wins over
one that merely has the right shape. `assemble` builds the arguments back. After the frame-filling dialogue managers of
the classical literature (Bobrow et al., GUS, 1977).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tertulia.language.acts import affirms, negates
from tertulia.language.finders import NUMBER, numbers, quoted
from tertulia.language.kinds import Kind, kind_of, normal_schema
from tertulia.language.saying import LEAD
from tertulia.language.shapes import KEY_STYLE, KINDS, parts
from tertulia.language.wording import humanize, sentences, stem, stems, words
from tertulia.memo import Memo

__all__ = ["Reading", "Slot", "assemble", "label_said", "read", "slots"]

Path = tuple[str, ...]
STRONG, LABELLED, SHAPED, LIKELY, WEAK = 4.0, 3.0, 2.0, 1.5, 1.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One leaf of a tool's parameters."""

    path: Path
    schema: Mapping[str, Any] = field(hash=False, compare=False)
    required: bool
    kind: Kind

    @property
    def label(self) -> str:
        """How people call it: the words of its path."""
        return label_of(self.path)


@lru_cache(maxsize=4096)
def label_of(path: Path) -> str:
    said: list[str] = []
    for step in path:
        said += [word for word in humanize(step).split() if word not in said]
    return " ".join(said)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that a text gives for a slot, and how sure that is."""

    value: Any
    strength: float
    start: int = -1
    end: int = -1


_slots: Memo[tuple[Slot, ...]] = Memo(4096)  # schemas


def slots(parameters: Mapping[str, Any]) -> tuple[Slot, ...]:
    """The leaves of an object schema, in its order; an array is one leaf."""
    return _slots.of((parameters,), lambda: tuple(_flatten(parameters, parameters, (), True, 0, "")))


def _flatten(
    schema: Mapping[str, Any], root: Mapping[str, Any], path: Path, required: bool, depth: int, style: str
) -> Iterator[Slot]:
    schema = normal_schema(schema, root)
    properties = schema.get("properties")
    if properties and depth < 6:
        style = key_style(properties) or style
        for name, inner in properties.items():
            wanted = required and name in schema.get("required", ())
            yield from _flatten(inner, root, (*path, name), wanted, depth + 1, style)
    elif path:
        kind = kind_of(path[-1], schema)
        if kind == "object":
            schema = {**schema, KEY_STYLE: style}
        elif kind == "list" and schema.get("items", {}).get("type") == "object":
            schema = {**schema, "items": {**schema["items"], KEY_STYLE: style}}
        yield Slot(path, schema, required, kind)


def key_style(names: Iterable[str]) -> str:
    """How names of several words are spelled: camel, kebab or snake; empty where none has several."""
    for name in names:
        if re.search(r"[a-z0-9][A-Z]", name):
            return "camel"
        if "-" in name or "_" in name.strip("_"):
            return "kebab" if "-" in name else "snake"
    return ""


# --- reading -----------------------------------------------------------------------------------------------------

LINKS = (
    r"is|are|was|should\s+be|to\s+be|would\s+be|will\s+be|must\s+be|reads|reading|says|saying|called|named|titled"
    r"|of|to|as|for|number"
)
LINK = rf"(?:\s+(?:{LINKS}))*\s*[:=]?\s+|\s*[:=]\s*"
ENDING = r"(?<=[.?!])\s+(?=[^a-z\s])|\n+"
IDS = ("id", "number", "code", "no", "nr", "ref", "reference", "name")


@lru_cache(maxsize=4096)
def label_patterns(label: str) -> tuple[tuple[re.Pattern[str], float], ...]:
    """What introduces a value of that label, with how sure it is: its words, then `is`, `:` or nothing."""
    said = label.split()
    full = r"[\s_-]*".join([*map(re.escape, said[:-1]), either_number(said[-1])])
    sure = LABELLED + 0.01 * len(said)  # of two labels that end alike, the longer one is meant
    found = [(rf"{full}(?:\s*(?:id|number|code|reference|nr|no\.?))?", sure)]
    if len(said) > 1 and said[-1] in IDS:
        found[0] = (full, sure)
        found.append(
            (r"[\s_-]*".join(map(re.escape, said[:-1])) + r"(?:[\s_-]*(?:number|code|reference))?", LABELLED - 0.2)
        )
        found.append((re.escape(said[-1]), SHAPED + 0.3))
    return tuple((re.compile(rf"\b(?:{names})\b(?P<link>{LINK})", re.IGNORECASE), sure) for names, sure in found)


def either_number(word: str) -> str:
    """A pattern for a word that also finds the singular of a plural."""
    if word.endswith("ies") and len(word) > 4:
        return re.escape(word[:-3]) + "(?:y|ies)"
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return re.escape(word[:-1]) + "s?"
    return re.escape(word)


@lru_cache(maxsize=4096)
def unit_patterns(label: str) -> tuple[tuple[re.Pattern[str], float], ...]:
    """A number before its label: `20 results per page`, `45 days` for the age in days."""
    said = label.split()
    full = r"[\s-]+".join([*map(re.escape, said[:-1]), either_number(said[-1])])
    units = [(full, LABELLED - 0.2 + 0.01 * len(said))]
    if len(said) > 1 and said[-1].endswith("s"):
        units.append((either_number(said[-1]), SHAPED + 0.3))
    return tuple(
        (re.compile(rf"(?P<number>{NUMBER.pattern})[\s-]+(?:[\w-]+\s+)?(?:{unit})\b", re.IGNORECASE), sure)
        for unit, sure in units
    )


def label_said(label: str, text: str) -> bool:
    """Whether a text names a slot."""
    return stems(label) <= stems(text)


def labelled(slot: Slot, text: str) -> Iterator[Reading]:
    """Values that stand behind the slot's own label; a number may stand before it.

    A value inside an object also goes by its own name alone."""
    patterns = label_patterns(slot.label)
    if len(slot.path) > 1:
        patterns += tuple((pattern, sure - 0.5) for pattern, sure in label_patterns(humanize(slot.path[-1])))
    for pattern, sure in patterns:
        for match in pattern.finditer(text):
            for value, start, end in KINDS[slot.kind].after(slot.schema, text[match.end() :], match["link"]):
                yield Reading(value, sure, match.end() + start, match.end() + end)
                break
    if slot.kind in ("integer", "number"):
        for pattern, sure in unit_patterns(slot.label):
            for match in pattern.finditer(text):
                for value, *_ in numbers(slot.schema, match["number"]):
                    yield Reading(value, sure, match.start("number"), match.end("number"))


def shaped(slot: Slot, text: str) -> Iterator[Reading]:
    """Values anywhere in the text that have the slot's shape."""
    kind = KINDS[slot.kind]
    near = label_said(slot.label, text)
    for value, start, end in kind.find(slot.schema, text):
        if slot.kind == "text" and not slot.required and not near:
            continue  # a name or a quote fills an optional text only where the text is spoken of
        if slot.kind == "code" and isinstance(value, str) and value.isalpha() and value.islower():
            continue  # an ordinary word that happens to fit a pattern
        if slot.kind == "enum" and end - start < 2:
            continue  # a letter is a choice only where it is asked for or labelled
        if slot.kind in ("integer", "number") and not slot.required and not (near or counted(slot, text[end:])):
            continue  # not every number is meant for an optional parameter
        yield Reading(value, kind.strength + (0.2 if near else 0.0), start, end)


def counted(slot: Slot, behind: str) -> bool:
    """Whether what is counted, the words behind a number, is what the slot's description speaks of, if it has one."""
    described = str(slot.schema.get("description", ""))
    things = [stem(word) for word in words(behind[:60])[:3]]
    return not described or any(len(thing) > 2 and thing in stems(described) for thing in things)


def answered(slot: Slot, text: str) -> Iterator[Reading]:
    """The value that a reply to a question for this slot gives."""
    whole = next(quoted(text), None) if slot.kind == "text" else None
    if whole is not None:
        yield Reading(whole[0], STRONG, whole[1], whole[2])
        return
    first = parts(text, ENDING)[:1] if '"' in text or "\u201c" in text else sentences(text)[:1]
    said = first[0] if first else ""
    core = said if slot.kind == "boolean" else LEAD.sub("", said, count=1).strip().rstrip(".!")
    value = KINDS[slot.kind].answer(slot.schema, core)
    if value is not None:
        yield Reading(value, STRONG, 0, len(first[0]))


_readings: Memo[dict[Path, Reading]] = Memo(16_384)  # messages, once for each tool that they may be about


def read(wanted: Sequence[Slot], text: str, asked: Slot | None = None) -> Mapping[Path, Reading]:
    """What one message says about the slots. `asked` is the slot that the message replies to, if any.

    No stretch of the text gives two slots a value; the surer reading takes it. Readings are remembered."""
    return _readings.of((wanted,), lambda: _read(wanted, text, asked), text, asked.path if asked else None)


def _read(wanted: Sequence[Slot], text: str, asked: Slot | None) -> dict[Path, Reading]:
    found: list[tuple[float, int, Slot, Reading]] = []
    for nth, slot in enumerate(wanted):
        readings = [*labelled(slot, text), *shaped(slot, text)]
        if asked is not None:
            stray = slot.path != asked.path and slot.kind in ("enum", "list")  # a choice's word in a reply
            readings = [r for r in readings if r.strength >= (SHAPED if stray else LIKELY)]
            if slot.path == asked.path and not any(r.strength >= LABELLED for r in readings):
                readings += answered(slot, text)
        found += [(-reading.strength, nth, slot, reading) for reading in readings]
    taken: list[tuple[int, int]] = []
    chosen: dict[Path, Reading] = {}
    for _, _, slot, reading in sorted(found, key=lambda entry: (entry[0], entry[1], entry[3].start)):
        overlaps = any(reading.start < end and start < reading.end for start, end in taken)
        if slot.path not in chosen and not overlaps:
            chosen[slot.path] = reading
            taken.append((reading.start, reading.end))
    return chosen


def affirmation(text: str) -> bool | None:
    """A yes as True, a no as False, neither as None."""
    return True if affirms(text) else False if negates(text) else None


# --- arguments -----------------------------------------------------------------------------------------------------


def assemble(values: Mapping[Path, Any]) -> dict[str, Any]:
    """Arguments out of values by path."""
    built: dict[str, Any] = {}
    for path, value in values.items():
        target = built
        for step in path[:-1]:
            target = target.setdefault(step, {})
        target[path[-1]] = value
    return built
