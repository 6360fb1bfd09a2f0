"""Simulated tools: what is asked for comes back, what is made stays, and the same calls give the same answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_examples import PETS

from tertulia.errors import SettingsError
from tertulia.files import load_scenario, read_scenario
from tertulia.graph import Stage
from tertulia.recipe import bundled_recipe
from tertulia.records import EndReason
from tertulia.scenario import Scenario, ToolSchema
from tertulia.streams import stream
from tertulia.table import Item
from tertulia.testing import Scripted
from tertulia.world import Outcome
from tertulia.worlds import open_world
from tertulia.worlds.drawing import draw
from tertulia.worlds.openapi_document import api_of
from tertulia.worlds.resources import resource_of
from tertulia.worlds.simulated import LiveSimulated, SimulatedWorld

WORLD = SimulatedWorld(api_of(PETS, "pets.yaml").tools)
SCENARIO = Scenario.model_validate(
    {
        "id": "new-pet",
        "kind": "single_call",
        "cast": {"visitor": {"role": "user", "knows": {"name": "Rex"}}, "desk": {"role": "assistant"}},
        "script": {
            "opening": "Hello, please create a pet for me, the name is Rex.",
            "wants": [{"call": "createPet", "with": {"name": "Rex"}}],
        },
    }
)


@pytest.fixture
def live() -> LiveSimulated:
    return WORLD.open(SCENARIO)


def told(outcome: Outcome) -> Any:
    return json.loads(outcome.text)


def test_the_id_that_was_asked_for_comes_back(live: LiveSimulated) -> None:
    assert told(live.call("getPet", {"petId": 7}))["id"] == 7


def test_what_was_made_is_read_listed_changed_and_deleted_in_the_same_conversation(live: LiveSimulated) -> None:
    made = told(live.call("createPet", {"name": "Rex", "species": "dog"}))
    assert (made["name"], made["species"]) == ("Rex", "dog")
    assert told(live.call("getPet", {"petId": made["id"]})) == made
    assert made in told(live.call("get_pets", {"species": "dog"}))
    assert made["id"] not in [pet["id"] for pet in told(live.call("get_pets", {"species": "cat"}))]

    changed = live.call("updatePet", {"petId": made["id"], "name": "Bo"})
    assert told(changed) == made | {"name": "Bo"}
    assert [(change.path, change.after) for change in changed.changes] == [(f"pet.{made['id']}.name", "Bo")]

    assert not live.call("deletePet", {"petId": made["id"]}).error
    assert live.call("getPet", {"petId": made["id"]}).error
    assert made["id"] not in [pet["id"] for pet in told(live.call("get_pets", {}))]


def test_a_list_holds_only_what_was_asked_for_and_no_more_than_asked(live: LiveSimulated) -> None:
    dogs = told(live.call("get_pets", {"species": "dog"}))
    assert dogs
    assert {pet["species"] for pet in dogs} == {"dog"}
    assert len(told(live.call("get_pets", {"limit": 3}))) == 3


def test_a_record_of_a_list_is_the_same_when_it_is_read_by_its_id(live: LiveSimulated) -> None:
    for args in ({}, {"species": "cat"}):
        for pet in told(live.call("get_pets", args)):
            assert told(live.call("getPet", {"petId": pet["id"]})) == pet


def test_what_is_wrong_with_a_request_is_told_in_the_documented_form(live: LiveSimulated) -> None:
    live.call("deletePet", {"petId": 7})
    gone, bad = live.call("getPet", {"petId": 7}), live.call("createPet", {})

    assert (gone.error, told(gone)) == (True, {"code": 404, "message": "There is no pet 7."})
    assert (bad.error, told(bad)["code"]) == (True, 400)
    assert "'name' is a required property" in told(bad)["message"]


def test_tools_that_read_change_nothing(live: LiveSimulated) -> None:
    for name, args in (("getPet", {"petId": 7}), ("get_pets", {"species": "dog"}), ("get_pets", {})):
        assert live.call(name, args).changes == ()
    assert live.state == {}


def test_conversations_do_not_see_each_other(live: LiveSimulated) -> None:
    live.call("deletePet", {"petId": 7})

    assert not WORLD.open(SCENARIO).call("getPet", {"petId": 7}).error


def test_another_seed_gives_other_answers() -> None:
    other = SimulatedWorld(WORLD.schemas, seed=1).open(SCENARIO)

    assert other.call("getPet", {"petId": 7}) != WORLD.open(SCENARIO).call("getPet", {"petId": 7})


def test_start_values_are_there_from_the_beginning() -> None:
    live = WORLD.open(SCENARIO.model_copy(update={"start": {"pet.7.name": "Rex", "pet.8.deleted": True}}))

    assert told(live.call("getPet", {"petId": 7}))["name"] == "Rex"
    assert live.call("getPet", {"petId": 8}).error


CALLS = st.one_of(
    st.tuples(st.just("getPet"), st.fixed_dictionaries({"petId": st.integers(1, 4)})),
    st.tuples(st.just("deletePet"), st.fixed_dictionaries({"petId": st.integers(1, 4)})),
    st.tuples(st.just("updatePet"), st.fixed_dictionaries({"petId": st.integers(1, 4)}, optional={"name": st.text()})),
    st.tuples(st.just("createPet"), st.fixed_dictionaries({"name": st.text(max_size=9)})),
    st.tuples(st.just("get_pets"), st.fixed_dictionaries({}, optional={"species": st.sampled_from(["dog", "cat"])})),
)


@settings(max_examples=60, deadline=None)
@given(calls=st.lists(CALLS, max_size=8))
def test_the_same_calls_give_the_same_answers_and_each_fits_its_schema(calls: list[tuple[str, dict[str, Any]]]) -> None:
    one, other = WORLD.open(SCENARIO), WORLD.open(SCENARIO)
    answers = [one.call(*call) for call in calls]

    assert answers == [other.call(*call) for call in calls]
    for (name, _), outcome in zip(calls, answers, strict=True):
        if not outcome.error and name != "deletePet":
            Draft202012Validator(WORLD.by_name[name].output).validate(told(outcome))


# --- plain lists of tools --------------------------------------------------------------------------------------------


def tool(name: str, writes: bool, parameters: dict[str, Any], output: dict[str, Any]) -> ToolSchema:
    schema = {"type": "object", "properties": parameters, "required": list(parameters)}
    return ToolSchema(name=name, writes=writes, parameters=schema, output={"type": "object", "properties": output})


TEXT = {"type": "string"}
ROLE = {"type": "object", "properties": {"roleId": TEXT}}
ROLES = (
    tool("createRole", True, {"roleName": TEXT}, {"roleId": TEXT}),
    tool("getRole", False, {"roleId": TEXT}, {"roleId": TEXT, "roleName": TEXT}),
    tool(
        "list_roles",
        False,
        {},
        {"roles": {"type": "array", "items": {"type": "object", "properties": {"roleId": TEXT}}}},
    ),
    tool("deleteRole", True, {"roleId": TEXT}, {"success": {"type": "boolean"}}),
)


def test_resources_are_told_from_the_verb_and_the_noun_of_a_name() -> None:
    assert [(resource_of(one).deed, resource_of(one).kind, resource_of(one).key) for one in ROLES] == [
        ("create", "role", ""),
        ("read", "role", "roleId"),
        ("list", "role", ""),
        ("delete", "role", "roleId"),
    ]


def test_a_plain_list_of_tools_keeps_what_its_calls_make() -> None:
    live = SimulatedWorld(ROLES).open(SCENARIO)
    role = told(live.call("createRole", {"roleName": "editor"}))["roleId"]

    assert told(live.call("getRole", {"roleId": role})) == {"roleId": role, "roleName": "editor"}
    assert role in [one["roleId"] for one in told(live.call("list_roles", {}))["roles"]]
    assert told(live.call("deleteRole", {"roleId": role})) == {"success": True}
    assert live.call("getRole", {"roleId": role}).error


def test_fixed_answers_go_before_drawn_ones() -> None:
    fixed = ROLES[1].model_copy(update={"returns": {"roleId": "r1", "roleName": "owner"}})

    assert told(SimulatedWorld((fixed,)).open(SCENARIO).call("getRole", {"roleId": "x"}))["roleName"] == "owner"


# --- drawing ---------------------------------------------------------------------------------------------------------

FORMATS = ("date", "date-time", "time", "uuid", "email", "uri")
SCHEMAS = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from(["boolean", "null"])}),
        st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": st.integers(-99, 99)}),
        st.fixed_dictionaries({"type": st.just("number")}, optional={"exclusiveMaximum": st.integers(-99, 9999)}),
        st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 40)}),
        st.fixed_dictionaries(
            {"type": st.just("string"), "format": st.sampled_from(["date", "date-time", "uuid", "email"])}
        ),
        st.fixed_dictionaries({"enum": st.lists(st.integers(), min_size=1)}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 3)}),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abcd"), inner)}
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS, seed=st.integers(0, 999))
def test_a_drawn_value_fits_its_schema(schema: dict[str, Any], seed: int) -> None:
    Draft202012Validator(schema).validate(draw(schema, stream(seed, "test"), "value"))


# --- in scenarios ----------------------------------------------------------------------------------------------------


async def test_a_scenario_is_played_on_a_document_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pets.yaml").write_text(PETS)
    raw = SCENARIO.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"world": {"openapi": "pets.yaml"}}
    (tmp_path / "new-pet.yaml").write_text(json.dumps(raw))
    scenario = load_scenario(tmp_path / "new-pet.yaml")
    stage = Stage(bundled_recipe("user_script"))

    talk = await stage.play(stage.seat(Item(0, "new-pet-0", scenario, {}, seed=3)))

    assert isinstance(open_world(scenario), SimulatedWorld)
    assert talk.end_reason is EndReason.GOAL_REACHED
    assert [change.after for turn in talk.turns for result in turn.results for change in result.changes] == [
        {str(json.loads(next(m.text for m in talk.messages if m.role == "tool"))["id"]): {"name": "Rex"}}
    ]


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({"openapi": "pest.yaml"}, "there is no file 'pest.yaml' beside the scenario (did you mean 'pets.yaml'?)"),
        ({"openapi": "../pets.yaml"}, "leaves the scenario's folder"),
        ({"openapi": "pets.yaml", "operations": ["getPets"]}, "there is no operation 'getPets' (did you mean"),
        ({"openapi": "pets.yaml", "python": "os:system"}, "give one of openapi, mcp"),
        ({"answers": "http"}, "give one of openapi, mcp"),
    ],
)
def test_a_source_that_gives_no_tools_is_a_fault_of_the_file(tmp_path: Path, world: dict[str, Any], said: str) -> None:
    (tmp_path / "pets.yaml").write_text(PETS)
    raw = SCENARIO.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"world": world}
    (tmp_path / "new-pet.yaml").write_text(json.dumps(raw))

    faults = read_scenario(tmp_path / "new-pet.yaml")[1]

    assert any(said in str(fault) for fault in faults), faults


# --- answered by a model ---------------------------------------------------------------------------------------------


def by_model(folder: Path, **more: Any) -> Scenario:
    raw = SCENARIO.model_dump(mode="json", by_alias=True, exclude_unset=True) | more
    (folder / "pets.yaml").write_text(PETS)
    (folder / "new-pet.yaml").write_text(json.dumps(raw))
    return load_scenario(folder / "new-pet.yaml")


async def test_a_model_may_answer_instead_and_what_it_says_must_fit(tmp_path: Path) -> None:
    scenario = by_model(tmp_path, world={"openapi": "pets.yaml", "answers": "model"})
    model = Scripted(
        [
            {"status": "ok", "result": {"id": "one"}},
            {"status": "ok", "result": {"id": 1, "name": "Rex"}},
        ]
    )
    stage = Stage(bundled_recipe("user_script"), ask_for=lambda role: model, by_model=("tool",))

    talk = await stage.play(stage.seat(Item(0, "new-pet-0", scenario, {}, seed=3)))

    assert [json.loads(m.text) for m in talk.messages if m.role == "tool"] == [{"id": 1, "name": "Rex"}]
    assert len(model.asked) == 2  # what does not fit is asked for once more


@pytest.mark.parametrize("more", [{"world": {"openapi": "pets.yaml", "answers": "model"}}, {"answers": "model"}])
def test_answers_of_a_model_need_one(tmp_path: Path, more: dict[str, Any]) -> None:
    tools = [] if "world" in more else [tool.model_dump() for tool in WORLD.schemas]
    scenario = by_model(tmp_path, **more, **({"tools": tools} if tools else {}))

    with pytest.raises(SettingsError, match="name one with --role-model tool=SPEC"):
        Stage(bundled_recipe("user_script")).seat(Item(0, "new-pet-0", scenario, {}, seed=3))


def test_what_is_searched_for_in_words_has_an_id_of_its_own_and_is_found_by_it() -> None:
    text = {"type": "string"}
    user = {"type": "object", "properties": {"id": text, "username": text}}
    query = {"type": "object", "properties": {"query": text}, "required": ["query"]}
    one = {"type": "object", "properties": {"userId": text}, "required": ["userId"]}
    tools = (
        ToolSchema(name="searchUser", parameters=query, output=user),
        ToolSchema(name="getUser", parameters=one, output=user),
    )
    live = SimulatedWorld(tools).open(SCENARIO)

    found = told(live.call("searchUser", {"query": "ada"}))

    assert found["username"] == "ada"
    assert "ada" not in found["id"]
    assert found["id"] != told(live.call("searchUser", {"query": "eve"}))["id"]
    assert told(live.call("getUser", {"userId": found["id"]})) == found
