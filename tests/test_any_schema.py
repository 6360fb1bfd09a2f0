"""Any tools with JSON Schemas: the rule cast plays them to a defined end, and mostly makes the very call wanted."""

import asyncio
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tertulia.gold import calls_that_worked, comparable
from tertulia.graph import Item, Stage
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation, EndReason
from tertulia.scenario import Scenario
from tertulia.worlds import open_world

STAGE = Stage(bundled_recipe("user_script"))
FLOOR = 0.93  # measured: 0.98; what is missed are mostly two parameters with the very same value

WORD_LIST = """
    order customer parcel ticket invoice account address city street country title name note color size language
    amount limit page weight email phone date day time url status priority category owner team region currency
    start end max min shipping billing contact item product meta data filter sort key value user role token
"""
VERB_LIST = "create update get find cancel send list delete book search convert track assign merge run"
CHOICES = ("small", "medium", "large", "in_transit", "VERY-HIGH", "1.5", "C++", "Paid", "habits", "habitat", "express")
WORDS, VERBS = WORD_LIST.split(), VERB_LIST.split()


@dataclass(frozen=True)
class Given:
    """A schema with a value that fits it."""

    schema: dict[str, Any]
    value: Any


# --- names -------------------------------------------------------------------------------------------------------


def camel(words: list[str]) -> str:
    return words[0] + "".join(word.capitalize() for word in words[1:])


STYLES: tuple[Callable[[list[str]], str], ...] = (camel, "_".join, "-".join)
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True)


@st.composite
def tool_names(draw: st.DrawFn, style: Callable[[list[str]], str]) -> str:
    return style([draw(st.sampled_from(VERBS)), *draw(NAMES)])


# --- values with their schemas -----------------------------------------------------------------------------------

PLAIN = st.lists(st.sampled_from(("red", "Station", "blue", "Mara", "fast", "lane", "Old", "box")), min_size=1).map(
    lambda words: " ".join(words[:4])
)
ODD = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=20)
TEXTS = st.one_of(
    PLAIN, PLAIN, PLAIN, st.sampled_from(("Salt and pepper", "Well, ok. Then stop!", "a, b & c", "5 Mill Lane"))
)
PATTERNS = (r"^[A-Z]{2}-\d{4}$", r"^\d{3}-\d{3}$", r"^[a-z]{3,8}$", r"^(?=.*\d)[A-Z0-9]{6}$", r"^#[0-9a-f]{6}$")
FORMATTED: dict[str, st.SearchStrategy[Any]] = {
    "date": st.dates().map(str),
    "email": st.from_regex(r"[a-z]{2,8}\.[a-z]{2,8}@example\.org", fullmatch=True),
    "uri": st.from_regex(r"https://example\.org/[a-z0-9]{1,12}", fullmatch=True),
    "ipv4": st.ip_addresses(v=4).map(str),
}


def scalars(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Given]:
    numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 3)).filter(math.isfinite)
    return st.one_of(
        texts.map(lambda value: Given({"type": "string"}, value)),
        st.integers(-(10**9), 10**9).map(lambda value: Given({"type": "integer"}, value)),
        numbers.map(lambda value: Given({"type": "number"}, value)),
        st.booleans().map(lambda value: Given({"type": "boolean"}, value)),
        enums(),
        st.sampled_from(tuple(FORMATTED)).flatmap(
            lambda name: FORMATTED[name].map(lambda value: Given({"type": "string", "format": name}, value))
        ),
        st.sampled_from(PATTERNS).flatmap(
            lambda pattern: st.from_regex(pattern.replace(r"\d", "[0-9]"), fullmatch=True).map(
                lambda value: Given({"type": "string", "pattern": pattern}, value.strip())
            )
        ),
    )


def enums() -> st.SearchStrategy[Given]:
    choices = st.lists(st.sampled_from(CHOICES), min_size=2, unique=True)
    return choices.flatmap(
        lambda names: st.sampled_from(names).map(lambda value: Given({"type": "string", "enum": names}, value))
    )


def arrays(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Given]:
    entry = st.one_of(texts.map(lambda value: Given({"type": "string"}, value)), enums(), objects(texts, 1))
    integers = st.lists(st.integers(0, 9999), min_size=1, max_size=4)
    return st.one_of(
        entry.map(lambda one: Given({"type": "array", "items": one.schema}, [one.value])),
        st.lists(texts, min_size=1, max_size=4).map(
            lambda value: Given({"type": "array", "items": {"type": "string"}}, value)
        ),
        integers.map(lambda value: Given({"type": "array", "items": {"type": "integer"}}, value)),
    )


@st.composite
def objects(draw: st.DrawFn, texts: st.SearchStrategy[str], depth: int) -> Given:
    """An object of one to three parameters, some of them optional."""
    style = draw(st.sampled_from(STYLES))
    names = draw(st.lists(NAMES.map(style), min_size=1, max_size=3, unique_by=str.lower))
    inner = [draw(parameters(texts, depth - 1)) for _ in names]
    required = [name for name in names if draw(st.booleans())] or names[:1]
    properties = {name: one.schema for name, one in zip(names, inner, strict=True)}
    kept = {name: one.value for name, one in zip(names, inner, strict=True) if name in required or draw(st.booleans())}
    return Given({"type": "object", "properties": properties, "required": required}, kept)


def parameters(texts: st.SearchStrategy[str], depth: int) -> st.SearchStrategy[Given]:
    plain = scalars(texts)
    rich = st.one_of(plain, plain, arrays(texts), objects(texts, depth)) if depth > 0 else plain
    return st.one_of(rich, rich, rich.map(optional), rich.map(either))


def optional(one: Given) -> Given:
    return Given({"anyOf": [one.schema, {"type": "null"}]}, one.value)


def either(one: Given) -> Given:
    kind = one.schema.get("type")
    return Given({**one.schema, "type": [kind, "null"]}, one.value) if kind and "enum" not in one.schema else one


@st.composite
def calls(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A tool and the arguments of one call of it. Some parameters stand in `$defs`."""
    style = draw(st.sampled_from(STYLES))
    tool = {"name": draw(tool_names(style)), "writes": draw(st.booleans()), "returns": {"ok": True}}
    if draw(st.booleans()):
        tool["description"] = f"{tool['name']} for whoever asks."
    if draw(st.integers(0, 9)) == 0:
        return tool, {}
    one = draw(objects(texts, 3))
    schema = json.loads(json.dumps(one.schema))
    if draw(st.booleans()):
        first = next(iter(schema["properties"]))
        schema["$defs"] = {"Shared": schema["properties"][first]}
        schema["properties"][first] = {"$ref": "#/$defs/Shared"}
    return {**tool, "parameters": schema}, one.value


@st.composite
def scenarios(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Scenario:
    """One to four tools, and a user who wants one call of the first and knows its values by their names."""
    made = draw(st.lists(calls(texts), min_size=1, max_size=4, unique_by=lambda pair: pair[0]["name"].lower()))
    (wanted, args), *_ = made
    opening = draw(
        st.sampled_from(("Hello, I need your help.", f"Could you {wanted['name']} for me?", "I want something."))
    )
    return Scenario.model_validate(
        {
            "id": "any",
            "kind": "single_call",
            "tools": [tool for tool, _ in made],
            "cast": {"client": {"role": "user", "knows": args}, "agent": {"role": "assistant"}},
            "script": {"opening": opening, "wants": [{"call": wanted["name"], "with": args}]},
            "limits": {"turns": 80, "tool_calls": 24},
        }
    )


# --- claims ------------------------------------------------------------------------------------------------------


def played(scenario: Scenario, seed: int = 7) -> Conversation:
    return asyncio.run(STAGE.play(STAGE.seat(Item(0, "any", scenario, {}, seed, 0.0))))


def hit(scenario: Scenario, talk: Conversation) -> bool:
    tools, want = open_world(scenario).tools, scenario.script.wants[0]
    return comparable(want.call, "agent", want.args, tools) in calls_that_worked(list(talk.messages), tools)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scenario=scenarios(st.one_of(TEXTS, ODD)), seed=st.integers(0, 99))
def test_any_tools_are_played_to_a_defined_end(scenario: Scenario, seed: int) -> None:
    talk = played(scenario, seed)
    schemas = {tool.name: tool.parameters for tool in scenario.tools}
    failed = {message.answers for message in talk.messages if message.role == "tool" and message.error}

    assert talk.end_reason in set(EndReason) - {EndReason.FAILED, EndReason.MODEL_FAILURE, EndReason.PARSE_FAILURE}
    for call in (call for message in talk.messages for call in message.calls):
        assert call.id in failed or Draft202012Validator(schemas[call.name]).is_valid(call.args)


def test_most_calls_are_made_exactly_as_wanted() -> None:
    found: list[bool] = []

    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenario=scenarios(TEXTS))
    def play(scenario: Scenario) -> None:
        found.append(hit(scenario, played(scenario)))

    play()
    assert len(found) >= 150
    assert sum(found) / len(found) >= FLOOR, f"{sum(found)} of {len(found)}"
