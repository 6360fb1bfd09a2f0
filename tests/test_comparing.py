"""What is told of two evaluations side by side, and of items that an evaluation leaves out."""

import json

import pytest
from evaluations import settings, some

from tertulia.cli import main
from tertulia.commands.evaluation_tables import compared
from tertulia.evaluation.comparing import compare_folders
from tertulia.evaluation.evaluating import evaluate


async def test_versions_of_one_agent_are_told_apart_by_folder_and_the_items_where_they_differ_are_named(
    tmp_path,
):
    evalset = some(4, "parcels")
    one = await evaluate(settings("rules", tmp_path / "old"), evalset=evalset)
    other = await evaluate(settings("none", tmp_path / "new"), evalset=evalset)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["settings"]["agent"] = "rules"
    (other / "manifest.json").write_text(json.dumps(manifest))
    found = await compare_folders(one, other)
    ahead, behind = found.ahead()

    assert found.agents == (f"rules in {one}", f"rules in {other}")
    assert found.as_json()["by_item"] == {item: [1.0, float(item not in ahead)] for item in sorted(found.by_item)}
    assert (len(found.by_item), len(ahead) >= 3, behind) == (4, True, [])
    assert f"rules in {one} passes more often at {len(ahead)} items: {', '.join(ahead)}" in compared(found)
    assert f"rules in {other} passes" not in compared(found)


def test_static_evaluation_says_which_items_it_leaves_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["not-urgent", "book-blood-test", "--agent", "rules", "--mode", "static", "--no-floors", "-q"]
    monkeypatch.setattr("sys.argv", ["tertulia", "evaluate", *words])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()

    assert left.value.code == 0
    assert told.out.startswith("rules, static: 1 item")
    (line,) = told.err.splitlines()
    assert line.startswith("left out: not-urgent-")
    assert line.endswith(": nothing is to be called")
