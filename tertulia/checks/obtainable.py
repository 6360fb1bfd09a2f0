"""Whether the one who makes a call can come to know its values: from what was said, returned, or may be looked up."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, product
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.language.kinds import ID_WORDS, kind_of
from tertulia.language.wording import NUMBER_WORDS, forms, humanize, normal, squeezed, stands_in, stems
from tertulia.scenario import Scenario
from tertulia.world import LiveWorld, ToolSpec

__all__ = ["Known", "Search", "choices", "told"]

MOST_LOOKUPS = 400  # of one tool in a round
MOST_PAIRED = 100  # of one that takes several values: most combinations of them are none
MOST_CALLS = 6_000  # of a search in all
MOST_ROUNDS = 8  # a customer, its orders, the things in one, what else there is of a thing, and what these lead to
MOST_COMBINED = 1_000  # combinations of values for several parameters that are put in order
MOST_VALUES = 2_000  # that are tried for one parameter
WORD = re.compile(r"\w[\w'.:@/-]*\w|\w")
TOKEN = re.compile(r"[#$]?\w[\w'.:@/-]*\w|[#$]?\w")  # with the sign that a number may begin with
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST_FORMED = 2_000  # texts of which every form is known
LONGEST_FORMED = 4_000
INITIALS = re.compile(r"[A-Z]{2,5}")
PLAIN_TEXT = {"type", "description", "title"}
BETWEEN = "\0"


@dataclass(slots=True)
class Known:
    """Texts that somebody has seen or can be told."""

    texts: list[str] = field(default_factory=list)
    named: dict[frozenset[str], dict[str, None]] = field(default_factory=dict)  # values by what their keys speak of
    _joined: str = ""
    _read: int = 0  # how many of the texts are in it
    _forms: set[str] = field(default_factory=set)
    _formed: int = 0

    def add(self, *values: Any) -> None:
        for value in values:
            self.take(value)

    def take(self, value: Any, name: str = "", *, keys: bool = False) -> None:
        """Every text and number of a value, by the name under which it stands; the keys too if asked."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self.texts += [str(key)] if keys else []
                self.take(inner, str(key), keys=keys)
        elif isinstance(value, list | tuple):
            for inner in value:
                self.take(inner, name, keys=keys)
        elif value not in (None, "") and not isinstance(value, bool):
            self.texts.append(str(value))
            self.named.setdefault(subject(name), {})[str(value)] = None

    def holds(self, value: Any) -> bool:
        """Whether every text and number of a value can be found here. Longer texts need only their words."""
        if value in (None, "") or isinstance(value, bool):
            return True
        if isinstance(value, Mapping | list | tuple):
            return all(self.holds(inner) for inner in (value.values() if isinstance(value, Mapping) else value))
        spelt = {str(value), f"{value:g}"} if isinstance(value, float) else {str(value)}
        if isinstance(value, int | float):
            spelt |= {word for word, number in NUMBER_WORDS.items() if number == value}  # "three facts"
        return any(map(self._says, spelt)) or self._reworded(str(value))

    def _says(self, part: str) -> bool:
        """Whether some text holds another as whole words, in any case and spacing."""
        if self._read < len(self.texts):
            new = dict.fromkeys(map(squeezed, self.texts[self._read :]))
            self._joined, self._read = BETWEEN.join((self._joined, *new)), len(self.texts)
        return stands_in(squeezed(part), self._joined)

    def _reworded(self, text: str) -> bool:
        """Whether a text is said in other words: a date as people write it, an amount with a sign, initials."""
        meant = normal(text)
        if DATE.fullmatch(meant):
            return not {meant, f"-{meant[4:]}"}.isdisjoint(self._said_forms())
        return self._words(text) or self._initials(text) or (meant[:1].isdigit() and meant in self._said_forms())

    def _said_forms(self) -> set[str]:
        for text in self.texts[self._formed : MOST_FORMED]:
            self._forms |= forms(text) if len(text) <= LONGEST_FORMED else frozenset()
        self._formed = max(self._formed, len(self.texts))
        return self._forms

    def _words(self, text: str) -> bool:
        words = [word for word in WORD.findall(text) if len(word) > 3 or any(map(str.isdigit, word))]
        return len(text.split()) > 1 and bool(words) and all(map(self._says, words))

    def _initials(self, text: str) -> bool:
        """NY stands for New York."""
        if not INITIALS.fullmatch(text):
            return False
        name = re.compile(r"\b" + r"\w+ ".join(text) + r"\w+")
        return any(name.search(one) for one in self.texts)


@lru_cache(maxsize=2_048)
def subject(name: str) -> frozenset[str]:
    """What a name speaks of: `order_id`, `orders` and `order` of the same."""
    said = humanize(name).split()
    return stems(" ".join(word for word in said if word.removesuffix("s") not in ID_WORDS) or " ".join(said))


def told(scenario: Scenario, caller: str) -> Known:
    """What the caller can be told before any call: nobody tells its secrets, but may use them itself."""
    known = Known()
    for name, party in scenario.cast.items():
        known.add({key: fact for key, fact in party.knows.items() if key not in party.secret or name == caller})
        known.add([decision.because for decision in party.decides])
    known.add(scenario.script.opening)
    for want in scenario.script.wants:
        known.add(want.say, want.change.say if want.change else "")
    known.add([aside.say for aside in scenario.script.asides])
    return known


def choices(schema: Any) -> Iterator[Any]:
    """Every value that a schema itself lists, at any depth."""
    if isinstance(schema, Mapping):
        yield from schema.get("enum", ())
        yield from (schema[key] for key in ("const", "default") if key in schema)
        for key, inner in schema.items():
            if key not in ("enum", "const", "default", "examples"):
                yield from choices(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from choices(inner)


class Search:
    """What comes to light by tools that only read, called with what is known so far, in a few rounds.

    `known` grows by what they return. No call is made twice."""

    def __init__(self, live: LiveWorld, tools: Iterable[ToolSpec], known: Known) -> None:
        self.live, self.tools, self.known = live, tuple(tools), known
        self.tried: dict[str, set[str]] = {spec.name: set() for spec in self.tools}
        self.values: dict[str, None] = {}  # the texts of what is known and their words, in the order they came up
        self.read = 0

    def find(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Look things up until it is enough, or nothing new comes to light: first by the values that stand under the
        name of what is asked for, then by whatever fits."""
        for wide in (False, True):
            for _ in range(MOST_ROUNDS):
                before = self.calls
                self._take_in()
                if any(self._tried(spec, enough, wide=wide) for spec in self.tools) or self.calls > MOST_CALLS:
                    return
                if self.calls == before:
                    break

    @property
    def calls(self) -> int:
        return sum(map(len, self.tried.values()))

    def _take_in(self) -> None:
        new = self.known.texts[self.read :]
        self.read = len(self.known.texts)
        self.values |= dict.fromkeys(new)
        for text in new:
            for word in TOKEN.findall(text):
                self.values |= {word: None, word.lstrip("#$"): None}

    def _tried(self, spec: ToolSpec, enough: Callable[[], bool], *, wide: bool) -> bool:
        """Make some calls of a tool. True as soon as it is enough."""
        tried = self.tried[spec.name]
        untried = ((key, args) for args in self._arguments(spec, wide) if (key := json.dumps(args)) not in tried)
        several = len(spec.parameters.get("required", ())) > 1
        for key, args in list(islice(untried, MOST_PAIRED if several else MOST_LOOKUPS)):
            tried.add(key)
            outcome = self.live.call(spec.name, args)
            if not outcome.error:
                self.known.take(json.loads(outcome.text), spec.name, keys=True)
                if enough():
                    return True
        return False

    def _arguments(self, spec: ToolSpec, wide: bool) -> Iterator[dict[str, Any]]:
        """The arguments that a tool's schema allows, made of its required parameters and the values at hand."""
        properties = spec.parameters.get("properties", {})
        required = [name for name in spec.parameters.get("required", ()) if name in properties]
        fitting = [self._fitting(spec, name, properties[name], wide) for name in required]
        most = MOST_VALUES if len(fitting) < 2 else int(MOST_COMBINED ** (1 / len(fitting)))
        places = product(*(range(min(most, len(values))) for values in fitting))
        for combination in sorted(places, key=sum):  # what was told first is tried together first
            yield {name: values[at] for name, values, at in zip(required, fitting, combination, strict=True)}

    def _fitting(self, spec: ToolSpec, name: str, schema: Any, wide: bool) -> list[Any]:
        """The values at hand that a parameter takes, those first that stand under its name."""
        named = self.known.named.get(subject(name), {})
        others = likely(name, schema, self.values) if wide or not named else ()
        if isinstance(schema, Mapping) and schema.get("type") == "string" and set(schema) <= PLAIN_TEXT:
            return list(dict.fromkeys([*named, *others]))
        about = Draft202012Validator(
            {**spec.parameters, "properties": {name: schema}, "required": [name]},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        at_hand = [*choices(schema), *named, *others]
        distinct = {json.dumps(value): value for text in at_hand for value in readings(text)}
        return [value for value in distinct.values() if about.is_valid({name: value})]


def readings(value: Any) -> Sequence[Any]:
    """A value, and the number that a text of digits stands for."""
    return (value, int(value)) if isinstance(value, str) and value.isdecimal() and len(value) < 16 else (value,)


def likely(name: str, schema: Any, values: Iterable[str]) -> Iterator[str]:
    """The values that may be meant for a parameter by its name: nobody looks up a customer by a whole sentence."""
    said, kind = humanize(name).split(), kind_of(name, schema) if isinstance(schema, Mapping) else "text"
    if kind in ("integer", "number"):  # a thing is looked up by its number; what computes is no place to look
        found = (v for v in values if v.isdecimal() and said[-1] in ID_WORDS)
    elif kind == "code" and not schema.get("pattern"):
        found = (v for v in values if " " not in v and any(map(str.isdigit, v)))
    elif "name" in said and kind == "text":
        found = (v for v in values if v[:1].isupper() and len(v.split()) < 4 and v.istitle())
    elif kind == "email":
        found = (v for v in values if "@" in v and " " not in v)
    else:
        found = (v for v in values)
    return islice(found, MOST_VALUES)
