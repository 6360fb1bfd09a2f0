"""What the gold lint lets an assistant find out, and what it says of calls that fail or that do not fit."""

from typing import Any

import pytest

from tertulia.checks.obtainable import Known, Search
from tertulia.gold import end_state
from tertulia.lint import complaints
from tertulia.lint.computed import computed
from tertulia.permissions import allowing
from tertulia.records import Change, Message
from tertulia.scenario import Scenario
from tertulia.world import Outcome, ToolSpec, as_text, refusal
from tertulia.worlds import open_world

# --- looking things up -------------------------------------------------------------------------------------------

TEXT = {"type": "string"}
BOOK = {
    "find_customer": {("Ada", "Byron"): "ada_7"},
    "get_customer": {("ada_7",): {"orders": ["#1", "#2"]}},
    "get_order": {("#1",): {"items": [{"product_id": "p31"}]}, ("#2",): {"items": []}},
    "get_product": {("p31",): {"variants": {"v905": {"colour": "teal"}}}},
}
PARAMETERS = {
    "find_customer": ("first_name", "last_name"),
    "get_customer": ("customer_id",),
    "get_order": ("order_id",),
    "get_product": ("product_id",),
}


class Shelf:
    """Four tools of which each needs what the one before it returns."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def call(self, name: str, args: Any) -> Outcome:
        self.calls.append(f"{name} {sorted(args.items())}")
        found = BOOK[name].get(tuple(args.values()))  # type: ignore[attr-defined]
        return refusal("not found") if found is None else Outcome(as_text(found))


def tools() -> list[ToolSpec]:
    return [
        ToolSpec(name=name, parameters={"type": "object", "properties": dict.fromkeys(names, TEXT), "required": names})
        for name, names in PARAMETERS.items()
    ]


def test_a_value_four_look_ups_away_is_found_by_calls_made_once() -> None:
    known, shelf = Known(), Shelf()
    known.add("You are Ada Byron and want the teal one.")
    Search(shelf, tools(), known).find(lambda: known.holds("v905"))

    assert known.holds("v905")
    assert len(shelf.calls) == len(set(shelf.calls))


def test_what_no_tool_returns_is_not_found() -> None:
    known = Known()
    known.add("You are Ada Lovelace.")
    Search(Shelf(), tools(), known).find(lambda: known.holds("v905"))

    assert not known.holds("ada_7")


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("Send it to New York, please.", "NY", True),
        ("Send it to Newark, please.", "NY", False),
        ("It was on November 15, 2026.", "2026-11-15", True),
        ("It was on November 16, 2026.", "2026-11-15", False),
        ("anything", "", True),
    ],
)
def test_values_are_known_in_other_words(text: str, value: str, held: bool) -> None:
    known = Known()
    known.add(text)

    assert known.holds(value) is held


@pytest.mark.parametrize(
    ("text", "holds"), [("5.25", True), ("14.75", True), ("17.75", True), ("5.26", False), ("5", False)]
)
def test_amounts_follow_from_those_that_were_returned(text: str, holds: bool) -> None:
    answers = [{"price": 10.0, "was": 4.75}, {"total": "3.00"}]

    assert computed(text, answers) is holds


# --- calls -------------------------------------------------------------------------------------------------------


def said(*wants: dict[str, Any], opening: str = "Please cancel #7 and #9.", **success: Any) -> list[str]:
    raw = {
        "id": "shop",
        "kind": "single_call",
        "world": {"classes": {"of": ["foreign_shop:ShopTools"], "data": {"orders": {"#7": {"status": "open"}}}}},
        "cast": {"guest": {"role": "user"}, "host": {"role": "assistant"}},
        "script": {"opening": opening, "wants": list(wants)},
        "success": {"calls": {"match": "none"}, "nothing_else": True, **success},
    }
    with allowing(code=True):
        scenario = Scenario.model_validate(raw)
        return [f"{one.rule}: {one.message}" for one in complaints(scenario, open_world(scenario))]


def test_a_call_that_fails_where_the_start_is_what_is_expected_is_a_silent_failure() -> None:
    (silent,) = [one for one in said({"call": "cancel", "with": {"order_id": "#9"}}) if "silent" in one]

    assert silent == (
        "gold-silent: a silent failure: 'cancel' fails, yet the end state that is expected is the start state, "
        "which doing nothing reaches too"
    )


def test_a_call_that_fails_beside_one_that_reaches_the_state_is_a_silent_failure() -> None:
    both = ({"call": "cancel", "with": {"order_id": "#7"}}, {"call": "cancel", "with": {"order_id": "#9"}})
    found = said(*both, state={"orders.#7.status": "cancelled"})

    assert [one for one in found if "is reached without it" in one]


def test_a_call_that_fails_and_is_missed_in_the_end_state_is_no_silent_failure() -> None:
    found = said({"call": "cancel", "with": {"order_id": "#9"}}, state={"orders.#7.status": "cancelled"})

    assert not [one for one in found if one.startswith("gold-silent")]


def test_a_value_that_a_library_takes_is_held_against_its_declared_type() -> None:
    found = said({"call": "cancel", "with": {"order_id": "#7", "size": "huge"}}, opening="Cancel #7, the huge one.")

    assert [one for one in found if one.startswith("gold-type: 'size' of 'cancel' does not fit its declared type")]


def test_a_sentence_of_the_callers_own_is_no_value_to_be_known() -> None:
    reason = "The guest would like somebody else to look into it."
    found = said({"call": "cancel", "with": {"order_id": "#7", "reason": reason}})

    assert not [one for one in found if one.startswith("gold-value")]


# --- states ------------------------------------------------------------------------------------------------------


def test_the_end_state_leaves_the_start_as_it_was() -> None:
    start: dict[str, Any] = {"orders": {"#7": {"status": "open"}, "#8": {"status": "open"}}}
    changes = (Change(path="orders.#7.status", before="open", after="cancelled"),)
    end = end_state(start, [Message(speaker="t", role="tool", changes=changes)])

    assert start["orders"]["#7"] == {"status": "open"}
    assert end["orders"]["#7"] == {"status": "cancelled"}
    assert end["orders"]["#8"] is start["orders"]["#8"]
