"""Finders: where a text holds values of a shape, each with its place."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from tertulia.language.kinds import Schema
from tertulia.language.wording import MONTH, NUMBER_WORDS, WEEKDAYS, humanize, normal, stem

__all__ = [
    "DATE",
    "DAY",
    "NUMBER",
    "QUOTED",
    "Find",
    "Found",
    "by",
    "choices",
    "codes",
    "dates",
    "days",
    "iso",
    "lists",
    "nothing",
    "numbers",
    "quoted",
    "texts",
    "together",
]

Found = tuple[Any, int, int]  # a value and where it stands
Find = Callable[[Schema, str], Iterator[Found]]

QUOTED = re.compile(
    r"(?<!\w)\"([^\"]{1,400})\"|\u201c([^\u201d]{1,400})\u201d|(?<!\w)'([^'\n]{1,120})'(?!\w)|`([^`]{1,200})`"
)
DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}(?:T\d{{2}}:\d{{2}}(?::\d{{2}})?(?:Z|[+-]\d{{2}}:\d{{2}})?)?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{MONTH})\b(?:,? \d{{4}})?"
    rf"|\b(?:{MONTH}) \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?",
    re.IGNORECASE,
)
DAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)}|today|tomorrow)\b", re.IGNORECASE)
CODE = re.compile(r"(?<![\w@.])(?=[\w$/#-]*\d)[\w$#][\w$/#-]*(?<![-/])(?![\w@])")
UNIT = r"(?:kg|g|km|m|cm|mm|l|ml|mins?|h|hrs?|s|secs?|lbs?|oz|kb|mb|gb|tb|px|k?wh|eur|usd|gbp|mph|kmh)\b"
NUMBER = re.compile(
    rf"(?<![\w.-])(?<!\d[:/])[-+]?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?:(?=%)|(?={UNIT})|(?![\w@]|[-/:.]\d))",
    re.IGNORECASE,
)
SPELLED = re.compile(rf"\b(?:{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)
NAME = re.compile(r"(?<![.?!] )(?<!^)\b(?!I\b)[A-Z][\w'-]+(?: (?:of|the|in|on|[A-Z0-9][\w'-]*))* ?(?<![ ])")
JOINED = re.compile(r"(?:\s|,|;|&|/|\band\b|\bor\b|\bplus\b|\bas well as\b)*", re.IGNORECASE)
GAP = r"[\s_./:-]*"


def quoted(text: str) -> Iterator[Found]:
    """What stands in quotes."""
    for match in QUOTED.finditer(text):
        yield next(filter(None, match.groups())).strip().rstrip(","), match.start(), match.end()


def by(pattern: re.Pattern[str]) -> Find:
    """A finder for one regular expression."""

    def find(schema: Schema, text: str) -> Iterator[Found]:
        for match in pattern.finditer(text):
            yield match[0].strip(), match.start(), match.end()

    return find


# --- choices -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def choice_pattern(choice: str) -> re.Pattern[str]:
    """A choice of an enum as it is written, or in any form: its words, the last one with any ending."""
    said = humanize(choice).split()
    if not said:
        return re.compile(re.escape(choice))
    last = said[-1]
    root = last[:-1] if len(last) > 3 and last[-1] in "esy" else last
    pieces = [*map(re.escape, said[:-1]), re.escape(root) + (r"\w{0,4}" if len(last) > 3 else r"s?")]
    return re.compile(rf"(?<![\w'])(?:{re.escape(choice)}|{GAP.join(pieces)})(?!\w)", re.IGNORECASE)


def choices(schema: Schema, text: str) -> Iterator[Found]:
    """The choices that a text names, in its order. Where several could be meant, the one that is nearest in letters."""
    said: list[tuple[int, int, int, Any]] = []
    for choice in schema.get("enum") or [schema.get("const")]:
        if isinstance(choice, str):
            said += _named(choice, text)
        elif choice is not None:
            found = [f for f in numbers({"type": "number"}, text) if f[0] == choice and choice is not True]
            said += [(0, start, end, choice) for _, start, end in found]
    taken: list[tuple[int, int]] = []
    kept: list[Found] = []
    for _, start, end, choice in sorted(said, key=lambda entry: entry[0]):
        if not any(start < e and s < end for s, e in taken):
            taken.append((start, end))
            kept.append((choice, start, end))
    yield from sorted(kept, key=lambda found: found[1])


def _named(choice: str, text: str) -> Iterator[tuple[int, int, int, Any]]:
    """Where a text says a choice, with how far what it says is from the choice, letter by letter; longer first."""
    plain = humanize(choice)
    ending = stem(plain.split()[-1]) if plain else ""
    for match in choice_pattern(choice).finditer(text):
        said = humanize(match[0])
        exact = match[0].lower() == choice.lower()
        if exact or (said and stem(said.split()[-1]) == ending):
            shared = next((at for at, (a, b) in enumerate(zip(said, plain, strict=False)) if a != b), len(plain))
            shared = min(shared, len(said))
            distance = 0 if exact else max(len(said), len(plain)) - shared
            yield distance * 100 - len(plain) - exact, match.start(), match.end(), choice


# --- numbers and codes -------------------------------------------------------------------------------------------


def numbers(schema: Schema, text: str) -> Iterator[Found]:
    whole = schema.get("type") == "integer"
    for match in NUMBER.finditer(text):
        digits = match[0].replace(",", "")
        value: int | float = float(digits) if "." in digits else int(digits)
        if not whole or value == int(value):
            yield int(value) if value == int(value) else value, match.start(), match.end()
    for match in SPELLED.finditer(text):
        if match[0].lower() != "one":  # "the one I saw" counts nothing
            yield NUMBER_WORDS[match[0].lower()], match.start(), match.end()


def codes(schema: Schema, text: str) -> Iterator[Found]:
    pattern = schema.get("pattern")
    if pattern:
        yield from _matching(pattern, text)
        return
    for value, start, end in quoted(text):
        if " " not in value:
            yield value.rstrip("."), start, end
    for match in CODE.finditer(text):
        if not DATE.fullmatch(match[0]):
            yield match[0].lstrip("#"), match.start(), match.end()


def _matching(pattern: str, text: str) -> Iterator[Found]:
    """What is quoted, or one word, and has the form that a schema's pattern wants."""
    exact = compiled(pattern)
    tokens = [*quoted(text), *((m[0], m.start(), m.end()) for m in re.finditer(r"[^\s,;!?\"'()]+", text))]
    for said, start, end in tokens if exact is not None else ():
        token = said.rstrip(".:")
        forms = (said, token, token.upper(), token.lower())
        form = next((form for form in forms if exact.search(form)), None)  # type: ignore[union-attr]
        if form is not None:
            yield form, start, end - (len(said) - len(form))


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """A schema's pattern as a regular expression for a whole token; None if Python cannot read it."""
    try:
        return re.compile(rf"\A(?:{pattern.removeprefix('^').removesuffix('$')})\Z")
    except re.error:
        return None


# --- days and dates ----------------------------------------------------------------------------------------------


def days(schema: Schema, text: str) -> Iterator[Found]:
    for value, start, end in by(DAY)(schema, text):
        yield value.lower(), start, end
    yield from by(DATE)(schema, text)


def dates(schema: Schema, text: str) -> Iterator[Found]:
    """Dates as YYYY-MM-DD. One without a year is of the year that the text gives to another: July 1st to 7th, 2022."""
    found = [(iso(value), start, end) for value, start, end in by(DATE)(schema, text)]
    years = {value[:4] for value, *_ in found if re.match(r"\d{4}-", value)}
    year = years.pop() if len(years) == 1 else ""
    for value, start, end in found:
        short = normal(value)
        yield (year + short[1:] if year and re.fullmatch(r"--\d\d-\d\d", short) else value), start, end


def iso(said: str) -> str:
    """A date with its year as YYYY-MM-DD, else as it was said."""
    form = normal(said)
    return form if re.fullmatch(r"\d{4}-\d{2}-\d{2}", form) else said


# --- texts and lists ---------------------------------------------------------------------------------------------


def texts(schema: Schema, text: str) -> Iterator[Found]:
    found = [(value, start, end) for value, start, end in quoted(text) if end - start < 0.9 * len(text)]
    yield from found  # quotes around the whole text quote nothing in it
    if not found:
        known = schema.get("description", "")  # a name that the description says itself is no news
        for match in NAME.finditer(text):
            if match[0].lower() not in WEEKDAYS and len(match[0]) > 2 and match[0] not in known:
                yield match[0].strip(), match.start(), match.end()


def lists(schema: Schema, text: str) -> Iterator[Found]:
    """Several choices, or several quotes that stand together."""
    items = schema.get("items") or {}
    if items.get("enum"):
        found = list(choices(items, text))
        unique = list(dict.fromkeys(value for value, *_ in found))
        if unique:
            yield unique, min(f[1] for f in found), max(f[2] for f in found)
    elif items.get("type", "string") == "string":
        for group in together(quoted(text), text):
            if len(group) > 1:
                yield [value for value, *_ in group], group[0][1], group[-1][2]


def together(found: Iterable[Found], text: str) -> list[list[Found]]:
    """Neighbours with nothing but commas, `and` and `or` between them, as groups."""
    groups: list[list[Found]] = []
    for entry in found:
        if groups and JOINED.fullmatch(text[groups[-1][-1][2] : entry[1]]):
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


def nothing(schema: Schema, text: str) -> Iterator[Found]:
    return iter(())
