"""Tools that fail on purpose: as declared, by seed, recorded with their kind, and blamed on nobody."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_examples import PETS

from tertulia.graph import Stage
from tertulia.recipe import bundled_recipe
from tertulia.records import Message, ToolCall
from tertulia.scenario import InjectedFault, Scenario
from tertulia.streams import stream
from tertulia.table import Item, Table
from tertulia.tool_faults import Faults, drifted, partial
from tertulia.worlds.openapi_document import api_of

TOOLS = api_of(PETS, "pets.yaml").tools
STAGE = Stage(bundled_recipe("user_script"))


def scenario(*faults: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(
        {
            "id": "pets",
            "kind": "tool_error",
            "cast": {"visitor": {"role": "user"}, "desk": {"role": "assistant"}},
            "world": {"openapi": "pets.yaml"},
            "tools": [tool.model_dump() for tool in TOOLS],
            "script": {"opening": "Hello."},
            "faults": faults,
            "limits": {"tool_calls": 400},
        }
    )


async def results(given: Scenario, *calls: tuple[str, dict[str, Any]], seed: int = 1) -> list[Message]:
    table: Table = STAGE.seat(Item(0, "pets-0", given, {}, seed))
    table.floor = "desk"
    return [
        await STAGE.result(table, ToolCall(id=f"c{nth}", name=name, args=args), ())
        for nth, (name, args) in enumerate(calls)
    ]


READ = ("getPet", {"petId": 7})


@pytest.mark.parametrize(
    ("kind", "said"), [("timeout", "in time"), ("server_error", "503"), ("rate_limit", "429: too many requests")]
)
async def test_an_error_is_recorded_with_its_kind_and_nothing_is_done(kind: str, said: str) -> None:
    failing = scenario({"tool": "deletePet", "kind": kind})
    first, second = await results(failing, ("deletePet", {"petId": 7}), ("getPet", {"petId": 7}))

    assert (first.error, first.injected, first.fault, first.changes) == (True, True, kind, ())
    assert said in first.text
    assert (second.error, second.injected, second.fault) == (False, False, "")


async def test_the_calls_that_are_named_fail_and_no_others() -> None:
    told = await results(scenario({"tool": "getPet", "calls": [2, 4]}), *[READ] * 5)

    assert [message.injected for message in told] == [False, True, False, True, False]


async def test_a_fault_of_no_tool_counts_the_calls_of_all() -> None:
    told = await results(scenario({"calls": [2]}), READ, ("get_pets", {}), READ)

    assert [message.injected for message in told] == [False, True, False]


async def test_a_rate_is_drawn_by_the_conversations_seed() -> None:
    failing = scenario({"rate": 0.3, "kind": "server_error"})
    one, again, other = [
        [message.injected for message in await results(failing, *[READ] * 200, seed=seed)] for seed in (1, 1, 2)
    ]

    assert one == again != other
    assert 35 < sum(one) < 85  # 60 expected, with a standard deviation of 6.5


async def test_a_stale_read_shows_what_was_there_before() -> None:
    change = ("updatePet", {"petId": 7, "name": "Bo"})
    fresh, _, stale, now = await results(
        scenario({"tool": "getPet", "kind": "stale_read", "calls": [2]}), READ, change, READ, READ
    )

    assert stale.text == fresh.text != now.text
    assert (stale.error, stale.injected, stale.fault) == (False, True, "stale_read")
    assert not now.injected


async def test_a_stale_read_of_what_nobody_changed_is_no_fault() -> None:
    [told] = await results(scenario({"tool": "getPet", "kind": "stale_read"}), READ)

    assert (told.injected, told.fault) == (False, "")


@pytest.mark.parametrize("kind", ["schema_drift", "partial_result"])
async def test_a_spoilt_answer_is_no_error_but_recorded(kind: str) -> None:
    spoilt, whole = await results(scenario({"tool": "getPet", "kind": kind}), READ, READ)

    assert (spoilt.error, spoilt.injected, spoilt.fault) == (False, True, kind)
    assert json.loads(spoilt.text) != json.loads(whole.text)


async def test_an_answer_that_is_an_error_already_is_not_spoilt() -> None:
    [told] = await results(scenario({"tool": "getPet", "kind": "schema_drift"}), ("getPet", {"petId": "seven"}))

    assert (told.error, told.injected) == (True, False)


async def test_what_a_write_changed_stays_when_its_answer_is_spoilt() -> None:
    [told] = await results(scenario({"kind": "partial_result"}), ("createPet", {"name": "Rex"}))

    assert told.injected
    assert told.changes


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=VALUES, seed=st.integers(0, 99))
def test_drift_keeps_every_value_and_a_part_is_never_more_than_the_whole(value: Any, seed: int) -> None:
    rng = stream(seed, "test")
    whole = json.dumps(value)
    drift = json.dumps(drifted(value, rng))

    assert drift != whole
    assert len(json.dumps(partial(value, rng))) <= len(whole)


@given(calls=st.lists(st.sampled_from("ab"), max_size=12), times=st.integers(1, 5))
def test_each_tool_fails_so_many_times_from_its_first_call_on(calls: list[str], times: int) -> None:
    faults = Faults((InjectedFault(tool="a", times=times),), seed=0)
    met = [name for name in calls if faults.due(name)]

    assert met == ["a"] * min(times, calls.count("a"))
