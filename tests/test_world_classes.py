"""Classes of other libraries as worlds: schemas from annotations, a state for each conversation, refusals undone."""

import json
from pathlib import Path
from typing import Any

import foreign_shop
import pytest

from tertulia.errors import UserError
from tertulia.files import load_scenario, read_scenario
from tertulia.permissions import allowing
from tertulia.records import Change
from tertulia.scenario import Scenario
from tertulia.worlds import open_world
from tertulia.worlds.classes import ClassWorld, class_named

DATA = {"orders": {"#7": {"status": "open"}, "#8": {"status": "open"}}}


def scenario(**fields: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "id": "shop",
            "kind": "nothing_to_do",
            "cast": {"guest": {"role": "user"}, "host": {"role": "assistant"}},
            "script": {"opening": "Hello"},
            **fields,
        }
    )


def shop() -> ClassWorld:
    return ClassWorld((foreign_shop.ShopTools,), DATA)


def test_a_marked_method_is_a_tool_with_the_schema_of_its_annotations() -> None:
    tools = shop().tools

    assert sorted(tools) == ["cancel", "look_up"]
    assert (tools["cancel"].writes, tools["look_up"].writes) == (True, False)
    assert tools["look_up"].description == "Look an order up."
    assert tools["look_up"].parameters == {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "description": "the number of the order, such as '#7', with its sign"}
        },
        "required": ["order_id"],
    }
    assert {"enum": ["small", "large"], "type": "string"} in tools["cancel"].parameters["properties"]["size"]["anyOf"]


def test_every_conversation_has_a_state_of_its_own() -> None:
    world = shop()
    one, other = world.open(scenario()), world.open(scenario())

    assert one.call("cancel", {"order_id": "#7"}).changes == (
        Change(path="orders.#7.status", before="open", after="cancelled"),
    )
    assert json.loads(other.call("look_up", {"order_id": "#7"}).text)["status"] == "open"
    assert world.start(scenario())["orders"]["#7"]["status"] == "open"


def test_what_a_tool_raises_is_a_refusal_that_leaves_no_trace() -> None:
    live = shop().open(scenario(start={"orders.#7.status": "cancelled", "orders.#7.size": "large"}))
    refused = live.call("cancel", {"order_id": "#7", "size": "small"})

    assert (refused.error, refused.changes) == (True, ())
    assert json.loads(refused.text) == {"error": "It is cancelled already"}
    assert json.loads(live.call("look_up", {"order_id": "#7"}).text)["size"] == "large"


@pytest.mark.parametrize(
    ("args", "said"),
    [({}, "'order_id' is a required"), ({"order_id": 7}, "Order not found"), ({"order_id": "#7", "x": 1}, "'x' was")],
)
def test_what_a_toolkit_cannot_take_is_refused_and_types_are_its_own_affair(args: dict[str, Any], said: str) -> None:
    refused = shop().open(scenario()).call("look_up", args)

    assert refused.error
    assert said in refused.text


def test_a_start_value_may_stand_where_the_data_leave_a_default_out() -> None:
    world = ClassWorld((foreign_shop.ShopEnvironment,), {"assistant": DATA, "user": {}})

    assert world.start(scenario(start={"user.door": "ajar"}))["user"]["door"] == "ajar"


def test_a_start_value_that_is_not_in_the_data_is_named() -> None:
    with pytest.raises(UserError, match=r"start: 'orders\.#9\.status' is not in the data"):
        shop().open(scenario(start={"orders.#9.status": "open"}))


def test_data_that_do_not_fit_are_named() -> None:
    with pytest.raises(UserError, match=r"ShopTools do not fit Shop: orders\.#7\.size"):
        ClassWorld((foreign_shop.ShopTools,), {"orders": {"#7": {"size": "huge"}}}).open(scenario())


def test_an_environment_keeps_the_tools_of_user_and_assistant_in_step() -> None:
    world = ClassWorld((foreign_shop.ShopEnvironment,), {"assistant": DATA, "user": {}})
    live = world.open(scenario())

    assert {name: spec.owner for name, spec in world.tools.items()} == {
        "cancel": "assistant",
        "look_up": "assistant",
        "open_door": "user",
    }
    assert world.start(scenario())["user"]["parcels"] == ["#7", "#8"]
    changes = live.call("cancel", {"order_id": "#7"}).changes
    assert [change.path for change in changes] == ["assistant.orders.#7.status", "user.parcels"]
    assert live.call("open_door", {}).changes == (Change(path="user.door", before="shut", after="open"),)
    assert live.call("cancel", {"order_id": "#7"}).error
    assert live.call("open_door", {}).changes == ()  # what the refusal put back is whole


def test_an_error_that_a_bfcl_class_returns_is_a_refusal() -> None:
    live = ClassWorld((foreign_shop.DepotApi,), {"root": "yard", "inside": ["hall"]}).open(scenario())

    assert live.call("enter", {"name": "attic"}).error
    assert not live.call("enter", {"name": "hall"}).error
    assert [change.path for change in live.call("build", {"name": "shelf"}).changes] == [
        "root.inside.hall.inside.shelf0"
    ]


def test_the_state_of_objects_that_point_at_each_other_is_finite() -> None:
    world = ClassWorld((foreign_shop.DepotApi, foreign_shop.Abacus), {"DepotApi": {"inside": ["hall"]}})

    assert world.start(scenario()) == {
        "DepotApi": {
            "root": {"name": "yard", "parent": None, "inside": {"hall": {"name": "hall", "inside": {}}}},
            "long_context": False,
        },
        "Abacus": {"beads": [0, 0]},
    }


def test_tools_may_be_said_to_write() -> None:
    world = ClassWorld((foreign_shop.Abacus,), None, writing=frozenset({"push"}))

    assert world.tools["push"].writes
    assert world.open(scenario()).call("push", {"row": 5}).error


def test_the_errors_of_a_class_s_own_module_are_refusals_too() -> None:
    refused = ClassWorld((foreign_shop.Abacus,), None).open(scenario()).call("push", {"row": -1})

    assert (refused.error, json.loads(refused.text)) == (True, {"error": "no such row"})


def test_a_plain_class_is_handed_nothing_of_the_wrong_type() -> None:
    refused = ClassWorld((foreign_shop.Abacus,), None).open(scenario()).call("push", {"row": "1"})

    assert json.loads(refused.text) == {"error": "Invalid arguments. row: '1' is not of type 'integer'"}


def test_two_classes_with_a_tool_of_one_name_are_refused() -> None:
    class Again(foreign_shop.Abacus):
        pass

    with pytest.raises(UserError, match="Abacus and Again both have a tool 'push'"):
        _ = ClassWorld((foreign_shop.Abacus, Again), None).tools


# --- from a scenario file ----------------------------------------------------------------------------------------


def write(folder: Path, **classes: Any) -> Path:
    (folder / "db.json").write_text(json.dumps(DATA))
    (folder / "policy.md").write_text("Be kind.")
    file = folder / "shop.yaml"
    file.write_text(json.dumps(scenario(world={"classes": classes}).model_dump(by_alias=True, exclude_defaults=True)))
    return file


def test_a_scenario_file_names_classes_data_and_policy(tmp_path: Path) -> None:
    played = load_scenario(write(tmp_path, of=["foreign_shop:ShopTools"], data_file="db.json", policy_file="policy.md"))

    with pytest.raises(UserError, match=r"runs foreign_shop:ShopTools: to let it, give --allow-code"):
        open_world(played)
    with allowing(code=True):
        world = open_world(played)
        assert world.policy == "Be kind."
        assert not world.open(played).call("look_up", {"order_id": "#8"}).error
        assert open_world(played) is world


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"data_file": "bd.json"}, "there is no file 'bd.json' beside the scenario (did you mean 'db.json'?)"),
        ({"data_file": "../db.json"}, "'../db.json' leaves the scenario's folder"),
        ({"policy_file": "/etc/hostname"}, "'/etc/hostname' leaves the scenario's folder"),
    ],
)
def test_a_file_that_is_not_beside_the_scenario_is_a_fault(tmp_path: Path, fields: dict[str, str], fault: str) -> None:
    faults = read_scenario(write(tmp_path, of=["foreign_shop:ShopTools"], **fields))[1]

    assert [one.message + one.suggestion for one in faults] == [fault]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("foreign_shop:ShopTool", r"has no class 'ShopTool' \(did you mean 'ShopTools'"),
        ("no_such_module:X", "cannot be imported: No module named"),
        ("foreign_shop", "names no class; write MODULE:NAME"),
    ],
)
def test_a_class_that_is_not_there_is_named(reference: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        class_named(reference)
