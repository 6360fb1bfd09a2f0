"""Where the values of a wanted call come from: can the assistant come to know each, and is each choice told?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tertulia.checks.obtainable import Known, Search, choices, told
from tertulia.checks.reading import Steps
from tertulia.language.finders import choices as choices_said
from tertulia.language.kinds import normal_schema
from tertulia.language.wording import humanize, stems
from tertulia.lint.complaints import GoldComplaint
from tertulia.scenario import Scenario, Want
from tertulia.world import World

__all__ = ["Values"]

OWN_WORDS = frozenset(("is", "be", "the", "of", "a", "to", "in", "include", "enable"))

SENTENCE = 6  # words
EXAMPLE = re.compile(r"\b(?:such as|e\.g\.|for example|for instance|examples?:).*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Values:
    """What can be known of a settled scenario before its gold calls, and what each call adds."""

    scenario: Scenario
    world: World
    searches: dict[str, Search] = field(default_factory=dict)  # by who makes the calls

    def looking(self, caller: str) -> Search:
        """What a caller finds out by tools that only read, as far as it has looked."""
        if caller not in self.searches:
            known = told(self.scenario, caller)
            known.add(self.world.policy)
            readers = [tool for tool in self.world.tools.values() if not tool.writes]
            self.searches[caller] = Search(self.world.open(self.scenario), readers, known)
        return self.searches[caller]

    def complaints(self, want: Want, at: Steps, answers: Sequence[Any]) -> Iterator[GoldComplaint]:
        """What the caller of a want cannot know. `answers` are the results of the calls before it, parsed."""
        caller = want.by or self.scenario.assistant
        spec = self.world.tools[want.call]
        known = told(self.scenario, caller)
        known.add(self.world.policy, list(answers))
        listed = Known([*known.texts, *map(str, choices(spec.parameters)), *documented(spec.parameters)])
        lacking = [key for key, value in want.gold.items() if not (listed.holds(value) or self.own_words(value))]
        unknown = self.unknown(caller, [want.gold[key] for key in lacking], answers) if lacking else []
        for key, value in want.gold.items():
            place = place_of(want, at, key)
            if key in lacking and value in unknown:
                message = f"{caller!r} cannot come to know {value!r}, the {key!r} of {want.call!r}"
                hint = f" (let {self.scenario.user!r} know it, say it in the opening, or let a tool return it)"
                yield GoldComplaint(place, "gold-value", message, hint)
            elif key not in lacking and (others := self.untold(spec.parameters, key, value, known)):
                rest = " or ".join(map(repr, others[:3]))
                message = f"nothing tells {caller!r} that {key!r} of {want.call!r} is {value!r} and not {rest}"
                hint = f" (let {self.scenario.user!r} know it, or say it in the opening)"
                yield GoldComplaint(place, "gold-script", message, hint)

    def own_words(self, value: Any) -> bool:
        """Whether a value is a sentence of the caller's own, which nothing is compared with."""
        free = self.scenario.success.calls.match == "none"
        return free and isinstance(value, str) and len(value.split()) >= SENTENCE

    def unknown(self, caller: str, wanted: Sequence[Any], answers: Sequence[Any]) -> list[Any]:
        """The values that no looking up brings to light."""
        search = self.looking(caller)
        search.known.add(list(answers))

        def enough() -> bool:
            return all(map(search.known.holds, wanted))

        if not enough():
            search.find(enough)
        return [value for value in wanted if not search.known.holds(value)]

    def untold(self, parameters: Mapping[str, Any], key: str, value: Any, known: Known) -> list[Any]:
        """The choices that a closed parameter has beside its value, where nothing tells which it is to be."""
        raw = parameters.get("properties", {}).get(key)
        schema = normal_schema(raw, parameters) if isinstance(raw, Mapping) else {}
        if "default" in schema and schema["default"] == value:
            return []
        if isinstance(value, bool):
            return [] if self.spoken_of(key, schema, known) else [not value]
        options = [choice for choice in schema.get("enum", ()) if choice is not None]
        others = [choice for choice in options if choice != value]
        if not others or value not in options or known.holds(value):
            return []
        named = any(choice == value for text in known.texts for choice, *_ in choices_said(schema, text))
        return [] if named else others

    def spoken_of(self, key: str, schema: Mapping[str, Any], known: Known) -> bool:
        """Whether a yes or no is on the user's list, or something that is told speaks of it."""
        names = {humanize(fact) for party in self.scenario.cast.values() for fact in party.knows}
        if humanize(key) in names:
            return True
        about = stems(f"{humanize(key)} {schema.get('description', '')}") - OWN_WORDS
        return any(about & stems(text) for text in known.texts)


def documented(schema: Any) -> Iterator[str]:
    """What the parameters of a tool are described with, but for examples: whoever calls it has read that."""
    for key, inner in schema.items() if isinstance(schema, Mapping) else ():
        if key == "description" and isinstance(inner, str):
            yield EXAMPLE.sub("", inner)
        else:
            yield from documented(inner)


def place_of(want: Want, at: Steps, key: str) -> Steps:
    """The path of a value of a want: in its change of mind where that gives it."""
    changed = want.change is not None and key in want.change.args
    return (*at, "change", "with", key) if changed else (*at, "with", key)
