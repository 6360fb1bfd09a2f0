"""What is kept of objects: by identity, and never more than so much."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any

import pytest
from examples import SHOP, scenario

from tertulia import setting
from tertulia.agents.assistants.form import moves
from tertulia.detectors import scene
from tertulia.graph import Item, Stage
from tertulia.language import filling, matching
from tertulia.memo import Memo
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation, EndReason
from tertulia.scenario import Scenario, ToolSchema
from tertulia.setting import Settings, tools_of
from tertulia.world import ToolSpec
from tertulia.worlds import toolkit
from tertulia.worlds.schema import SchemaWorld


def counting() -> tuple[list[int], Any]:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    return made, make


def test_the_same_objects_are_read_once_and_equal_ones_apart():
    made, make = counting()
    memo: Memo[int] = Memo()
    one, equal = [1], [1]

    assert [memo.of((thing,), make) for thing in (one, equal, one, equal)] == [0, 1, 0, 1]
    assert made == [0, 1]


def test_what_else_it_depends_on_is_told_apart_by_value():
    memo: Memo[int] = Memo()
    _, make = counting()
    one = [1]

    assert [memo.of((one,), make, name) for name in ("a", "b", "a")] == [0, 1, 0]


def test_the_oldest_goes_when_there_are_too_many():
    memo: Memo[int] = Memo(most=2)
    _, make = counting()
    first, second, third = [1], [2], [3]
    for thing in (first, second, third):
        memo.of((thing,), make)

    assert len(memo.kept) == 2
    assert memo.of((third,), make) == 2
    assert memo.of((first,), make) == 3


def test_an_object_is_kept_alive_so_that_no_other_is_taken_for_it():
    memo: Memo[str] = Memo()

    assert all(memo.of(((word := f"w{n}") and [word],), lambda word=word: word) == f"w{n}" for n in range(300))


def tool(n: int) -> ToolSpec:
    schema = {"type": "object", "properties": {f"field_{n}": {"type": "string"}}}
    return ToolSpec(name=f"look_{n}", parameters=schema, output=schema)


def read_everything(n: int) -> None:
    one = tool(n)
    filling.read(filling.slots(one.parameters), "a word")
    moves.keys(one)
    matching.best_tools("a word", (one,))
    scene._read_tool(one)
    world = SchemaWorld((ToolSchema(name=one.name),))
    tools_of(Scenario.model_validate(RAW), world, "agent")


RAW = {
    "id": "x",
    "kind": "nothing_to_do",
    "cast": {"guest": {"role": "user"}, "agent": {"role": "assistant"}},
    "script": {"opening": "Hello"},
}
KEPT = {
    "schemas": filling._slots,
    "readings": filling._readings,
    "output keys": moves._keys,
    "indexes": matching._indexes,
    "matches": matching._matches,
    "tools": scene._tools,
    "choices": setting._chosen,
}


@pytest.mark.parametrize("memo", KEPT.values(), ids=KEPT)
def test_what_is_read_of_ever_new_tools_does_not_pile_up(memo, monkeypatch):
    monkeypatch.setattr(memo, "most", 5)
    for n in range(20):
        read_everything(n)

    assert len(memo.kept) == 5


def test_settings_are_kept_for_the_scenarios_played_last():
    kept = Settings(Memo(3))
    files = [Scenario.model_validate(RAW) for _ in range(8)]
    settings = [kept.of(file) for file in files]

    assert kept.of(files[-1]) is settings[-1]
    assert kept.of(files[0]) is not settings[0]
    assert len(kept.kept.kept) == 3


def booking(name: str, properties: dict[str, Any], want: dict[str, Any]) -> Scenario:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    tools = [
        {"name": "book_room", "description": "Book a room.", "writes": True, "parameters": parameters, "returns": "ok"},
        {"name": "list_rooms", "description": "Every room there is.", "returns": ["R12", "R14"]},
    ]
    cast = {"guest": {"role": "user", "knows": want}, "host": {"role": "assistant"}}
    script = {"opening": "I would like to book a room, please.", "wants": [{"call": "book_room", "with": want}]}
    return Scenario.model_validate(
        {"id": name, "kind": "single_call", "tools": tools, "cast": cast, "script": script, "policy": "Be brief."}
    )


BY_DAY = booking(
    "by-day",
    {"day": {"type": "string", "enum": ["monday", "friday"]}, "guests": {"type": "integer"}},
    {"day": "friday", "guests": 3},
)
BY_NUMBER = booking("by-number", {"room_number": {"type": "string", "pattern": r"^R\d\d$"}}, {"room_number": "R14"})


@pytest.mark.parametrize(("first", "second"), [(BY_DAY, BY_NUMBER), (BY_NUMBER, BY_DAY)])
async def test_tools_of_one_name_and_different_parameters_are_never_taken_for_each_other(first, second, monkeypatch):
    async def played(*files: Scenario) -> Conversation:
        for memo in KEPT.values():
            monkeypatch.setattr(memo, "kept", OrderedDict())
        stage = Stage(bundled_recipe("user_script"))
        talks = [await stage.play(stage.seat(Item(0, file.id, file, {}, 7, 0.0))) for file in files]
        return talks[-1]

    alone, after = await played(second), await played(first, second)

    assert alone.end_reason is EndReason.GOAL_REACHED
    [made] = [call.args for message in alone.messages for call in message.calls if call.name == "book_room"]
    assert made == second.script.wants[0].args
    assert after == alone


def test_the_states_that_conversations_begin_in_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(toolkit, "STARTS_KEPT", 5)
    world = replace(SHOP)
    for paid in range(20):
        start = {"orders.A1042.paid": paid}
        assert world.start(scenario().model_copy(update={"start": start}))["orders"]["A1042"]["paid"] == paid

    assert world._start_with.cache_info().currsize == 5
