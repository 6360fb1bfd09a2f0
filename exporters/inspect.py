"""Samples for Inspect: one for each distinct settled scenario, accepted or not.

    id        the scenario's id, numbered from its second variant on
    input     chat messages: the assistant's briefing as system message, and the user's fixed opening
    target    the calls wanted, each as one JSON text {"name", "args", "by"}; then the words wanted
    metadata  scenario (the settled scenario whole, without what has its default), gold, tools (as OpenAI has them)

`inspect_ai.dataset.json_dataset` reads the file. Nothing is lost: what a sample has no field for stands in `metadata`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.columns import Columns
from tertulia.exporting.items import Items
from tertulia.gold import gold_of
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.views import briefing, tool_list

__all__ = ["Inspect"]


class Inspect:
    """Keeps digests of the items it has written."""

    consumer: ClassVar[str] = "samples"
    loses: ClassVar[Mapping[str, str]] = {}  # what a sample has no field for stands in its metadata
    evaluates: ClassVar[bool] = True
    columns: ClassVar[Columns] = {
        "id": "text",
        "input": [{"role": "text", "content": "text"}],
        "target": ["text"],
        "metadata": "json",
    }

    def __init__(self) -> None:
        self.settings, self.items = Settings(), Items()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        name = self.items.name(scenario, talk)
        if not name:
            return
        setting, gold = self.settings.of(scenario), gold_of(scenario)
        system = briefing(setting, scenario.assistant)
        messages = [{"role": "system", "content": system}] if system else []
        calls = [json.dumps(call.model_dump(mode="json"), ensure_ascii=False) for call in gold.calls]
        yield {
            "id": name,
            "input": [*messages, {"role": "user", "content": scenario.script.opening}],
            "target": [*calls, *gold.says],
            "metadata": {
                "scenario": scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True),
                "gold": gold.model_dump(mode="json"),
                "tools": tool_list(setting, scenario.assistant),
            },
        }
