"""An evaluation set of the Agent Development Kit: a folder with one `tertulia.evalset.json`.

One case for each distinct settled scenario, accepted or not, for ADK's simulated user:

    eval_id                   the scenario's id, numbered from its second variant on
    conversation_scenario     starting_prompt (the fixed opening), conversation_plan (what the user wants and knows, in
                              words), user_persona (its persona, when it has one)
    session_input             app_name (the world), user_id (the user's party), state (the world's state at the start)
    rubrics                   one for each thing that makes it a success, in words
    final_session_state       the values that the state must have in the end, by path

`google.adk.evaluation.eval_set.EvalSet` reads the file.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tertulia.exporting.folder import TEXT, Shape
from tertulia.exporting.items import Items, unsaid
from tertulia.exporting.words import facts, outcome, plan
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Adk"]

FILE = "tertulia.evalset.json"
WHOLE: Shape = ('{"eval_set_id":"tertulia","name":"tertulia","eval_cases":[\n', ",\n", "\n]}\n")
CARRIED = ["id", "world", "script", "success", "start", "cast.role", "cast.persona", "cast.knows", "cast.secret"]


class Adk:
    """`lost` counts, by field, the items in which a scenario says something that a case does not."""

    consumer: ClassVar[str] = "cases"
    carries: ClassVar[Sequence[str]] = CARRIED
    loses: ClassVar[Mapping[str, str]] = {"cast (but the user)": "the other parties, with what they know and can call"}
    evaluates: ClassVar[bool] = True

    def __init__(self) -> None:
        self.settings, self.items = Settings(), Items()
        self.lost: Counter[str] = Counter()

    def shape(self, name: str) -> Shape:
        return WHOLE if name == FILE else TEXT

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        name = self.items.name(scenario, talk)
        if not name:
            return
        self.lost.update(unsaid(scenario, CARRIED))
        self.lost.update(["cast (but the user)"])
        world = scenario.world if isinstance(scenario.world, str) else ""
        case = {
            "eval_id": name,
            "conversation_scenario": conversation(scenario),
            "session_input": {
                "app_name": re.sub(r"\W", "_", world or "tertulia"),
                "user_id": scenario.user,
                "state": self.settings.of(scenario).world.start(scenario),
            },
            "rubrics": [
                {"rubric_id": f"success_{nth}", "rubric_content": {"text_property": line}}
                for nth, line in enumerate(outcome(scenario).splitlines())
            ],
            "final_session_state": dict(scenario.success.state),
        }
        yield {"file": FILE, "row": case}


def conversation(scenario: Scenario) -> dict[str, Any]:
    """What ADK's simulated user is told."""
    known = [f"You know {fact}" for fact in facts(scenario)]
    made: dict[str, Any] = {
        "starting_prompt": scenario.script.opening,
        "conversation_plan": "\n".join([plan(scenario), *known]),
    }
    if persona := scenario.cast[scenario.user].persona:
        made["user_persona"] = {"id": scenario.user, "description": persona, "behaviors": []}
    return made
