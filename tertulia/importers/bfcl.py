"""BFCL v4 multi-turn entries: questions, initial configuration and involved classes, with their possible answers.

PATH is a file of questions, such as `BFCL_v4_multi_turn_base.json`; its answers lie in `possible_answer/`, or beside
it as an export's `NAME.sidecar.jsonl`. The classes are those of the installed `bfcl-eval`, or of
`--toolkit MODULE:CLASS`.

    entry                                     scenario
    id                                        id
    question, first turn                      the opening
    question, further turns                   `say` of the first want of the turn; a turn without calls is an aside
    ground_truth                              wants, turn after turn
    initial_config, involved_classes          world.classes, with the configuration as their data
    excluded_function                         the assistant's tools are all but these

The checker of BFCL compares states and results after every turn. Here the calls of all turns must be made (superset),
and the state at the end must be the one that they reach.
"""

import ast
import inspect
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.importing import Asked, Imported, Lost, read_json
from tertulia.scenario import Scenario
from tertulia.state_paths import apply, changed
from tertulia.worlds.classes import ClassWorld, class_named

__all__ = ["Bfcl", "call_of"]

USER, ASSISTANT = "user", "assistant"
BACKEND = "bfcl_eval.constants.executable_backend_config"
KNOWN = ("id", "question", "initial_config", "path", "involved_classes", "excluded_function", "missed_function")
MORE_TOOLS = "You can do more now. Please try again."


class Bfcl:
    """One scenario for each entry."""

    def read(self, asked: Asked) -> Imported:
        if not asked.allow_code:
            raise UserError("the import runs the classes that the entries name: to let it, give --allow-code")
        rows = read_json(asked.path, lines=True)[: asked.count]
        answers = {row.get("id"): row for row in read_json(answers_of(asked.path), lines=True)}
        homes = classes_by_name(asked)
        entries = [Entry(asked.path, row, answers.get(row.get("id")), homes) for row in rows]
        writing = {name for entry in entries for name in entry.writes()}
        scenarios = [entry.scenario(writing) for entry in entries]
        lost = [
            Lost(asked.path.name, "checker", "it compares results turn by turn; here calls, and the state at the end")
        ]
        lost += [one for entry in entries for one in entry.lost()]
        return Imported(scenarios, lost=lost, coverage=coverage(entries))


def answers_of(path: Path) -> Path:
    """The file of possible answers that belongs to a file of questions."""
    places = (path.parent / "possible_answer" / path.name, path.parent / f"{path.stem}.sidecar{path.suffix}")
    for place in places:
        if place.is_file():
            return place
    raise UserError(f"there are no answers to {str(path)!r}: neither {' nor '.join(map(repr, map(str, places)))}")


def classes_by_name(asked: Asked) -> dict[str, str]:
    """MODULE:CLASS of every class that entries may involve."""
    if asked.toolkits:
        return {reference.partition(":")[2]: reference for reference in asked.toolkits}
    try:
        backend = import_module(BACKEND)
    except ImportError as error:
        raise UserError(
            "the classes of BFCL are not installed: pip install --no-deps bfcl-eval && pip install mpmath, or name "
            "others by --toolkit MODULE:CLASS"
        ) from error
    return {name: f"{module}:{name}" for name, module in backend.CLASS_FILE_PATH_MAPPING.items()}


def coverage(entries: "list[Entry]") -> dict[str, Any]:
    """What the entries hold, and how their gold calls fare."""
    failing = [entry for entry in entries if entry.failed]
    return {
        "entries": len(entries),
        "turns": sum(len(entry.turns) for entry in entries),
        "abstain turns": sum(not turn.calls for entry in entries for turn in entry.turns),
        "gold calls": sum(len(turn.calls) for entry in entries for turn in entry.turns),
        "gold calls that fail": sum(len(entry.failed) for entry in entries),
        "entries with such calls": len(failing),
        "entries by class": dict(sorted(Counter(name for e in entries for name in e.row["involved_classes"]).items())),
    }


@dataclass(slots=True)
class Turn:
    """What the user says, and the calls that it asks for."""

    said: str
    calls: list[tuple[str, dict[str, Any]]]


@dataclass
class Entry:
    """A question with its answer, replayed once on its classes."""

    path: Path
    row: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    homes: Mapping[str, str]
    failed: list[str] = field(default_factory=list)
    reached: dict[str, Any] = field(default_factory=dict)
    changing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for key in ("id", "question", "involved_classes"):
            if key not in self.row:
                self.wrong(f"has no {key!r}")
        if self.answer is None:
            self.wrong("has no answer")
        self.classes = [self.home(name) for name in self.row["involved_classes"]]
        self.world = ClassWorld(tuple(map(class_named, self.classes)), self.data())
        self.turns = self.read_turns()
        self.replay()

    def wrong(self, what: str) -> None:
        raise UserError(f"{self.path}: entry {self.row.get('id', '?')!r} {what}")

    def home(self, name: str) -> str:
        if name not in self.homes:
            self.wrong(f"involves the class {name!r}, which is not known (known: {', '.join(self.homes)})")
        return self.homes[name]

    def data(self) -> Any:
        """What the classes are filled with: of one class its own configuration, of several by name."""
        config = dict(self.row.get("initial_config") or {})
        if "long_context" in self.row["id"]:
            config = {name: {**config.get(name, {}), "long_context": True} for name in self.row["involved_classes"]}
        names = self.row["involved_classes"]
        kept = {name: config[name] for name in names if config.get(name) and name != "MathAPI"}
        return kept.get(names[0]) if len(names) == 1 else kept

    def read_turns(self) -> list[Turn]:
        """A turn in which a tool is missing, and the one that brings it, are one: here every tool is there from the
        start."""
        turns: list[Turn] = []
        asked, due = self.row["question"], (self.answer or {}).get("ground_truth", [])
        if len(asked) != len(due):
            self.wrong(f"has {len(asked)} turns, and answers to {len(due)}")
        for messages, calls in zip(asked, due, strict=True):
            read = [self.call(text) for text in calls]
            said = "\n\n".join(message["content"] for message in messages)
            if said or not turns:
                turns.append(Turn(said or MORE_TOOLS, read))
            else:
                turns[-1].calls += read
        return turns

    def call(self, text: str) -> tuple[str, dict[str, Any]]:
        try:
            return call_of(text, self.world)
        except ValueError as error:
            raise UserError(f"{self.path}: entry {self.row['id']!r}: {error}") from error

    def replay(self) -> None:
        base = self.made({})
        live, first = self.world.open(base), self.world.start(base)
        end = json.loads(json.dumps(first))
        for turn in self.turns:
            for name, args in turn.calls:
                outcome = live.call(name, args)
                if outcome.error:
                    self.failed.append(f"{name}: {json.loads(outcome.text)['error']}")
                if outcome.changes:
                    self.changing.add(name)
                for change in outcome.changes:
                    apply(end, change)
        self.reached = {change.path: change.after for change in changed(first, end)}

    def writes(self) -> set[str]:
        return self.changing

    # --- the scenario ------------------------------------------------------------------------------------------

    def scenario(self, writing: set[str]) -> Scenario:
        success = {"calls": {"match": "superset"}, "state": self.reached, "nothing_else": True}
        wants, asides = self.script()
        classes: dict[str, Any] = {"of": self.classes, "writing": sorted(writing & set(self.world.tools))}
        classes |= {"data": data} if (data := self.data()) else {}
        return self.made(
            {
                "kind": "nothing_to_do" if not wants else "single_call" if len(wants) == 1 else "multi_call",
                "world": {"classes": classes},
                "script": {"opening": self.turns[0].said, "wants": wants, "asides": asides},
                "success": success,
                "limits": {"turns": max(60, 4 * len(wants)), "tool_calls": max(60, 4 * len(wants))},
            }
        )

    def made(self, parts: Mapping[str, Any]) -> Scenario:
        excluded = set(self.row.get("excluded_function") or ()) & set(self.world.tools)
        tools = {"tools": [name for name in self.world.tools if name not in excluded]} if excluded else {}
        base = {
            "id": self.row["id"],
            "kind": "nothing_to_do",
            "cast": {USER: {"role": "user"}, ASSISTANT: {"role": "assistant", **tools}},
            "script": {"opening": self.turns[0].said},
        }
        return Scenario.model_validate({**base, **parts})

    def script(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The wants of all turns, and what is said without any."""
        wants: list[dict[str, Any]] = []
        asides: list[dict[str, Any]] = []
        for nth, turn in enumerate(self.turns):
            if nth and not turn.calls:
                asides.append({"say": turn.said, "after": len(wants)})
            for at, (name, args) in enumerate(turn.calls):
                says = {"say": turn.said} if nth and not at else {}
                wants.append({"call": name, "with": args, **says})
        return wants, asides

    def lost(self) -> list[Lost]:
        item, found = str(self.row["id"]), []
        if self.row.get("path"):
            found.append(Lost(item, "path", "the tools on the way; the wants name them"))
        for turn, names in (self.row.get("missed_function") or {}).items():
            why = f"{', '.join(names)}: a scenario's tools are there from the start, so the turn without them is gone"
            found.append(Lost(item, f"missed_function.{turn}", why))
        roles = {message["role"] for turn in self.row["question"] for message in turn} - {"user"}
        found += [Lost(item, f"question.{role}", "only users speak in a script") for role in sorted(roles)]
        return found + [Lost(item, key, "an unknown field") for key in self.row if key not in KNOWN]


def call_of(text: str, world: ClassWorld) -> tuple[str, dict[str, Any]]:
    """`sort('a.txt')` -> ("sort", {"file_name": "a.txt"}), with the parameters named as the class names them.

    Raises:
        ValueError: for what is no call of a tool with plain values."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no call: {error.msg}") from error
    if not isinstance(node, ast.Call):
        raise ValueError(f"{text!r} is no call")
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in world.methods:
        raise ValueError(f"{text!r} calls {name!r}, which none of the classes has")
    home, _ = world.methods[name]
    names = list(inspect.signature(getattr(world.customs[home][0], name)).parameters)[1:]
    if len(node.args) > len(names):
        raise ValueError(f"{text!r} has more arguments than {name!r} takes")
    given = [*zip(names, node.args, strict=False), *((keyword.arg or "", keyword.value) for keyword in node.keywords)]
    try:
        return name, {key: json.loads(json.dumps(ast.literal_eval(value))) for key, value in given}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{text!r} has an argument that is no plain value") from error
