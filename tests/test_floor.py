"""Who speaks next, by each floor policy."""

from typing import Any

import pytest

from tertulia.floor import FLOORS, next_speaker
from tertulia.records import Draft, Message, Plan, ToolCall, Turn
from tertulia.scenario import Scenario

ROLES = {"customer": "user", "agent": "assistant", "lead": "colleague", "partner": "user"}


def scenario(floor: str, *cast: str, of: str = "") -> Scenario:
    raw: dict[str, Any] = {
        "id": "x",
        "kind": "approval",
        "floor": floor,
        "cast": {name: {"role": ROLES[name]} for name in cast},
        "script": {"opening": "Hello", "of": of},
    }
    return Scenario.model_validate(raw)


def turns(*spoken: str) -> list[Turn]:
    """`agent`, `agent>lead` for words to somebody, `agent!` for a call."""
    made = []
    for index, line in enumerate(spoken):
        name, _, to = line.rstrip("!").partition(">")
        calls = (ToolCall(id="c", name="look"),) if line.endswith("!") else ()
        addressed = tuple(to.split(",")) if to else ()
        message = Message(speaker=name, role=ROLES[name], text="...", to=addressed, calls=calls)
        made.append(Turn(index=index, speaker=name, drafts=(Draft(message=message),)))
    return made


def order(file: Scenario, count: int, plan: Plan | None = None) -> list[str]:
    """The next speakers when nobody addresses anybody."""
    said: list[str] = []
    for _ in range(count):
        said.append(next_speaker(file, turns(*said), plan))
    return said


def test_alternate_is_user_and_assistant_in_turn_whoever_else_is_there():
    assert order(scenario("alternate", "agent", "lead", "customer"), 5) == [
        "customer",
        "agent",
        "customer",
        "agent",
        "customer",
    ]


def test_alternate_gives_the_floor_back_to_the_user_after_a_third_party():
    assert (
        next_speaker(scenario("alternate", "customer", "agent", "lead"), turns("customer", "lead"), None) == "customer"
    )


def test_round_robin_goes_through_everybody_from_the_user_on_in_the_order_of_the_cast():
    assert order(scenario("round_robin", "agent", "customer", "lead"), 7) == [
        "customer",
        "agent",
        "lead",
        "customer",
        "agent",
        "lead",
        "customer",
    ]


def test_addressed_gives_the_floor_to_whoever_is_named_first():
    file = scenario("addressed", "customer", "agent", "lead")
    assert next_speaker(file, turns("customer", "agent>lead"), None) == "lead"
    assert next_speaker(file, turns("customer", "agent>lead,customer"), None) == "lead"
    assert next_speaker(file, turns("customer", "agent>lead", "lead>customer"), None) == "customer"


def test_addressed_passes_over_the_speaker_itself_and_whoever_is_not_there():
    file = scenario("addressed", "customer", "agent", "lead")
    assert next_speaker(file, turns("customer", "agent>agent,lead"), None) == "lead"
    assert next_speaker(file, turns("customer", "agent>boss,lead"), None) == "lead"
    assert next_speaker(file, turns("customer", "agent>boss,agent"), None) == "customer"


def test_addressed_to_nobody_the_assistant_answers_others_and_the_user_answers_the_assistant():
    file = scenario("addressed", "customer", "agent", "lead", "partner", of="customer")
    assert next_speaker(file, [], None) == "customer"
    assert next_speaker(file, turns("customer"), None) == "agent"
    assert next_speaker(file, turns("customer", "agent"), None) == "customer"
    assert next_speaker(file, turns("customer", "agent>lead", "lead"), None) == "agent"
    assert next_speaker(file, turns("partner"), None) == "agent"


def test_planned_follows_the_plans_order_over_and_over():
    plan = Plan(opening="Hello", order=("customer", "agent", "lead", "agent"))
    assert order(scenario("planned", "customer", "agent", "lead"), 6, plan) == [*plan.order, "customer", "agent"]


def test_planned_does_not_count_calls():
    plan = Plan(opening="Hello", order=("customer", "agent", "lead"))
    file = scenario("planned", "customer", "agent", "lead")
    assert next_speaker(file, turns("customer", "agent!", "agent!", "agent"), plan) == "lead"


@pytest.mark.parametrize("plan", [None, Plan(opening="Hello")])
def test_planned_without_an_order_alternates(plan: Plan | None):
    assert order(scenario("planned", "customer", "agent"), 3, plan) == ["customer", "agent", "customer"]


@pytest.mark.parametrize("floor", sorted(FLOORS))
def test_the_holder_of_the_script_opens_under_every_policy(floor: str):
    assert next_speaker(scenario(floor, "agent", "customer", "partner", of="partner"), [], None) == "partner"


def test_a_scenario_can_name_every_policy_that_there_is():
    assert {scenario(floor, "customer", "agent").floor for floor in FLOORS} == set(FLOORS)
