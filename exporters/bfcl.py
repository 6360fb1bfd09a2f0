"""BFCL v4 multi-turn: entries in the file, and their possible answers beside it, `NAME.sidecar.jsonl`.

One entry for each distinct settled scenario, accepted or not:

    id                 the scenario's id, numbered from its second variant on
    question           a list of turns, each a list with one user message: the opening, then a turn for each want that
                       has words of its own or comes after another, and one for each aside
    initial_config     {class: its state at the start}
    path               CLASS.TOOL for each call wanted
    involved_classes   the classes behind the tools
    excluded_function  tools that the assistant does not have

    ground_truth       for each turn the calls wanted, as Python; an empty list where no call may be made: an aside,
                       and a want that is refused

The user of BFCL cannot be asked back, so values that a turn's words leave out stand behind them in brackets. A turn
whose want has no words of its own gets them from the name of its tool. To run entries, BFCL needs the classes in its
own package.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tertulia.exporting.columns import Columns
from tertulia.exporting.items import Items, unsaid
from tertulia.exporting.words import worded
from tertulia.language.wording import humanize, squeezed, stands_in
from tertulia.records import Conversation
from tertulia.scenario import Scenario, Want
from tertulia.setting import Setting, Settings
from tertulia.worlds.classes import ClassWorld
from tertulia.worlds.toolkit import ToolkitWorld

__all__ = ["Bfcl"]

CARRIED = [
    "id",
    "world",
    "start",
    "script.opening",
    "script.of",
    "script.asides",
    "script.wants.call",
    "script.wants.args",
    "script.wants.say",
    "script.wants.outcome",
    "cast.role",
    "cast.tools",
    "success.state",
    "success.nothing_else",
]


@dataclass(slots=True)
class Turn:
    """What the user says, and what should be called for it."""

    said: str
    wants: list[Want] = field(default_factory=list)


class Bfcl:
    """`lost` counts, by field, the items in which a scenario says something that an entry does not."""

    consumer: ClassVar[str] = "entries"
    carries: ClassVar[Sequence[str]] = CARRIED
    loses: ClassVar[Mapping[str, str]] = {"script.wants.by (calls of others)": "calls that others should make"}
    evaluates: ClassVar[bool] = True
    columns: ClassVar[Columns] = {
        "id": "text",
        "question": [[{"role": "text", "content": "text"}]],
        "initial_config": "json",
        "path": ["text"],
        "involved_classes": ["text"],
        "excluded_function": ["text"],
    }

    def __init__(self) -> None:
        self.settings, self.items, self.answers = Settings(), Items(), Items()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        name = self.items.name(scenario, talk)
        if not name:
            return
        setting = self.settings.of(scenario)
        self.lost.update(unsaid(scenario, CARRIED))
        self.lost.update(lost_calls(scenario))
        homes = classes(setting)
        tools = {tool.name for tool in setting.tools[scenario.assistant]}
        wanted = [want.call for turn in turns(scenario) for want in due(turn, scenario)]
        yield {
            "id": name,
            "question": [[{"role": "user", "content": said(turn)}] for turn in turns(scenario)],
            "initial_config": config(setting, scenario, homes),
            "path": [f"{homes[call]}.{call}" for call in wanted],
            "involved_classes": list(dict.fromkeys(homes.values())),
            "excluded_function": sorted(tool for tool in setting.world.tools if tool not in tools),
        }

    def sidecar(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        """The possible answer of an entry."""
        if name := self.answers.name(scenario, talk):
            truth = [[as_python(want) for want in due(turn, scenario)] for turn in turns(scenario)]
            yield {"id": name, "ground_truth": truth}


def turns(scenario: Scenario) -> list[Turn]:
    """What the user says, turn by turn."""
    script = scenario.script
    made = [Turn(script.opening)]
    for nth in range(len(script.wants) + 1):
        last = nth == len(script.wants)
        made += [Turn(one.say) for one in script.asides if one.after == nth or (last and one.after > nth)]
        if last:
            break
        want = script.wants[nth]
        if want.say and nth:
            made.append(Turn(want.say))
        elif nth and not from_turns(scenario):
            made.append(Turn(f"Please {humanize(want.call)}."))
        made[-1].wants.append(want)
    return made


def from_turns(scenario: Scenario) -> bool:
    """Whether a turn may ask for several calls: in a scenario some of whose later wants have words and some do not."""
    later = [bool(want.say) for want in scenario.script.wants[1:]]
    return any(later) and not all(later)


def due(turn: Turn, scenario: Scenario) -> list[Want]:
    """The calls of a turn that the assistant should make."""
    return [want for want in turn.wants if want.due and want.by in ("", scenario.assistant)]


def said(turn: Turn) -> str:
    """A turn's words, with the values behind them that they leave out."""
    heard = squeezed(turn.said)
    lacking = {
        key: value
        for want in turn.wants
        for key, value in want.gold.items()
        if not stands_in(squeezed(worded(value)), heard)
    }
    more = "; ".join(f"{humanize(key)}: {worded(value)}" for key, value in lacking.items())
    return f"{turn.said} ({more})" if more else turn.said


def as_python(want: Want) -> str:
    """`mv(source='a', destination='b')`"""
    return f"{want.call}({', '.join(f'{key}={value!r}' for key, value in want.gold.items())})"


def lost_calls(scenario: Scenario) -> list[str]:
    others = [want for want in scenario.script.wants if want.by not in ("", scenario.assistant)]
    return ["script.wants.by (calls of others)"] if others else []


def classes(setting: Setting) -> dict[str, str]:
    """The class behind each tool."""
    world = setting.world
    if isinstance(world, ClassWorld):
        return {name: home for name, (home, _) in world.methods.items()}
    name = world.toolkit.__name__ if isinstance(world, ToolkitWorld) else "Tools"
    return dict.fromkeys(world.tools, name)


def config(setting: Setting, scenario: Scenario, homes: dict[str, str]) -> dict[str, Any]:
    """What each class is filled with."""
    world, names = setting.world, list(dict.fromkeys(homes.values()))
    data = world.data if isinstance(world, ClassWorld) and not scenario.start else world.start(scenario)
    if len(names) == 1:
        return {names[0]: data} if data else {}
    return dict(data or {})
