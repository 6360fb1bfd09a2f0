"""Scripts from API documents: values that fit, chains that hold, kinds that balance, and not a word of it by chance."""

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import tertulia
from tertulia.commands.check import checked
from tertulia.files import load_scenario
from tertulia.gold import measure
from tertulia.importers.openapi.links import groups, telling
from tertulia.importers.openapi.patterns import matching
from tertulia.importers.openapi.scripts import KINDS
from tertulia.importers.openapi.values import drawn
from tertulia.importers.openapi.words import deed
from tertulia.importing import Asked, ImportReport, bring_in
from tertulia.scenario import Scenario
from tertulia.world import ToolSpec
from tertulia.worlds import open_world


def document(**paths: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "Rooms", "version": "1", "description": "Rooms to hire."}} | paths


def answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def at(place: str, name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"in": place, "name": name, "required": required, "schema": schema}


ROOM = {
    "type": "object",
    "properties": {"roomId": {"type": "string"}, "name": {"type": "string"}, "seats": {"type": "integer"}},
}
TIMES = {"type": "string", "enum": ["morning", "afternoon", "evening"]}
ROOMS = document(
    paths={
        "/rooms": {
            "get": {
                "operationId": "searchRooms",
                "description": "Search for rooms by the number of seats.",
                "parameters": [
                    at("query", "seats", {"type": "integer", "minimum": 2, "maximum": 40}, required=True),
                    at("query", "floor", {"type": "integer", "minimum": 0, "maximum": 5}),
                    at("query", "projector", {"type": "boolean"}),
                ],
                "responses": answer({"type": "array", "items": ROOM}),
            }
        },
        "/bookings": {
            "post": {
                "operationId": "bookRoom",
                "description": "Book a room for a part of a day.",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["roomId", "day", "time"],
                                "properties": {
                                    "roomId": {"type": "string"},
                                    "day": {"type": "string", "format": "date"},
                                    "time": TIMES,
                                    "note": {"type": "string", "maxLength": 60},
                                },
                            }
                        }
                    }
                },
                "responses": answer({"type": "object", "properties": {"bookingId": {"type": "string"}}}),
            }
        },
        "/bookings/{bookingId}": {
            "delete": {
                "operationId": "cancelBooking",
                "description": "Cancels a booking.",
                "parameters": [
                    at("path", "bookingId", {"type": "string", "pattern": "^[a-z]+_[0-9a-f]+$"}, required=True)
                ],
                "responses": answer({"type": "object", "properties": {"success": {"type": "boolean"}}}),
            }
        },
    }
)


def imported(folder: Path, n: int = 24, seed: int = 0, **fields: Any) -> ImportReport:
    path = folder / "rooms.json"
    folder.mkdir(exist_ok=True)
    path.write_text(json.dumps(ROOMS | fields), encoding="utf-8")
    return bring_in("openapi", Asked(path, n, seed), folder / "made", force=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, list[Scenario]]:
    report = imported(tmp_path_factory.mktemp("rooms"))
    return report, [load_scenario(report.path / f"{name}.yaml") for name in report.scenarios]


# --- scripts -----------------------------------------------------------------------------------------------------


def test_every_kind_is_made_as_often_as_the_others(made: Any):
    report, scenarios = made

    assert report.coverage["kinds"] == dict.fromkeys(KINDS, 3)
    assert len(scenarios) == 24


def test_every_operation_and_every_parameter_is_used(made: Any):
    coverage = made[0].coverage

    assert coverage["parameters"] == {"searchRooms": "3/3", "bookRoom": "4/4", "cancelBooking": "1/1"}
    used = [sum(row.values()) for row in coverage["operations"].values()]
    assert max(used) - min(used) <= 6


def test_every_script_passes_the_lint(made: Any):
    report, _ = made

    assert checked([report.path / f"{name}.yaml" for name in report.scenarios])[2] == []


def test_openings_mention_a_value_to_the_letter_and_facts_hold_the_rest(made: Any):
    for scenario in made[1]:
        if scenario.kind not in ("single_call", "refusal"):
            continue
        (want,) = scenario.script.wants
        opening = scenario.script.opening.lower()
        told = [
            name for name, value in want.args.items() if not isinstance(value, bool) and str(value).lower() in opening
        ]
        assert told or not want.args or all(isinstance(value, bool) for value in want.args.values())
        assert set(want.args) <= {*told, *scenario.cast["customer"].knows, "projector"}


def test_the_identifier_of_a_chain_comes_out_of_the_call_before_it(made: Any):
    chains = [scenario for scenario in made[1] if scenario.kind == "chain"]

    assert chains
    for scenario in chains:
        first, second = scenario.script.wants
        outcome = open_world(scenario).open(scenario).call(first.call, first.args)
        given = [value for value in second.args.values() if isinstance(value, str) and f'"{value}"' in outcome.text]
        assert given
        assert not any(value in scenario.script.opening for value in given)
        assert not set(given) & set(map(str, scenario.cast["customer"].knows.values()))


def test_what_cannot_be_answered_wants_no_call_at_all(made: Any):
    for scenario in made[1]:
        if scenario.kind == "unanswerable":
            assert scenario.script.wants == ()
            assert scenario.success.calls.match == "strict"


def test_what_is_refused_is_forbidden_by_the_policy_and_by_a_principle(made: Any):
    for scenario in made[1]:
        if scenario.kind == "refusal":
            (want,), (forbidden,) = scenario.script.wants, scenario.success.never_calls
            assert want.outcome == "refused"
            assert want.call == forbidden
            assert any(getattr(p, "text", None) and p.text in scenario.policy for p in scenario.principles)


def test_a_change_of_mind_gives_another_value_in_words_of_its_own(made: Any):
    for scenario in made[1]:
        if scenario.kind == "change_of_mind":
            (want,) = scenario.script.wants
            assert want.change is not None
            ((name, value),) = want.change.args.items()
            assert value != want.args[name]
            assert str(value) in want.change.say


def test_the_same_seed_gives_the_same_files_and_another_seed_others(tmp_path: Path):
    one, two, three = (imported(tmp_path / str(nth), seed=seed) for nth, seed in enumerate((4, 4, 5)))
    texts = [{p.name: p.read_bytes() for p in report.path.iterdir()} for report in (one, two, three)]

    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_a_document_with_less_in_it_gives_fewer_scripts_and_says_so(tmp_path: Path):
    only = {"/now": {"get": {"operationId": "getTime", "responses": answer({"type": "object"})}}}
    report = imported(tmp_path, n=60, paths=only)

    assert 0 < len(report.scenarios) < 60
    assert report.coverage["kinds"]["chain"] == 0
    assert report.coverage["dropped"]


def test_a_yaml_document_lies_as_json_beside_its_scenarios(tmp_path: Path):
    path = tmp_path / "rooms.yaml"
    path.write_text(yaml.safe_dump(ROOMS), encoding="utf-8")
    report = bring_in("openapi", Asked(path, 2), tmp_path / "made")

    assert json.loads((report.path / "rooms.openapi.json").read_text()) == ROOMS
    assert load_scenario(report.path / f"{report.scenarios[0]}.yaml").tools


def test_the_rule_cast_solves_most_of_what_is_made_and_no_talk_breaks(made: Any, tmp_path: Path):
    report, scenarios = made
    run = tertulia.run([report.path], n=len(scenarios), slips=0.0, out=tmp_path / "run")
    by_id = {scenario.id: scenario for scenario in scenarios}
    talks = list(run.conversations())
    passed = [measure(by_id[t.scenario], open_world(by_id[t.scenario]), t.messages).passed for t in talks]

    assert len(talks) == len(scenarios)
    assert not any(talk.end_reason == "failed" for talk in talks)
    assert sum(passed) / len(passed) >= 0.85
    exported = run.export("evalset", tmp_path / "set.jsonl")
    assert (exported.rows, exported.lost) == (len(scenarios), {})


# --- values ------------------------------------------------------------------------------------------------------

SCHEMAS = st.one_of(
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-50, 500),
        st.integers(0, 90),
    ),
    st.builds(lambda low: {"type": "number", "exclusiveMinimum": low}, st.integers(-50, 500)),
    st.builds(lambda of: {"type": "integer", "multipleOf": of}, st.integers(1, 30)),
    st.builds(
        lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
        st.integers(0, 30),
        st.integers(1, 20),
    ),
    st.builds(
        lambda choices: {"enum": choices}, st.lists(st.sampled_from(["a b", "c", 4, 2.5]), min_size=1, unique=True)
    ),
    st.builds(
        lambda form: {"type": "string", "format": form},
        st.sampled_from(["date", "date-time", "email", "uuid", "uri", "ipv4", "time"]),
    ),
    st.sampled_from([{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}, {"type": "object"}]),
    st.builds(
        lambda p: {"type": "string", "pattern": p},
        st.sampled_from([r"^[A-Z]{2}\d{4}$", r"^(red|blue)-[0-9]+$", r"^#?[a-f0-9]{6}$"]),
    ),
)
NAMES = st.sampled_from(
    ["page", "userId", "city", "startDate", "email", "tags", "comment", "price", "x", "phoneNumber"]
)


@settings(max_examples=150, deadline=None)
@given(NAMES, SCHEMAS, st.integers(0, 10_000))
def test_a_value_fits_its_schema(name: str, schema: dict[str, Any], seed: int):
    value = drawn(name, schema, {"type": "object"}, Random(seed))

    assert value is not None
    assert Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value)


@settings(max_examples=80, deadline=None)
@given(st.from_regex(r"[\[\]()a-c^$|?*+{}0-9,\\dw.-]{0,12}", fullmatch=True), st.integers(0, 99))
def test_a_text_for_a_pattern_matches_it_or_there_is_none(pattern: str, seed: int):
    text = matching(pattern, Random(seed))

    assert text is None or re.search(pattern, text)


def test_examples_that_a_description_quotes_are_used():
    schema = {"type": "string", "description": "The habitat (e.g., 'lake', 'river', etc.)"}

    assert {drawn("habitat", schema, {}, Random(seed)) for seed in range(20)} == {"lake", "river"}


def test_a_default_is_no_value_to_ask_for():
    schema = {"enum": ["low", "high"], "default": "low"}

    assert {drawn("level", schema, {}, Random(seed)) for seed in range(9)} == {"high"}


def test_one_value_stands_for_one_parameter_alone():
    taken: set[str] = set()
    schema = {"enum": ["red", "blue"]}

    assert {drawn(name, schema, {}, Random(1), taken) for name in ("front", "back")} == {"red", "blue"}


# --- words and links ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "description", "said"),
    [
        ("cancelBooking", "Cancels a booking. Needs its id.", {"cancel a booking", "cancel the booking"}),
        ("v2Capital", "", {"get me the capital", "find me the capital", "show me the capital", "look up the capital"}),
        ("users_delete", "Endpoint for users", {"delete the users", "remove the users"}),
    ],
)
def test_a_call_is_asked_for_in_plain_words(name: str, description: str, said: set[str]):
    tool = ToolSpec(name=name, description=description)

    assert {deed(tool, Random(seed)) for seed in range(60)} <= said | {f"remove {s[7:]}" for s in said}


def test_of_several_records_one_is_told_by_what_only_it_has():
    (records,) = groups([{"id": 1, "kind": "x", "name": "A"}, {"id": 2, "kind": "x", "name": "B"}])

    assert telling(records[1], records, {"roomId": 2}) == ("name", "B")
    assert telling({"id": 1, "kind": "x"}, [{"id": 1, "kind": "x"}, {"id": 2, "kind": "x"}], {"roomId": 1}) is None
