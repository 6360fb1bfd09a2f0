"""DeepEval conversational goldens: one for each distinct settled scenario, accepted or not.

    name               the scenario's id, numbered from its second variant on
    scenario           title, and what the user wants, in words
    expected_outcome   calls, end state and words that make it a success, in words
    user_description   the user's persona
    context            what the user knows, a text for each fact
    turns              one: the fixed opening, as the user says it
    additional_metadata  {"scenario": id, "kind", "gold": calls, state and words as data}

`EvaluationDataset.add_goldens_from_jsonl_file` reads the file.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tertulia.exporting.items import Items, unsaid
from tertulia.exporting.words import facts, outcome, plan
from tertulia.gold import gold_of
from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["Deepeval"]

CARRIED = ["id", "title", "kind", "script", "success", "cast.role", "cast.persona", "cast.knows", "cast.secret"]


class Deepeval:
    """`lost` counts, by field, the items in which a scenario says something that a golden does not."""

    def __init__(self) -> None:
        self.items = Items()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        name = self.items.name(scenario, talk)
        if not name:
            return
        self.lost.update(unsaid(scenario, CARRIED))
        self.lost.update(["cast (but the user)"])
        yield {
            "name": name,
            "scenario": "\n".join(filter(None, (scenario.title, plan(scenario)))),
            "expected_outcome": outcome(scenario),
            "user_description": scenario.cast[scenario.user].persona or None,
            "context": facts(scenario) or None,
            "turns": [{"role": "user", "content": scenario.script.opening}],
            "additional_metadata": {
                "scenario": scenario.id,
                "kind": scenario.kind,
                "gold": gold_of(scenario).model_dump(mode="json"),
            },
        }
