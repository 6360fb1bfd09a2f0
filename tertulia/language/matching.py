"""Which tool a message is about: its words against the words of each tool's name, description and parameters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from tertulia.language.wording import VERBS, humanize, stem, stems, verb, words
from tertulia.memo import Memo
from tertulia.world import ToolSpec

__all__ = ["LOOSE_VERBS", "TELLING_VERBS", "Match", "about", "best_tools", "content", "same_action"]

STOP_LIST = """
    a about after again all also am an and any anything are as at be because been before but by can could did do
    does doing done for from get give go got had has have he help hello hi her here hers him his how i if in into is
    it its just kindly know let like make may me might more most much must my need needs no not now of off ok on one
    only or other our out over own please put quite really s same she should so some still such t tell than thank
    thanks that the their them then there these they thing things this those to today too under until up us use very
    want was way we well were what when where which while who why will with would yes you your
"""
STOP = frozenset(map(stem, STOP_LIST.split()))
LOOSE_LIST = """
    check do fetch find get give identify list load look lookup open process query read retrieve return search see
    select show take use view
"""
LOOSE_VERBS = frozenset(LOOSE_LIST.split())  # they say little of what a tool does; one may stand for another
TELLING_VERBS = VERBS - LOOSE_VERBS  # they say what a tool does
SYNONYMS = {  # a customer's word -> words that tools are named with
    "move": "reschedule change transfer",
    "postpone": "reschedule move",
    "rebook": "reschedule move",
    "shift": "reschedule move",
    "another": "change reschedule",
    "swap": "change exchange",
    "switch": "change",
    "upgrade": "change plan",
    "downgrade": "change plan",
    "modify": "change update",
    "correct": "change update",
    "edit": "update change",
    "scrap": "cancel delete",
    "stop": "cancel",
    "reimburse": "refund",
    "money": "refund payment pay credit",
    "compensation": "credit refund claim",
    "compensate": "credit refund claim",
    "buy": "order purchase",
    "purchase": "order buy",
    "lost": "claim missing",
    "broken": "claim damage fault",
    "damaged": "claim damage",
    "complaint": "claim complaint",
    "complain": "complaint claim",
    "where": "track status locate find",
    "arrive": "track delivery",
    "locate": "find track",
    "look": "find search get",
    "lookup": "find search get",
    "see": "get show list view",
    "show": "get list search view",
    "fetch": "get",
    "retrieve": "get",
    "search": "find",
    "find": "search",
    "check": "get find status test",
    "options": "list",
    "available": "list free",
    "free": "available list",
    "see a doctor": "book appointment",
    "doctor": "practitioner appointment",
    "appointment": "booking slot",
    "medicine": "prescription",
    "medication": "prescription",
    "bill": "invoice",
    "invoice": "bill",
    "technician": "engineer",
    "repairman": "engineer",
    "reboot": "restart",
    "turn": "restart switch",
    "wifi": "router network wifi",
    "internet": "line broadband connection",
    "remove": "delete cancel",
    "erase": "delete",
    "sync": "synchronize",
    "signup": "register create",
    "login": "authenticate",
    "log": "authenticate",
    "sign": "authenticate register",
    "similar": "recommendation",
    "recommend": "recommendation",
    "suggest": "recommendation",
    "stream": "streaming",
    "parcel": "order package shipment delivery",
    "package": "order parcel shipment delivery",
    "come": "delivery visit",
    "deliver": "delivery",
    "pickup": "collect pickup",
    "collect": "pickup",
}
TO_THE_LETTER = 0.01  # how much more a word counts that is spelt as in the tool's name: no more than settles a tie
ALIKE = {stem(word): frozenset(map(stem, others.split())) for word, others in SYNONYMS.items()}


@dataclass(frozen=True, slots=True)
class Match:
    """How well a tool fits a message. `named` is the share of the tool's name that the message says, 0 to 1."""

    tool: ToolSpec
    score: float
    named: float


@lru_cache(maxsize=8192)
def content(text: str) -> frozenset[str]:
    """The stems of a text's words that carry meaning."""
    return frozenset(s for s in stems(text) if s not in STOP)


@lru_cache(maxsize=8192)
def widened(text: str) -> dict[str, float]:
    """The stems of a text with those of related words, each with its weight."""
    own = content(text)
    found = dict.fromkeys(own, 1.0)
    for word in {stem(w) for w in words(text)}:
        for other in ALIKE.get(word, ()):
            found.setdefault(other, 0.5)
    return found


@dataclass(frozen=True, slots=True)
class _Profile:
    """The words of one tool with their weights."""

    tool: ToolSpec
    name: frozenset[str]
    weights: dict[str, float]
    exact: bool  # its name is no ordinary word: whoever writes it means the tool
    spelt: frozenset[str]  # the words of its name that carry meaning, as they are spelt


class _Index:
    """The profiles of one set of tools, and how rare each word is among them."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self.profiles = [_profile(tool) for tool in tools]
        self.names = Counter(profile.name for profile in self.profiles)
        counts: dict[str, int] = {}
        for profile in self.profiles:
            for word in profile.weights:
                counts[word] = counts.get(word, 0) + 1
        self.rarity = {word: log(1 + len(self.profiles) / count) for word, count in counts.items()}

    def matches(self, text: str) -> list[Match]:
        said, spelt = widened(text), frozenset(words(text))
        found = []
        for profile in self.profiles:
            score = sum(
                weight * said[word] * self.rarity[word] for word, weight in profile.weights.items() if word in said
            )
            if profile.exact and profile.tool.name in text:
                found.append(Match(profile.tool, 100.0 + score, 1.0))
                continue
            heard = sum(said[word] for word in profile.name if word in said)
            named = heard / len(profile.name) if profile.name else 0.0
            if score:
                twins = self.names[profile.name] > 1  # the pets are all of them, the pet is one
                to_the_letter = len(spelt & profile.spelt) if twins else 0
                found.append(Match(profile.tool, score * (1 + named) * (1 + TO_THE_LETTER * to_the_letter), named))
        return sorted(found, key=lambda match: (-match.score, match.tool.name))


def _profile(tool: ToolSpec) -> _Profile:
    weights: dict[str, float] = {}
    parameters = tool.parameters.get("properties", {})
    texts = [
        (" ".join(_choices(parameters)), 0.7),
        (" ".join(f"{humanize(key)} {_text(schema)}" for key, schema in parameters.items()), 0.4),
        (tool.description, 1.0),
        (humanize(tool.name), 3.0),
    ]
    for text, weight in texts:
        for word in content(text):
            weights[word] = max(weight, weights.get(word, 0.0))
    name = frozenset(stem(word) for word in humanize(tool.name).split())
    said = humanize(tool.name).split()
    spelt = frozenset(word for word in said if stem(word) not in STOP)
    return _Profile(tool, frozenset(name - STOP) or name, weights, len(said) > 1, spelt)


def _text(schema: object) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _choices(parameters: dict[str, object]) -> list[str]:
    found: list[str] = []
    for schema in parameters.values():
        if isinstance(schema, dict):
            found += [humanize(str(choice)) for choice in schema.get("enum", ())]
    return found


_indexes: Memo[_Index] = Memo(256)  # sets of tools
_matches: Memo[list[Match]] = Memo(8192)  # messages


def best_tools(text: str, tools: Sequence[ToolSpec]) -> list[Match]:
    """The tools that a message may be about, the likeliest first. A sequence of tools is indexed once."""
    index = _indexes.of((tools,), lambda: _Index(tools))
    return _matches.of((index,), lambda: index.matches(text), text)


@lru_cache(maxsize=8192)
def about(text: str, name: str) -> float:
    """How much of a tool's name a text says, 0 to 1; the verb may stand in any form."""
    wanted = frozenset(stem(word) for word in humanize(name).split())
    wanted = frozenset(wanted - STOP) or wanted
    said = stems(text)
    return sum(1 for word in wanted if word in said) / len(wanted) if wanted else 0.0


def same_action(text: str, name: str) -> bool:
    """Whether a text speaks of what a tool does: its verb, or most of its name."""
    return stem(verb(name)) in stems(text) or about(text, name) >= 0.5
