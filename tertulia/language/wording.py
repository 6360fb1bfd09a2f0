"""Words and values in text: what the rule cast speaks with and the detectors look for. English, and deterministic."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

__all__ = [
    "NUMBER_WORDS",
    "PARTICLES",
    "WEEKDAYS",
    "acting_on",
    "asks",
    "forms",
    "humanize",
    "is_plural",
    "leaves",
    "normal",
    "number_places",
    "number_words",
    "past_participle",
    "scalar",
    "sentences",
    "squeezed",
    "stands_in",
    "stem",
    "stems",
    "value_places",
    "values",
    "verb",
    "words",
]

KEPT = 2_048  # texts whose reading is remembered: more is no faster, and a long run would fill it

# --- words -------------------------------------------------------------------------------------------------------

APOSTROPHE = "\u2019"
QUOTES = "\"'()[]\u2018\u2019\u201c\u201d"
WORD = re.compile(rf"[^\W_]+(?:['{APOSTROPHE}][^\W_]+)*")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
PIECE = re.compile(r"[\s_.\-/:]+")
SENTENCE = re.compile(r"(?<=[.?!…])\s+(?=[^a-z\s])|(?<=[?!…])\s+|(?<=[.?!…][\"'\u2019\u201d)])\s+(?=[^a-z\s])|\n+")
ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|st|vs|e\.g|i\.e|approx|etc))\.$", re.IGNORECASE)
NUMBERED = re.compile(r"\bno\.$", re.IGNORECASE)  # "No. 5", but not "delivery: no. Is there more?"

IRREGULAR = {  # base -> past participle; a past tense that differs stands in PAST
    "be": "been", "begin": "begun", "bring": "brought", "build": "built", "buy": "bought", "catch": "caught",
    "choose": "chosen", "come": "come", "cut": "cut", "do": "done", "draw": "drawn", "drive": "driven",
    "find": "found", "forget": "forgotten", "freeze": "frozen", "get": "got", "give": "given", "go": "gone",
    "have": "had", "hear": "heard", "hold": "held", "keep": "kept", "know": "known", "lay": "laid", "lead": "led",
    "leave": "left", "lend": "lent", "let": "let", "lose": "lost", "make": "made", "meet": "met",
    "override": "overridden", "pay": "paid", "put": "put", "read": "read", "redo": "redone", "repay": "repaid",
    "resend": "resent", "reset": "reset", "rewrite": "rewritten", "run": "run", "say": "said", "see": "seen",
    "sell": "sold", "send": "sent", "set": "set", "show": "shown", "shut": "shut", "speak": "spoken",
    "spend": "spent", "split": "split", "swap": "swapped", "take": "taken", "tell": "told", "think": "thought",
    "undo": "undone", "unfreeze": "unfrozen", "withdraw": "withdrawn", "withhold": "withheld", "write": "written",
}  # fmt: skip
PAST = {
    "began": "begin", "chose": "choose", "came": "come", "did": "do", "drew": "draw", "drove": "drive",
    "forgot": "forget", "froze": "freeze", "gave": "give", "went": "go", "knew": "know", "overrode": "override",
    "ran": "run", "saw": "see", "spoke": "speak", "took": "take", "undid": "undo", "withdrew": "withdraw",
    "wrote": "write", "rewrote": "rewrite", "was": "be", "were": "be", "is": "be", "are": "be", "has": "have",
    "does": "do", "goes": "go",
}  # fmt: skip
BASES = {participle: base for base, participle in IRREGULAR.items()} | PAST
DOUBLING = """
    ban cap drop equip fit flag log map pin plan plug refer rub scan ship skip slip stop step strip swap tag trim
    unplug transfer prefer submit commit admit permit omit defer debug cancel unsubmit wrap zip
"""
DOUBLED = frozenset(DOUBLING.split())
VERB_LIST = """
    accept activate add adjust allow amend apply approve archive arrange assign authorize block book buy calculate
    call cancel change charge check clear close compare compute confirm convert copy correct count create deactivate
    debit decline delete deliver deny deposit detect disable dispatch do downgrade download draw edit enable
    escalate estimate exchange execute extend fetch file fill find finish fix flag forward freeze generate get give
    grant hold identify import insert inspect install issue join leave link list load lock log look lookup make mark
    measure merge modify move notify open order pause pay pick place play post print process provide publish
    purchase put query quote raise reactivate read rebook reboot receive record redeem redirect refund register
    reject release remind remove rename renew rent reopen reorder repair replace reply report request reschedule
    resend reserve reset resolve restart restore resume retrieve return review revoke run save schedule search see
    select sell send set share ship show sign start stop store submit subscribe suspend swap switch take test track
    transfer translate unblock unfreeze unlock unsubscribe update upgrade upload use validate verify view waive
    withdraw write press push pull tap turn plug unplug wait
"""
VERBS = frozenset(VERB_LIST.split())
PARTICLES = frozenset(
    ["to", "by", "in", "on", "for", "with", "at", "from", "off", "up", "out", "down", "over", "away"]
)  # go with the verb before
SINGULAR = re.compile(r"(?:ss|us|is)$|^(?:alias|atlas|bias|canvas|gps|https|lens|news|series|sms|species|tls)$")


def humanize(name: str) -> str:
    """`reschedule_delivery`, `rescheduleDelivery` and `reschedule-delivery` -> `reschedule delivery`."""
    return _humanize(name)


@lru_cache(maxsize=KEPT)
def _humanize(name: str) -> str:
    return " ".join(piece.lower() for piece in PIECE.split(CAMEL.sub(" ", name)) if piece)


@lru_cache(maxsize=KEPT)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, apostrophes kept (`don't`), punctuation dropped."""
    return tuple(WORD.findall(text.lower().replace(APOSTROPHE, "'")))


@lru_cache(maxsize=KEPT)
def stem(word: str) -> str:
    """A key that the forms of an English word share: reschedule, rescheduled, rescheduling -> reschedul.

    It is a key, not a word. Irregular forms go by their base: paid -> pay."""
    key = word.lower().removesuffix("'s")
    key = BASES.get(key, key)
    key = _without_ending(key)
    if len(key) > 3 and key.endswith("e"):
        key = key[:-1]
    if len(key) > 6 and key.endswith("at"):
        key = key[:-2]
    if len(key) > 2 and key[-1] == key[-2] and key[-1] not in "aeiou":
        key = key[:-1]
    return key[:-1] + "i" if len(key) > 2 and key.endswith("y") and key[-2] not in "aeiou" else key


def _without_ending(word: str) -> str:
    for ending, least in (("ations", 4), ("ation", 4), ("ments", 3), ("ment", 3), ("ions", 5), ("ion", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)]
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= 2 and any(c in "aeiouy" for c in rest):
            return rest
    return word


@lru_cache(maxsize=KEPT)
def stems(text: str) -> frozenset[str]:
    """The stems of all words of a text."""
    return frozenset(map(stem, words(text)))


def squeezed(text: str) -> str:
    """A text in one case with single blanks."""
    return " ".join(text.casefold().split())


def stands_in(phrase: str, text: str) -> bool:
    """Whether a text contains a phrase as whole words. Give both in the same case."""
    start = text.find(phrase) if phrase else -1
    while start >= 0:
        end = start + len(phrase)
        inside = (text[start - 1 : start], phrase[0]), (phrase[-1], text[end : end + 1])
        if not any(_wordy(before) and _wordy(after) for before, after in inside):
            return True
        start = text.find(phrase, start + 1)
    return False


def _wordy(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def past_participle(verb: str) -> str:
    """`book` -> `booked`, `cancel` -> `cancelled`, `send` -> `sent`, `modify` -> `modified`."""
    base = verb.lower()
    if base in IRREGULAR:
        return IRREGULAR[base]
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return base[:-1] + "ied"
    return base + (base[-1] if base in DOUBLED else "") + "ed"


@lru_cache(maxsize=KEPT)
def verb(name: str) -> str:
    """The verb in a tool's name: `reschedule_delivery` -> `reschedule`, `parcel_cancel` -> `cancel`."""
    pieces = humanize(name).split() or [""]
    return next((piece for piece in pieces if piece in VERBS), pieces[0])


def acting_on(verb: str, rest: Sequence[str]) -> str:
    """A verb and the words after it in a tool's name: `reschedule the delivery`, `sign up`, `look up the order`."""
    at = 1 if rest and rest[0] in PARTICLES else 0
    return " ".join([verb, *rest[:at], *(["the"] if rest[at:] else []), *rest[at:]])


def is_plural(label: str) -> bool:
    """Whether a label names several things: `days`, `opening hours`."""
    last = label.rpartition(" ")[2]
    return len(last) > 2 and last.endswith("s") and not SINGULAR.search(last)


@lru_cache(maxsize=KEPT)
def sentences(text: str) -> tuple[str, ...]:
    """A text's sentences, each with its closing mark. Line breaks end a sentence too."""
    found: list[str] = []
    for piece in SENTENCE.split(text):
        if found and (ABBREVIATION.search(found[-1]) or (NUMBERED.search(found[-1]) and piece[:1].isdigit())):
            found[-1] += " " + piece
        elif piece and piece.strip():
            found.append(piece.strip())
    return tuple(found)


def asks(sentence: str) -> bool:
    """Whether a sentence is a question."""
    return sentence.rstrip(QUOTES + " ").endswith("?")


# --- values ------------------------------------------------------------------------------------------------------

MONTH_LIST = "january february march april may june july august september october november december"
MONTHS = MONTH_LIST.split()
MONTH = "|".join(f"{m[:3]}(?:{m[3:]})?" if len(m) > 3 else m for m in MONTHS).replace("sep(?:", "sept?(?:")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

VALUE = re.compile(
    rf"""(?<!\w)(?=[\w.+-]*[\d@]|https?://|www\.|(?:{MONTH})\b)(?:
    (?P<url>(?:https?://|www\.)[^\s"'<>\\)\]}}]+[^\s"'<>\\)\]}}.,;:!?])
  | (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<stamp>\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?
      (?![\w-]))
  | (?P<dmy>\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{MONTH})\b(?:,?\s+\d{{4}}\b)?)
  | (?P<mdy>\b(?:{MONTH})\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!:)(?:,?\s+\d{{4}}\b)?)
  | (?P<time>\b\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[ap]\.?m\b\.?)?|\b\d{{1,2}}\s?[ap]\.?m\b\.?)
  | (?P<phone>\+\d[\d ().-]{{5,}}\d|\b\d{{3}}[-. ]\d{{3,4}}[-. ]\d{{3,4}}\b)
  | (?P<token>[^\W_]*\d[^\W_]*(?:(?:[-_/](?=\w)|[.,:](?=\d))[^\W_]+)*%?|[^\W_]+(?:[-_][^\W_]+)*[-_][^\W_]*\d[^\W_]*))
    """,
    re.VERBOSE,
)
HINT = re.compile(r"[\d@]|://|www\.")
UNIT_LIST = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen
"""
TEN_LIST = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: number for number, word in enumerate(UNIT_LIST.split())}
TENS = {word: number for number, word in zip(range(20, 100, 10), TEN_LIST.split(), strict=True)}
NUMBER_WORDS = UNITS | TENS | {f"{t}-{u}": n + UNITS[u] for t, n in TENS.items() for u in list(UNITS)[1:10]}
NUMBER_WORDS |= {"hundred": 100, "thousand": 1000, "dozen": 12}
NUMBER_WORD = re.compile(
    rf"\b(?:(?:(?P<many>{'|'.join([*TENS, *sorted(UNITS, key=len)[::-1]])}|an?) )?(?P<scale>hundred|thousand)|dozen"
    rf"|(?:{'|'.join(TENS)})(?:[- ](?:{'|'.join(list(UNITS)[1:10])}))?|{'|'.join(sorted(UNITS, key=len)[::-1])})\b",
    re.IGNORECASE,
)
NUMBER_PARTS = frozenset(NUMBER_WORDS)
NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
MONTH_DATE = re.compile(rf"(?P<month>{MONTH})|(?P<year>\d{{4}})|(?P<day>\d{{1,2}})", re.IGNORECASE)
CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::\d{2}(?:\.\d+)?)?\s*(?:([ap])\.?m\.?)?")
STAMP = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[t ](\d{2}:\d{2}))?.*", re.DOTALL)


@lru_cache(maxsize=KEPT)
def value_places(text: str) -> tuple[tuple[int, int], ...]:
    """Where the values of a text begin and end."""
    low = text.lower()  # quicker than to ignore case, wherever it keeps the length
    if not HINT.search(low):
        return ()
    return tuple(match.span() for match in VALUE.finditer(low if len(low) == len(text) else text))


@lru_cache(maxsize=KEPT)
def values(text: str) -> tuple[str, ...]:
    """Every value in a text, as it stands: whatever holds a digit (identifiers, numbers, amounts, dates, times,
    addresses), e-mail addresses and URLs."""
    return tuple(text[start:end] for start, end in value_places(text))


@lru_cache(maxsize=KEPT)
def number_places(text: str) -> tuple[tuple[int, int, int], ...]:
    """Where a text spells numbers out, and which."""
    if NUMBER_PARTS.isdisjoint(words(text)):
        return ()
    return tuple((*match.span(), _spelled(match)) for match in NUMBER_WORD.finditer(text))


def number_words(text: str) -> tuple[int, ...]:
    """The numbers that a text spells out: `three`, `twenty-one`, `two hundred`."""
    return tuple(number for _, _, number in number_places(text))


def _spelled(match: re.Match[str]) -> int:
    if match["scale"]:
        many = NUMBER_WORDS.get((match["many"] or "").lower(), 1)
        return many * NUMBER_WORDS[match["scale"].lower()]
    return NUMBER_WORDS["-".join(match[0].lower().split())]


@lru_cache(maxsize=KEPT)
def normal(text: str) -> str:
    """One spelling for values that mean the same: $1,200.00 -> 1200, 3pm -> 15:00, May 3rd, 2025 -> 2025-05-03.

    A date without a year becomes --05-03. Anything else is put in lower case with single spaces."""
    plain = " ".join(text.lower().split()).strip(QUOTES + " .,;:!?#$€£¥%")
    if plain[:1] == "+" and len(plain) > 7 and not plain.strip("+0123456789 ().-"):
        return "+" + re.sub(r"\D", "", plain)
    number = plain.removesuffix("eur").removesuffix("usd").removesuffix("gbp").strip()
    if NUMBER.fullmatch(number):
        return _number(number)
    if plain in NUMBER_WORDS:
        return str(NUMBER_WORDS[plain])
    if ordinal := ORDINAL.fullmatch(plain):
        return ordinal[1]
    if (clock := CLOCK.fullmatch(plain)) and (clock[2] or clock[3]):
        return _clock(clock)
    if stamp := STAMP.fullmatch(plain):
        return f"{stamp[1]}-{stamp[2]}-{stamp[3]}" + (f"t{stamp[4]}" if stamp[4] else "")
    return _month_date(plain) or plain


def _number(text: str) -> str:
    whole, _, fraction = text.replace(",", "").lstrip("+").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _clock(match: re.Match[str]) -> str:
    hour = int(match[1])
    if match[3]:
        hour = hour % 12 + (12 if match[3] == "p" else 0)
    return f"{hour:02d}:{match[2] or '00'}"


def _month_date(text: str) -> str:
    parts: dict[str, str] = {}
    for match in MONTH_DATE.finditer(text):
        for kind, value in match.groupdict().items():
            if value:
                parts.setdefault(kind, value)
    if "month" not in parts or "day" not in parts or not VALUE.fullmatch(text):
        return ""
    month = next(at for at, name in enumerate(MONTHS, start=1) if name.startswith(parts["month"].lower()[:3]))
    return f"{parts.get('year', '-')}-{month:02d}-{int(parts['day']):02d}"


@lru_cache(maxsize=KEPT)
def forms(text: str) -> frozenset[str]:
    """Every normal form under which the values of a text may be said again: a date also without its year, a time
    stamp also as its date and its time, a spelled number as digits."""
    found = {str(number) for number in number_words(text)}
    for value in values(text):
        said = normal(value)
        found.add(said)
        date, _, clock = said.partition("t") if STAMP.fullmatch(said) else (said, "", "")
        if clock:
            found |= {date, clock}
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", date):
            found |= {f"-{date[4:]}", date[:4]}
        if said[:1] == "+":
            found.add(said[1:])
    return frozenset(found)


def leaves(value: Any) -> Iterator[Any]:
    """Every scalar inside a JSON value, depth first."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def scalar(value: Any) -> str:
    """A JSON scalar as it is said: true -> yes, null -> nothing, 3.0 -> 3."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
