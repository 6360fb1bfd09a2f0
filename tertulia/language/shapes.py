"""The shapes of parameter values: for each kind of JSON Schema leaf, how its values look in plain text."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tertulia.language.acts import affirms, negates
from tertulia.language.finders import (
    DATE,
    DAY,
    QUOTED,
    Find,
    Found,
    by,
    choices,
    codes,
    dates,
    days,
    iso,
    lists,
    nothing,
    numbers,
    quoted,
    texts,
    together,
)
from tertulia.language.kinds import Kind, Schema, kind_of
from tertulia.language.wording import humanize, words

__all__ = ["KEY_STYLE", "KINDS", "Shape", "parts"]

EMAIL = re.compile(r"(?<![\w.-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")  # tried once in a run of letters, however long
URL = re.compile(r"(?:https?://|www\.)[^\s\"'<>)]+[^\s\"'<>).,;:!?]")
IP = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
TIME = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m)?\b|\b\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE)
UP_TO = re.compile(r"[^.;!?\n,]*(?:[.,](?=\w)[^.;!?\n,]*)*")
TOKEN = re.compile(r"\s*[\"']?(?P<value>[^\s,;!?\"']*(?:[\d@/:_-]|\.\w|[A-Z]{2})[^\s,;!?\"']*)")
NEXT_KEY = r",\s*(?=[\w ]{1,40}:\s)"
KEY_STYLE = "x-key-style"  # in the schema of a free-form object: how its siblings spell their names


# --- answers: the reply to a question for a value ------------------------------------------------------------------


def first(find: Find) -> Callable[[Schema, str], Any]:
    """An answer is the first value of that shape in it."""

    def answer(schema: Schema, text: str) -> Any:
        return next((value for value, *_ in find(schema, text)), None)

    return answer


def unquoted(text: str) -> str:
    text = text.strip()
    closing = {'"': '"', "'": "'", "\u201c": "\u201d"}.get(text[:1])
    return text[1:-1] if len(text) > 1 and closing == text[-1] else text


def plain(schema: Schema, text: str) -> Any:
    said = unquoted(text)
    return said or None


def code(schema: Schema, text: str) -> Any:
    if not schema.get("pattern") and text and all(any(c.isdigit() for c in word) for word in text.split()):
        return plain(schema, text).lstrip("#")  # SW1A 1AA, 555 0134
    return first(codes)(schema, text) or (None if schema.get("pattern") else plain(schema, text))


def day(schema: Schema, text: str) -> Any:
    found = first(by(DATE))(schema, text) or first(by(DAY))(schema, text)
    return found.lower() if found and DAY.fullmatch(found) else found or plain(schema, text)


def date(schema: Schema, text: str) -> Any:
    found = first(by(DATE))(schema, text)
    return iso(found) if found else plain(schema, text)


def yes_no(schema: Schema, text: str) -> Any:
    return True if affirms(text) else False if negates(text) else None


def listed(schema: Schema, text: str) -> Any:
    """`"a, b", c and d` -> the entries; objects are parted by semicolons."""
    items = schema.get("items") or {}
    if text.strip(" .").lower() in ("none", "nothing", ""):  # in quotes it is an entry
        return []
    if items.get("properties") or items.get("type") == "object":
        return [found for part in parts(text, r";") if (found := pairs(items, part))] or None
    kind = kind_of("", items)
    found = [KINDS[kind].answer(items, part) for part in parts(text, r",\s*and\s+|,\s*|\s+and\s+|\s*&\s*")]
    return [value for value in found if value is not None] or None


def parts(text: str, separator: str) -> list[str]:
    """A text split where the separator stands outside of quotes and brackets."""
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    hidden = re.sub(r"\([^()]*\)", hide, QUOTED.sub(hide, text))
    found = [part.strip() for part in re.split(separator, hidden) if part.strip()]
    return [_shown(part, kept) for part in found]


def _shown(text: str, kept: list[str]) -> str:
    while "\0" in text:
        text = re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text)
    return text


def pairs(schema: Schema, text: str) -> Any:
    """`street: 5 Mill Lane, city: Leeds` -> an object; `the city should be Leeds` gives one pair of it.

    Keys are spelled as the schema has them, else as its siblings are (see `KEY_STYLE`)."""
    properties = schema.get("properties", {})
    known = {humanize(name): name for name in properties}
    found: dict[str, Any] = {}
    for part in parts(text, NEXT_KEY):
        key, colon, value = part.partition(":")
        if not colon or "//" in value[:2]:
            key, colon, value = re.sub(r"^the\s+", "", part).partition(" should be ")
        if colon and value.strip() and len(key.split()) <= 6:
            name = known.get(humanize(key.strip()), spelled(words(key), schema.get(KEY_STYLE, "")))
            found[name] = _paired(name, properties.get(name), value.strip())
    return {name: value for name, value in found.items() if value is not None} or None


def _paired(name: str, schema: Schema | None, value: str) -> Any:
    value = value[1:-1] if value[:1] == "(" and value[-1:] == ")" else value
    if schema and kind_of(name, schema) == "code" and not schema.get("pattern"):
        return unquoted(value)
    if schema:
        return KINDS["object" if schema.get("properties") else kind_of(name, schema)].answer(schema, value)
    return value_of(value)


def value_of(said: str) -> Any:
    """A value of which no schema tells the type: a number where it looks like one, else a text."""
    if re.fullmatch(r"-?(?:0|[1-9]\d{0,14})", said):
        return int(said)
    if re.fullmatch(r"-?\d+\.\d+", said):
        return float(said)
    return {"yes": True, "no": False}.get(said.lower(), unquoted(said))


def spelled(said: tuple[str, ...], style: str) -> str:
    """Words as a name: `postalCode` where the style is camel, else `postal_code`."""
    if style == "camel" and said:
        return said[0] + "".join(word.capitalize() for word in said[1:])
    return ("-" if style == "kebab" else "_").join(said)


# --- values behind a label -----------------------------------------------------------------------------------------

After = Callable[[Schema, str, str], Iterator[Found]]  # schema, the text behind the label, and what links them
SAYS = re.compile(r"[:=]|\b(?:is|are|was|be|reads|reading|says|saying|called|named|titled)\b", re.IGNORECASE)
FIRM = re.compile(r"[:=]|\bbe\b", re.IGNORECASE)


def at_start(find: Find) -> After:
    """Behind a label, a value of that shape counts when it comes at once."""

    def after(schema: Schema, text: str, link: str) -> Iterator[Found]:
        for value, start, end in sorted(find(schema, text[:440]), key=lambda found: found[1]):
            if not text[:start].strip(" \"'(#$€£:the"):
                yield value, start, end

    return after


def guessed(find: Find) -> After:
    """As `at_start`; but where only the parameter's name tells the kind, one word of another shape will do."""
    shaped = at_start(find)

    def after(schema: Schema, text: str, link: str) -> Iterator[Found]:
        found = list(shaped(schema, text, link))
        yield from found
        if not found and SAYS.search(link) and not schema.get("format") and not schema.get("pattern"):
            yield from one_word(text, link)

    return after


def one_word(text: str, link: str) -> Iterator[Found]:
    """One word that may be a code or a name; any words where they are what the value should be."""
    match = TOKEN.match(text)
    if FIRM.search(link):
        yield from phrase({}, text, link)
    elif match and (value := match["value"].rstrip(".:")):
        yield value, match.start("value"), match.start("value") + len(value)


def phrase(schema: Schema, text: str, link: str) -> Iterator[Found]:
    """Behind a label, free text is what is quoted, or what follows `is` or `:` up to the next stop."""
    for value, start, end in quoted(text[:440]):
        if not text[:start].strip(" :,"):
            yield value, start, end
            return
    match = UP_TO.match(text)
    if match and match[0].strip() and SAYS.search(link):
        said = re.split(r"\s+(?:and|but|so|please)\s+|\s+instead$", match[0].strip())[0].strip()
        if said and len(said.split()) <= 12:
            yield unquoted(said), 0, match.end()


def listing(schema: Schema, text: str, link: str) -> Iterator[Found]:
    """Behind a label, a list is what follows `is` or `:` up to the next stop, or the quotes that come at once."""
    items = schema.get("items") or {}
    records = bool(items.get("properties")) or items.get("type") == "object"
    said = parts(text, r"[.!?](?:\s|$)|\n" if records else rf"[.!?](?:\s|$)|[;\n]|{NEXT_KEY}")[:1]
    value = listed(schema, said[0]) if said and SAYS.search(link) else None
    if value:
        yield value, 0, len(said[0])
    elif not records and (groups := together(quoted(text), text)) and not text[: groups[0][0][1]].strip(" :,"):
        yield listed(schema, " and ".join(f'"{entry}"' for entry, *_ in groups[0])), groups[0][0][1], groups[0][-1][2]


def pairing(schema: Schema, text: str, link: str) -> Iterator[Found]:
    said = parts(text, r"[.;!?](?:\s|$)|\n")[:1]
    value = pairs(schema, said[0]) if said else None
    if value:
        yield value, 0, len(said[0])


def said_yes(schema: Schema, text: str, link: str) -> Iterator[Found]:
    match = re.match(r"\s*(yes|no|true|false|on|off)\b", text, re.IGNORECASE)
    if match:
        yield match[1].lower() in ("yes", "true", "on"), 0, match.end()


@dataclass(frozen=True, slots=True)
class Shape:
    """How the values of one kind are found: anywhere, as an answer, and behind their label."""

    find: Find
    answer: Callable[[Schema, str], Any]
    after: After
    strength: float  # of a value found anywhere, without label or question


def simple(pattern: re.Pattern[str], strength: float) -> Shape:
    """The shape of one regular expression."""
    find = by(pattern)
    return Shape(find, lambda schema, text: first(find)(schema, text) or plain(schema, text), guessed(find), strength)


KINDS: Mapping[Kind, Shape] = {
    "enum": Shape(choices, first(choices), at_start(choices), 1.9),
    "boolean": Shape(nothing, yes_no, said_yes, 0.0),
    "integer": Shape(numbers, first(numbers), at_start(numbers), 1.0),
    "number": Shape(numbers, first(numbers), at_start(numbers), 1.0),
    "email": simple(EMAIL, 2.0),
    "url": simple(URL, 2.0),
    "ip": simple(IP, 2.0),
    "date": Shape(dates, date, guessed(dates), 1.8),
    "day": Shape(days, day, guessed(days), 1.8),
    "time": simple(TIME, 1.8),
    "code": Shape(codes, code, guessed(codes), 1.4),
    "text": Shape(texts, plain, phrase, 1.1),
    "list": Shape(lists, listed, listing, 1.6),
    "object": Shape(nothing, pairs, pairing, 0.0),
}
