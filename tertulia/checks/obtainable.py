"""Whether the one who makes a call can come to know its values: from what was said, returned, or may be looked up."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from tertulia.checks.script import leaves, says
from tertulia.checks.tool_values import misfits
from tertulia.language.kinds import kind_of
from tertulia.language.wording import NUMBER_WORDS, humanize
from tertulia.scenario import Scenario
from tertulia.world import LiveWorld, ToolSpec

__all__ = ["Known", "choices", "look_everything_up", "told"]

MOST_LOOKUPS = 400
MOST_ROUNDS = 4  # a customer, its orders, the things in one, what else there is of a thing
MOST_COMBINED = 8_000  # combinations of values for several parameters that are put in order
MOST_VALUES = 300  # that are tried for one parameter
WORD = re.compile(r"\w[\w'.:@/-]*\w|\w")


@dataclass(slots=True)
class Known:
    """Texts that somebody has seen or can be told."""

    texts: list[str] = field(default_factory=list)

    def add(self, *values: Any) -> None:
        for value in values:
            self.texts.extend(leaves(value))

    def holds(self, value: Any) -> bool:
        """Whether every text and number of a value can be found here. Longer texts need only their words."""
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, Mapping | list | tuple):
            return all(self.holds(inner) for inner in (value.values() if isinstance(value, Mapping) else value))
        forms = {str(value), f"{value:g}"} if isinstance(value, float) else {str(value)}
        if isinstance(value, int | float):
            forms |= {word for word, number in NUMBER_WORDS.items() if number == value}  # "three facts"
        return any(says(text, form) for form in forms for text in self.texts) or self._words(str(value))

    def _words(self, text: str) -> bool:
        words = [word for word in WORD.findall(text) if len(word) > 3 or any(map(str.isdigit, word))]
        return len(text.split()) > 1 and bool(words) and all(any(says(t, w) for t in self.texts) for w in words)


def told(scenario: Scenario, caller: str) -> Known:
    """What the caller can be told before any call: nobody tells its secrets, but may use them itself."""
    known = Known()
    known.add(scenario.script.opening)
    for name, party in scenario.cast.items():
        known.add({key: fact for key, fact in party.knows.items() if key not in party.secret or name == caller})
        known.add([decision.because for decision in party.decides])
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


def look_everything_up(
    live: LiveWorld, tools: Iterable[ToolSpec], known: Known, enough: Callable[[], bool] = lambda: False
) -> None:
    """Add what tools that only read return for the values known so far, in a few rounds of some calls each, until it
    is enough."""
    tried: set[str] = set()
    for _ in range(MOST_ROUNDS):
        before = len(tried)
        values = list(dict.fromkeys([*known.texts, *(word for text in known.texts for word in WORD.findall(text))]))
        for spec in tools:
            for args in islice(_calls(spec, values), MOST_LOOKUPS):
                key = f"{spec.name} {json.dumps(args, sort_keys=True)}"
                if key not in tried:
                    tried.add(key)
                    outcome = live.call(spec.name, args)
                    if not outcome.error:
                        known.add(json.loads(outcome.text))
        if enough() or len(tried) == before or len(tried) > MOST_LOOKUPS * MOST_ROUNDS:
            return


def _calls(spec: ToolSpec, values: list[str]) -> Iterator[dict[str, Any]]:
    """The calls of a tool that its schema allows, made of its required parameters and the values at hand."""
    properties = spec.parameters.get("properties", {})
    required = [name for name in spec.parameters.get("required", ()) if name in properties]
    fitting = []
    for name in required:
        about = {**spec.parameters, "properties": {name: properties[name]}, "required": [name]}
        at_hand: list[Any] = [*choices(properties[name]), *_likely(name, properties[name], values)]
        fitting.append([value for value in at_hand if not any(misfits(about, {name: value}))])
    most = MOST_VALUES if len(fitting) < 2 else int(MOST_COMBINED ** (1 / len(fitting)))
    places = product(*(range(min(most, len(values))) for values in fitting))
    for combination in sorted(places, key=sum):  # what was told first is tried together first
        yield {name: values[at] for name, values, at in zip(required, fitting, combination, strict=True)}


def _likely(name: str, schema: Any, values: Iterable[str]) -> Iterator[str]:
    """The values that may be meant for a parameter by its name: nobody looks up a customer by a whole sentence."""
    said, kind = humanize(name).split(), kind_of(name, schema) if isinstance(schema, Mapping) else "text"
    if kind == "code" and not schema.get("pattern"):
        yield from islice((v for v in values if " " not in v and any(map(str.isdigit, v))), MOST_VALUES)
    elif "name" in said and kind == "text":
        yield from islice((v for v in values if v[:1].isupper() and len(v.split()) < 4 and v.istitle()), MOST_VALUES)
    elif kind == "email":
        yield from islice((v for v in values if "@" in v and " " not in v), MOST_VALUES)
    else:
        yield from islice(values, MOST_VALUES)
