"""Values that a speaker states or calls with although it has seen them nowhere."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from tertulia.detectors.scene import Finding, Scene
from tertulia.language.wording import (
    KEPT,
    WEEKDAYS,
    humanize,
    normal,
    number_places,
    stands_in,
    stem,
    value_places,
    words,
)
from tertulia.principles import Grounded, Script

__all__ = ["invented", "ungrounded"]

MEASURE_LIST = """
    day days working business calendar hour hours minute minutes min mins second seconds week weeks month months year
    years percent per euro euros eur dollar dollars usd pound pounds gbp cent cents pence franc francs kg kilo kilos
    kilograms gram grams g km m cm mm metre metres meter meters mile miles gb mb tb mbps mbit gbit am pm o'clock degrees
"""
MEASURES = frozenset(MEASURE_LIST.split())
FREE_LIST = """
    reason note notes comment comments message description summary subject title body text query content details remark
    remarks explanation instructions question feedback problem issue topic keyword keywords prompt
"""
FREE = frozenset(FREE_LIST.split())  # names of parameters that take words of the caller's own
COUNTS = frozenset(["quantity", "qty", "count", "copies", "amount", "number", "units"])
RELATIVE = frozenset(["today", "tomorrow", "yesterday", "tonight", "weekend", "week", "month", "morning", "afternoon"])
CURRENCIES = {"usd": "dollar", "eur": "euro", "gbp": "pound", "chf": "franc", "jpy": "yen"}
STOP = frozenset(words("a an the of to in on at for and or with by from my your his her their our is it"))
ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
LIST_NUMBER = re.compile(r"(?:^|\n)\s*(?:step\s+)?\d{1,2}[.):]\s", re.IGNORECASE)
HYPERBOLE = re.compile(r"[- ](?:per ?cent|thanks|times|apologies|pardons)", re.IGNORECASE)
CURRENCY_SIGNS = frozenset("$€£#")
IDIOMS = frozenset(["24/7", "100", "112", "911", "999"])


@lru_cache(maxsize=KEPT)
def _stated(text: str) -> tuple[tuple[str, str], ...]:
    """The values that a text states, as they stand and in their normal form; excused small counts left out."""
    found = []
    places = value_places(text)
    listed = [match.end() for match in LIST_NUMBER.finditer(text)] if places else []
    for start, end in places:
        said = text[start:end]
        form = normal(said)
        numbered = any(start < place <= end + 2 for place in listed)
        if not numbered and form not in IDIOMS and not _counts(form, text, start, end):
            found.append((said, form))
    for start, end, number in number_places(text):
        exaggerated = number >= 100 and HYPERBOLE.match(text, end)
        if number != 1 and not exaggerated and not _counts(str(number), text, start, end):
            found.append((text[start:end], str(number)))
    found += [(day, day) for day in words(text) if day in WEEKDAYS]
    return tuple(found)


def _counts(form: str, text: str, start: int, end: int) -> bool:
    """Whether a small number counts things: `two options`, but not `2 days`, `$5` or `gate 7`."""
    said = text[start:end]
    if not form.isdecimal() or int(form) > 12 or not said.isalnum() or text[:start].rstrip()[-1:] in CURRENCY_SIGNS:
        return False
    following = words(text[end : end + 40])
    if said.isdecimal():
        counted = text[end : end + 1] == " " and bool(following) and _plural(following)
        return counted and following[0] not in MEASURES
    return not following or following[0] not in MEASURES


def _plural(following: tuple[str, ...]) -> bool:
    return any(word.endswith("s") and word not in ("is", "was", "has") for word in following[:3])


def _seen(form: str, scene: Scene) -> bool:
    """Whether a value was seen, in this form or in one that means the same."""
    if scene.seen_form(form):
        return True
    known = scene.all_forms
    if form in WEEKDAYS:
        return form in _days(scene)
    return any(other in known for other in _other_forms(form)) or _part_of(form, known)


def _other_forms(form: str) -> Iterator[str]:
    """Other ways in which the same value may have been seen."""
    if form.isdecimal() and int(form) <= 24:
        yield f"{int(form):02d}:00"
    if form.isdecimal() and int(form) <= 12:
        yield f"{int(form) % 12 + 12:02d}:00"
    if parts := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", form):
        one, two, year = int(parts[1]), int(parts[2]), parts[3]
        yield from (f"{year}-{two:02d}-{one:02d}", f"{year}-{one:02d}-{two:02d}")
    if ISO.fullmatch(form):
        yield f"-{form[4:]}"
    if form.startswith("-") and not form.startswith("--"):
        yield form[1:]
    if re.fullmatch(r"0?\.\d+", form):
        yield normal(f"{float(form) * 100:.4f}")
    if re.fullmatch(r"\d{2}:\d{2}", form):
        yield str(int(form[:2]))


def _part_of(form: str, known: frozenset[str]) -> bool:
    """Whether a value was seen with other punctuation, as the end of a longer number, or as the day of a date."""
    plain = re.sub(r"[\W_]", "", form)
    if len(plain) >= 4 and any(re.sub(r"[\W_]", "", other) == plain for other in known):
        return True
    if form.isdecimal() and len(form) == 4:
        return any(other.endswith(form) and sum(c.isdecimal() for c in other) >= 8 for other in known)
    return form.isdecimal() and len(form) <= 2 and any(ISO.fullmatch(o) and int(o[8:]) == int(form) for o in known)


def _days(scene: Scene) -> frozenset[str]:
    """The weekdays that the speaker has heard of, those of dates included."""
    seen = scene.all_stems
    found = {day for day in WEEKDAYS if stem(day) in seen or day[:3] in seen}
    if len(found) >= 2 and seen & {"to", "until", "through"}:
        marks = sorted(WEEKDAYS.index(day) for day in found)
        found |= set(WEEKDAYS[marks[0] : marks[-1] + 1])
    if seen & {"weekdai", "weekday", "busines"}:
        found |= set(WEEKDAYS[:5])
    if seen & {"weekend"}:
        found |= set(WEEKDAYS[5:])
    return frozenset(found | {day for form in scene.all_forms if (day := _weekday(form))})


@lru_cache(maxsize=KEPT)
def _weekday(form: str) -> str:
    match = ISO.match(form)
    try:
        return WEEKDAYS[date(*map(int, match.groups())).weekday()] if match else ""
    except ValueError:
        return ""


def ungrounded(detector: Grounded, scene: Scene) -> list[Finding]:
    """Values that the draft states, or calls with, and that its speaker has seen nowhere."""
    if detector.where == "text":
        return invented(detector, scene)
    if not scene.hearing.message.calls:
        return []
    found = []
    schemas = {tool.name: tool.parameters for tool in scene.hearing.tools}
    for call in scene.hearing.message.calls:
        root = schemas.get(call.name, {})
        for path, value, schema in _leaves(call.args, root, root, ""):
            if not _grounded(path, value, schema, scene):
                found.append(Finding(f"{call.name}: {path}={value!r}", f"{value!r} was seen nowhere"))
    return found


def invented(detector: Grounded | Script, scene: Scene) -> list[Finding]:
    """Values in the draft's words that its speaker has seen nowhere."""
    stated = _stated(scene.text)
    return [Finding(said, f"{said!r} was seen nowhere") for said, form in stated if not _seen(form, scene)]


# --- arguments ---------------------------------------------------------------------------------------------------


def _leaves(value: Any, schema: Any, root: Any, path: str) -> Iterator[tuple[str, Any, list[dict[str, Any]]]]:
    """Every scalar argument with its path and the schemas it may answer to."""
    options = list(_options(schema, root))
    if isinstance(value, dict):
        for key, inner in value.items():
            under = [o["properties"][key] for o in options if key in o.get("properties", {})]
            yield from _leaves(inner, {"anyOf": under}, root, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            under = [o["items"] for o in options if isinstance(o.get("items"), dict)]
            yield from _leaves(inner, {"anyOf": under}, root, path)
    else:
        yield path, value, options


def _options(schema: Any, root: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """A schema with its references and alternatives opened."""
    if not isinstance(schema, dict) or depth > 8:
        return
    if isinstance(schema.get("$ref"), str):
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target.get(step, {}) if isinstance(target, dict) else {}
        yield from _options(target, root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(key) or ():
            yield from _options(inner, root, depth + 1)
    yield schema


def _grounded(path: str, value: Any, options: list[dict[str, Any]], scene: Scene) -> bool:
    if value is None or isinstance(value, bool) or value == "":
        return True
    if any(value in (o.get("enum") or ()) or ("const" in o and o["const"] == value) for o in options):
        return True
    if any("default" in o and o["default"] == value for o in options):
        return True
    name = humanize(path.rpartition(".")[2]).split()
    if isinstance(value, int | float):
        return _seen(normal(str(value)), scene) or (value == 1 and bool(COUNTS.intersection(name)))
    return _said(str(value), scene) or _worded(str(value), bool(FREE.intersection(name)), scene)


def _said(value: str, scene: Scene) -> bool:
    """Whether a text was seen as it stands, or in a form that means the same."""
    plain = " ".join(value.lower().split())
    if any(stands_in(plain, text) for text in scene.seen_texts):
        return True
    form = normal(value)
    if ISO.match(form):
        day, _, clock = form.partition("t")
        fits = _seen(day, scene) or _weekday(day) in _days(scene) or bool(RELATIVE & scene.all_stems)
        return fits and (not clock or _seen(clock, scene))
    return form != plain and _seen(form, scene)


def _worded(value: str, free: bool, scene: Scene) -> bool:
    """Whether a text that was not seen as it stands is made of what was seen."""
    if any(not _seen(form, scene) for _, form in _stated(value)):
        return False
    values = {word for said, _ in _stated(value) for word in words(said)}
    if free or len(words(value)) > 6:
        names = re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", value)
        return all(stem(name) in scene.all_stems for name in names)
    content = [word for word in words(humanize(value)) if word not in STOP and word not in values]
    if not content:
        return bool(values) or _seen(normal(value), scene)
    known = scene.all_stems
    return all(stem(CURRENCIES.get(word, word)) in known for word in content)
