"""What formats of evaluation items share: each settled scenario once, and which of its fields a format leaves out."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tertulia.exporting.rows import item_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario, Want

__all__ = ["Items", "gold_calls", "unsaid"]


@dataclass(slots=True)
class Items:
    """The settled scenarios that have been seen; memory grows with their ids alone."""

    seen: set[str] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)

    def name(self, scenario: Scenario, talk: Conversation) -> str:
        """The name of a scenario that is new, `lost-ring`, of its next variant `lost-ring-2`; empty for a known one."""
        item = item_id(scenario)
        if item in self.seen:
            return ""
        self.seen.add(item)
        nth = self.names[scenario.id] = self.names.get(scenario.id, 0) + 1
        return scenario.id if nth == 1 else f"{scenario.id}-{nth}"


def gold_calls(scenario: Scenario) -> list[Want]:
    """The wants that a successful conversation contains, in order."""
    return [want for want in scenario.script.wants if want.due]


def unsaid(scenario: Scenario, carried: Collection[str]) -> list[str]:
    """The paths of the fields that a scenario sets and that are not among those carried, each once.

    A path leaves out the places in lists and the names of parties: `script.wants.say`, `cast.secret`. A path that is
    carried stands for all below it, and so does one of which nothing is carried."""
    return list(dict.fromkeys(path for path in _set(scenario, "", carried) if path not in carried))


def _set(record: BaseModel, at: str, carried: Collection[str]) -> Iterator[str]:
    for name, about in type(record).model_fields.items():
        value: Any = getattr(record, name)
        if about.is_required() or value != about.get_default(call_default_factory=True):
            path = f"{at}.{name}" if at else name
            inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
            records = [one for one in inner if isinstance(one, BaseModel)]
            if records and any(one.startswith(f"{path}.") for one in carried):
                for one in records:
                    yield from _set(one, path, carried)
            else:
                yield path
