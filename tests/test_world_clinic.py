"""The clinic: every variant of every scenario can succeed, and the desk keeps to its rules."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from tertulia.principles import Principle
from tertulia.scenario import Scenario, Want
from tertulia.scenarios.worlds import clinic
from tertulia.scenarios.worlds.clinic.state import ClinicState, PractitionerName
from tertulia.source import read_records
from tertulia.state_paths import look_up
from tertulia.variation import settle
from tertulia.world import Outcome
from tertulia.worlds import bundled_world
from tertulia.worlds.toolkit import LiveToolkit, ToolkitWorld

FILES = sorted(Path(clinic.__file__).parent.glob("*.yaml"))
EMPTY = Scenario.model_validate(
    {
        "id": "empty",
        "kind": "nothing_to_do",
        "world": "clinic",
        "cast": {"caller": {"role": "user"}, "desk": {"role": "assistant"}},
        "script": {"opening": "Hello."},
    }
)
MARTA = {"name": "Marta Ilves", "date_of_birth": "1984-06-02"}


@pytest.fixture
def world() -> ToolkitWorld:
    return bundled_world("clinic")


@pytest.fixture
def desk(world: ToolkitWorld) -> LiveToolkit:
    return world.open(EMPTY)


def read(path: Path) -> Scenario:
    return read_records(path, Scenario)[1]


def variants(scenario: Scenario) -> Iterator[Scenario]:
    for values in product(*scenario.vary.values()):
        yield settle(scenario, dict(zip(scenario.vary, values, strict=True)))


def state(live: LiveToolkit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(live.toolkit.state.model_dump_json())
    return found


def replayed(world: ToolkitWorld, scenario: Scenario) -> tuple[LiveToolkit, list[tuple[Want, Outcome]]]:
    """The world after every call that the script's owner wants in the end, and what each call gave."""
    live = world.open(scenario)
    wanted = [want for want in scenario.script.wants if not (want.change and want.change.drop)]
    return live, [(want, live.call(want.call, want.gold)) for want in wanted]


# --- scenarios ---------------------------------------------------------------------------------------------------


def test_the_kinds_of_conversation_are_all_there() -> None:
    kinds = [read(path).kind for path in FILES]
    assert len(kinds) == 13
    assert set(kinds) == {
        "single_call",
        "multi_call",
        "missing_information",
        "change_of_mind",
        "refusal",
        "nothing_to_do",
        "tool_error",
        "approval",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestScenario:
    def test_is_named_after_its_file_and_points_editors_to_the_schema(self, path: Path) -> None:
        scenario = read(path)
        assert (scenario.id, scenario.world) == (path.stem, "clinic")
        assert path.read_text(encoding="utf-8").startswith(
            "# yaml-language-server: $schema=../../schema/scenario.json\n"
        )

    def test_spans_six_to_sixty_different_variants_with_every_slot_filled(self, path: Path) -> None:
        texts = [variant.model_dump_json() for variant in variants(read(path))]
        assert 6 <= len(texts) <= 60
        assert len(set(texts)) == len(texts)
        assert not any("${" in text for text in texts)

    def test_lists_six_to_ten_principles_each_once(self, path: Path) -> None:
        ids = [entry.id if isinstance(entry, Principle) else entry for entry in read(path).principles]
        assert 6 <= len(ids) <= 10
        assert len(set(ids)) == len(ids)

    def test_can_be_done_or_is_refused_as_it_says_in_every_variant(self, path: Path, world: ToolkitWorld) -> None:
        for scenario in variants(read(path)):
            live, outcomes = replayed(world, scenario)
            for want, outcome in outcomes:
                assert outcome.error == (want.outcome == "refused"), outcome.text
            end = state(live)
            assert {at: look_up(end, at) for at in scenario.success.state} == scenario.success.state
            assert (end == world.start(scenario)) == scenario.success.unchanged

    def test_lets_the_desk_learn_all_that_success_must_say(self, path: Path, world: ToolkitWorld) -> None:
        for scenario in variants(read(path)):
            _, outcomes = replayed(world, scenario)
            colleagues = [name for name, party in scenario.cast.items() if party.role == "colleague"]
            heard = " ".join(
                [scenario.script.opening, *colleagues, *(outcome.text for _, outcome in outcomes)]
            ).casefold()
            assert [text for text in scenario.success.says if text.casefold() not in heard] == []

    def test_lets_the_user_or_a_lookup_supply_every_value_wanted(self, path: Path, world: ToolkitWorld) -> None:
        for scenario in variants(read(path)):
            knows = scenario.cast[scenario.user].knows
            live, found = world.open(scenario), {}
            if "name" in knows and "date_of_birth" in knows:
                found = json.loads(live.call("find_patient", {k: knows[k] for k in ("name", "date_of_birth")}).text)
            for want in scenario.script.wants:
                for key, value in want.args.items():
                    nested = value if isinstance(value, dict) else {key: value}
                    assert all((knows | found).get(inner) == leaf for inner, leaf in nested.items()), key

    def test_has_a_colleague_who_decides_every_call_that_needs_one(self, path: Path) -> None:
        scenario = read(path)
        decided = {d.call: d.answer for party in scenario.cast.values() for d in party.decides}
        for want in scenario.script.wants:
            if "approval_before_change" in scenario.principles:
                assert decided[want.call] == ("no" if want.outcome == "refused" else "yes")


# --- the world ---------------------------------------------------------------------------------------------------


def test_the_books_agree_with_themselves(world: ToolkitWorld) -> None:
    books = ClinicState.model_validate(world.start(EMPTY))
    for number, appointment in books.appointments.items():
        assert books.slots[appointment.slot].appointment == number
    taken = [slot.appointment for slot in books.slots.values() if slot.appointment]
    assert sorted(taken) == sorted(books.appointments)
    places = [(slot.practitioner, slot.starts) for slot in books.slots.values()]
    assert len(set(places)) == len(places)
    raw = world.start(EMPTY)
    linked = [raw[name].values() for name in ("appointments", "referrals", "prescriptions", "invoices")]
    assert {entry["patient"] for entries in linked for entry in entries} <= set(books.patients)
    assert list(books.practitioners) == list(get_args(PractitionerName))


def test_every_tool_says_what_it_does_takes_and_returns(world: ToolkitWorld) -> None:
    assert len(world.tools) == 20
    for spec in world.tools.values():
        assert spec.description.endswith(".")
        assert all("description" in about for about in spec.parameters["properties"].values())
        assert spec.output


READS: dict[str, dict[str, Any]] = {
    "find_patient": MARTA,
    "show_record": {"patient": "P101", "date_of_birth": "1984-06-02"},
    "find_practitioner": {"specialty": "general practice"},
    "list_free_slots": {"weekday": "friday", "most": 25},
    "show_day_list": {"practitioner": "Okafor", "weekday": "monday"},
    "find_appointment": {"patient": "P101"},
    "find_referral": {"patient": "P103"},
    "find_prescription": {"patient": "P101"},
    "find_invoice": {"patient": "P101"},
}


def test_every_lookup_finds_something_and_changes_nothing(world: ToolkitWorld, desk: LiveToolkit) -> None:
    assert set(READS) == {name for name, spec in world.tools.items() if not spec.writes}
    for name, args in READS.items():
        outcome = desk.call(name, args)
        assert not outcome.error, outcome.text
        assert json.loads(outcome.text)
        assert outcome.changes == ()
    assert state(desk) == world.start(EMPTY)


def test_two_conversations_do_not_share_their_books(world: ToolkitWorld) -> None:
    one, other = world.open(EMPTY), world.open(EMPTY)
    one.call("cancel_appointment", {"appointment": "A203"})
    assert state(one)["appointments"]["A203"]["status"] == "cancelled"
    assert state(other) == world.start(EMPTY)


BOOK = {"patient": "P103", "reason": "follow-up"}
REPEAT = {"pharmacy": "Harbour", "delivery": False}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("find_patient", MARTA | {"date_of_birth": "1984-06-03"}, "Nobody is registered"),
    ("show_record", {"patient": "P101", "date_of_birth": "1984-06-03"}, "does not match"),
    ("show_record", {"patient": "P101", "date_of_birth": "a while ago"}, "date_of_birth"),
    ("find_appointment", {"patient": "P999"}, "Nobody is registered"),
    ("list_free_slots", {"most": 0}, "most"),
    ("book_appointment", BOOK | {"slot": "S36"}, "already taken"),
    ("book_appointment", BOOK | {"slot": "S99"}, "There is no slot S99"),
    ("book_appointment", BOOK | {"slot": "S32"}, "the nurse must agree"),
    ("book_appointment", BOOK | {"slot": "S26"}, "no valid referral for dermatology"),
    ("book_appointment", BOOK | {"slot": "S26", "patient": "P108"}, "no valid referral for dermatology"),
    ("book_appointment", BOOK | {"slot": "S11", "reason": "blood test"}, "done by the nurse"),
    ("book_appointment", BOOK | {"slot": "S22", "reason": "blood test", "by_phone": True}, "by phone"),
    ("book_urgent_slot", {"patient": "P103", "slot": "S11"}, "not one of today's urgent slots"),
    ("move_appointment", {"appointment": "A201", "slot": "S17"}, "is with Okafor"),
    ("move_appointment", {"appointment": "A201", "slot": "S32"}, "urgent"),
    ("move_appointment", {"appointment": "A213", "slot": "S11"}, "less than 24 hours"),
    ("cancel_appointment", {"appointment": "A202"}, "less than 24 hours"),
    ("cancel_appointment", {"appointment": "A999"}, "There is no appointment"),
    ("request_repeat_prescription", REPEAT | {"patient": "P101", "medicine": "Zopiclone"}, "controlled"),
    (
        "request_repeat_prescription",
        REPEAT | {"patient": "P101", "medicine": "metformin"},
        "not on this patient's list",
    ),
    ("request_repeat_prescription", REPEAT | {"patient": "P108", "medicine": "omeprazole"}, "no repeats"),
    ("pay_invoice", {"invoice": "I401", "amount": 50}, "Only 45 pounds"),
    ("pay_invoice", {"invoice": "I409", "amount": 5}, "already been paid"),
    ("pay_invoice", {"invoice": "I999", "amount": 5}, "There is no invoice"),
    ("waive_invoice", {"invoice": "I401"}, "missed appointment"),
    ("update_contact", {"patient": "P101", "date_of_birth": "1984-06-02", "contact": {"phone": "12"}}, "contact.phone"),
    ("send_message", {"patient": "P101", "practitioner": "Smith", "text": "Hello there"}, "practitioner"),
]


@pytest.mark.parametrize(("call", "args", "reason"), REFUSED)
def test_the_house_refuses_with_its_reason_and_changes_nothing(
    desk: LiveToolkit, world: ToolkitWorld, call: str, args: dict[str, Any], reason: str
) -> None:
    outcome = desk.call(call, args)
    assert outcome.error
    assert reason in json.loads(outcome.text)["error"]
    assert state(desk) == world.start(EMPTY)


AGAIN: list[tuple[str, dict[str, Any], str]] = [
    ("cancel_appointment", {"appointment": "A203"}, "already been cancelled"),
    ("join_waiting_list", {"patient": "P101", "practitioner": "Haddad", "weekdays": ["monday"]}, "already on"),
    ("request_repeat_prescription", REPEAT | {"patient": "P104", "medicine": "metformin"}, "already been requested"),
    ("waive_invoice", {"invoice": "I403"}, "already been waived"),
    ("book_appointment", {"patient": "P104", "slot": "S26", "reason": "new problem"}, "already taken"),
]


@pytest.mark.parametrize(("call", "args", "reason"), AGAIN)
def test_what_is_done_cannot_be_done_again(desk: LiveToolkit, call: str, args: dict[str, Any], reason: str) -> None:
    assert not desk.call(call, args).error
    assert reason in desk.call(call, args).text


def test_a_referral_is_used_up_by_its_appointment(desk: LiveToolkit) -> None:
    assert not desk.call("book_appointment", {"patient": "P104", "slot": "S26", "reason": "new problem"}).error
    second = desk.call("book_appointment", {"patient": "P104", "slot": "S27", "reason": "new problem"})
    assert "no valid referral" in second.text


def test_the_nurses_word_closes_the_urgent_slots_and_opens_them_again(desk: LiveToolkit) -> None:
    note = {"patient": "P104", "note": "Spoke by phone."}
    desk.call("write_triage_note", note | {"urgency": "routine"})
    assert "not urgent" in desk.call("book_urgent_slot", {"patient": "P104", "slot": "S34"}).text
    desk.call("write_triage_note", note | {"urgency": "urgent"})
    assert not desk.call("book_urgent_slot", {"patient": "P104", "slot": "S34"}).error


def test_a_bill_can_be_paid_in_parts(desk: LiveToolkit) -> None:
    assert json.loads(desk.call("pay_invoice", {"invoice": "I405", "amount": 10}).text)["open"] == 8.5
    assert json.loads(desk.call("pay_invoice", {"invoice": "I405", "amount": 8.5}).text)["status"] == "paid"


def test_new_contact_details_keep_the_email_unless_there_is_a_new_one(desk: LiveToolkit) -> None:
    who = {"patient": "P101", "date_of_birth": "1984-06-02"}
    kept = json.loads(desk.call("update_contact", who | {"contact": {"phone": "+44 7700 900403"}}).text)
    assert (kept["phone"], kept["email"]) == ("+44 7700 900403", "marta.ilves@example.org")
    both = {"phone": "+44 7700 900404", "email": "marta@example.org"}
    assert json.loads(desk.call("update_contact", who | {"contact": both}).text)["email"] == "marta@example.org"
