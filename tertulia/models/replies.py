"""What is wrong with the words of a reply, told by rule: each check is a small function of the text alone."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tertulia.models.records import Reply, Trouble
from tertulia.records import Signal

__all__ = [
    "STOP_WORDS",
    "addressees",
    "admitted",
    "cut_other_sides",
    "cut_reasoning",
    "goodbye_loop",
    "halted",
    "inverted",
    "pleasantry",
    "stop_word",
]

# --- replies that hold nothing to use ----------------------------------------------------------------------------


def halted(reply: Reply, text: str) -> Trouble | None:
    """Why there is nothing to read: refused, cut off, or empty (`text` is what is left when thinking is cut out)."""
    if reply.refusal or reply.finish == "content_filter":
        return Trouble.REFUSED
    if reply.finish == "length":
        return Trouble.TRUNCATED
    return None if text or reply.calls else Trouble.EMPTY


# --- thinking ----------------------------------------------------------------------------------------------------

THOUGHT = r"think|thinking|thought|thoughts|reasoning|reflection|scratchpad"
THINKING = re.compile(rf"<({THOUGHT})\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
THOUGHT_ENDS = re.compile(rf"\A.*</(?:{THOUGHT})\s*>", re.IGNORECASE | re.DOTALL)


def cut_reasoning(text: str) -> tuple[str, bool]:
    """The text without thinking in tags, and whether there was any. Thinking that never ends takes the rest; where the
    chat template has swallowed the opening tag, everything before the closing one goes."""
    if "<" not in text:
        return text.strip(), False
    spoken = THOUGHT_ENDS.sub("", THINKING.sub("", text))
    return spoken.strip(), spoken != text


# --- other parties' lines ----------------------------------------------------------------------------------------

LABELS = {
    "user": ("user", "customer", "human"),
    "assistant": ("assistant", "agent", "ai"),
    "colleague": (),
}
SPEECH = re.compile(
    r"[.!?]|\b(?:i|i'm|you|your|my|me|we|please|thanks|thank|hello|hi|hey|yes|no|okay|ok|sure|sorry|goodbye|bye)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def _label(names: frozenset[str]) -> re.Pattern[str]:
    said = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    return re.compile(
        rf"^[ \t]*[*_#>\[(]{{0,3}}({said})[*_\])]{{0,3}}:[*_]{{0,3}}[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE
    )


def cut_other_sides(text: str, name: str, role: str, others: Iterable[str]) -> tuple[str, str]:
    """The speaker's own words alone, and the label under which it wrote on for somebody else, if it did.

    Its own label is taken off. A label counts where speech follows it: a record such as `Customer: A. Moss` is none."""
    own = _label(frozenset({name, *LABELS[role]}))
    words = own.sub(r"\2", text, count=1) if own.match(text) else text
    foreign = frozenset(others).union(*(labels for other, labels in LABELS.items() if other != role)) - {name}
    for match in _label(foreign).finditer(words) if ":" in words else ():
        if (SPEECH.search(match[2]) and len(match[2].split()) > 1) or own.search(words, match.end()):
            return words[: match.start()].strip(), match[1]
    return words.strip(), ""


# --- the wrong role ----------------------------------------------------------------------------------------------

FOR_THE_ASSISTANT = re.compile(
    r"\bhow (?:can|may|could) i (?:help|assist) you\b"
    r"|\b(?:anything|something) else (?:that )?i (?:can|could|may) (?:help|assist|do)\b"
    r"|\bas an? (?:ai|artificial|language model|virtual assistant)\b"
    r"|\bi(?:'m| am) (?:just |only )?an? (?:ai\b|artificial|(?:large )?language model|virtual assistant|chatbot)"
    r"|\bthank you for (?:contacting|calling|reaching out)\b"
    r"|\bi(?:'d| would|'ll| will) be (?:happy|glad) to (?:help|assist) you\b",
    re.IGNORECASE,
)
FOR_THE_USER = re.compile(
    r"\bi(?:'m| am) (?:the|a|your) (?:customer|caller|client|user|patient)\b"
    r"|\bas (?:the|a|your) (?:customer|user)\W+i\b",
    re.IGNORECASE,
)


def inverted(role: str, text: str) -> str:
    """Words that only the other role says; an empty text when there are none."""
    if role == "user":
        found = FOR_THE_ASSISTANT.search(text)
    elif role == "assistant":
        found = FOR_THE_USER.search(text) or STOP.search(text)
    else:
        found = None
    return found[0] if found else ""


# --- the end -----------------------------------------------------------------------------------------------------

STOP_WORDS = {
    "goal reached": Signal.GOAL_REACHED,
    "nothing left": Signal.SCRIPT_EXHAUSTED,
    "gave up": Signal.GAVE_UP,
}
STOP = re.compile(
    r"[*_`]{0,3}\[+\s*(goal[ _]reached|nothing[ _]left|gave[ _]up)\s*[.!]?\s*\]+[*_`]{0,3}", re.IGNORECASE
)
WORDY = re.compile(r"\w")
LONGEST_GOODBYE = 300  # characters
BYE = re.compile(
    r"\b(?:good ?bye|bye|farewell|see you|take care|have an? (?:\w+ ){0,2}(?:day|one|evening|weekend|night|morning))\b",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"\b(?:good ?bye|bye(?: for now)?|farewell|see you(?: soon| later| then)?|take care|cheers"
    r"|have an? (?:\w+ ){0,2}(?:day|one|evening|weekend|night|morning)(?: too| as well| ahead)?"
    r"|(?:many )?thanks?(?: you)?(?: (?:so|very) much| a lot| again)?"
    r"(?: for (?:your|the|all your) (?:help|time|patience))?"
    r"|(?:you(?:'re| are) )?(?:most |very )?welcome|my pleasure|no problem|you too|same to you|and"
    r"|great|perfect|okay|ok"
    r"|all the best|it was (?:a pleasure|nice)|glad (?:i could|to) help|happy to help)\b",
    re.IGNORECASE,
)


def stop_word(text: str) -> tuple[str, Signal | None]:
    """The words without stop words, and what the last of them says."""
    found = STOP.findall(text) if "[" in text else []
    if not found:
        return text, None
    return STOP.sub("", text).strip(), STOP_WORDS[re.sub(r"[ _]", " ", found[-1].lower())]


def pleasantry(text: str) -> bool:
    """Whether a text is nothing but thanks, wishes and goodbyes."""
    return 0 < len(text) <= LONGEST_GOODBYE and not WORDY.search(POLITE.sub("", text))


def goodbye_loop(said: Sequence[str]) -> bool:
    """Whether the last utterances, in order, are an exchange of goodbyes that would go on: the last two are nothing but
    pleasantries and one of them says goodbye, or the last four are nothing but pleasantries."""
    if len(said) < 2 or not (pleasantry(said[-1]) and pleasantry(said[-2])):
        return False
    if any(BYE.search(text) for text in said[-2:]):
        return True
    return len(said) >= 4 and all(map(pleasantry, said[-4:-2]))


# --- who is meant, and what is admitted --------------------------------------------------------------------------

AT = re.compile(r"\s*@([A-Za-z][\w-]*)\s*(?:,|:|and\b|&)?\s*")
VIOLATES = re.compile(r"<violates\s+id\s*=\s*[\"']?([\w-]*)[\"']?\s*/?>(?:\s*</violates>)?", re.IGNORECASE)


def addressees(text: str, names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The words without the `@name` (or several) in front of them, and the parties of those names."""
    known = {name.lower(): name for name in names}
    to: list[str] = []
    at = 0
    while (match := AT.match(text, at)) and match[1].lower() in known:
        to.append(known[match[1].lower()])
        at = match.end()
    return text[at:].strip(), tuple(dict.fromkeys(to))


def admitted(text: str) -> tuple[str, tuple[str, ...]]:
    """The words without the `<violates id="..."/>` that a speaker adds to them, and the principles these name."""
    if "<" not in text:
        return text, ()
    ids = tuple(dict.fromkeys(VIOLATES.findall(text)))
    return VIOLATES.sub("", text).strip(), ids
