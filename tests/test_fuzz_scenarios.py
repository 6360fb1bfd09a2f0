"""Scenario files that went wrong in any way: each is read or refused with faults that have lines, and none hangs.

`TERTULIA_FUZZ=500 pytest tests/test_fuzz_scenarios.py` tries that many; CI tries a few.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.files import bundled_scenarios
from tertulia.importing import Asked, bring_in
from tertulia.lint import check_file
from tertulia.source import parse

EXAMPLES = int(os.environ.get("TERTULIA_FUZZ", "40"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=20_000,  # ms: what takes longer hangs
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
HOMES = bundled_scenarios()
SAMPLE = ("another-day", "urgent-today", "two-guardians", "dead-router", "keep-it-after-all")
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(
        ["${", "${nope}", "${day}", "../../etc/passwd", "x" * 5_000, "\u2028", "{{7*7}}", "no", "1:30", "?"]
    ),
    st.recursive(
        st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in places(one, (*at, key)))]


def mutated(value: Any, draw: Any) -> Any:
    """The value with one to four of its parts deleted, replaced, doubled, renamed or put elsewhere."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 4))):
        paths = [path for path in places(value) if path]
        if not paths:
            return value
        *way, last = draw(st.sampled_from(paths))
        home = value
        for step in way:
            home = home[step]
        match draw(st.sampled_from(["delete", "replace", "double", "rename", "move"])):
            case "delete":
                del home[last]
            case "replace":
                home[last] = draw(JUNK)
            case "double":
                home[last] = [home[last], copy.deepcopy(home[last])]
            case "rename" if isinstance(home, dict):
                home[draw(st.text(max_size=8))] = home.pop(last)
            case _:
                source = draw(st.sampled_from(paths))
                moved = value
                for step in source:
                    moved = moved[step] if isinstance(moved, dict | list) and has(moved, step) else moved
                home[last] = copy.deepcopy(moved)
    return value


def has(value: Any, step: Any) -> bool:
    return step in value if isinstance(value, dict) else isinstance(step, int) and step < len(value)


def holds_up(path: Path) -> None:
    """The file is sound, or every fault of it says where it is."""
    scenario, faults = check_file(path)
    assert scenario is not None or faults
    for fault in faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert fault.message
        assert "\n" not in fault.message[:-1] or fault.rule == "yaml"
        assert fault.edit is None or fault.edit.line >= 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few scripts made for an API document, with the document beside them."""
    folder = tmp_path_factory.mktemp("fuzz")
    schema = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "size": {"enum": ["s", "m"]}},
        "required": ["size"],
    }
    body = {"content": {"application/json": {"schema": schema}}}
    paths = {
        "/hats": {
            "post": {
                "operationId": "orderHat",
                "requestBody": body,
                "responses": {"200": {"description": "ok", **body}},
            }
        }
    }
    document = folder / "hats.json"
    document.write_text(json.dumps({"openapi": "3.0.0", "info": {"title": "Hats"}, "paths": paths}))
    return bring_in("openapi", Asked(document, 6), folder / "made").path


@FUZZ
@given(st.sampled_from(SAMPLE), st.data())
def test_a_bundled_scenario_with_parts_that_are_not_meant_is_read_or_refused(tmp_path: Path, name: str, data: Any):
    path = tmp_path / "fuzzed.yaml"
    value = mutated(parse(HOMES[name]).value, data.draw)
    path.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), encoding="utf-8", errors="replace")

    holds_up(path)


@FUZZ
@given(st.integers(0, 5), st.data())
def test_a_made_script_with_parts_that_are_not_meant_is_read_or_refused(made: Path, nth: int, data: Any):
    original = sorted(made.glob("hats-*.yaml"))[nth]
    path = made / "fuzzed.yaml"
    value = mutated(parse(original).value, data.draw)
    path.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), encoding="utf-8", errors="replace")

    holds_up(path)


@FUZZ
@given(st.sampled_from(SAMPLE), st.data())
def test_a_file_with_bytes_that_are_not_meant_is_read_or_refused(tmp_path: Path, name: str, data: Any):
    raw = bytearray(HOMES[name].read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), at + data.draw(st.integers(0, 12)))
        raw[at:end] = data.draw(
            st.binary(max_size=8)
            | st.sampled_from([b"\n", b"  ", b": ", b"- ", b'"', b"&a ", b"*a", b"\t", b"{", b"]"])
        )
    path = tmp_path / "fuzzed.yaml"
    path.write_bytes(bytes(raw))

    holds_up(path)
