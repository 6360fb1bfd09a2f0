"""The rules of the gold lint beyond replay: silent failures, untold choices, ambiguous picks, ends, twins, mending."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tertulia.checks.obtainable import Known
from tertulia.commands.check import checked, mend
from tertulia.errors import Edit, Fault, ToolError
from tertulia.lint import check_file, complaints
from tertulia.lint.ambiguity import alike
from tertulia.lint.duplicates import alikeness
from tertulia.lint.failures import hidden_error
from tertulia.lint.mending import edited, with_edit
from tertulia.scenario import Scenario
from tertulia.worlds.toolkit import Toolkit, ToolkitWorld, tool


class Order(BaseModel):
    order_id: str
    item: str
    open: bool = True


class Orders(BaseModel):
    orders: dict[str, Order]


class Shop(Toolkit):
    """Orders that can be listed, cancelled and opened again."""

    state: Orders

    @tool()
    def list_orders(self) -> list[Order]:
        """List the orders."""
        return list(self.state.orders.values())

    @tool(writes=True)
    def cancel_order(self, order_id: str) -> str:
        """Cancel an order."""
        if order_id not in self.state.orders:
            raise ToolError("There is no such order.")
        self.state.orders[order_id].open = False
        return "Cancelled."

    @tool(writes=True)
    def reopen_order(self, order_id: str) -> str:
        """Open an order again."""
        self.state.orders[order_id].open = True
        return "Open."

    @tool(writes=True)
    def pay_order(self, order_id: str) -> dict[str, Any]:
        """Pay an order; tells in words that it cannot."""
        return {"success": False, "message": "The card was declined."}


DATA = b"""{"orders": {"W1": {"order_id": "W1", "item": "lamp"}, "W2": {"order_id": "W2", "item": "kettle"}}}"""


def found(opening: str, *wants: dict[str, Any], **fields: Any) -> list[str]:
    """What the lint says of a scenario in the shop, as `rule: message`."""
    raw = {
        "id": "shop",
        "kind": "multi_call",
        "cast": {"customer": {"role": "user"}, "agent": {"role": "assistant"}},
        "script": {"opening": opening, "wants": list(wants)},
    }
    world = ToolkitWorld("shop", Shop, DATA, "Help with orders.")
    said = complaints(Scenario.model_validate(raw | fields), world)
    return [f"{complaint.rule}: {complaint.message}" for complaint in said]


LIST = {"call": "list_orders"}
CANCEL = {"call": "cancel_order", "with": {"order_id": "W1"}}
REOPEN = {"call": "reopen_order", "with": {"order_id": "W1"}}


def test_an_error_that_hides_in_a_result_is_a_silent_failure():
    (said,) = found("Please pay W1.", {"call": "pay_order", "with": {"order_id": "W1"}})

    assert said == "gold-silent: 'pay_order' fails silently: its result is no error, but says 'The card was declined.'"


@pytest.mark.parametrize(
    ("answer", "writes", "hidden"),
    [
        ({"error": "no such file"}, False, "no such file"),
        ({"error": None, "id": 3}, False, ""),
        ({"ok": False}, False, "ok: false"),
        ({"success": True, "message": "done"}, True, ""),
        ({"status": "failed", "id": "J1"}, False, ""),
        ({"status": "failed", "id": "J1"}, True, "status: failed"),
        ({"code": 404, "message": "not here"}, False, "not here"),
        ({"code": 500}, False, ""),
        ("Error: no such user", False, "Error: no such user"),
        ("ValueError: bad day", False, "ValueError: bad day"),
        ("Errors in the log are listed below", False, ""),
        ([{"error": "of one entry"}], False, ""),
        (None, True, ""),
    ],
)
def test_what_says_that_it_failed_is_told_from_what_tells_of_failures(answer: Any, writes: bool, hidden: str):
    assert hidden_error(answer, writes=writes) == hidden


def test_a_pick_that_nothing_told_makes_is_ambiguous():
    (said,) = found("Please cancel my order.", LIST, CANCEL)

    assert said == "gold-ambiguous: 'order_id' of 'cancel_order' might as well be 'W2': nothing told picks 'W1'"


@pytest.mark.parametrize("opening", ["Please cancel the lamp.", "Please cancel W1."])
def test_a_pick_that_the_user_makes_is_not_ambiguous(opening: str):
    assert found(opening, LIST, CANCEL) == []


def test_a_rival_whose_call_fails_makes_nothing_ambiguous():
    known = Known(["cancel it"])
    answers = [[{"id": "A", "of": "x"}, {"id": "B", "of": "x"}], {"id": "A", "of": "x", "only": True}]

    assert alike("A", answers[:1], known) == ["B"]
    assert alike("A", answers, known) == []  # the second result has one record of its kind


def test_calls_that_undo_each_other_end_where_they_began():
    assert found("W1, please.", CANCEL, REOPEN) == [
        "gold-end: the calls wanted undo each other: the state at the end is that of the start",
    ]
    assert found("W1, please.", CANCEL, REOPEN, success={"unchanged": True}) == []


def test_a_call_that_the_policy_forbids_need_not_be_refused_by_its_tool():
    want = {**CANCEL, "outcome": "refused"}

    assert [said.split(":")[0] for said in found("Cancel W1.", want, kind="refusal")] == ["gold-refused"]
    forbidden = {"never_calls": ["cancel_order"]}
    assert found("Cancel W1.", want, kind="refusal", policy="Never cancel an order.", success=forbidden) == []


# --- scenario files ----------------------------------------------------------------------------------------------

FILE = """\
# a parcel
id: {id}
kind: single_call
world: parcels
cast:
  customer:  # in a hurry
    role: user
    knows:
      day: friday   # the only free day
  agent: {{role: assistant}}
script:
  opening: {opening}
  wants:
    - call: {call}
      with: {{order: A1042, day: friday}}
success: {{state: {{orders.A1042.day: friday}}}}
"""
OPENING = "Please bring my parcel another day."


def written(folder: Path, name: str = "a", opening: str = OPENING, call: str = "reschedule_delivery") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(FILE.format(id=name, opening=opening, call=call), encoding="utf-8")
    return path


def test_a_choice_that_nobody_tells_is_named_with_its_rivals(tmp_path: Path):
    text = FILE.format(id="a", opening="Leave A1042 somewhere safe.", call="set_safe_place")
    text = text.replace("success: {state: {orders.A1042.day: friday}}\n", "")
    path = tmp_path / "a.yaml"
    path.write_text(text.replace("with: {order: A1042, day: friday}", "with: {order: A1042, place: porch}"))

    (fault,) = check_file(path)[1]

    assert fault.rule == "gold-script"
    assert fault.message.startswith("nothing tells 'agent' that 'place' of 'set_safe_place' is 'porch' and not ")
    assert fault.edit == Edit(9, 7, "", "place: porch\n      ")


def test_mending_lets_the_user_know_and_keeps_comments_and_layout(tmp_path: Path):
    path = written(tmp_path)
    before = path.read_text()
    faults = checked([path])[2]

    assert mend([path], faults) == {path: 1}
    assert path.read_text() == before.replace("      day: friday ", "      order: A1042\n      day: friday ")
    assert check_file(path)[1] == []


def test_mending_writes_into_a_mapping_of_one_line_and_makes_one_that_lacks(tmp_path: Path):
    one_line, none = written(tmp_path, "one"), written(tmp_path, "none")
    text = one_line.read_text()
    facts = "    knows:\n      day: friday   # the only free day\n"
    one_line.write_text(text.replace(facts, "    knows: {day: friday}\n"))
    none.write_text(none.read_text().replace(facts, "").replace(OPENING, "Please come on friday."))

    assert mend([one_line, none], checked([one_line, none])[2]) == {one_line: 1, none: 1}
    assert "    knows: {order: A1042, day: friday}\n" in one_line.read_text()
    assert "    knows: {order: A1042}\n    role: user\n" in none.read_text()


def test_mending_takes_the_name_that_was_meant_and_then_what_that_brings_to_light(tmp_path: Path):
    path = written(tmp_path, call="reschedule_delivry")

    mend([path], checked([path])[2])

    assert "call: reschedule_delivery\n" in path.read_text()
    assert "order: A1042\n" in path.read_text()
    assert check_file(path)[1] == []


def test_mending_leaves_a_file_alone_that_it_cannot_better(tmp_path: Path):
    path = written(tmp_path, opening='"Where is A1042?"')
    text = path.read_text().replace("orders.A1042.day: friday", "orders.A1042.day: sunday")
    path.write_text(text)

    assert mend([path], checked([path])[2]) == {}
    assert path.read_text() == text


def test_a_number_that_is_meant_as_a_text_is_put_in_quotes():
    fault = Fault("f", 1, 8, "'code' of 'x': expected a text, got 42", suggestion=' (put it in quotes: "42")')

    mended = with_edit(fault, "code:  42  # why\n")

    assert mended.edit == Edit(1, 8, "42", '"42"')
    assert edited("code:  42  # why\n", [mended.edit]) == 'code:  "42"  # why\n'


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(1, 5), st.integers(1, 20))
def test_an_edit_of_something_else_changes_nothing(text: str, line: int, column: int):
    lines = text.splitlines()
    if line <= len(lines):
        assert edited(text, [Edit(line, column, "\0never there", "x")]) == text


# --- twins -------------------------------------------------------------------------------------------------------


def test_items_that_ask_the_same_are_duplicates_and_those_in_other_words_are_not(tmp_path: Path):
    facts = "Please bring my parcel A1042 another day, "
    same = [written(tmp_path, "a", facts + "thanks."), written(tmp_path, "b", facts + "thanks.")]
    near = written(tmp_path, "c", facts + "cheers.")
    other = written(tmp_path, "d", "I'll be out. Could A1042 come friday?")

    faults = checked([*same, near, other])[2]

    assert [(fault.rule, fault.item) for fault in faults] == [
        ("gold-duplicate", "b"),
        ("gold-near-duplicate", "c"),
    ]
    assert faults[0].message == f"item 'b' asks the same in the same words as 'a' in {same[0]}"


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_alikeness_is_symmetric_and_one_for_the_same_words_alone(one: list[str], other: list[str]):
    share = alikeness(tuple(one), tuple(other))

    assert share == alikeness(tuple(other), tuple(one))
    assert 0 <= share <= 1
    assert (share == 1) == (one == other)


def test_every_edit_leaves_yaml_that_can_be_read(tmp_path: Path):
    path = written(tmp_path, call="reschedule_delivry")
    mend([path], checked([path])[2])

    assert yaml.safe_load(path.read_text())["cast"]["customer"]["knows"] == {"order": "A1042", "day": "friday"}
