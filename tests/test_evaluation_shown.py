"""What `tertulia evaluate` prints: tables that fit a narrow terminal, evidence that is not cut, words in number."""

import json
from io import StringIO

import pytest
from evaluations import settings, some
from rich.console import Console

from tertulia.cli import main
from tertulia.commands.evaluation_tables import brief, full
from tertulia.evaluation.evaluating import evaluate, figures_of

SUFFERING = """
def answer(messages, tools):
    raise KeyError("a key with a name that is long enough to need a second line in any terminal that is so narrow")
"""


def printed(figures, width):
    """The lines of the report on a terminal of so many columns."""
    screen = Console(file=StringIO(), width=width, highlight=False)
    screen.print(brief(figures))
    for part in full(figures):
        screen.print(part)
    return screen.file.getvalue().splitlines()


@pytest.fixture
async def crashed(tmp_path, monkeypatch):
    """The figures of an agent that crashes at its first word."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suffering.py").write_text(SUFFERING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    evalset = some(1, "parcels")
    return await figures_of(await evaluate(settings("suffering:answer", tmp_path / "a"), evalset=evalset))


@pytest.mark.parametrize("width", [60, 80])
async def test_titles_and_headers_stay_on_one_line_in_a_narrow_terminal(tmp_path, width):
    figures = await figures_of(await evaluate(settings("none", tmp_path / "a", k=2), evalset=some(5, "parcels")))
    lines = printed(figures, width)

    assert {"why trials failed", "pass^1 by kind", "per trial", "failures, for example"} <= set(lines)
    assert [line.split() for line in lines if line.startswith("cause")] == [["cause", "trials", "share"]]
    assert max(map(len, lines)) <= width


async def test_what_an_agent_raised_is_told_whole_and_with_its_line(crashed):
    lines = printed(crashed, 60)
    told = " ".join(line.strip() for line in lines[lines.index("failures, for example") :])

    assert "suffering.py:3: KeyError: 'a key with a name that is long enough to need a second line in any" in told
    assert "that is so narrow'" in told
    assert all(line.startswith("    ") for line in lines[lines.index("failures, for example") + 2 :])


async def test_a_table_without_rows_is_not_printed_and_one_item_is_one(crashed):
    lines = printed(crashed, 80)

    assert "per trial" not in lines
    assert lines[0] == "suffering:answer, dynamic: 1 item x 1, 95% intervals"


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["sett.jsonl"], "there is no file 'sett.jsonl' (did you mean 'set.jsonl'?)"),
        (["mine.yml"], "no file, folder, bundled world or bundled scenario is called 'mine.yml'"),
        (["parcel"], "no file, folder, bundled world or bundled scenario is called 'parcel' (did you mean 'parcels'?)"),
    ],
)
def test_a_set_that_is_not_there_is_told_with_what_is_of_its_kind(tmp_path, monkeypatch, capsys, names, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set.jsonl").write_text("{}")
    monkeypatch.setattr("sys.argv", ["tertulia", "evaluate", *names, "--agent", "rules"])
    with pytest.raises(SystemExit):
        main()

    assert capsys.readouterr().err == f"tertulia: {complaint}\n"


async def test_trials_that_are_not_there_are_told_and_no_k_rests_on_few_items(tmp_path):
    figures = await figures_of(await evaluate(settings("rules", tmp_path / "a", k=3), evalset=some(4, "parcels")), 8)
    figures.trials = [one for one in figures.trials if one.score.trial.trial == 0 or one.score.trial.item == 1]
    figures.asked = 4 * 8

    assert [k for k, _ in figures.passing(figures.clean)] == [1]
    assert (figures.unplayed, figures.as_json()["unplayed"]) == (26, 26)
    lines = brief(figures).splitlines()
    assert "6 of 32 trials are there; figures are of these alone" in lines
    assert "not half of the items have 2 trials that count, so there is no pass^8" in lines


def test_what_is_scored_anew_without_a_number_of_trials_is_all_that_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["evaluate", "missed-delivery", "--agent", "rules", "--out", "a", "--json", "-q", "--no-floors"]
    trials = []
    for more in (["-k", "3"], ["--rescore"], []):
        monkeypatch.setattr("sys.argv", ["tertulia", *command, *more])
        with pytest.raises(SystemExit):
            main()
        trials.append(json.loads(capsys.readouterr().out.splitlines()[-1])["trials"])

    assert trials == [3, 3, 1]
