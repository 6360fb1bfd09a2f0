"""The grid: slots are filled in one pass, choices are balanced and repeat by seed."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.scenario import Scenario
from tertulia.variation import balanced_choice, fill, resolved, settle, slot_cycle, slots_used


def scenario(**fields: Any) -> Scenario:
    raw: dict[str, Any] = {
        "id": "table",
        "kind": "single_call",
        "cast": {
            "guest": {"role": "user", "persona": "calm", "knows": {"day": "${day}"}},
            "host": {"role": "assistant"},
        },
        "slots": {"day": "friday", "people": 4},
        "tools": [{"name": "book_table"}],
        "script": {
            "opening": "A table for ${people} on ${day}.",
            "wants": [{"call": "book_table", "with": {"day": "${day}", "people": "${people}"}}],
        },
    }
    return Scenario.model_validate(raw | fields)


def test_a_text_that_is_nothing_but_a_slot_takes_the_slots_type() -> None:
    filled = fill({"n": "${n}", "t": "n is ${n}", "l": ["${n}"]}, {"n": 4})

    assert filled == {"n": 4, "t": "n is 4", "l": [4]}


def test_filled_text_is_not_scanned_again() -> None:
    assert fill("${a}", {"a": "${b}", "b": 1}) == "${b}"


def test_a_slot_that_is_a_mapping_is_reached_into() -> None:
    assert fill("${who.name} at ${who.at.place}", {"who": {"name": "Ada", "at": {"place": "home"}}}) == "Ada at home"


def test_unknown_slots_stay_as_they_are_written() -> None:
    assert fill("${nobody} and ${who.nothing}", {"who": {}}) == "${nobody} and ${who.nothing}"


def test_slots_are_found_at_any_depth_and_in_keys() -> None:
    assert slots_used({"${a}": [{"x": "${b} ${c.d}"}], "y": 1}) == {"a", "b", "c"}


def test_a_circle_of_slots_is_shown_in_order() -> None:
    cycle = slot_cycle({"a": "${b}", "b": ["x ${c}"], "c": {"k": "${a}"}, "d": "${a}"})

    assert cycle[0] == cycle[-1]
    assert "".join(cycle) in ("abca", "bcab", "cabc")
    assert slot_cycle({"a": "${b}", "b": "${c}", "c": 1}) == []


def test_thousands_of_slots_in_a_row_are_no_trouble() -> None:
    slots: dict[str, Any] = {f"s{n}": f"${{s{n + 1}}}" for n in range(3000)} | {"s3000": 7}

    assert slot_cycle(slots) == []
    assert resolved(slots)["s0"] == 7


def test_settling_makes_the_choice_and_leaves_no_slot() -> None:
    varied = scenario(vary={"slots.day": ["monday"], "guest.persona": ["stern"], "guest.knows.day": ["today"]})

    settled = settle(varied, {"slots.day": "monday", "guest.persona": "stern", "guest.knows.day": "today"})

    assert settled.script.opening == "A table for 4 on monday."
    assert settled.script.wants[0].args == {"day": "monday", "people": 4}
    assert settled.cast["guest"].persona == "stern"
    assert settled.cast["guest"].knows == {"day": "today"}
    assert not settled.vary
    assert not settled.slots


def test_settling_without_a_choice_keeps_what_the_file_says() -> None:
    assert settle(scenario(), {}).script.opening == "A table for 4 on friday."


def test_a_key_with_dots_in_it_can_be_varied() -> None:
    cast = {"guest": {"role": "user", "knows": {"a.b": 1}}, "host": {"role": "assistant"}}

    settled = settle(scenario(cast=cast, slots={}, script={"opening": "Hi."}), {"guest.knows.a.b": 2})

    assert settled.cast["guest"].knows == {"a.b": 2}


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 5), st.integers(1, 4))
def test_every_value_of_every_axis_comes_up_equally_often(seed: int, plays: int, days: int, moods: int) -> None:
    axes = {"slots.day": tuple(range(days)), "guest.persona": tuple(f"mood {n}" for n in range(moods))}
    varied = scenario(vary=axes)

    made = [balanced_choice(varied, nth, seed) for nth in range(plays)]

    assert made == [balanced_choice(varied, nth, seed) for nth in range(plays)]
    for axis, values in axes.items():
        counts = Counter(choice[axis] for choice in made)
        assert max(counts.values()) - min(counts.get(value, 0) for value in values) <= 1


def test_axes_of_equal_length_do_not_move_in_lockstep() -> None:
    axes = {f"guest.knows.k{n}": list(range(6)) for n in range(4)}
    cast = {
        "guest": {"role": "user", "knows": dict.fromkeys(("k0", "k1", "k2", "k3"), 0)},
        "host": {"role": "assistant"},
    }
    varied = scenario(cast=cast, slots={}, script={"opening": "Hi."}, vary=axes)

    orders = {tuple(balanced_choice(varied, nth, seed=1)[axis] for nth in range(6)) for axis in axes}

    assert len(orders) == len(axes)


def test_another_seed_gives_another_order() -> None:
    varied = scenario(vary={"slots.people": list(range(8))})

    orders = {tuple(balanced_choice(varied, nth, seed)["slots.people"] for nth in range(8)) for seed in range(5)}

    assert len(orders) > 1


def test_a_slot_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(ValueError, match="opening"):
        settle(scenario(script={"opening": "${people}"}), {})
