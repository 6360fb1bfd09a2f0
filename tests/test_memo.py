"""What is kept of objects: by identity, and never more than so much."""

from dataclasses import replace
from typing import Any

import pytest
from examples import SHOP, scenario

from tertulia import filling, matching, setting, toolkit_world
from tertulia.agents.assistants.form import moves
from tertulia.detectors import scene
from tertulia.memo import Memo
from tertulia.scenario import Scenario, ToolSchema
from tertulia.schema_world import SchemaWorld
from tertulia.setting import Settings, tools_of
from tertulia.world import ToolSpec


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


def test_the_states_that_conversations_begin_in_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(toolkit_world, "STARTS_KEPT", 5)
    world = replace(SHOP)
    for paid in range(20):
        start = {"orders.A1042.paid": paid}
        assert world.start(scenario().model_copy(update={"start": start}))["orders"]["A1042"]["paid"] == paid

    assert world._start_with.cache_info().currsize == 5
