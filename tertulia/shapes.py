"""The shapes of parameter values: for each kind of JSON Schema leaf, how its values look in plain text."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from tertulia.acts import affirms, negates
from tertulia.wording import MONTH, NUMBER_WORDS, WEEKDAYS, humanize, normal, stem, words

__all__ = ["KINDS", "Kind", "Shape", "kind_of", "normal_schema", "quoted"]

Kind = Literal[
    "enum",
    "boolean",
    "integer",
    "number",
    "email",
    "url",
    "ip",
    "date",
    "day",
    "time",
    "code",
    "text",
    "list",
    "object",
]
Schema = Mapping[str, Any]
Found = tuple[Any, int, int]  # a value and where it stands

QUOTED = re.compile(r"(?<![\w])[\"\u201c]([^\"\u201d]{1,200})[\"\u201d]|(?<![\w])'([^']{1,120})'(?!\w)|`([^`]{1,200})`")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"(?:https?://|www\.)[^\s\"'<>)]+[^\s\"'<>).,;:!?]")
IP = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}(?:T\d{{2}}:\d{{2}}(?::\d{{2}})?Z?)?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{MONTH})\b(?:,? \d{{4}})?"
    rf"|\b(?:{MONTH}) \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?",
    re.IGNORECASE,
)
DAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)}|today|tomorrow)\b", re.IGNORECASE)
TIME = re.compile(r"\b\d{1,2}:\d{2}(?:\s?[ap]\.?m)?\b|\b\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE)
CODE = re.compile(r"(?<![\w@.])(?=[\w$/#-]*\d)[\w$#][\w$/#-]*(?<![-/])(?![\w@])")
NUMBER = re.compile(r"(?<![\w.-])[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w@]|[-/:.]\d)")
SPELLED = re.compile(rf"\b(?:{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)
NAME = re.compile(r"(?<![.?!] )(?<!^)\b(?!I\b)[A-Z][\w'-]+(?: (?:of|the|in|on|to|[A-Z0-9][\w'-]*))* ?(?<![ ])")
UP_TO = re.compile(r"[^.;!?\n,]*(?:[.,](?=\w)[^.;!?\n,]*)*")
ID_WORDS = frozenset(
    ("id", "number", "code", "token", "key", "reference", "ref", "sku", "iban", "isbn", "postcode", "zip")
)
SAYING = re.compile(r"\b(?:saying|says|say|reads|reading|comment|note|message|that)\b[:,]?\s*$", re.IGNORECASE)


def normal_schema(schema: Schema, root: Schema, depth: int = 0) -> Schema:
    """A schema with its reference followed and the null alternative of an optional value dropped."""
    if depth > 8 or not isinstance(schema, Mapping):
        return schema if isinstance(schema, Mapping) else {}
    if "$ref" in schema:
        target: Any = root
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(step, {}) if isinstance(target, Mapping) else {}
        return normal_schema({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        options = [o for o in schema.get(key, ()) if not (isinstance(o, Mapping) and o.get("type") == "null")]
        if options:
            rest = {k: v for k, v in schema.items() if k != key}
            return normal_schema({**options[0], **rest}, root, depth + 1)
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        return {**schema, "type": kinds[0] if kinds else "string"}
    if isinstance(schema.get("items"), Mapping):
        return {**schema, "items": normal_schema(schema["items"], root, depth + 1)}
    return schema


FORMATS: dict[str, Kind] = {
    "email": "email", "uri": "url", "url": "url", "ipv4": "ip", "date": "date", "date-time": "date", "time": "time",
}  # fmt: skip
NAMED: dict[str, Kind] = {
    "email": "email", "mail": "email", "url": "url", "uri": "url", "link": "url", "website": "url", "ip": "ip",
    "date": "date", "day": "day", "weekday": "day", "time": "time",
}  # fmt: skip


def kind_of(name: str, schema: Schema, root: Schema) -> Kind:
    """The kind of a leaf: by enum, type and format, then by the words of its name."""
    if schema.get("enum") or "const" in schema:
        return "enum"
    kinds: dict[str, Kind] = {
        "boolean": "boolean", "integer": "integer", "number": "number", "array": "list", "object": "object",
    }  # fmt: skip
    if schema.get("type") in kinds:
        return kinds[schema["type"]]
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    if schema.get("pattern"):
        return "code"
    said = humanize(name).split()
    for word in reversed(said):
        if word in NAMED:
            return NAMED[word]
    return "code" if said and said[-1] in ID_WORDS else "text"


# --- finders: values of a shape anywhere in a text ----------------------------------------------------------------


def quoted(text: str) -> Iterator[Found]:
    """What stands in quotes."""
    for match in QUOTED.finditer(text):
        yield (match[1] or match[2] or match[3]).strip().rstrip(","), match.start(), match.end()


def by(pattern: re.Pattern[str]) -> Callable[[Schema, str], Iterator[Found]]:
    """A finder for one regular expression."""

    def find(schema: Schema, text: str) -> Iterator[Found]:
        for match in pattern.finditer(text):
            yield match[0].strip(), match.start(), match.end()

    return find


@lru_cache(maxsize=4096)
def choice_pattern(choice: str) -> re.Pattern[str]:
    """A choice of an enum in any form: its words, the last one with any ending."""
    said = humanize(choice).split() or [choice]
    last = said[-1]
    root = last[:-1] if len(last) > 3 and last[-1] in "esy" else last
    pieces = [*map(re.escape, said[:-1]), re.escape(root) + (r"\w{0,4}" if len(last) > 3 else r"s?")]
    return re.compile(r"\b" + r"[\s_-]*".join(pieces) + r"\b", re.IGNORECASE)


def choices(schema: Schema, text: str) -> Iterator[Found]:
    options = schema.get("enum") or [schema.get("const")]
    for choice in options:
        if isinstance(choice, str):
            ending = stem(humanize(choice).split()[-1]) if choice.strip(" _-") else ""
            for match in choice_pattern(choice).finditer(text):
                if stem(re.split(r"[\s_-]", match[0])[-1]) == ending:
                    yield choice, match.start(), match.end()
        elif choice is not None:
            for value, start, end in numbers({"type": "number"}, text):
                if value == choice:
                    yield choice, start, end


def numbers(schema: Schema, text: str) -> Iterator[Found]:
    whole = schema.get("type") == "integer"
    for match in NUMBER.finditer(text):
        value = float(match[0].replace(",", ""))
        if not (whole and not value.is_integer()):
            yield int(value) if whole or value.is_integer() else value, match.start(), match.end()
    for match in SPELLED.finditer(text):
        if match[0].lower() != "one":  # "the one I saw" counts nothing
            yield NUMBER_WORDS[match[0].lower()], match.start(), match.end()


def codes(schema: Schema, text: str) -> Iterator[Found]:
    pattern = schema.get("pattern")
    if pattern:
        exact = compiled(pattern)
        for match in re.finditer(r"[^\s,;!?\"'()]+", text):
            token = match[0].rstrip(".:")
            for form in (token, token.upper(), token.lower()):
                if exact is not None and exact.search(form):
                    yield form, match.start(), match.start() + len(token)
                    break
        return
    for value, start, end in quoted(text):
        if " " not in value:
            yield value.rstrip("."), start, end
    for match in CODE.finditer(text):
        if not DATE.fullmatch(match[0]):
            yield match[0].lstrip("#"), match.start(), match.end()


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """A schema's pattern as a regular expression for a whole token; None if Python cannot read it."""
    try:
        return re.compile(rf"\A(?:{pattern.removeprefix('^').removesuffix('$')})\Z")
    except re.error:
        return None


def texts(schema: Schema, text: str) -> Iterator[Found]:
    found = [(value, start, end) for value, start, end in quoted(text) if end - start < 0.9 * len(text)]
    yield from found  # quotes around the whole text quote nothing in it
    if not found:
        for match in NAME.finditer(text):
            if match[0].lower() not in WEEKDAYS and len(match[0]) > 2:
                yield match[0].strip(), match.start(), match.end()


def lists(schema: Schema, text: str) -> Iterator[Found]:
    items = schema.get("items") or {}
    if items.get("enum"):
        found = list(choices(items, text))
        unique = list(dict.fromkeys(value for value, *_ in found))
        if unique:
            yield unique, min(f[1] for f in found), max(f[2] for f in found)
        return
    found = list(quoted(text))
    if len(found) > 1 and items.get("type", "string") == "string":
        yield [value for value, *_ in found], found[0][1], found[-1][2]


def nothing(schema: Schema, text: str) -> Iterator[Found]:
    return iter(())


# --- answers: the reply to a question for a value ------------------------------------------------------------------


def first(find: Callable[[Schema, str], Iterator[Found]]) -> Callable[[Schema, str], Any]:
    """An answer is the first value of that shape in it."""

    def answer(schema: Schema, text: str) -> Any:
        return next((value for value, *_ in find(schema, text)), None)

    return answer


def unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def plain(schema: Schema, text: str) -> Any:
    said = unquoted(text)
    return said or None


def code(schema: Schema, text: str) -> Any:
    return first(codes)(schema, text) or (None if schema.get("pattern") else plain(schema, text))


def day(schema: Schema, text: str) -> Any:
    found = first(by(DATE))(schema, text) or first(by(DAY))(schema, text)
    return found.lower() if found and DAY.fullmatch(found) else found or plain(schema, text)


def date(schema: Schema, text: str) -> Any:
    found = first(by(DATE))(schema, text)
    return iso(found) if found else plain(schema, text)


def iso(said: str) -> str:
    """A date with its year as YYYY-MM-DD, else as it was said."""
    form = normal(said)
    return form if re.fullmatch(r"\d{4}-\d{2}-\d{2}", form) else said


def yes_no(schema: Schema, text: str) -> Any:
    return True if affirms(text) else False if negates(text) else None


def split_list(text: str) -> list[str]:
    """`"a, b", c and d` -> the entries, quotes respected."""
    kept: list[str] = []
    held = QUOTED.sub(lambda m: kept.append(m[1] or m[2] or m[3]) or f"\x00{len(kept) - 1}\x00", text)  # type: ignore[func-returns-value]
    parts = [part.strip() for part in re.split(r",\s*and\s+|,\s*|\s+and\s+|\s*&\s*", held) if part.strip()]
    return [re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], part) for part in parts]


def listed(schema: Schema, text: str) -> Any:
    items = schema.get("items") or {}
    if normal(text) in ("none", "nothing", ""):
        return []
    if items.get("properties") or items.get("type") == "object":
        return [pairs(items, part) for part in text.split(";") if part.strip()]
    kind = kind_of("", items, items)
    found = [KINDS[kind].answer(items, part) for part in split_list(text)]
    return [value for value in found if value is not None] or None


def pairs(schema: Schema, text: str) -> Any:
    """`street: 5 Mill Lane, city: Leeds` -> an object; keys are spelled as the schema has them, else in snake_case."""
    known = {humanize(name): name for name in schema.get("properties", {})}
    found: dict[str, Any] = {}
    for part in re.split(r",\s*(?=[\w ]{1,40}:\s)", text):
        key, colon, value = part.partition(":")
        if colon and value.strip():
            name = known.get(humanize(key.strip()), "_".join(words(key)))
            inner = schema.get("properties", {}).get(name, {})
            read = KINDS[kind_of(name, inner, inner)].answer(inner, value.strip()) if inner else unquoted(value)
            found[name] = read
    return found or None


# --- values behind a label -----------------------------------------------------------------------------------------


def at_start(find: Callable[[Schema, str], Iterator[Found]]) -> Callable[[Schema, str, bool], Iterator[Found]]:
    """Behind a label, a value of that shape counts when it comes at once."""

    def after(schema: Schema, text: str, linked: bool) -> Iterator[Found]:
        for value, start, end in sorted(find(schema, text[:240]), key=lambda found: found[1]):
            if not text[:start].strip(" \"'(#$€£:the"):
                yield value, start, end

    return after


def phrase(schema: Schema, text: str, linked: bool) -> Iterator[Found]:
    """Behind a label, free text is what is quoted, or what follows `is` or `:` up to the next stop."""
    for value, start, end in quoted(text[:260]):
        if not text[:start].strip(" :,"):
            yield value, start, end
            return
    match = UP_TO.match(text)
    if linked and match and match[0].strip():
        said = re.split(r"\s+(?:and|but|so|please)\s+", match[0].strip())[0].strip()
        if said and len(said.split()) <= 12:
            yield unquoted(said), 0, match.end()


def listing(schema: Schema, text: str, linked: bool) -> Iterator[Found]:
    stop = re.match(r"[^.;!?\n]*", text)
    said = stop[0].strip() if stop else ""
    value = listed(schema, said) if linked and said else None
    if value:
        yield value, 0, len(said)


def pairing(schema: Schema, text: str, linked: bool) -> Iterator[Found]:
    said = re.split(r"[.;!?](?:\s|$)|\n", text)[0]
    value = pairs(schema, said) if ":" in said else None
    if value:
        yield value, 0, len(said)


def said_yes(schema: Schema, text: str, linked: bool) -> Iterator[Found]:
    match = re.match(r"\s*(yes|no|true|false|on|off)\b", text, re.IGNORECASE)
    if match:
        yield match[1].lower() in ("yes", "true", "on"), 0, match.end()


@dataclass(frozen=True, slots=True)
class Shape:
    """How the values of one kind are found: anywhere, as an answer, and behind their label."""

    find: Callable[[Schema, str], Iterator[Found]]
    answer: Callable[[Schema, str], Any]
    after: Callable[[Schema, str, bool], Iterator[Found]]
    strength: float  # of a value found anywhere, without label or question


def simple(pattern: re.Pattern[str], strength: float) -> Shape:
    """The shape of one regular expression."""
    return Shape(
        by(pattern),
        lambda schema, text: first(by(pattern))(schema, text) or plain(schema, text),
        at_start(by(pattern)),
        strength,
    )


def days(schema: Schema, text: str) -> Iterator[Found]:
    for value, start, end in by(DAY)(schema, text):
        yield value.lower(), start, end
    yield from by(DATE)(schema, text)


def dates(schema: Schema, text: str) -> Iterator[Found]:
    for value, start, end in by(DATE)(schema, text):
        yield iso(value), start, end


KINDS: dict[str, Shape] = {
    "enum": Shape(choices, first(choices), at_start(choices), 1.9),
    "boolean": Shape(nothing, yes_no, said_yes, 0.0),
    "integer": Shape(numbers, first(numbers), at_start(numbers), 1.0),
    "number": Shape(numbers, first(numbers), at_start(numbers), 1.0),
    "email": simple(EMAIL, 2.0),
    "url": simple(URL, 2.0),
    "ip": simple(IP, 2.0),
    "date": Shape(dates, date, at_start(dates), 1.8),
    "day": Shape(days, day, at_start(days), 1.8),
    "time": simple(TIME, 1.8),
    "code": Shape(codes, code, at_start(codes), 1.4),
    "text": Shape(texts, plain, phrase, 1.1),
    "list": Shape(lists, listed, listing, 1.6),
    "object": Shape(nothing, pairs, pairing, 0.0),
}
