"""The command line as a person or a script meets it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import tertulia
from tertulia.cli import main
from tertulia.commands.new import KINDS
from tertulia.exporters.sft import Sft
from tertulia.records import Conversation
from tertulia.scenario import Scenario

FORMATS = {"sft", "dpo", "critic", "oasst", "evalset"}


class Answer(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys) -> Ask:
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["tertulia", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return Answer(int(left.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def mine(ask) -> str:
    """A scenario file, as `tertulia new` writes it."""
    assert ask("new", "scenario", "mine").status == 0
    return "mine.yaml"


def files_of(folder: str | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder, "exports").iterdir())}


def python(*words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120, check=False, **options)


# --- help --------------------------------------------------------------------------------------------------------


def test_help_shows_every_command_and_where_to_start(ask):
    told = ask("--help")

    assert told.status == 0
    for word in ("run", "check", "judge", "export", "report", "schema", "new", "Start here", "--install-completion"):
        assert word in told.out


@pytest.mark.parametrize("command", ["run", "check", "judge", "export", "report", "show", "list", "schema", "new"])
def test_the_help_of_every_command_has_an_example(ask, command):
    told = ask(command, "--help")

    assert told.status == 0
    assert f"  tertulia {command} " in told.out


def test_help_loads_neither_langgraph_nor_pydantic():
    seen = python("-X", "importtime", "-m", "tertulia", "--help")

    assert seen.returncode == 0
    assert "langgraph" not in seen.stderr
    assert "pydantic" not in seen.stderr


def test_version(ask):
    assert ask("--version").out.startswith("tertulia 0.")


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("run", "--slips", "2"),
        ("run", "-n", "0"),
        ("run", "--seed", "x"),
        ("export", "nowhere"),
        ("run", "--concurrency", "9999999"),
    ],
)
def test_wrong_usage_is_exit_status_2_without_traceback(ask, words):
    told = ask(*words)

    assert told.status == 2
    assert "Traceback" not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("run", "parcel"), "called 'parcel' (did you mean 'parcels'?)"),
        (("run", "{mine}", "--cast", "models2"), "no cast 'models2'"),
        (("report", "nowhere"), "'nowhere' holds no run"),
        (("judge", "nowhere"), "'nowhere' holds no run"),
        (("export", "nowhere", "sft"), "'nowhere' holds no run"),
        (("run", "{mine}", "--out", "{mine}"), "is a file"),
        (("schema", "scenarios"), "did you mean 'scenario'?"),
        (("new", "juge", "x"), "did you mean 'judge'?"),
        (("new", "judge", "9lives"), "'9lives' cannot name a judge"),
        (("new", "scenario", "Mine"), "'Mine' cannot name a scenario"),
        (("new", "scenario", "mine"), "'mine.yaml' exists"),
        (("check", ""), "'' names nothing"),
        (("list", "judge"), "did you mean 'judges'?"),
        (("list", "tools"), "whose tools?"),
        (("list", "tools", "parcel"), "did you mean 'parcels'?"),
        (("run", "{mine}", "-n", "1000000000000"), "-n 1000000000000: should be less than or equal to 10000000"),
        (("new", "scenario", "ring", "--in", "{mine}"), "cannot write 'mine.yaml/ring.yaml'"),
        (("new", "judge", "ring", "--in", "{mine}"), "--in must name a folder"),
    ],
)
def test_what_a_person_must_mend_is_one_line(ask, mine, words, line):
    told = ask(*(word.format(mine=mine) for word in words))

    assert told.status == 2
    assert told.err.startswith("tertulia: ")
    assert told.err.count("\n") == 1
    assert line in told.err


# --- run ---------------------------------------------------------------------------------------------------------


def test_run_leaves_five_exports_and_one_json_object(ask, mine):
    told = ask("run", mine, "-n", 9, "--out", "r", "--json")
    summary = told.json

    assert told.status == 0
    assert told.out.count("\n") == 1
    assert {name.partition(".")[0] for name in files_of("r")} == FORMATS | {"README"}
    assert summary["run"] == "r"
    assert (summary["planned"], summary["unfinished"]) == (9, False)
    assert summary["conversations"] == 9 == summary["accepted"] + sum(summary["rejected"].values())
    assert sum(summary["end_reasons"].values()) == 9
    assert {"markers", "revisions", "slips", "critic_precision", "critic_recall", "success_rate"} <= set(summary)
    assert (summary["model_calls"], summary["tokens"], summary["usd"]) == (0, {"in": 0, "out": 0}, 0.0)


def test_the_first_command_works_twice(ask, mine):
    first = ask("run", mine, "-n", 3)
    again = ask("run", mine, "-n", 3)

    assert (first.status, again.status) == (0, 0)
    assert first.out == again.out
    assert "was finished before" in again.err
    assert len(list(Path("runs").iterdir())) == 1


def test_an_exporter_with_a_bug_costs_its_conversation_one_line_and_nothing_else(ask, mine, monkeypatch):
    def rows(self: Sft, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if talk.index == 1:
            raise KeyError("gone")
        yield {"id": talk.id}

    monkeypatch.setattr(Sft, "rows", rows)
    told = ask("run", mine, "-n", 3, "--out", "r", "-q")
    again = ask("export", "r", "sft", "-o", "again.jsonl")

    assert (told.status, again.status) == (0, 0)
    for answer in (told, again):
        [line] = [line for line in answer.err.splitlines() if "missing" in line]
        assert "1 conversation missing in" in line
        assert "mine-000001: KeyError: 'gone' (test_cli.py:" in line
    assert len(list(tertulia.Run(Path("r")).conversations())) == 3
    assert len(files_of("r")["sft.jsonl"].splitlines()) == 2
    assert "not carried over: failed_conversations (1)" in again.out


def test_concurrency_changes_no_byte_of_the_exports(ask, mine):
    for name, concurrency in (("a", 1), ("b", 7), ("c", 200)):
        assert (
            ask(
                "run", mine, "-n", 60, "--out", name, "--seed", 7, "--slips", 0.3, "--concurrency", concurrency, "-q"
            ).status
            == 0
        )

    assert files_of("a") == files_of("b") == files_of("c")
    assert files_of("a")["sft.jsonl"]


def test_a_finished_run_is_resumed_with_another_concurrency_but_no_other_setting(ask, mine):
    assert ask("run", mine, "-n", 6, "--out", "r").status == 0

    assert ask("run", mine, "-n", 6, "--out", "r", "--concurrency", 2).status == 0
    told = ask("run", mine, "-n", 6, "--out", "r", "--seed", 3)
    assert told.status == 2
    assert "seed was 0, is 3" in told.err
    Path(mine).write_text(Path(mine).read_text().replace("title: A guest", "title: Somebody"))
    told = ask("run", mine, "-n", 6, "--out", "r")
    assert "scenarios mine was " in told.err
    assert ask("run", mine, "-n", 6, "--out", "r", "--fresh").status == 0


def test_a_broken_scenario_is_not_played_and_every_fault_is_named(ask, mine):
    text = (
        Path(mine)
        .read_text()
        .replace("kind: single_call", "kind: single_cal")
        .replace("role: assistant", "role: asistant")
    )
    Path(mine).write_text(text + "limts: {}\n")
    told = ask("run", mine, "--out", "r")

    assert told.status == 2
    assert told.err.count("mine.yaml:") >= 2
    assert told.err.splitlines()[-1].startswith("tertulia: ")
    assert not Path("r").exists()


def test_progress_is_plain_lines_when_standard_error_is_no_terminal(ask, mine):
    told = ask("run", mine, "-n", 3, "--out", "r")

    assert "3/3 done, 0 open" in told.err
    assert "\x1b" not in told.err
    assert ask("run", mine, "-n", 3, "--out", "q", "--quiet").err == ""


def plays(out: str, n: int, folder: Path) -> "subprocess.Popen[bytes]":
    words = ["-m", "tertulia", "run", "mine.yaml", "-n", str(n), "--out", out, "--slips", "0.3", "--concurrency", "16"]
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ}
    )


def rows(path: Path) -> int:
    """How many conversations a run that is being written has committed."""
    if not path.exists():
        return 0
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return int(database.execute("SELECT count(*) FROM conversations").fetchone()[0])
    except sqlite3.OperationalError:  # the tables are not there yet
        return 0
    finally:
        database.close()


def until(reached: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    """Wait until something holds or the process has ended."""
    deadline = time.monotonic() + 60
    while not reached() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill -9")
def test_kill_9_loses_and_doubles_nothing(ask, mine, tmp_path):
    assert ask("run", mine, "-n", 200, "--out", "whole", "--slips", 0.3, "-q").status == 0
    for least in (1, 90):
        process = plays("killed", 200, tmp_path)
        until(lambda least=least: rows(tmp_path / "killed" / "run.sqlite") >= least, process)
        process.kill()
        process.communicate()
    with plays("killed", 200, tmp_path) as last:
        _, err = last.communicate()

    assert last.returncode == 0, err
    assert files_of("killed") == files_of("whole")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(ask, mine, tmp_path):
    process = plays("stopped", 3000, tmp_path)
    until(lambda: rows(tmp_path / "stopped" / "run.sqlite") >= 1, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"of 3000 conversations are kept in stopped; the same command goes on from there" in err
    assert b"Traceback" not in err
    there = rows(tmp_path / "stopped" / "run.sqlite")
    assert tertulia.Run(tmp_path / "stopped").summary.conversations == there >= 1
    partly = f"{there} of 3000 conversations; unfinished"
    assert partly in ask("report", "stopped").out
    assert ask("report", "stopped", "--json").err == ask("export", "stopped", "sft", "--json").err == partly + "\n"
    assert ask("export", "stopped", "dpo", "--json").json["unfinished"]
    told = ask("report", "stopped", "--json").json
    assert (told["conversations"], told["planned"], told["unfinished"]) == (there, 3000, True)


INTERRUPTED = """
import runpy, sys

class Interrupts:
    wanted = sys.argv.pop(1)

    def find_spec(self, name, path=None, target=None):
        if name == self.wanted:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
runpy.run_module("tertulia", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["typer", "tertulia.cli", "langgraph.graph", "tertulia.running.runner"])
def test_ctrl_c_while_modules_are_loaded_ends_quietly(ask, mine, module):
    ended = python("-c", INTERRUPTED, module, "run", mine, "-n", "1", "--quiet")

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


# --- check, judge, export, report, schema, new -------------------------------------------------------------------


def test_check_names_every_fault_at_its_line(ask, mine):
    text = Path(mine).read_text().replace("confirm_before_change]", "confirm_befor_change]")
    Path(mine).write_text(text.replace("kind: single_call", "kind: single_cal"))
    told = ask("check", mine, "--json")

    assert told.status == 1
    assert told.json["files"] == 1
    assert [fault["line"] for fault in told.json["faults"]] == [4, 8]
    assert {"file", "line", "column", "item", "rule", "message", "suggestion", "edit"} == set(told.json["faults"][0])
    assert "mine.yaml:8:14: unknown principle 'confirm_befor_change' (did you mean 'confirm_before_change'?)" in (
        ask("check", mine).out
    )


def test_check_of_a_sound_file_tells_its_floors(ask, mine):
    told = ask("check", mine, "--json")

    assert (told.status, told.json["faults"], told.json["items"]) == (0, [], 1)
    assert told.json["floors"]["none"] == 0
    assert told.json["floors"]["rules"] == 1


def test_a_file_with_faults_has_no_floors(ask, mine):
    text = Path(mine).read_text()
    Path(mine).write_text(text.replace("id: mine", "id: Mine Ring").replace("kind: single_call", "kind: nothing_to_do"))
    told = ask("check", mine)

    assert told.status == 1
    assert "success" not in told.out
    assert ask("check", mine, "--json").json["floors"] is None
    Path("sound.yaml").write_text(text.replace("id: mine", "id: sound"))
    assert "success of the 1 scenario without a fault: 0% for" in ask("check", mine, "sound.yaml").out


def test_scenarios_in_a_folder_may_end_in_yml(ask, mine):
    Path("set").mkdir()
    Path(mine).rename("set/mine.yml")

    assert ask("check", "set", "--no-floors").out.startswith("1 file, 1 scenario, 0 faults")


def test_two_files_with_the_same_id_are_a_fault(ask, mine):
    Path("other.yaml").write_text(Path(mine).read_text())
    told = ask("check", mine, "other.yaml", "--no-floors")

    assert told.status == 1
    assert "other.yaml:2:5: id 'mine' is also the id of mine.yaml" in told.out


def test_judging_again_gives_the_same_verdicts(ask, mine):
    before = ask("run", mine, "-n", 9, "--out", "r", "--json").json

    assert ask("judge", "r", "--json").json == before


def test_judging_quietly_tells_the_verdicts_alone(ask, mine):
    ask("run", mine, "-n", 3, "--out", "r")
    quiet = ask("judge", "r", "--tags", "-q")

    assert (quiet.status, quiet.err) == (0, "")
    assert "size: passed by 3 of 3" in quiet.out
    assert "3/3 done" in ask("judge", "r", "--tags").err


def test_export_refuses_to_overwrite_without_force(ask, mine):
    ask("run", mine, "-n", 3, "--out", "r")

    assert ask("export", "r", "sft").status == 2
    assert ask("export", "r", "sft", "--force").status == 0
    told = ask("export", "r", "sft", "-o", "x/mine.jsonl", "--json")
    assert told.json["format"] == "sft"
    assert told.json["path"] == "x/mine.jsonl"
    assert told.json["rows"] == len(Path("x/mine.jsonl").read_text().splitlines())
    assert Path("x/mine.jsonl").read_bytes() == files_of("r")["sft.jsonl"]
    assert "did you mean 'sft'" in ask("export", "r", "stf", "-o", "y").err


def test_export_to_standard_output_is_the_rows_alone(ask, mine):
    ask("run", mine, "-n", 3, "--out", "r", "-q")
    told = ask("export", "r", "sft", "-o", "-")

    assert told.status == 0
    assert told.out.encode() == files_of("r")["sft.jsonl"]
    assert told.err.startswith(f"-: {told.out.count(chr(10))} rows\n")
    assert not Path("-").exists()
    assert "not carried over: rows of the sidecar (" in ask("export", "r", "oasst", "-o", "-").err


def test_an_export_that_is_there_is_verified_as_it_is_and_faults_are_told_by_row(ask, mine):
    ask("run", mine, "-n", 3, "--out", "r", "-q")
    fine = ask("export", "r", "openai", "--verify", "--json")
    assert (fine.status, fine.json["verified"]["passed"]) == (0, True)

    file = Path("r/exports/openai.jsonl")
    file.write_text(file.read_text().replace('"weight":1', '"weight":2', 1))
    told = ask("export", "r", "openai", "--verify")
    assert told.status == 1
    assert f"\n{file}:1: a weight that is neither 0 nor 1\n" in told.out
    assert '"weight":2' in file.read_text()
    assert ask("export", "r", "openai", "--verify", "--force").status == 0
    assert '"weight":2' not in file.read_text()


def test_export_to_parquet_by_name_or_option_and_options_that_contradict(ask, mine):
    ask("run", mine, "-n", 3, "--out", "r", "-q")
    assert ask("export", "r", "daring-anteater", "--parquet").status == 0
    assert ask("export", "r", "daring_anteater", "-o", "mine.parquet").status == 0
    assert Path("r/exports/daring-anteater.parquet").read_bytes() == Path("mine.parquet").read_bytes()
    assert "daring-anteater-parquet" in Path("r/exports/README.md").read_text()
    assert "contradict each other" in ask("export", "r", "sft", "--parquet", "-o", "x.jsonl").err
    assert "need a file" in ask("export", "r", "sft", "-o", "-", "--verify").err
    assert "is a folder of files" in ask("export", "r", "adk", "-o", "x.parquet").err


@pytest.mark.parametrize("words", ["report r", "export r oasst -o -", "schema"])
def test_a_reader_that_leaves_early_is_no_error(ask, mine, words):
    ask("run", mine, "-n", 60, "--out", "r", "--slips", 0.3, "-q")
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as nobody:
        left = subprocess.run([sys.executable, "-m", "tertulia", *words.split()], stdout=nobody, stderr=-1, check=False)

    assert (left.returncode, left.stderr.count(b"Error"), left.stderr.count(b"Exception")) == (0, 0, 0)


def test_report_shows_ends_the_critic_and_every_scenario(ask, mine):
    ask("run", mine, "-n", 12, "--out", "r", "--slips", 0.5)
    told = ask("report", "r")

    assert told.status == 0
    for words in ("how conversations ended", "markers by principle", "critic against planted slips"):
        assert words in told.out
    assert "scenarios succeeded every time" in told.out


def test_show_lets_one_conversation_be_read_with_what_was_sent_back(ask, mine):
    ask("run", mine, "-n", 40, "--out", "r", "--slips", 0.5, "-q")
    talks = (talk for talk in tertulia.Run("r").conversations() if talk.accepted)
    talk = next(talk for talk in talks if any(turn.drafts[1:] for turn in talk.turns))
    told = ask("show", "r", talk.id)

    assert told.status == 0
    assert talk.id in told.out
    assert "sent back: " in told.out
    flat = " ".join(told.out.split())
    for draft in (draft for turn in talk.turns for draft in turn.drafts):
        assert " ".join(draft.message.text.split()) in flat
        assert all(f"! {marker.principle} ({marker.severity}):" in flat for marker in draft.markers)
    assert "move_reservation(reservation=" in told.out
    assert 'returned: {"status": "moved"}' in told.out
    assert "success: passed" in told.out
    assert ask("show", "r", talk.index).out == told.out
    assert ask("show", "r", talk.index, "--json").json == talk.model_dump(mode="json")
    for which in ("40", "mine-000040", "other-000001", "-x", "9" * 30):
        assert ask("show", "r", which).status == 2


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ("worlds", {"world": "parcels"}),
        ("tools parcels", {"tool": "cancel_order", "writes": True}),
        ("scenarios", {"scenario": "new-flat", "world": "parcels"}),
        ("principles", {"principle": "courteous", "topic": "tone"}),
        ("recipes", {"recipe": "user_script", "casts": ["rules", "models"]}),
        ("judges", {"judge": "success"}),
        ("exporters", {"exporter": "dpo"}),
        ("critics", {"critic": "detectors"}),
        ("", {"kind": "scenarios", "how many": 42}),
    ],
)
def test_list_tells_what_there_is(ask, words, some):
    told = ask("list", *words.split(), "--json").json

    assert any(some.items() <= item.items() for item in told["items"])
    assert all(text or text == 0 for item in told["items"] for text in item.values() if isinstance(text, str))
    shown = ask("list", *words.split())
    assert shown.status == 0
    assert next(iter(some.values())) in shown.out


@pytest.mark.parametrize("name", ["scenario", "recipe", "principles", "evalset"])
def test_schema_prints_a_json_schema(ask, name):
    told = ask("schema", name)

    assert json.loads(told.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_whatever_new_writes_passes_the_test_that_comes_with_it(ask, tmp_path):
    for kind in KINDS:
        assert len(ask("new", kind, f"my-{kind}").out.splitlines()) == (3 if kind == "scenario" else 2)
    tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", cwd=tmp_path)

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert {path.name for path in tmp_path.glob("test_*.py")} == {f"test_my_{kind}.py" for kind in KINDS}


def test_the_first_line_of_a_new_scenario_names_the_schema_beside_it(ask, mine):
    first = Path(mine).read_text().splitlines()[0]

    assert first == "# yaml-language-server: $schema=scenario.schema.json"
    assert Path("scenario.schema.json").read_text() == ask("schema").out
    assert ask("new", "scenario", "other").status == 0


def test_new_in_a_checkout_puts_part_and_test_where_they_live(ask):
    for file in ("tertulia/parts.py", "judges/__init__.py"):
        Path(file).parent.mkdir()
        Path(file).touch()
    told = ask("new", "judge", "polite", "--json")

    assert told.json["files"] == ["judges/polite.py", "tests/test_polite.py"]
    assert "from tertulia.judges.polite import MOST, Polite" in Path("tests/test_polite.py").read_text()


# --- from Python -------------------------------------------------------------------------------------------------


def test_the_public_face_is_small_and_every_name_is_there():
    assert len(tertulia.__all__) <= 25
    assert all(getattr(tertulia, name) is not None for name in tertulia.__all__)
    assert dir(tertulia) == sorted(tertulia.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tertulia.nothing


def test_five_lines_of_python_do_what_the_command_does(ask, mine):
    ask("run", mine, "-n", 6, "--out", "shell")
    run = tertulia.run([mine], n=6, out="python")

    assert files_of("python") == files_of("shell")
    assert run.summary.conversations == 6
    assert [talk.index for talk in run.conversations()] == list(range(6))
    assert run.export("sft", "again.jsonl").rows == run.summary.accepted


def test_a_run_and_a_scenario_are_opened_by_a_path_given_as_text(ask, mine):
    tertulia.run([mine], n=2, out="r")

    assert tertulia.Run("r") == tertulia.Run(Path("r"))
    assert tertulia.Run("r").summary.conversations == 2
    assert tertulia.load_scenario(mine) == tertulia.load_scenario(Path(mine))


async def test_run_works_inside_a_running_event_loop(ask, mine):
    assert tertulia.run(mine, n=2, out="r").summary.conversations == 2


@pytest.mark.parametrize("options", [{"slips": 2}, {"n": 0}, {"concurrency": 0}])
def test_an_option_out_of_range_is_named(ask, options):
    with pytest.raises(tertulia.UserError, match=next(iter(options))):
        tertulia.run(**options)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_behind_the_output_is_told_in_one_line():
    with open("/dev/full", "wb") as full:
        left = subprocess.run(
            [sys.executable, "-m", "tertulia", "list"], stdout=full, stderr=-1, text=True, check=False
        )

    assert (left.returncode, left.stderr) == (2, "tertulia: cannot write 'its output': No space left on device\n")
