"""The words of made scripts, written anew by a model: persona, background, opening and what is said later.

The calls stay those that were chosen by rule, and a text keeps to what the rule-made one tells: every value that stands
in that one stands in the new one to the letter, and no other value of the script does. The scenario then passes the
same lint. A reply that breaks this is shown to the model once; after that the rule-made words stay.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tertulia.checks.script import says
from tertulia.language.saying import render
from tertulia.language.wording import leaves
from tertulia.lint import complaints
from tertulia.lint.duplicates import ALIKE, alikeness, spoken, task
from tertulia.models.asking import Reading, ask_for, raw_of, read_answer
from tertulia.models.prompts import block, fill_prompt
from tertulia.models.records import Ask, BadReply, ModelFailure, Reply, Request, Trouble
from tertulia.scenario import Scenario
from tertulia.streams import number
from tertulia.world import World

__all__ = ["Retelling", "Told", "told_in"]

TEXT = """You are the planner in a simulated conversation: before it begins, you write the words of its user, who asks \
the assistant of a service for something.

How you write:
- "persona" is who the user is, in one sentence; "background" is what led to the request, in one or two.
- "opening" is the first message, and "says" holds the later ones, as many as are given and in their order. Each asks \
for the same as the text that is given, in the user's own words.
- Every value in "holds" stands in the text to the letter. No value in "leaves_out" stands in any text that does not \
hold it, nor in persona or background: the user tells it later.
- Make up no other number, name, date or code.

Answer with JSON alone: {"persona": "...", "background": "...", "opening": "...", "says": ["...", ...]}

This is the script:

{{script}}"""
WORDS = {"type": "string", "minLength": 1, "maxLength": 1_500}
ANSWER = {
    "type": "object",
    "properties": {
        "persona": WORDS,
        "background": WORDS,
        "opening": WORDS,
        "says": {"type": "array", "items": WORDS},
    },
    "required": ["persona", "background", "opening", "says"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Told:
    """A text of a script, and which of the script's values it holds."""

    text: str
    holds: tuple[str, ...]


@dataclass
class Retelling:
    """Has a model write the words of scenarios. `counts` says how many it wrote, and why others kept theirs."""

    ask: Ask
    title: str
    seed: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def all(self, scenarios: Sequence[Scenario], worlds: Sequence[World]) -> list[Scenario]:
        """The scenarios, each with a model's words where these pass, in the same order."""
        found = asyncio.run(self._all(scenarios, worlds))
        said: dict[str, list[tuple[str, ...]]] = {}
        for nth, (old, new) in enumerate(zip(scenarios, found, strict=True)):
            earlier = said.setdefault(task(old), [])
            if new is not old and any(alikeness(spoken(new), other) > ALIKE for other in earlier):
                self.counts["near-duplicate"] += 1
                found[nth] = old
            elif new is not old:
                self.counts["written"] += 1
            earlier.append(spoken(found[nth]))
        return found

    async def _all(self, scenarios: Sequence[Scenario], worlds: Sequence[World]) -> list[Scenario]:
        return list(await asyncio.gather(*map(self.one, scenarios, worlds)))

    async def one(self, scenario: Scenario, world: World) -> Scenario:
        """The scenario in a model's words; as it was where no reply can be used."""
        try:
            return await ask_for(self.ask, self.prompt(scenario), lambda reply: self.read(reply, scenario, world))
        except ModelFailure as failed:
            self.counts[failed.trouble.value] += 1
            return scenario

    def prompt(self, scenario: Scenario) -> Request:
        """The request for the words of one script."""
        opening, *later = told_in(scenario)
        card = {
            "service": self.title,
            "persona": scenario.cast[scenario.user].persona,
            "opening": {"text": opening.text, "holds": opening.holds},
            "says": [{"text": one.text, "holds": one.holds} for one in later],
            "leaves_out": sorted(values_of(scenario)),
        }
        return Request(
            conversation=scenario.id,
            role="planner",
            step="words",
            messages=(
                {"role": "system", "content": fill_prompt(TEXT, {"script": block("script", card)})},
                {"role": "user", "content": "Write the words."},
            ),
            answer=ANSWER,
            seed=number(self.seed, "words", scenario.id) % 2**31,
        )

    def read(self, reply: Reply, scenario: Scenario, world: World) -> Reading[Scenario]:
        """The scenario with the words of a reply.

        Raises:
            BadReply: for words that drop a value or tell one too early, and for a scenario that fails the lint."""
        reading = read_answer(reply, ANSWER)
        new: Mapping[str, Any] = reading.value
        told = told_in(scenario)
        if len(new["says"]) != len(told) - 1:
            raise refused(f"says has {len(new['says'])} texts, not {len(told) - 1}", reply)
        everything = values_of(scenario)
        nothing = Told("", ())
        texts = [new["persona"], new["background"], new["opening"], *new["says"]]
        for text, old in zip(texts, (nothing, nothing, *told), strict=True):
            if wrong := breach(text, old, everything):
                raise refused(wrong, reply)
        retold = with_words(scenario, new)
        if complaint := next(complaints(retold, world), None):
            raise refused(str(complaint), reply)
        return Reading(retold, reading.troubles)


def refused(why: str, reply: Reply) -> BadReply:
    return BadReply(Trouble.WRONG_SCHEMA, why, raw_of(reply))


def breach(text: str, old: Told, everything: frozenset[str]) -> str:
    """How a text tells other values than the one that it stands for; empty where it tells the same."""
    for value in old.holds:
        if value not in text:
            return f"{text[:60]!r} lacks {value!r}"
    for value in sorted(everything.difference(old.holds)):
        if says(text, value) and not any(value.casefold() in held.casefold() for held in old.holds):
            return f"{text[:60]!r} tells {value!r}, which is told later"
    return ""


def values_of(scenario: Scenario) -> frozenset[str]:
    """Every value of a script, as it is said; yes and no are too common to be told from words."""
    given: list[Any] = [dict(party.knows) for party in scenario.cast.values()]
    given += [[want.args, want.gold] for want in scenario.script.wants]
    found = (leaf for leaf in leaves(given) if leaf not in (None, "") and not isinstance(leaf, bool))
    return frozenset(map(render, found))


def told_in(scenario: Scenario) -> list[Told]:
    """The texts of a script, the opening first, each with the values in it."""
    values = sorted(values_of(scenario))
    return [Told(text, tuple(value for value in values if value in text)) for text in texts_of(scenario)]


def texts_of(scenario: Scenario) -> Iterator[str]:
    yield scenario.script.opening
    for want in scenario.script.wants:
        yield from filter(None, (want.say, want.change.say if want.change else ""))


def with_words(scenario: Scenario, new: Mapping[str, Any]) -> Scenario:
    """The scenario with new texts in the places of the old ones."""
    raw = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    raw["cast"][scenario.user]["persona"] = f"{new['persona'].strip()} {new['background'].strip()}"
    raw["script"]["opening"] = new["opening"].strip()
    left = iter(new["says"])
    for want in raw["script"].get("wants", ()):
        for place in (want, want.get("change") or {}):
            if place.get("say"):
                place["say"] = next(left).strip()
    return Scenario.model_validate(raw)
