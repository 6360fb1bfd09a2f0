"""The words of made scripts by a model: kept when they tell the same, asked for twice, else left."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_import_openapi import ROOMS

from tertulia.commands.import_ import perform
from tertulia.errors import SettingsError
from tertulia.files import load_scenario
from tertulia.importers.openapi import Openapi
from tertulia.importers.openapi.retelling import breach, told_in, values_of
from tertulia.importing import Asked, Imported
from tertulia.lint import check_file
from tertulia.models.prompts import blocks
from tertulia.models.records import Request
from tertulia.scenario import Scenario
from tertulia.testing import Scripted


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps(ROOMS), encoding="utf-8")
    return path


def words(request: Request, **changes: Any) -> dict[str, Any]:
    """Words that hold to the rules, in another wording."""
    card = blocks(str(request.messages[0]["content"]))["script"]
    texts = [card["opening"], *card["says"]]
    new = [f"Good morning to you, I wonder: {one['text']}" for one in texts]
    return {
        "persona": "A calm gardener.",
        "background": "It rained all week.",
        "opening": new[0],
        "says": new[1:],
    } | changes


def brought(document: Path, writer: Scripted | None) -> Imported:
    return Openapi().read(Asked(document, 8, 0, writer=writer))


def calls(scenario: Scenario) -> list[Any]:
    return [(want.call, want.args, want.gold, want.outcome) for want in scenario.script.wants]


def test_a_model_writes_the_words_and_no_call_and_no_fact(document: Path):
    plain, told = brought(document, None), brought(document, Scripted(words))

    assert told.coverage["words of the model"] == {"written": len(plain.scenarios)}
    for old, new in zip(plain.scenarios, told.scenarios, strict=True):
        assert new.script.opening == f"Good morning to you, I wonder: {old.script.opening}"
        assert new.cast["customer"].persona == "A calm gardener. It rained all week."
        assert (calls(new), new.cast["customer"].knows) == (calls(old), old.cast["customer"].knows)


def test_words_that_break_the_rules_are_asked_for_once_more(document: Path):
    def at_second_try(request: Request) -> dict[str, Any]:
        return words(request) if request.step.endswith("/again") else words(request, opening="Hello, I need something.")

    writer = Scripted(at_second_try)
    told = brought(document, writer)

    assert told.coverage["words of the model"]["written"] == len(told.scenarios)
    assert any("lacks" in str(request.messages[-1]["content"]) for request in writer.asked)


def test_words_that_break_the_rules_twice_leave_the_rule_made_ones_and_are_counted(document: Path):
    plain, told = brought(document, None), brought(document, Scripted(lambda request: words(request, says=["a"] * 9)))

    assert list(told.scenarios) == list(plain.scenarios)
    assert told.coverage["words of the model"] == {"wrong_schema": len(plain.scenarios)}


def test_a_text_holds_its_own_values_and_no_other(document: Path):
    scenario = next(one for one in brought(document, None).scenarios if one.cast["customer"].knows)
    opening, everything = told_in(scenario)[0], values_of(scenario)
    later = next(value for value in sorted(everything) if value not in opening.text)

    assert breach(opening.text, opening, everything) == ""
    assert "which is told later" in breach(f"{opening.text} And {later}.", opening, everything)
    if opening.holds:
        assert "lacks" in breach("Hello.", opening, everything)


def test_the_command_writes_what_the_model_said_and_it_passes_the_check(document: Path, tmp_path: Path):
    replies = tmp_path / "replies.json"
    replies.write_text(json.dumps({"replies": [{"text": "no words", "times": 40}]}), encoding="utf-8")
    options: dict[str, Any] = {"n": 3, "seed": 0, "toolkits": (), "allow_code": False, "force": False, "json": False}

    assert perform(format="openapi", path=document, out=tmp_path / "made", model=f"scripted:{replies}", **options) == 0

    made = sorted((tmp_path / "made").glob("*.yaml"))
    assert made
    assert not [fault for path in made for fault in check_file(path)[1]]
    assert load_scenario(made[0]).script.opening
    with pytest.raises(SettingsError, match="brings its own"):
        perform(format="bfcl", path=document, out=tmp_path / "other", model="openai:X", **options)
