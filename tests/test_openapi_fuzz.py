"""Mutated OpenAPI documents: each gives a clear error or a world that works, never a traceback and never a hang.

`TERTULIA_FUZZ=500` plays as many as that; without it, a few."""

import contextlib
import copy
import json
import os
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_examples import PETS

from tertulia.errors import ScenarioError, ToolError
from tertulia.scenario import Scenario, ToolSchema
from tertulia.streams import stream
from tertulia.worlds.drawing import draw
from tertulia.worlds.http_request import request_of
from tertulia.worlds.openapi_document import Api, api_of
from tertulia.worlds.simulated import SimulatedWorld

EXAMPLES = int(os.environ.get("TERTULIA_FUZZ", "60"))
WHOLE = json.loads(json.dumps(yaml.safe_load(PETS)))
SCENARIO = Scenario.model_validate(
    {
        "id": "fuzz",
        "kind": "single_call",
        "cast": {"a": {"role": "user"}, "b": {"role": "assistant"}},
        "script": {"opening": "Hello."},
    }
)
WORDS = ("", "object", "array", "int", "query", "body", "path", "#/components/schemas/Pet", "#/", "(a+)+$", "200", "💥")
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.sampled_from(WORDS))
KEYS = ("$ref", "type", "allOf", "properties", "required", "items", "enum", "in", "schema", "nullable", "default")
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, child in children for place in places(child, (*at, key)))]


PLACES = places(WHOLE)[1:]


@st.composite
def mutated(draw_: st.DrawFn) -> str:
    """The document with a few of its parts replaced, taken out, moved or renamed; sometimes cut off."""
    document = copy.deepcopy(WHOLE)
    for _ in range(draw_(st.integers(1, 4))):
        *above, last = draw_(st.sampled_from(PLACES))
        holder = document
        try:
            for step in above:
                holder = holder[step]
            kind = draw_(st.sampled_from(["replace", "drop", "rename", "copy"]))
            if kind == "drop":
                del holder[last]
            elif kind == "rename" and isinstance(holder, dict):
                holder[draw_(st.sampled_from(KEYS) | st.text(max_size=4))] = holder.pop(last)
            elif kind == "copy":
                holder[last] = copy.deepcopy(document)
            else:
                holder[last] = draw_(JUNK)
        except (KeyError, IndexError, TypeError):
            continue
    text = json.dumps(document) if draw_(st.booleans()) else yaml.safe_dump(document, allow_unicode=True)
    return text[: draw_(st.integers(0, len(text)))] if draw_(st.integers(0, 9)) == 0 else text


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(text=mutated(), seed=st.integers(0, 9))
def test_a_mutated_document_is_refused_in_words_or_gives_a_world_that_works(text: str, seed: int) -> None:
    api = read(text)
    if isinstance(api, ScenarioError):
        assert api.faults
        assert all(fault.message and fault.line >= 1 and "Traceback" not in fault.message for fault in api.faults)
        return
    live = SimulatedWorld(api.tools).open(SCENARIO)
    for tool in api.tools:
        Draft202012Validator.check_schema(tool.parameters)
        for _ in range(2):
            outcome = live.call(tool.name, arguments(tool, seed))
            json.loads(outcome.text)
        sent(tool, seed)


def arguments(tool: ToolSchema, seed: int) -> dict[str, Any]:
    """Arguments drawn from the schema."""
    drawn = draw(tool.parameters, stream(seed, "fuzz", tool.name))
    return drawn if isinstance(drawn, dict) else {}


def read(text: str) -> Api | ScenarioError:
    """The API, or what is wrong with the document."""
    try:
        return api_of(text, "doc")
    except ScenarioError as error:
        return error


def sent(tool: ToolSchema, seed: int) -> None:
    """The call as a request, which may be refused."""
    assert tool.operation
    with contextlib.suppress(ToolError):
        assert request_of(tool.operation, "https://h", arguments(tool, seed), {"key": "k"}).url.startswith("https://h/")
