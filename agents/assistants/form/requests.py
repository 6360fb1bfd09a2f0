"""What a message asks for: its first request where it makes several, and whether a tool could be what is meant."""

import re
from collections.abc import Sequence

from tertulia.language.matching import Match, best_tools, widened
from tertulia.language.wording import humanize, sentences, stem, stems
from tertulia.world import ToolSpec

__all__ = ["first_request", "foreign", "several_meant"]

SECOND = re.compile(
    r"\W*(?:(?:and )?also\b|and please\b|and then\b|i also\b|additionally\b|besides\b|in addition\b|another thing\b"
    r"|one more thing\b|second(?:ly)?\b|after that\b|once that is done\b|finally\b|then\b)",
    re.IGNORECASE,
)
ORDER = re.compile(
    r"\b(?:please|(?:could|can|would|will) you|(?:i'd|i would) like(?: you)? to|i (?:need|want)(?: you)? to)"
    r"\s+(?:(?:also|just|now|then|quickly|kindly|please)\s+)*(?P<verb>[a-z]\w*)",
    re.IGNORECASE,
)
VAGUE = re.compile(
    r"\b(?:question about|(?:it's|it is|this is) about|something (?:to do )?(?:with|about)|help (?:me )?with)\b",
    re.IGNORECASE,
)
LOOKING_LIST = """
    get find show look search list tell check see know give fetch have need want help bring send pull provide do let
    make take read view browse retrieve display return go explain call use try put run be
"""
LOOKING = frozenset(map(stem, LOOKING_LIST.split()))
NAMED = 0.5  # how much of a tool's name is said where a sentence speaks of it
MOST_MEANT = 4


def first_request(text: str, tools: Sequence[ToolSpec]) -> str:
    """The text up to a sentence that begins another request: it says so, and speaks of a tool."""
    said = sentences(text)
    for nth, sentence in enumerate(said[1:], start=1):
        if SECOND.match(sentence):
            matches = best_tools(sentence, tools)
            if matches and matches[0].named >= NAMED and names_one(" ".join(said[:nth]), tools):
                return " ".join(said[:nth])
    return text


def names_one(text: str, tools: Sequence[ToolSpec]) -> bool:
    matches = best_tools(text, tools)
    return bool(matches) and matches[0].named >= NAMED


def foreign(text: str, tool: ToolSpec) -> bool:
    """Whether a text wants something done that a tool which only reads does not do: to print what it would show."""
    if tool.writes:
        return False
    verbs = [match["verb"].lower() for match in ORDER.finditer(text)]
    doing = [verb for verb in verbs if stem(verb) not in LOOKING]
    does = stems(f"{humanize(tool.name)} {tool.description}")
    return bool(doing) and not any(does & set(widened(verb)) for verb in verbs)


def several_meant(text: str, matches: Sequence[Match]) -> tuple[ToolSpec, ...]:
    """The tools of which a vague request names the thing and none the deed; empty where it is clear enough."""
    if not VAGUE.search(text) or ORDER.search(text):
        return ()
    close = [match.tool for match in matches if match.named >= NAMED / 2]
    return tuple(close[:MOST_MEANT]) if len(close) > 1 else ()
