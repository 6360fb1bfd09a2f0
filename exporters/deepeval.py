"""DeepEval conversational goldens: one for each distinct settled scenario, accepted or not.

    name               the scenario's id, numbered from its second variant on
    scenario           title, and what the user wants, in words
    expected_outcome   calls, end state and words that make it a success, in words
    persona            {"characteristics": the user's persona}; also as user_description, which DeepEval read before 4
    context            what the user knows, a text for each fact
    turns              one: the fixed opening, as the user says it
    additional_metadata  {"scenario": id, "kind", "gold": calls, state and words as data}

`EvaluationDataset.add_goldens_from_jsonl_file` reads the file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tertulia.exporting.columns import Columns
from tertulia.exporting.items import Items, unsaid
from tertulia.exporting.words import facts, outcome, plan
from tertulia.gold import gold_of
from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["Deepeval"]

CARRIED = ["id", "title", "kind", "script", "success", "cast.role", "cast.persona", "cast.knows", "cast.secret"]


class Deepeval:
    """`lost` counts, by field, the items in which a scenario says something that a golden does not."""

    consumer: ClassVar[str] = "goldens"
    carries: ClassVar[Sequence[str]] = CARRIED
    loses: ClassVar[Mapping[str, str]] = {"cast (but the user)": "the other parties, with what they know and can call"}
    evaluates: ClassVar[bool] = True
    columns: ClassVar[Columns] = {
        "name": "text",
        "scenario": "text",
        "expected_outcome": "text",
        "persona": {"characteristics": "text"},
        "user_description": "text",
        "context": ["text"],
        "turns": [{"role": "text", "content": "text"}],
        "additional_metadata": "json",
    }

    def __init__(self) -> None:
        self.items = Items()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        name = self.items.name(scenario, talk)
        if not name:
            return
        self.lost.update(unsaid(scenario, CARRIED))
        self.lost.update(["cast (but the user)"])
        persona = scenario.cast[scenario.user].persona
        yield {
            "name": name,
            "scenario": "\n".join(filter(None, (scenario.title, plan(scenario)))),
            "expected_outcome": outcome(scenario),
            "persona": {"characteristics": persona} if persona else None,
            "user_description": persona or None,
            "context": facts(scenario) or None,
            "turns": [{"role": "user", "content": scenario.script.opening}],
            "additional_metadata": {
                "scenario": scenario.id,
                "kind": scenario.kind,
                "gold": gold_of(scenario).model_dump(mode="json"),
            },
        }
