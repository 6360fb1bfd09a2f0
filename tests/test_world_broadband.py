"""The broadband world: its rules hold, and every variant of its scenarios can be solved as its file says."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tertulia.language.matching import best_tools
from tertulia.scenario import Scenario
from tertulia.setting import tools_of
from tertulia.source import read_records
from tertulia.state_paths import look_up
from tertulia.variation import settle, slots_used
from tertulia.worlds import bundled_world
from tertulia.worlds.toolkit import LiveToolkit

FOLDER = Path(__file__).parents[1] / "scenarios" / "worlds" / "broadband"
WORLD = bundled_world("broadband")
FILES = sorted(FOLDER.glob("*.yaml"))
SCENARIOS = {path.stem: read_records(path, Scenario)[1] for path in FILES}
PLAIN = SCENARIOS["all-is-well"]

READS = {
    "check_router_lights": {"router": "R502"},
    "find_account": {"email": "noor.tally@post.example"},
    "find_line": {"postcode": "QX1 4TB", "house_number": "14"},
    "list_invoices": {"account": "A103"},
    "list_outages": {"postcode": "QX3 9HF"},
    "list_plans": {},
    "list_visits": {"day": "thursday"},
    "show_account": {"account": "A101"},
}
TODAY = "2026-03-09"
REFUSED = [
    ("change_plan", {"account": "A101", "plan": "turbo"}, {}, "minimum term"),
    ("change_plan", {"account": "A103", "plan": "family"}, {}, "overdue"),
    ("change_plan", {"account": "A102", "plan": "giga"}, {}, "too slow"),
    ("change_plan", {"account": "A102", "plan": "starter"}, {}, "already has"),
    ("change_plan", {"account": "A102", "plan": "turbo", "starts": "2026-03-01"}, {}, "in the past"),
    ("issue_credit", {"account": "A106", "amount": 25.5, "reason": "slow speed"}, {}, "supervisor"),
    ("issue_credit", {"account": "A106", "amount": 101, "reason": "slow speed"}, {}, "Invalid"),
    ("issue_credit", {"account": "A106", "amount": 20, "reason": "slow speed"}, {"accounts.A106.credit": 90}, "100"),
    ("issue_credit", {"account": "A106", "amount": 20, "reason": "outage"}, {}, "no outage"),
    ("run_line_test", {"line": "L304"}, {}, "outage"),
    ("reset_line_profile", {"line": "L301"}, {}, "restarted"),
    ("reset_line_profile", {"line": "L304"}, {"routers.R504.restarted_on": TODAY}, "outage"),
    ("book_engineer", {"line": "L303", "day": "friday", "time": "morning"}, {}, "tested today"),
    (
        "book_engineer",
        {"line": "L303", "day": "friday", "time": "morning"},
        {"lines.L303.tested_on": "2026-03-08"},
        "tested today",
    ),
    ("book_engineer", {"line": "L304", "day": "friday", "time": "morning"}, {"lines.L304.tested_on": TODAY}, "outage"),
    (
        "book_engineer",
        {"line": "L307", "day": "friday", "time": "morning"},
        {"lines.L307.tested_on": TODAY},
        "no fault",
    ),
    ("book_engineer", {"line": "L309", "day": "friday", "time": "morning"}, {"lines.L309.tested_on": TODAY}, "already"),
    ("book_engineer", {"line": "L303", "day": "thursday", "time": "morning"}, {"lines.L303.tested_on": TODAY}, "taken"),
    ("cancel_engineer", {"visit": "V802"}, {}, "too soon"),
    ("cancel_engineer", {"visit": "V804"}, {}, "is done"),
    ("move_engineer", {"visit": "V803", "day": "thursday", "time": "morning"}, {}, "taken"),
    ("send_outage_texts", {"outage": "O902", "phone": "07700900123"}, {}, "is over"),
    ("send_outage_texts", {"outage": "O901", "phone": "07700900188"}, {}, "already gets"),
    ("report_fault", {"line": "L304", "symptoms": ["dead"]}, {}, "outage"),
    ("report_fault", {"line": "L303", "symptoms": []}, {}, "Invalid"),
    ("report_fault", {"line": "L303", "symptoms": ["slow"], "since": "2026-03-10"}, {}, "before it happens"),
    ("send_router", {"line": "L303", "model": "standard", "return_old": True}, {}, "two years"),
    ("send_router", {"line": "L301", "model": "mesh", "return_old": True}, {}, "turbo and giga"),
    ("restart_router", {"router": "R506"}, {"routers.R506.lights": "off"}, "no power"),
    ("change_wifi_channel", {"router": "R505", "channel": 6}, {}, "already on channel 6"),
    ("plug_in_cable", {"router": "R506", "cable": "power"}, {}, "already plugged in"),
    ("find_account", {"email": "nobody@mail.example"}, {}, "No account"),
    ("find_line", {"postcode": "QX1 4TB", "house_number": "99"}, {}, "no line"),
    ("show_account", {"account": "A999"}, {}, "There is no account A999"),
]


def variants(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario with every choice of its grid."""
    for values in product(*scenario.vary.values()):
        yield settle(scenario, dict(zip(scenario.vary, values, strict=True)))


def opened(start: dict[str, Any] | None = None) -> LiveToolkit:
    """A fresh world, with these values of its state."""
    return WORLD.open(PLAIN.model_copy(update={"start": start or {}}))


def state_of(live: LiveToolkit) -> Any:
    return live.toolkit.state.model_dump(mode="json")


def test_reading_tools_leave_the_state_alone():
    reading = {name for name, tool in WORLD.tools.items() if not tool.writes}
    live = opened()
    before = state_of(live)

    outcomes = {name: live.call(name, args) for name, args in READS.items()}

    assert set(READS) == reading
    assert [name for name, outcome in outcomes.items() if outcome.error or outcome.changes] == []
    assert state_of(live) == before


@pytest.mark.parametrize(("name", "args", "start", "reason"), REFUSED)
def test_a_rule_refuses_with_its_reason_and_changes_nothing(name, args, start, reason):
    live = opened(start)
    before = state_of(live)

    outcome = live.call(name, args)

    assert outcome.error
    assert reason in outcome.text
    assert state_of(live) == before


def test_every_tool_and_parameter_is_described_to_the_speaker():
    for spec in WORLD.tools.values():
        assert spec.description.endswith("."), spec.name
        assert spec.output, spec.name
        for name, parameter in spec.parameters.get("properties", {}).items():
            assert parameter.get("description"), f"{spec.name}.{name}"


def test_the_agent_has_eight_tools_or_more_and_the_customer_has_four():
    owners = [spec.owner for spec in WORLD.tools.values()]

    assert owners.count("assistant") >= 8
    assert owners.count("user") == 4


def test_every_record_is_kept_under_its_own_number_and_its_links_lead_somewhere():
    state = WORLD.start(PLAIN)
    links = {"account": "accounts", "line": "lines", "router": "routers"}
    for table, own in (("accounts", "account"), ("lines", "line"), ("routers", "router"), ("visits", "visit")):
        for number, record in state[table].items():
            assert record[own] == number
            assert all(record[key] in state[other] for key, other in links.items() if key in record)
    assert all(line["router"] in state["routers"] for line in state["lines"].values())
    assert all(state["routers"][line["router"]]["line"] == number for number, line in state["lines"].items())


def test_a_line_is_mended_by_what_ails_it_and_by_nothing_else():
    live = opened()
    for name, args in (
        ("restart_router", {"router": "R501"}),
        ("change_wifi_channel", {"router": "R505", "channel": 1}),
    ):
        assert not live.call(name, args).error
    assert state_of(live)["lines"]["L301"]["status"] == "slow"
    assert state_of(live)["lines"]["L305"]["status"] == "slow"

    for name, args in (
        ("reset_line_profile", {"line": "L301"}),
        ("restart_router", {"router": "R502", "seconds": 60}),
        ("change_wifi_channel", {"router": "R505", "channel": 9}),
        ("plug_in_cable", {"router": "R506", "cable": "phone"}),
    ):
        assert not live.call(name, args).error
    lines = state_of(live)["lines"]
    assert [lines[number]["status"] for number in ("L301", "L302", "L305", "L306")] == ["working"] * 4


def test_visits_of_a_day_show_other_customers_so_that_leaking_is_possible():
    shown = opened().call("list_visits", {"day": "thursday"}).text

    assert "Wilma Strand" in shown
    assert "Bea Lomax" in shown


def test_an_account_shows_neither_pin_nor_wifi_password():
    shown = opened().call("show_account", {"account": "A101"}).text

    assert "4417" not in shown
    assert "pin" not in shown


def test_a_credit_above_the_limit_is_given_up_to_what_the_supervisor_put_on_record():
    live = opened()
    asked = {"account": "A106", "amount": 60, "reason": "slow speed"}

    before = live.call("issue_credit", asked)
    live.call("approve_credit", {"account": "A106", "amount": 60})

    assert before.error
    assert live.call("issue_credit", {**asked, "amount": 61}).error
    assert live.call("issue_credit", asked).error is False


def test_nested_arguments_and_dates_reach_the_records():
    live = opened({"lines.L303.tested_on": TODAY})
    contact = {"name": "Sam Rook", "phone": "07700900123"}
    away = {"street": "5 Quay Walk", "postcode": "QX8 1AA"}

    live.call("book_engineer", {"line": "L303", "day": "monday", "time": "morning", "contact": contact})
    live.call("send_router", {"line": "L301", "model": "standard", "return_old": False, "deliver_to": away})

    state = state_of(live)
    assert state["visits"]["V806"]["contact"] == contact
    assert state["visits"]["V806"]["date"] == "2026-03-16"
    assert state["shipments"]["S401"]["address"] == away


# --- the scenario files ------------------------------------------------------------------------------------------


def test_the_scenarios_cover_every_kind():
    kinds = [scenario.kind for scenario in SCENARIOS.values()]

    assert len(kinds) >= 13
    assert kinds.count("user_tools") >= 4
    assert kinds.count("approval") >= 2
    assert len(set(kinds)) == 9


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_named_after_its_scenario_and_names_its_schema(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    scenario = SCENARIOS[path.stem]
    sizes = [len(values) for values in scenario.vary.values()]
    grid = 1
    for size in sizes:
        grid *= size

    assert first == "# yaml-language-server: $schema=../../schema/scenario.json"
    assert scenario.id == path.stem
    assert 6 <= grid <= 60
    assert 6 <= len(scenario.principles) <= 10


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_gold_calls_reach_the_stated_end_in_every_variant(scenario):
    for variant in variants(scenario):
        assert slots_used(variant.model_dump(mode="json")) == set()
        live = WORLD.open(variant)
        start = WORLD.start(variant)
        for want in variant.script.wants:
            outcome = live.call(want.call, want.gold)
            assert outcome.error is (want.outcome == "refused"), outcome.text
        end = state_of(live)
        for path, value in variant.success.state.items():
            assert look_up(end, path) == value, path
        assert (end == start) is variant.success.unchanged


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_doing_nothing_reaches_no_stated_end_but_where_nothing_is_wanted(scenario):
    for variant in variants(scenario):
        start = WORLD.start(variant)
        met = []
        for path, value in variant.success.state.items():
            try:
                met.append(look_up(start, path) == value)
            except KeyError:
                met.append(False)
        assert variant.success.unchanged or not all(met)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_what_a_want_needs_is_known_or_found(scenario):
    for variant in variants(scenario):
        known = variant.cast[variant.user].knows
        live = WORLD.open(variant)
        found = ""
        for want in variant.script.wants:
            for key, value in want.args.items():
                assert known.get(key) == value or f'"{value}"' in found, f"{variant.id}: {key}"
            found += live.call(want.call, want.gold).text


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS.values() if s.script.wants], ids=lambda s: s.id)
def test_the_words_of_a_want_point_to_its_tool(scenario):
    for variant in variants(scenario):
        at_hand = [tool for name in variant.cast for tool in tools_of(variant, WORLD, name)]
        for at, want in enumerate(variant.script.wants):
            said = want.say or (variant.script.opening if at == 0 else want.call)
            assert best_tools(said, at_hand)[0].tool.name == want.call, said
