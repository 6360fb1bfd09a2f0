"""The gold lint finds calls, states, words and values that no conversation could meet, and passes what can be met."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tertulia.checks.obtainable import Known
from tertulia.files import bundled_scenarios
from tertulia.lint import check_file

CAST = {"customer": {"role": "user", "knows": {"order": "A1042", "day": "friday"}}, "agent": {"role": "assistant"}}
WANT = {"call": "reschedule_delivery", "with": {"order": "A1042", "day": "friday"}}


@pytest.fixture
def lint(tmp_path: Path) -> Any:
    """Faults of a scenario in the world `parcels`, as `rule: message`; keywords replace parts of a sound one."""

    def run(**fields: Any) -> list[str]:
        raw = {
            "id": "another-day",
            "kind": "single_call",
            "world": "parcels",
            "cast": CAST,
            "script": {"opening": "Please bring my parcel another day.", "wants": [WANT]},
            "success": {"state": {"orders.A1042.day": "friday"}, "says": ["friday"]},
        }
        path = tmp_path / "lint.yaml"
        path.write_text(yaml.safe_dump(raw | fields, sort_keys=False), encoding="utf-8")
        return [f"{fault.rule}: {fault.message}" for fault in check_file(path)[1]]

    return run


def script(*wants: dict[str, Any], opening: str = "Please help me with A1042.") -> dict[str, Any]:
    return {"opening": opening, "wants": list(wants)}


def test_sound_gold_has_no_fault(lint: Any) -> None:
    assert lint() == []


def test_a_call_that_its_tool_refuses_is_found(lint: Any) -> None:
    cast = CAST | {"customer": {"role": "user", "knows": {"order": "A9999"}}}
    (fault,) = lint(cast=cast, script=script({"call": "track_parcel", "with": {"order": "A9999"}}), success={})

    assert fault.startswith("gold-runs: the call wanted, 'track_parcel', does not work: ")


def test_a_state_that_the_calls_do_not_reach_is_found(lint: Any) -> None:
    (fault,) = lint(success={"state": {"orders.A1042.day": "saturday"}})

    assert fault.startswith("gold-state: after the calls wanted, orders.A1042.day is 'friday'")


def test_a_write_that_changes_nothing_is_found(lint: Any) -> None:
    twice = {"call": "set_safe_place", "with": {"order": "A1042", "place": "porch"}}

    opening = "Please leave A1042 on the porch."
    found = lint(kind="multi_call", script=script(twice, twice, opening=opening), success={})

    assert found == ["gold-writes: 'set_safe_place' writes, but this call of it changes nothing"]


def test_a_want_to_be_refused_must_be_refused(lint: Any) -> None:
    found = lint(kind="refusal", script=script(WANT | {"outcome": "refused"}), success={"unchanged": True})

    assert found == ["gold-refused: 'reschedule_delivery' is not refused: the tool does it"]


def test_a_refused_want_is_tried_after_the_calls_before_it_and_leaves_no_trace(lint: Any) -> None:
    refused = {"call": "track_parcel", "with": {"order": "A9999"}, "outcome": "refused"}

    assert lint(kind="refusal", script=script(WANT, refused)) == []


def test_words_that_nobody_could_know_are_found(lint: Any) -> None:
    found = lint(success={"state": {"orders.A1042.day": "friday"}, "says": ["friday", "xylophone"]})

    assert found == ["gold-says: 'xylophone' must be said, but nothing that the assistant hears or reads holds it"]


def test_an_agent_that_does_nothing_must_not_pass(lint: Any) -> None:
    lazy = {"success": {"calls": {"match": "subset"}, "never_says": ["sorry"]}}

    assert lint(**lazy) == ["gold-null: an assistant that does nothing would pass"]
    assert lint(kind="nothing_to_do", script=script(), success={"unchanged": True}) == []


def test_a_value_that_nobody_tells_is_found(lint: Any) -> None:
    cast = CAST | {"customer": {"role": "user", "knows": {"day": "friday"}}}
    want = {"call": "set_safe_place", "with": {"order": "A1042", "place": "porch"}}

    found = lint(cast=cast, script=script(want, opening="Please leave my parcel on the porch."), success={})

    assert found == ["gold-value: 'agent' cannot come to know 'A1042', the 'order' of 'set_safe_place'"]


def test_a_value_that_is_secret_cannot_be_told(lint: Any) -> None:
    customer = {"role": "user", "knows": {"order": "A1042", "day": "friday"}, "secret": ["order"]}

    found = lint(cast=CAST | {"customer": customer}, script=script(WANT, opening="Please come on friday."))

    assert "gold-value: 'agent' cannot come to know 'A1042', the 'order' of 'reschedule_delivery'" in found


def test_a_value_that_a_tool_returns_can_be_looked_up(lint: Any) -> None:
    customer = {"role": "user", "knows": {"email": "nora.feld@example.com", "day": "friday"}}
    found = lint(cast=CAST | {"customer": customer}, script=script(WANT, opening="Please bring my parcel on friday."))

    assert found == []


def test_faults_of_a_choice_point_at_the_choice(tmp_path: Path) -> None:
    path = tmp_path / "choice.yaml"
    path.write_text(
        """\
id: choice
kind: single_call
world: parcels
cast:
  customer: {role: user, knows: {order: "${order}"}}
  agent: {role: assistant}
slots: {order: A1042}
script:
  opening: Where is parcel ${order}?
  wants:
    - call: track_parcel
      with: {order: "${order}"}
vary:
  slots.order:
    - A1042
    - A9999
""",
        encoding="utf-8",
    )

    (fault,) = check_file(path)[1]

    assert (fault.line, fault.rule, fault.item) == (16, "gold-runs", "choice")
    assert fault.message.startswith("with slots.order: 'A9999', the call wanted, 'track_parcel', does not work")


def test_injected_faults_do_not_trouble_the_lint(lint: Any) -> None:
    assert lint(faults=[{"tool": "reschedule_delivery"}]) == []


def test_schema_tools_are_linted_by_their_fixed_answers(tmp_path: Path) -> None:
    tools = [
        {"name": "find_book", "parameters": {"properties": {"title": {"type": "string"}}}, "returns": {"shelf": "Q7"}}
    ]
    raw = {
        "id": "book",
        "kind": "single_call",
        "cast": {"reader": {"role": "user"}, "clerk": {"role": "assistant"}},
        "tools": tools,
        "script": {"opening": "Where is Emma?", "wants": [{"call": "find_book", "with": {"title": "Emma"}}]},
        "success": {"says": ["Q7"]},
    }
    path = tmp_path / "book.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")

    assert check_file(path)[1] == []


def test_a_broken_file_is_not_played(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("id: broken\nkind: nonsense\n", encoding="utf-8")

    scenario, faults = check_file(path)

    assert scenario is not None
    assert {fault.rule for fault in faults} == {"shape"}


@pytest.mark.parametrize(
    ("texts", "value", "held"),
    [
        (["My order is A1042."], "A1042", True),
        (["My order is A10420."], "A1042", False),
        (["it costs 35 euros"], 35.0, True),
        (["4 people"], 4, True),
        (["14 people"], 4, False),
        (["anything"], True, True),
        (["Ada Byron", "lives in Ely"], ["ada byron", {"town": "Ely"}], True),
        (["the box came torn and wet"], "box torn, wet", True),
        (["the box came torn"], "box torn by rats", False),
    ],
)
def test_values_are_found_as_whole_words(texts: list[str], value: Any, held: bool) -> None:
    known = Known()
    known.add(texts)

    assert known.holds(value) is held


def test_the_gold_of_every_bundled_scenario_can_be_met() -> None:
    found = [str(fault) for path in bundled_scenarios().values() for fault in check_file(path)[1]]

    assert found == []
