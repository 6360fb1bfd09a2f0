"""Gold: what a scenario calls a success, and how far the messages of a conversation meet it.

How calls are compared. Only calls that worked count: a call that its tool refused or that failed did not happen.
Two calls are the same when tool, caller and arguments agree. Arguments are compared exactly (letter case
included) after a light normalisation: absent, null and empty values and values equal to the schema's default are
left out, texts lose outer blanks, a whole float is an integer, and a number stands for the numeric text, or the other
way round, where the tool's schema wants that type.

How slots are counted (AutoDE, arXiv 2403.11128): every argument of a wanted call is a slot; precision, recall and F1
are those of the slots of the calls made, each wanted call aligned with the most similar call of its tool. Calls that
only read and that nobody wanted are no predictions. Nor is a read with the values that the user asked for before a
change of mind: it was right when it was made.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from tertulia.language.wording import squeezed, stands_in
from tertulia.records import Change, Message, Record
from tertulia.scenario import Scenario
from tertulia.state_paths import applied, changed, look_up
from tertulia.world import ToolSpec, World

__all__ = ["Gold", "GoldCall", "Measured", "Slots", "end_state", "gold_of", "measure", "state_faults"]

NUMERIC = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)
MOST_DIGITS = 400  # of a whole number; more are no number that anybody wants


class GoldCall(Record):
    """A call that a successful conversation contains."""

    name: str
    args: dict[str, Any] = Field({})
    by: str = Field(description="the party that makes it")


class Gold(Record):
    """What makes a conversation of a scenario a success."""

    match: Literal["strict", "unordered", "superset", "subset", "none"]
    calls: tuple[GoldCall, ...] = ()
    not_calls: tuple[GoldCall, ...] = Field((), description="refused or taken back: these must not happen")
    state: dict[str, Any] = Field({})
    says: tuple[str, ...] = ()
    never_calls: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    unchanged: bool = False
    nothing_else: bool = False


def gold_of(scenario: Scenario) -> Gold:
    """The gold labels of a settled scenario."""
    success = scenario.success
    due: list[GoldCall] = []
    off: list[GoldCall] = []
    for want in scenario.script.wants:
        call = GoldCall(name=want.call, args=want.gold, by=want.by or scenario.assistant)
        (due if want.due else off).append(call)
    return Gold(
        match=success.calls.match,
        calls=tuple(due),
        not_calls=tuple(call for call in off if call not in due),
        state=success.state,
        says=success.says,
        never_calls=success.never_calls,
        never_says=success.never_says,
        unchanged=success.unchanged,
        nothing_else=success.nothing_else,
    )


@dataclass(frozen=True, slots=True)
class Slots:
    """How many of the wanted arguments were given, 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """How far a conversation meets its gold: for each part what is wrong with it, empty where it holds."""

    faults: dict[str, str]
    slots: Slots

    @property
    def passed(self) -> bool:
        return not any(self.faults.values())


@dataclass(frozen=True, slots=True)
class Made:
    """A call as it was made, or as it is wanted, ready to be compared."""

    name: str
    by: str
    args: tuple[tuple[str, str], ...]  # name and JSON text of each value, sorted

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.args)}) by {self.by}"


def measure(scenario: Scenario, world: World, messages: Iterable[Message]) -> Measured:
    """Hold the messages of a conversation (its accepted path) against the gold of its settled scenario.

    No messages at all give the null floor: what an agent that does nothing scores."""
    said = list(messages)
    gold = gold_of(scenario)
    tools = world.tools
    wanted = [comparable(call.name, call.by, call.args, tools) for call in gold.calls]
    first = [call for call in asked_first(scenario, tools) if call not in wanted]
    made = without(calls_that_worked(said, tools), first)
    unwanted = [comparable(call.name, call.by, call.args, tools) for call in gold.not_calls]
    start = world.start(scenario)
    end = end_state(start, said)
    heard = [squeezed(m.text) for m in said if m.role == "assistant" and scenario.user in m.audience and m.text]
    tried = {call.name for message in said for call in message.calls}
    faults = {
        "calls": calls_fault(gold.match, wanted, made, tools),
        "writes": writes_fault(gold.match, wanted, made, tools),
        "refused": listed("happened though it must not", [call for call in made if call in unwanted]),
        "state": "; ".join(state_faults(gold.state, end)),
        "unchanged": "the state changed" if gold.unchanged and differing(start, end) else "",
        "nothing_else": unasked_change(gold.state, start, end) if gold.nothing_else else "",
        "says": listed("not said to the user", [text for text in gold.says if not said_in(text, heard)]),
        "never_says": listed("said to the user", [text for text in gold.never_says if said_in(text, heard)]),
        "never_calls": listed("called", [name for name in gold.never_calls if name in tried]),
    }
    return Measured(faults, slots(wanted, [call for call in made if counts(call, wanted, tools)]))


def listed(what: str, things: Iterable[object]) -> str:
    text = ", ".join(map(str, things))
    return f"{what}: {text}" if text else ""


# --- calls -------------------------------------------------------------------------------------------------------


def calls_that_worked(messages: Sequence[Message], tools: Mapping[str, ToolSpec]) -> list[Made]:
    """Every call whose tool gave an answer that is no error, in order."""
    worked = {message.answers for message in messages if message.role == "tool" and not message.error}
    return [
        comparable(call.name, message.speaker, call.args, tools)
        for message in messages
        for call in message.calls
        if call.id in worked
    ]


def asked_first(scenario: Scenario, tools: Mapping[str, ToolSpec]) -> list[Made]:
    """The reads that the user asks for before a change of mind."""
    return [
        comparable(want.call, want.by or scenario.assistant, want.args, tools)
        for want in scenario.script.wants
        if want.due and want.change and want.call in tools and not tools[want.call].writes
    ]


def without(calls: Sequence[Made], others: Iterable[Made]) -> list[Made]:
    """The calls but for others, each left out once."""
    left = list(calls)
    for call in others:
        if call in left:
            left.remove(call)
    return left


def comparable(name: str, by: str, args: Mapping[str, Any], tools: Mapping[str, ToolSpec]) -> Made:
    spec = tools.get(name)
    schema = spec.parameters.get("properties", {}) if spec else {}
    kept = {}
    for key, value in args.items():
        about = schema.get(key)
        if not isinstance(about, Mapping):  # `true` allows every value
            about = {}
        plain = normal(as_schema_wants(value, about))
        if plain not in (None, "", [], {}) and not ("default" in about and same(plain, normal(about["default"]))):
            kept[key] = json.dumps(plain, ensure_ascii=False, sort_keys=True)
    return Made(name, by, tuple(sorted(kept.items())))


def same(one: Any, other: Any) -> bool:
    """Equal as JSON values: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def as_schema_wants(value: Any, schema: Mapping[str, Any]) -> Any:
    """A number for a numeric text, or the other way round, where the schema has only that type."""
    branches = (schema, *schema.get("anyOf", ()))
    named = [branch.get("type") or () for branch in branches if isinstance(branch, Mapping)]
    types = {kind for kinds in named for kind in ([kinds] if isinstance(kinds, str) else kinds)} - {"null"}
    if types == {"string"} and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return number_in(value) if types and types <= {"integer", "number"} and isinstance(value, str) else value


def number_in(text: str) -> Any:
    """The number that a text is, with every digit of it; the text itself where it is none."""
    if not NUMERIC.fullmatch(text):
        return text
    exact = Decimal(text.strip())
    if exact == exact.to_integral_value():
        return int(exact) if exact.adjusted() < MOST_DIGITS else text
    return float(exact) if Decimal(repr(float(exact))) == exact else text


def normal(value: Any) -> Any:
    """A JSON value without outer blanks in texts and with whole floats as integers."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): normal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [normal(inner) for inner in value]
    return value


def writes(call: Made, tools: Mapping[str, ToolSpec]) -> bool:
    return call.name in tools and tools[call.name].writes


def counts(call: Made, wanted: Iterable[Made], tools: Mapping[str, ToolSpec]) -> bool:
    """Whether a call is a prediction: it writes, or its tool is wanted."""
    return writes(call, tools) or any(call.name == want.name for want in wanted)


def calls_fault(match: str, wanted: list[Made], made: list[Made], tools: Mapping[str, ToolSpec]) -> str:
    """What keeps the calls from matching. An unwanted read matters for strict and unordered alone."""
    missing = list((Counter(wanted) - Counter(made)).elements())
    extra = list((Counter(made) - Counter(wanted)).elements())
    if match == "none":
        return ""
    if match == "subset":
        missing, extra = [], [call for call in extra if writes(call, tools)]
    elif match == "superset":
        extra = []
    if missing:
        near = [call for call in made if call not in wanted and any(call.name == want.name for want in missing)]
        return "; ".join(filter(None, (listed("missing", missing), listed("made instead", near))))
    if extra:
        return listed("not wanted", extra)
    return "the order differs" if match == "strict" and made != wanted else ""


def writes_fault(match: str, wanted: list[Made], made: list[Made], tools: Mapping[str, ToolSpec]) -> str:
    """The writes that nobody wanted, or more often than wanted."""
    surplus = Counter(call for call in made if writes(call, tools)) - Counter(wanted)
    return "" if match == "none" else listed("nobody wanted", surplus.elements())


def slots(wanted: list[Made], made: list[Made]) -> Slots:
    """Precision and recall over the arguments of all calls; both 1 when no call was wanted or made."""
    if not wanted or not made:
        return Slots(1.0, 1.0) if not wanted and not made else Slots(0.0, 0.0)
    left, hits, matched = list(made), 0, 0
    for want in wanted:
        rivals = [call for call in left if call.name == want.name and call.by == want.by]
        if not rivals:
            continue
        best = max(rivals, key=lambda call: len({*call.args} & {*want.args}))
        left.remove(best)
        matched += 1
        hits += len({*best.args} & {*want.args})
    given, due = sum(len(call.args) for call in made), sum(len(call.args) for call in wanted)
    if not given and not due:
        return Slots(matched / len(made), matched / len(wanted))
    return Slots(hits / given if given else 0.0, hits / due if due else 0.0)


# --- state and words ---------------------------------------------------------------------------------------------


def end_state(start: dict[str, Any], messages: Iterable[Message]) -> dict[str, Any]:
    """The state with every change of the conversation made, in order. It shares with `start` what did not change."""
    for message in messages:
        for change in message.changes:
            start = applied(start, change)
    return start


def state_faults(expected: Mapping[str, Any], end: dict[str, Any]) -> Iterable[str]:
    """Each expected value that the end state does not hold; None stands for absent."""
    for path, value in expected.items():
        try:
            found = look_up(end, path)
        except KeyError:
            found = None
        if not same(pruned(normal(value)), pruned(normal(found))):
            yield f"{path} is {found!r}, not {normal(value)!r}"


def unasked_change(expected: Mapping[str, Any], start: dict[str, Any], end: dict[str, Any]) -> str:
    """The first values that differ between start and end where nothing was expected to."""
    for path, value in expected.items():
        change = Change(path=path, after=value)
        with suppress(KeyError):
            start = applied(start, change)
        with suppress(KeyError):
            end = applied(end, change)
    return listed("changed though nothing asks for it", differing(start, end)[:5])


def differing(start: dict[str, Any], end: dict[str, Any]) -> list[str]:
    """The paths at which two states differ; absent and null are the same."""
    return [change.path for change in changed(start, end) if pruned(change.before) != pruned(change.after)]


def pruned(value: Any) -> Any:
    """A JSON value without the keys whose value is null: absent and null are the same."""
    if isinstance(value, dict):
        return {key: pruned(inner) for key, inner in value.items() if inner is not None}
    return [pruned(inner) for inner in value] if isinstance(value, list) else value


def said_in(text: str, heard: Iterable[str]) -> bool:
    """Whether a text stands in one of the texts that were heard, as whole words."""
    wanted = squeezed(text)
    return any(stands_in(wanted, one) for one in heard)
