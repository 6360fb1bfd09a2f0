"""The parcels world: what its tools do and refuse, and that every variant of its scenarios can be played."""

import itertools
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tertulia.scenario import Scenario
from tertulia.source import read_records
from tertulia.state_paths import look_up
from tertulia.variation import settle, slots_used
from tertulia.world import Outcome
from tertulia.worlds import bundled_world

FOLDER = Path(str(files("tertulia.scenarios.worlds.parcels")))
PATHS = sorted(FOLDER.glob("*.yaml"))
WORLD = bundled_world("parcels")
PLAIN: dict[str, Any] = {
    "id": "plain",
    "kind": "nothing_to_do",
    "world": "parcels",
    "cast": {"customer": {"role": "user"}, "agent": {"role": "assistant"}},
    "script": {"opening": "Hello."},
}


def load(path: Path) -> Scenario:
    return read_records(path, Scenario)[1]


def variants(scenario: Scenario) -> list[Scenario]:
    choices = itertools.product(*scenario.vary.values())
    return [settle(scenario, dict(zip(scenario.vary, choice, strict=True))) for choice in choices]


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list | tuple):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


class Desk:
    """A fresh world with its calls and its state at hand."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.live = WORLD.open(scenario or Scenario.model_validate(PLAIN))

    def state(self, path: str = "") -> Any:
        everything = self.live.toolkit.state.model_dump(mode="json")
        return look_up(everything, path) if path else everything

    def call(self, name: str, **args: Any) -> Outcome:
        return self.live.call(name, args)

    def does(self, name: str, **args: Any) -> Any:
        outcome = self.call(name, **args)
        assert not outcome.error, outcome.text
        return json.loads(outcome.text)

    def refuses(self, name: str, **args: Any) -> str:
        before = self.state()
        outcome = self.call(name, **args)
        assert outcome.error, outcome.text
        assert outcome.changes == ()
        assert self.state() == before
        return str(json.loads(outcome.text)["error"])


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- the scenario files ----------------------------------------------------------------------------------------------


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def test_a_file_is_named_after_its_scenario_and_names_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert load(path).id == path.stem
    assert first == "# yaml-language-server: $schema=../../schema/scenario.json"


def test_the_files_cover_every_kind_that_this_world_is_for() -> None:
    scenarios = [load(path) for path in PATHS]
    approvals = [scenario for scenario in scenarios if scenario.kind == "approval"]

    assert {scenario.kind for scenario in scenarios} == {
        "single_call",
        "multi_call",
        "missing_information",
        "change_of_mind",
        "refusal",
        "nothing_to_do",
        "tool_error",
        "approval",
    }
    assert len(approvals) >= 3
    assert all(len(scenario.cast) >= 3 and scenario.floor == "addressed" for scenario in approvals)
    assert max(len(scenario.cast) for scenario in approvals) == 4
    assert {"yes", "no"} == {
        decision.answer for scenario in approvals for party in scenario.cast.values() for decision in party.decides
    }


def test_a_file_spans_six_to_sixty_variants_with_every_slot_filled(path: Path) -> None:
    settled = variants(load(path))

    assert 6 <= len(settled) <= 60
    assert len({scenario.model_dump_json() for scenario in settled}) == len(settled)
    assert all(not slots_used(scenario.model_dump(by_alias=True)) for scenario in settled)


def test_a_file_holds_six_to_ten_principles_and_a_checkable_success(path: Path) -> None:
    scenario = load(path)

    assert 6 <= len(scenario.principles) <= 10
    assert scenario.success.state or scenario.success.says or scenario.success.unchanged


def test_gold_calls_reach_the_stated_end_and_refused_ones_are_refused(path: Path) -> None:
    for scenario in variants(load(path)):
        desk = Desk(scenario)
        start = desk.state()
        heard = [decision.because for party in scenario.cast.values() for decision in party.decides]
        for want in scenario.script.wants:
            if want.outcome == "refused":
                heard.append(desk.refuses(want.call, **want.gold))
            elif want.due:
                heard.append(json.dumps(desk.does(want.call, **want.gold)))
        for at, value in scenario.success.state.items():
            assert desk.state(at) == value, (scenario.id, at)
        assert (desk.state() == start) == scenario.success.unchanged
        for said in scenario.success.says:
            assert said.lower() in " ".join(heard).lower(), (scenario.id, said)


def test_a_success_that_wants_something_done_is_not_met_at_the_start(path: Path) -> None:
    for scenario in variants(load(path)):
        if not scenario.success.unchanged:
            desk = Desk(scenario)
            found = []
            for at, value in scenario.success.state.items():
                try:
                    found.append(desk.state(at) == value)
                except KeyError:
                    found.append(False)
            assert not all(found), scenario.id


def test_the_user_or_a_tool_can_supply_every_value_that_a_want_needs(path: Path) -> None:
    for scenario in variants(load(path)):
        known = scenario.cast[scenario.user].knows
        told = [scenario.script.opening, *(want.say for want in scenario.script.wants)]
        told += [want.change.say for want in scenario.script.wants if want.change]
        if "email" in known:
            told.append(Desk(scenario).call("find_orders", email=known["email"]).text)
        held = leaves(known)
        for want in scenario.script.wants:
            for value in leaves(want.gold):
                assert value in held or str(value) in " ".join(told), (scenario.id, value)


def test_a_user_knows_values_under_the_names_that_tools_give_them(path: Path) -> None:
    for scenario in variants(load(path)):
        known = scenario.cast[scenario.user].knows
        for want in scenario.script.wants:
            properties = WORLD.tools[want.call].parameters["properties"]
            assert set(want.args) <= set(properties)
            assert all(known[name] == want.args[name] for name in want.args if name in known), scenario.id


def test_every_write_in_an_approval_is_somebodys_to_decide(path: Path) -> None:
    scenario = load(path)
    decided = {decision.call for party in scenario.cast.values() for decision in party.decides}

    if scenario.kind == "approval":
        assert {want.call for want in scenario.script.wants} <= decided


def test_a_call_that_is_changed_or_dropped_was_possible_at_first() -> None:
    wants = [
        (scenario, want)
        for path in PATHS
        for scenario in variants(load(path))
        for want in scenario.script.wants
        if want.change
    ]

    assert wants
    for scenario, want in wants:
        Desk(scenario).does(want.call, **want.args)


# --- the tools -------------------------------------------------------------------------------------------------------


def test_the_data_link_up(desk: Desk) -> None:
    state = desk.state()

    for order, parcel in state["orders"].items():
        assert parcel["customer"] in state["customers"], order
        assert parcel["left_with"] is None or parcel["left_with"] in state["customers"]
        assert parcel["address"]["postcode"].startswith(tuple(state["depots"][parcel["depot"]]["area"])), order
        assert (parcel["day"] is not None) == (parcel["status"] in ("announced", "accepted", "loaded")), order
        assert (parcel["delivered_on"] is not None) == (parcel["status"] == "delivered"), order
    assert {claim["order"] for claim in state["claims"].values()} <= set(state["orders"])
    assert len(state["customers"]) == 8
    assert 16 <= len(state["orders"]) <= 20


def test_tools_describe_themselves_their_parameters_and_what_they_return() -> None:
    assert len(WORLD.tools) >= 10
    for spec in WORLD.tools.values():
        assert spec.description.endswith(".")
        assert all(p.get("description") for p in spec.parameters["properties"].values()), spec.name
        assert spec.output["properties"], spec.name
    assert [spec.name for spec in WORLD.tools.values() if spec.owner == "colleague"] == ["approve_refund"]


READS: dict[str, dict[str, Any]] = {
    "find_customer": {"email": "nora.feld@example.com"},
    "find_orders": {"email": "nora.feld@example.com", "open_only": True},
    "track_parcel": {"order": "A1042"},
    "find_free_days": {"order": "A1042"},
    "find_pickup_points": {"postcode": "2107", "open_late": True},
    "show_delivery_record": {"order": "A1043"},
    "quote_postage": {"weight_kg": 2.5, "express": True},
    "check_claim": {"claim": "K501"},
}


def test_tools_that_only_read_change_nothing(desk: Desk) -> None:
    before = desk.state()

    assert set(READS) == {spec.name for spec in WORLD.tools.values() if not spec.writes}
    for name, args in READS.items():
        desk.does(name, **args)
        assert desk.state() == before, name


def test_a_customer_is_found_by_email_in_any_case(desk: Desk) -> None:
    assert desk.does("find_customer", email="Nora.Feld@example.com")["customer"] == "C11"
    assert "No account" in desk.refuses("find_customer", email="nobody@example.com")


def test_open_orders_leave_out_what_has_arrived(desk: Desk) -> None:
    everything = desk.does("find_orders", email="nora.feld@example.com")["orders"]
    still_open = desk.does("find_orders", email="nora.feld@example.com", open_only=True)["orders"]

    assert [line["order"] for line in everything] == ["A1041", "A1042", "A1043"]
    assert [line["order"] for line in still_open] == ["A1041", "A1042"]


def test_pickup_points_near_by_come_first_and_may_be_limited_to_late_ones(desk: Desk) -> None:
    near = desk.does("find_pickup_points", postcode="2107")["pickup_points"]
    late = desk.does("find_pickup_points", postcode="2012", open_late=True)["pickup_points"]

    assert [point["pickup_point"] for point in near] == ["P23", "P21"]
    assert [point["pickup_point"] for point in late] == ["P23"]
    assert "2999" in desk.refuses("find_pickup_points", postcode="2999")


def test_a_delivery_record_holds_the_neighbours_private_data(desk: Desk) -> None:
    record = desk.does("show_delivery_record", order="A1043")

    assert record["received_by"] == "neighbour"
    assert record["neighbour"]["phone"] == "555-0113"
    assert desk.does("show_delivery_record", order="A1056")["neighbour"] is None
    assert "not been delivered" in desk.refuses("show_delivery_record", order="A1042")


def test_express_postage_costs_more_and_is_faster(desk: Desk) -> None:
    plain, express = desk.does("quote_postage", weight_kg=5), desk.does("quote_postage", weight_kg=5, express=True)

    assert plain == {"price": 10.5, "arrives_in_days": 3}
    assert express == {"price": 16.8, "arrives_in_days": 1}


def test_a_moved_delivery_takes_a_stop_and_gives_the_old_one_back(desk: Desk) -> None:
    desk.does("reschedule_delivery", order="A1042", day="friday")

    assert desk.state("orders.A1042.day") == "friday"
    assert desk.state("depots.north.free.friday") == 1
    assert desk.state("depots.north.free.wednesday") == 3


@pytest.mark.parametrize(
    ("name", "args", "reason"),
    [
        ("track_parcel", {"order": "A9999"}, "no parcel A9999"),
        ("track_parcel", {"order": "1042"}, "Invalid arguments"),
        ("reschedule_delivery", {"order": "A1043", "day": "friday"}, "already delivered"),
        ("reschedule_delivery", {"order": "A1048", "day": "friday"}, "on the van"),
        ("reschedule_delivery", {"order": "A1059", "day": "friday"}, "waiting at a pickup point"),
        ("reschedule_delivery", {"order": "A1042", "day": "wednesday"}, "already planned"),
        ("reschedule_delivery", {"order": "A1042", "day": "saturday"}, "still room on: wednesday, thursday, friday"),
        ("reschedule_delivery", {"order": "A1042", "day": "monday"}, "no room left on monday"),
        ("redirect_to_pickup_point", {"order": "A1042", "pickup_point": "P77"}, "no pickup point P77"),
        ("redirect_to_pickup_point", {"order": "A1045", "pickup_point": "P22"}, "too heavy"),
        ("redirect_to_pickup_point", {"order": "A1055", "pickup_point": "P24"}, "is full"),
        ("set_safe_place", {"order": "A1058", "place": "porch"}, "must be signed for"),
        ("cancel_order", {"order": "A1042", "email": "nora.feld@example.com"}, "handed over"),
        ("cancel_order", {"order": "A1047", "email": "nora.feld@example.com"}, "does not belong"),
        ("book_collection", {"email": "omar.haddad@example.com", "day": "thursday", "parcels": 1}, "no room left"),
        (
            "book_collection",
            {"email": "omar.haddad@example.com", "day": "friday", "parcels": 4, "bulky": True},
            "at most 3 bulky",
        ),
        ("issue_refund", {"order": "A1042", "amount": 10}, "no claim"),
        ("issue_refund", {"order": "A1053", "amount": 151}, "approved by the supervisor"),
        ("issue_refund", {"order": "A1057", "amount": 120}, "At most 110 euros"),
        ("approve_refund", {"order": "A1053", "amount": 500}, "worth 320 euros"),
        ("check_claim", {"claim": "K999"}, "no claim K999"),
    ],
)
def test_a_rule_refuses_with_its_reason(desk: Desk, name: str, args: dict[str, Any], reason: str) -> None:
    assert reason in desk.refuses(name, **args)


@pytest.mark.parametrize(
    ("order", "email", "problem", "items", "reason"),
    [
        ("A1052", "greta.holm@example.com", "damaged", ["ceramic vase"], "14 days"),
        ("A1053", "samuel.adeyemi@example.com", "missing", ["tablet"], "already is a claim"),
        ("A1041", "nora.feld@example.com", "damaged", ["running shoes"], "can't be claimed as damaged"),
        ("A1056", "omar.haddad@example.com", "damaged", ["piano"], "did not contain 'piano'"),
        ("A1056", "nora.feld@example.com", "damaged", ["glass bowl"], "does not belong"),
    ],
)
def test_a_claim_is_refused_with_its_reason(
    desk: Desk, order: str, email: str, problem: str, items: list[str], reason: str
) -> None:
    assert reason in desk.refuses("file_claim", order=order, email=email, problem=problem, items=items)


def test_a_new_address_moves_the_parcel_to_the_depot_that_serves_it(desk: Desk) -> None:
    address = {"street": "14 Pier Road", "postcode": "2210", "city": "Saltmere"}
    desk.does("change_address", order="A1041", email="nora.feld@example.com", address=address)

    assert desk.state("orders.A1041.depot") == "harbour"
    assert desk.state("depots.harbour.free.tuesday") == 0
    assert desk.state("depots.north.free.tuesday") == 1
    assert desk.state("customers.C11.address.street") == "4 Mill Lane"


def test_a_new_address_needs_room_on_the_day_and_a_postcode_that_is_served(desk: Desk) -> None:
    hills = {"street": "1 Chapel Hill", "postcode": "2304", "city": "Oldford"}
    nowhere = hills | {"postcode": "2999"}

    assert "no room" in desk.refuses("change_address", order="A1041", email="nora.feld@example.com", address=hills)
    assert "2999" in desk.refuses("change_address", order="A1041", email="nora.feld@example.com", address=nowhere)


def test_a_second_redirection_frees_the_first_place(desk: Desk) -> None:
    desk.does("redirect_to_pickup_point", order="A1042", pickup_point="P21")
    assert "already goes" in desk.refuses("redirect_to_pickup_point", order="A1042", pickup_point="P21")
    desk.does("redirect_to_pickup_point", order="A1042", pickup_point="P23")

    assert desk.state("pickup_points.P21.free") == 2
    assert desk.state("pickup_points.P23.free") == 2


def test_a_cancelled_parcel_gives_its_stop_back_and_can_be_refunded_once(desk: Desk) -> None:
    desk.does("cancel_order", order="A1047", email="priya.raman@example.com")
    desk.does("issue_refund", order="A1047", amount=30)

    assert desk.state("orders.A1047.day") is None
    assert desk.state("depots.north.free.tuesday") == 1
    assert "At most 0 euros" in desk.refuses("issue_refund", order="A1047", amount=1)


def test_a_claim_opens_the_way_to_a_refund(desk: Desk) -> None:
    assert "no claim" in desk.refuses("issue_refund", order="A1056", amount=20)
    filed = desk.does(
        "file_claim", order="A1056", email="omar.haddad@example.com", problem="damaged", items=["glass bowl"]
    )
    paid = desk.does("issue_refund", order="A1056", amount=20)

    assert (filed["claim"], filed["answer_by"]) == ("K504", "2026-03-12")
    assert paid["refund"] == "R702"


def test_a_rejected_claim_pays_nothing() -> None:
    desk = Desk(Scenario.model_validate(PLAIN | {"start": {"claims.K502.status": "rejected"}}))

    assert "no claim" in desk.refuses("issue_refund", order="A1054", amount=20)


def test_the_supervisors_approval_lifts_the_limit_up_to_its_amount(desk: Desk) -> None:
    desk.does("approve_refund", order="A1053", amount=200)

    assert "approved by the supervisor" in desk.refuses("issue_refund", order="A1053", amount=250)
    assert desk.does("issue_refund", order="A1053", amount=200)["amount"] == 200


def test_a_collection_is_booked_on_the_customers_own_depot(desk: Desk) -> None:
    booked = desk.does("book_collection", email="omar.haddad@example.com", day="saturday", parcels=2)

    assert desk.state(f"collections.{booked['collection']}.customer") == "C12"
    assert desk.state("depots.harbour.free.saturday") == 0


def test_a_safe_place_is_kept_with_its_note(desk: Desk) -> None:
    desk.does("set_safe_place", order="A1042", place="shed", note="behind the bicycles")

    assert desk.state("orders.A1042.safe_place") == "shed"
    assert desk.state("orders.A1042.note") == "behind the bicycles"
