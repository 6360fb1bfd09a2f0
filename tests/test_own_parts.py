"""Judges and recipes of somebody else's package, as installed: found by entry point, used from a file or a command."""

import json
import sys
from pathlib import Path

import pytest

import tertulia
from tertulia.cli import main
from tertulia.files import read_scenario
from tertulia.recipe import Recipe, bundled_recipe, recipe_names

JUDGE = """
from pathlib import Path

from tertulia.records import Verdict
from tertulia.recipe import bundled_recipe

HERE = Path(__file__).parent / "brief.yaml"
STRICT = bundled_recipe("user_script").model_copy(update={"id": "strict", "stop_at_violation": True})


class Brief:
    async def judge(self, scenario, talk):
        return Verdict(judge="brief", passed=len(talk.turns) < 8, score=1 / len(talk.turns))
"""
RECIPE = """
id: brief
title: User scripts; long conversations are left out
source: made for tests
casts:
  rules: {planner: agenda, user: agenda, assistant: form, colleague: decider, critic: detectors}
judges: [structure, success, brief]
gates: [brief]
exports: [sft]
"""
POINTS = """
[tertulia.judges]
brief = own_parts_of_a_test:Brief

[tertulia.recipes]
brief-talk = own_parts_of_a_test:HERE
strict = own_parts_of_a_test:STRICT
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package with a judge and two recipes, and goes to a folder with a scenario."""
    home = tmp_path / "installed"
    info = home / "own_parts_of_a_test-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-parts-of-a-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (home / "own_parts_of_a_test.py").write_text(JUDGE)
    (home / "brief.yaml").write_text(RECIPE)
    monkeypatch.syspath_prepend(home)
    monkeypatch.chdir(tmp_path)
    tell("new", "scenario", "mine", monkeypatch=monkeypatch)
    yield home
    sys.modules.pop("own_parts_of_a_test", None)


def tell(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["tertulia", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def with_recipe(name: str) -> str:
    path = Path("mine.yaml")
    path.write_text(path.read_text().replace("kind:", f"recipe: {name}\nkind:"))
    return str(path)


@pytest.mark.parametrize("name", ["brief-talk", "own.yaml"])
def test_a_recipe_with_a_judge_of_ones_own_is_played_and_keeps_what_passes(package, name):
    Path("own.yaml").write_text(RECIPE)
    run = tertulia.run([with_recipe(name)], n=6, slips=0.5, out="r")
    talks = list(run.conversations())

    assert [[verdict.judge for verdict in talk.verdicts] for talk in talks] == [["structure", "success", "brief"]] * 6
    assert {talk.rejected_by for talk in talks} <= {"", "brief", "revisions_spent"}
    assert {path.name for path in Path("r/exports").iterdir() if path.suffix == ".jsonl"} == {"sft.jsonl"}
    Path("own.yaml").unlink(missing_ok=True)
    assert run.judge().verdicts == run.summary.verdicts


def test_a_package_may_bring_a_recipe_as_a_record(package):
    assert {"strict", "brief-talk", "user_script"} <= set(recipe_names())
    assert bundled_recipe("strict").stop_at_violation
    assert isinstance(bundled_recipe("brief-talk"), Recipe)


def test_a_finished_run_is_judged_by_further_judges_on_demand(package, monkeypatch, capsys):
    tertulia.run(["mine.yaml"], n=3, slips=0, out="r")
    assert tell("judge", "r", "brief", "--json", monkeypatch=monkeypatch) == 0
    verdicts = json.loads(capsys.readouterr().out.splitlines()[-1])["verdicts"]

    assert verdicts["brief"]["given"] == verdicts["success"]["given"] == 3
    assert all(talk.verdicts[-1].judge == "brief" for talk in tertulia.Run("r").conversations())
    assert tell("judge", "r", "breif", monkeypatch=monkeypatch) == 2
    assert "no judge is called 'breif' (did you mean 'brief'?)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "fault"),
    [
        ("../own.yaml", "mine.yaml:4:9: '../own.yaml' leaves the scenario's folder"),
        ("oen.yaml", "mine.yaml:4:9: there is no file 'oen.yaml' beside the scenario (did you mean 'own.yaml'?)"),
        ("own.yaml", "own.yaml:7:30: no judge is called 'breef' (did you mean 'brief'?)"),
        ("odd.yaml", "odd.yaml:10:1: unknown key 'stop'"),
    ],
)
def test_what_is_wrong_with_a_recipe_file_is_named_at_its_line(package, recipe, fault):
    Path("own.yaml").write_text(RECIPE.replace("success, brief]", "success, breef]"))
    Path("odd.yaml").write_text(RECIPE + "stop: true\n")
    (found,) = read_scenario(Path(with_recipe(recipe)))[1]

    assert str(found).startswith(fault)
