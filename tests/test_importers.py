"""Other formats as scenarios: what each field becomes, what is lost by name, and what is wrong by item."""

import json
from pathlib import Path
from typing import Any

import pytest
from foreign_shop import DepotApi

from tertulia.errors import UserError
from tertulia.export import export
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.gold import measure
from tertulia.importers.bfcl import call_of
from tertulia.importers.tau2.speech import first_person, opening_of
from tertulia.importing import Asked, ImportReport, bring_in
from tertulia.lint import complaints
from tertulia.permissions import allowing
from tertulia.records import Conversation, EndReason
from tertulia.scenario import Scenario
from tertulia.transcripts import Called, tools_of
from tertulia.variation import settle
from tertulia.worlds import open_world
from tertulia.worlds.classes import ClassWorld


def lost_of(report: ImportReport) -> set[tuple[str, str]]:
    return {(one.item, one.what) for one in report.lost}


# --- tau2 --------------------------------------------------------------------------------------------------------


def task(name: str, **parts: Any) -> dict[str, Any]:
    """A task of the shop that cancels order #7."""
    action = {"action_id": "0", "name": "cancel", "arguments": {"order_id": "#7"}, "info": None}
    made = {
        "id": name,
        "description": {"purpose": "Cancels an order", "relevant_policies": None, "notes": None},
        "user_scenario": {
            "persona": "in a hurry",
            "instructions": {
                "domain": "shop",
                "reason_for_call": "You want your order #7 cancelled. You're tired of it.",
                "known_info": "You are Mo.",
                "unknown_info": None,
                "task_instructions": "Be brief.",
            },
        },
        "initial_state": None,
        "evaluation_criteria": {"actions": [action], "communicate_info": ["cancelled"], "reward_basis": ["DB"]},
    }
    made["evaluation_criteria"] |= parts.pop("criteria", {})
    return made | parts


def domain(folder: Path, *tasks: dict[str, Any]) -> Path:
    (folder / "tasks.json").write_text(json.dumps(tasks))
    (folder / "policy.md").write_text("Cancel what you are asked to.")
    (folder / "db.json").write_text(json.dumps({"orders": {"#7": {"status": "open"}, "#8": {"status": "open"}}}))
    return folder


def from_tau2(folder: Path, *tasks: dict[str, Any], toolkit: str = "ShopTools") -> tuple[ImportReport, list[Scenario]]:
    asked = Asked(domain(folder, *tasks), toolkits=(f"foreign_shop:{toolkit}",), allow_code=True)
    with allowing(code=True):
        report = bring_in("tau2", asked, folder / "out")
        return report, [load_scenario(folder / "out" / f"{name}.yaml") for name in report.scenarios]


def test_a_tau2_task_becomes_a_scenario_on_its_own_toolkit(tmp_path: Path) -> None:
    report, (scenario,) = from_tau2(tmp_path, task("1"))

    assert scenario.id == "shop-1"
    assert scenario.title == "Cancels an order"
    assert scenario.script.opening == "I want my order #7 cancelled."
    assert scenario.cast["customer"].persona == "in a hurry"
    assert scenario.cast["customer"].knows["known_info"] == "You are Mo."
    assert [(want.call, want.gold) for want in scenario.script.wants] == [("cancel", {"order_id": "#7"})]
    assert scenario.success.state == {"orders.#7.status": "cancelled"}
    assert (scenario.success.says, scenario.success.nothing_else) == (("cancelled",), True)
    assert scenario.success.calls.match == "none"
    assert lost_of(report) == {("1", "actions.action_id"), ("1", "reward_basis")}
    with allowing(code=True):
        assert list(complaints(scenario, open_world(scenario))) == []
        assert open_world(scenario).policy == "Cancel what you are asked to."


def test_all_that_a_scenario_cannot_say_of_a_tau2_task_is_lost_by_name(tmp_path: Path) -> None:
    claim = {"env_type": "assistant", "func_name": "is_cancelled", "arguments": {"order_id": "#7"}}
    criteria = {
        "nl_assertions": ["The agent is kind."],
        "env_assertions": [{**claim, "assert_value": True}, {**claim, "assert_value": False}],
        "reward_basis": ["DB", "COMMUNICATE", "TASTE"],
    }
    given = task("1", criteria=criteria, ticket="T1", issues=[{"id": "i"}], weather="fine")
    given["description"]["notes"] = "a note"
    report, _ = from_tau2(tmp_path, given)

    why = {one.what: one.why for one in report.lost}
    assert set(why) == {
        "actions.action_id",
        "description.notes",
        "env_assertions.0",
        "env_assertions.1",
        "issues",
        "nl_assertions.0",
        "reward_basis",
        "ticket",
        "weather",
    }
    assert "it holds after" in why["env_assertions.0"]
    assert "it does NOT hold" in why["env_assertions.1"]
    assert "TASTE is not known" in why["reward_basis"]


def test_a_tau2_task_starts_from_its_initial_state(tmp_path: Path) -> None:
    initial = {
        "initialization_data": {"agent_data": {"orders": {"#8": {"size": "large"}}}, "user_data": None},
        "initialization_actions": [
            {"env_type": "assistant", "func_name": "reopen", "arguments": {"order_id": "#7"}},
        ],
    }
    _, (scenario,) = from_tau2(tmp_path, task("1", initial_state=initial))

    assert scenario.start == {"orders.#7.status": "reopened", "orders.#8.size": "large"}
    with allowing(code=True):
        start = open_world(scenario).start(scenario)
    assert start["orders"] == {
        "#7": {"status": "reopened", "size": "small"},
        "#8": {"status": "open", "size": "large"},
    }


def test_a_reference_call_that_raises_is_counted_and_found_by_the_lint(tmp_path: Path) -> None:
    wrong = {"actions": [{"action_id": "0", "name": "cancel", "arguments": {"order_id": "#9"}}], "communicate_info": []}
    report, (sound, broken) = from_tau2(tmp_path, task("1"), task("2", criteria=wrong))

    assert report.coverage["gold calls that raise"] == 1
    with allowing(code=True):
        world = open_world(broken)
        rules = {one.rule for one in complaints(broken, world)}
        passed = [measure(one, world, []).passed for one in (sound, broken)]
    assert {"gold-runs", "gold-null"} <= rules
    assert passed == [False, True]


def test_the_tools_of_a_tau2_user_are_in_the_users_hands(tmp_path: Path) -> None:
    action = {"name": "open_door", "arguments": {}, "requestor": "user"}
    given = task("1", criteria={"actions": [action], "communicate_info": []})
    domain(tmp_path, given)
    (tmp_path / "user_db.toml").write_text('door = "shut"\n')
    asked = Asked(tmp_path, toolkits=("foreign_shop:ShopEnvironment",), allow_code=True)
    with allowing(code=True):
        report = bring_in("tau2", asked, tmp_path / "out")
        scenario = load_scenario(tmp_path / "out" / f"{report.scenarios[0]}.yaml")

    assert (scenario.kind, scenario.cast["customer"].tools) == ("user_tools", ("open_door",))
    assert scenario.script.wants[0].by == "customer"
    assert scenario.success.state == {"user.door": "open"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"id": "1"}], r"tasks\.json: task '1': user_scenario: Field required"),
        ([task("1", criteria={"actions": [{"name": "fly"}]})], r"task '1': actions\.0: the toolkit has no tool 'fly'"),
        ([task("1"), task("1")], "several tasks would be called 'shop-1'"),
    ],
)
def test_what_is_wrong_with_a_tau2_task_is_named(tmp_path: Path, given: list[Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        from_tau2(tmp_path, *given)


def test_a_tau2_domain_without_a_toolkit_says_which_to_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"what are the tools of 'shop'\? Give --toolkit"):
        bring_in("tau2", Asked(domain(tmp_path, task("1"))), tmp_path / "out")
    with pytest.raises(UserError, match="give --allow-code"):
        bring_in("tau2", Asked(tmp_path, toolkits=("foreign_shop:ShopTools",)), tmp_path / "out")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("You want your money back.", "I want my money back."),
        ("You're sure you are right. Your agent told you so.", "I'm sure I am right. My agent told me so."),
        ("They sent it to you, and you'd keep yours yourself.", "They sent it to me, and I'd keep mine myself."),
    ],
)
def test_instructions_turn_into_the_words_of_who_follows_them(told: str, said: str) -> None:
    assert first_person(told) == said


def test_an_opening_that_is_given_word_for_word_is_kept() -> None:
    given = 'Open the conversation with exactly these words: Could you help "you"?\nBe kind.'

    assert opening_of("anything", given) == 'Could you help "you"?'


# --- bfcl --------------------------------------------------------------------------------------------------------

ENTRY = {
    "id": "multi_turn_base_0",
    "question": [
        [{"role": "user", "content": text}]
        for text in ("Go to the hall.", "Nice here.", "Build a shelf, go to shelf0.")
    ],
    "initial_config": {"DepotApi": {"root": "yard", "inside": ["hall"]}},
    "path": ["DepotApi.enter"],
    "involved_classes": ["DepotApi"],
}
ANSWER = {
    "id": "multi_turn_base_0",
    "ground_truth": [["enter('hall')"], [], ["build(name='shelf')", "enter('shelf0')"]],
}


def from_bfcl(folder: Path, entry: dict[str, Any], answer: dict[str, Any]) -> tuple[ImportReport, Scenario]:
    (folder / "q.json").write_text(json.dumps(entry) + "\n")
    (folder / "possible_answer").mkdir()
    (folder / "possible_answer" / "q.json").write_text(json.dumps(answer) + "\n")
    asked = Asked(folder / "q.json", toolkits=("foreign_shop:DepotApi",), allow_code=True)
    with allowing(code=True):
        report = bring_in("bfcl", asked, folder / "out")
        return report, load_scenario(folder / "out" / f"{report.scenarios[0]}.yaml")


def test_bfcl_turns_become_wants_and_a_turn_without_calls_an_aside(tmp_path: Path) -> None:
    report, scenario = from_bfcl(tmp_path, ENTRY, ANSWER)

    assert scenario.script.opening == "Go to the hall."
    assert [(aside.say, aside.after) for aside in scenario.script.asides] == [("Nice here.", 1)]
    assert [(want.call, want.gold, want.say) for want in scenario.script.wants] == [
        ("enter", {"name": "hall"}, ""),
        ("build", {"name": "shelf"}, "Build a shelf, go to shelf0."),
        ("enter", {"name": "shelf0"}, ""),
    ]
    assert report.coverage["abstain turns"] == 1
    assert report.coverage["gold calls that fail"] == 0
    assert scenario.source is not None
    assert scenario.source.classes is not None
    assert scenario.source.classes.writing == ("build",)
    with allowing(code=True):
        assert [one.rule for one in complaints(scenario, open_world(scenario))] == []


def test_a_bfcl_tool_that_comes_later_is_lost_and_its_turn_with_it(tmp_path: Path) -> None:
    entry = ENTRY | {"question": [*ENTRY["question"][:2], []], "missed_function": {"1": ["build"]}}
    report, scenario = from_bfcl(tmp_path, entry, ANSWER)

    assert ("multi_turn_base_0", "missed_function.1") in lost_of(report)
    assert [(want.call, want.say) for want in scenario.script.wants] == [
        ("enter", ""),
        ("build", "Nice here."),
        ("enter", ""),
    ]


def test_tools_that_a_bfcl_entry_excludes_are_not_the_assistants(tmp_path: Path) -> None:
    entry = ENTRY | {"excluded_function": ["build"], "question": ENTRY["question"][:1]}
    _, scenario = from_bfcl(tmp_path, entry, ANSWER | {"ground_truth": [["enter('hall')"]]})

    assert scenario.cast["assistant"].tools == ("enter",)


@pytest.mark.parametrize(
    ("entry", "answer", "said"),
    [
        (ENTRY | {"involved_classes": ["Depot"]}, ANSWER, "involves the class 'Depot', which is not known"),
        (ENTRY, ANSWER | {"id": "other"}, "has no answer"),
        (ENTRY, ANSWER | {"ground_truth": [[]]}, "has 3 turns, and answers to 1"),
        (ENTRY, ANSWER | {"ground_truth": [["fly()"], [], []]}, r"'fly\(\)' calls 'fly', which none"),
    ],
)
def test_what_is_wrong_with_a_bfcl_entry_is_named(tmp_path: Path, entry: Any, answer: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"multi_turn_base_0' {said}|multi_turn_base_0': {said}"):
        from_bfcl(tmp_path, entry, answer)


@pytest.mark.parametrize(
    "text",
    ["build(", "build", "build(name=open('x'))", "__import__('os').system('x')", "build(1, 2, 3)", "[].build()()"],
)
def test_a_gold_call_is_read_and_never_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"call|argument"):
        call_of(text, ClassWorld((DepotApi,), {}))


def test_bfcl_entries_go_out_and_come_back(tmp_path: Path) -> None:
    _, scenario = from_bfcl(tmp_path, ENTRY, ANSWER)
    roles = {name: party.role for name, party in scenario.cast.items()}
    talk = Conversation(id="x", index=0, scenario=scenario.id, seed=0, roles=roles, end_reason=EndReason.GOAL_REACHED)
    with allowing(code=True):
        export("bfcl", [(scenario, talk)], tmp_path / "again.jsonl")
        asked = Asked(tmp_path / "again.jsonl", toolkits=("foreign_shop:DepotApi",), allow_code=True)
        bring_in("bfcl", asked, tmp_path / "back")
        back = load_scenario(tmp_path / "back" / f"{scenario.id}.yaml")

    assert back.script.asides == scenario.script.asides
    assert [(w.call, w.gold) for w in back.script.wants] == [(w.call, w.gold) for w in scenario.script.wants]
    assert (back.world, back.success) == (scenario.world, scenario.success)


# --- toolalpaca --------------------------------------------------------------------------------------------------

DOCUMENT = {
    "openapi": "3.0.0",
    "info": {"title": "Birds", "version": "1"},
    "paths": {
        "/birds": {
            "get": {
                "operationId": "findBirds",
                "parameters": [{"name": "colour", "in": "query", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "found",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"birdId": {"type": "string"}}}
                            }
                        },
                    }
                },
            }
        },
        "/birds/{birdId}/photo": {
            "get": {
                "parameters": [{"name": "birdId", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "a photo"}},
            }
        },
    },
}


def birds(golden: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "Name": "Birds",
            "Documentation": json.dumps(DOCUMENT),
            "Introduction": "All about birds.",
            "Instructions": ["Show me a red bird."],
            "Golden_Answers": [[{"Action": action, "Action_Input": text} for action, text in golden]],
        }
    ]


def from_toolalpaca(folder: Path, golden: list[tuple[str, str]]) -> tuple[ImportReport, list[Scenario]]:
    (folder / "apis.json").write_text(json.dumps(birds(golden)))
    report = bring_in("toolalpaca", Asked(folder / "apis.json"), folder / "out")
    return report, [load_scenario(folder / "out" / f"{name}.yaml") for name in report.scenarios]


def test_a_placeholder_stands_for_what_the_earlier_call_returned(tmp_path: Path) -> None:
    golden = [
        ("findBirds", '{"colour": "red"}'),
        ("birds_birdId_photo_get", '{"birdId": ${birdId from findBirds}}'),
    ]
    report, (scenario,) = from_toolalpaca(tmp_path, golden)
    live = open_world(scenario).open(scenario)
    first, second = scenario.script.wants

    assert json.loads(live.call(first.call, first.gold).text)["birdId"] == second.gold["birdId"]
    assert not live.call(second.call, second.gold).error
    assert lost_of(report) == {("Birds", "Introduction")}


def test_what_the_original_asks_its_user_is_drawn_and_known_and_lost(tmp_path: Path) -> None:
    golden = [("getDetails", '{"Question": "Which?"}'), ("findBirds", '{"colour": ${colour from getDetails}}')]
    report, (scenario,) = from_toolalpaca(tmp_path, golden)

    assert scenario.cast["client"].knows["colour"] == scenario.script.wants[0].gold["colour"] != ""
    assert ("birds-01", "Golden_Answers.1") in lost_of(report)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (("sing", "{}"), "sing: no such operation in the document"),
        (("findBirds", "{colour: red}"), "Action_Input is no JSON"),
        (("findBirds", '{"colour": ${tint from findBirds}}'), "nothing returned what"),
        (("[Optional]findBirds", "{}"), "a want is never optional"),
    ],
)
def test_a_golden_step_that_cannot_be_read_is_lost_by_its_place(
    tmp_path: Path, step: tuple[str, str], why: str
) -> None:
    report, scenarios = from_toolalpaca(tmp_path, [step])

    assert scenarios == []
    assert [one.what for one in report.lost if why in one.why] == ["Golden_Answers.0"]


# --- deepeval and adk --------------------------------------------------------------------------------------------


def test_deepeval_turns_give_the_script_and_the_tools_that_were_called(tmp_path: Path) -> None:
    call = {"name": "book", "inputParameters": {"seats": 2}, "output": {"booking": "B1"}}
    golden = {
        "scenario": "Mo wants seats.",
        "expectedOutcome": "Seats are booked.",
        "persona": {"characteristics": "brisk"},
        "name": "Two seats",
        "turns": [
            {"role": "user", "content": "Two seats, please."},
            {"role": "assistant", "content": "Booked.", "toolsCalled": [call]},
            {"role": "user", "content": "Lovely weather."},
        ],
    }
    (tmp_path / "g.json").write_text(json.dumps([golden, {"input": "Hi", "expected_output": "Hello"}]))
    report = bring_in("deepeval", Asked(tmp_path / "g.json"), tmp_path / "out")
    talk, single = (load_scenario(tmp_path / "out" / f"{name}.yaml") for name in report.scenarios)

    assert (talk.script.opening, talk.cast["user"].persona) == ("Two seats, please.", "brisk")
    assert [(want.call, want.gold) for want in talk.script.wants] == [("book", {"seats": 2})]
    assert [aside.say for aside in talk.script.asides] == ["Lovely weather."]
    assert json.loads(open_world(talk).open(talk).call("book", {"seats": 2}).text) == {"booking": "B1"}
    assert (single.kind, single.script.opening) == ("nothing_to_do", "Hi")
    assert lost_of(report) == {
        ("golden-001-two-seats", "expected_outcome"),
        ("golden-001-two-seats", "turns.1.content"),
        ("golden-002", "expected_output"),
    }


def test_adk_cases_of_both_kinds_come_in(tmp_path: Path) -> None:
    recorded = {
        "invocationId": "i",
        "userContent": {"role": "user", "parts": [{"text": "Two seats, please."}]},
        "finalResponse": {"parts": [{"text": "Booked."}]},
        "intermediateData": {
            "toolUses": [{"id": "1", "name": "book", "args": {"seatCount": 2}}],
            "toolResponses": [{"id": "1", "name": "book", "response": {"bookingId": "B1"}}],
        },
    }
    plan = {"starting_prompt": "Hello there", "conversation_plan": "Ask for two seats.", "user_persona": "NOVICE"}
    cases = [
        {"evalId": "Recorded 1", "conversation": [recorded], "sessionInput": {"appName": "a", "userId": "u"}},
        {"eval_id": "simulated", "conversation_scenario": plan, "rubrics": [{"rubric_id": "r"}]},
    ]
    (tmp_path / "s.evalset.json").write_text(json.dumps({"evalSetId": "set", "evalCases": cases}))
    report = bring_in("adk", Asked(tmp_path / "s.evalset.json"), tmp_path / "out")
    talk, simulated = (load_scenario(tmp_path / "out" / f"{name}.yaml") for name in report.scenarios)

    assert [(want.call, want.gold) for want in talk.script.wants] == [("book", {"seatCount": 2})]
    assert json.loads(open_world(talk).open(talk).call("book", {"seatCount": 2}).text) == {"bookingId": "B1"}
    assert (simulated.script.opening, simulated.cast["user"].persona) == ("Hello there", "NOVICE")
    assert simulated.cast["user"].knows == {"conversation_plan": "Ask for two seats."}
    assert lost_of(report) == {
        ("Recorded 1", "conversation.0.final_response"),
        ("Recorded 1", "session_input"),
        ("simulated", "rubrics"),
    }


@pytest.mark.parametrize(
    ("format_name", "text", "said"),
    [
        ("deepeval", "[{}]", "golden 1 has neither 'scenario' nor 'input'"),
        ("adk", "[]", "it has no list 'eval_cases'"),
        ("adk", '{"eval_cases": [{"eval_id": "a"}]}', "case 'a' must have one of conversation"),
        ("evalset", '{"a": 1}', r"x\.json:1: no item of an evalset"),
        ("evalset", '{"scenario": {"id": "A"}}', r"x\.json:1: scenario\.id"),
        ("toolalpaca", "{}", "expected a list of APIs"),
        ("toolalpaca", '[{"Name": "A"}]', "API 'A' has no 'Documentation'"),
    ],
)
def test_a_file_of_another_format_is_refused_in_one_line(
    tmp_path: Path, format_name: str, text: str, said: str
) -> None:
    (tmp_path / "x.json").write_text(text)

    with pytest.raises(UserError, match=said):
        bring_in(format_name, Asked(tmp_path / "x.json"), tmp_path / "out")


def test_tools_made_of_calls_require_what_every_call_has() -> None:
    (tool,) = tools_of([Called("f", {"a": 1, "b": "x"}), Called("f", {"a": 2.5})])

    assert tool.parameters == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "string"}},
        "required": ["a"],
    }


# --- evalset -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["another-day", "broken-in-the-box", "restart-then-reset"])
def test_our_own_evaluation_sets_come_back_whole(name: str, tmp_path: Path) -> None:
    scenario = settle(load_scenario(bundled_scenarios()[name]), {})
    roles = {party: given.role for party, given in scenario.cast.items()}
    talk = Conversation(id="x", index=0, scenario=name, seed=0, roles=roles, end_reason=EndReason.GOAL_REACHED)
    export("evalset", [(scenario, talk)], tmp_path / "set.jsonl")
    (tmp_path / "set.jsonl").write_text((tmp_path / "set.jsonl").read_text() * 2)
    report = bring_in("evalset", Asked(tmp_path / "set.jsonl"), tmp_path / "out")

    assert load_scenario(tmp_path / "out" / f"{name}.yaml") == scenario
    assert report.scenarios == (name, f"{name}-2")
    assert [one.what for one in report.lost] == ["scenario.id"]


def test_a_world_of_classes_takes_its_files_along(tmp_path: Path) -> None:
    _, (scenario,) = from_tau2(tmp_path, task("1"))
    row = {"id": "1", "scenario": scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    (tmp_path / "set.jsonl").write_text(json.dumps(row))
    with allowing(code=True):
        bring_in("evalset", Asked(tmp_path / "set.jsonl"), tmp_path / "again")
        back = load_scenario(tmp_path / "again" / "shop-1.yaml")
        assert open_world(back).start(back)["orders"]["#7"]["status"] == "open"

    assert (tmp_path / "again" / "data.json").is_file()
