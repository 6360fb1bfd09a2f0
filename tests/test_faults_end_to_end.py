"""Whole runs against the fault server: nothing is lost, all that went wrong is counted, nothing is paid for twice."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tertulia import run
from tertulia.models.journal import from_json
from tertulia.models.limits import Patience
from tertulia.records import EndReason
from tertulia.running.runs import Run
from tertulia.testing import Fault, Faults, FaultServer
from tertulia.testing.faults import REPLY, TRANSPORT

KEY = "sk-very-secret-0123456789"
SHORT, APPROVAL = "another-day", "waive-fee"  # the latter has a colleague

# What the client calls each fault of the transport, and what a part calls each fault of a reply.
ON_THE_WIRE = {
    Fault.RATE_LIMITED: "rate_limited",
    Fault.SERVER_ERROR: "server_error",
    Fault.UNAVAILABLE: "server_error",
    Fault.HANG: "timeout",
    Fault.RESET: "connection",
    Fault.TRUNCATED_BODY: "malformed",
    Fault.MALFORMED_JSON: "malformed",
    Fault.NOT_A_COMPLETION: "malformed",
}


@pytest.fixture(autouse=True)
def key_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("tertulia.running.playing.Patience", partial(Patience, first=0.002))


def played(server: FaultServer, out: Path, n: int, scenarios: Any = (), **more: Any) -> Run:
    options = {"deadline": 30.0, "slips": 0.0, "seed": 3, "model": "openai:rules", "base_url": server.url}
    return run(scenarios, n=n, out=out, **options | more)


# --- one kind at a time ------------------------------------------------------------------------------------------


def test_without_faults_a_cast_of_models_succeeds_over_http(tmp_path):
    with FaultServer(key=KEY) as server:
        done = played(server, tmp_path / "run", 6, "parcels")

    told = done.summary.as_json()
    assert (told["accepted"], told["rejected"], told["troubles"], told["http"]) == (6, {}, {}, {})
    assert told["model_calls"] == server.tally.answered.total() == server.tally.asked.total()
    assert told["tokens"] == {"in": server.tally.tokens_in, "out": server.tally.tokens_out}


def test_models_that_write_their_calls_in_words_succeed_too(tmp_path):
    with FaultServer() as server:
        done = played(server, tmp_path / "run", 3, "parcels", role_settings=("tool_form=prompt",))

    assert done.summary.accepted == 3
    assert any(turn.message.calls for talk in done.conversations() for turn in talk.turns)


@pytest.mark.parametrize("fault", [fault for fault in TRANSPORT if fault is not Fault.SLOW])
def test_a_transport_fault_is_tried_again_and_counted_under_its_cause(tmp_path, fault):
    deadline = 0.5 if fault is Fault.HANG else 30.0
    with FaultServer(Faults({fault: 0.2}), retry_after=0.01) as server:
        told = played(server, tmp_path / "run", 2, SHORT, retries=30, deadline=deadline).summary.as_json()

    assert server.tally.faults[fault] > 0
    assert told["http"] == {ON_THE_WIRE[fault]: server.tally.faults[fault]}
    assert (told["conversations"], told["accepted"], told["troubles"]) == (2, 2, {})


@pytest.mark.parametrize("fault", [fault for fault in TRANSPORT if fault is not Fault.SLOW])
def test_when_no_retry_helps_the_conversation_ends_under_the_cause(tmp_path, fault):
    with FaultServer(Faults({fault: 1.0}), retry_after=0.01) as server:
        told = played(server, tmp_path / "run", 2, SHORT, retries=1, deadline=0.3).summary.as_json()

    assert told["conversations"] == 2
    assert told["rejected"] == {ON_THE_WIRE[fault]: 2}


def test_a_slow_answer_is_no_fault(tmp_path):
    with FaultServer(Faults({Fault.SLOW: 1.0}), slow=0.01) as server:
        told = played(server, tmp_path / "run", 1, SHORT).summary.as_json()

    assert (told["accepted"], told["http"], told["troubles"]) == (1, {}, {})


@pytest.mark.parametrize("fault", REPLY)
def test_every_fault_of_a_reply_is_counted_and_crashes_nothing(tmp_path, fault):
    with FaultServer(Faults({fault: 1.0})) as server:
        done = played(server, tmp_path / "run", 2, SHORT)

    told = done.summary.as_json()
    assert (told["conversations"], told["http"]) == (2, {})
    assert told["troubles"]
    assert set(told["rejected"]) <= {*told["troubles"], "success", "structure", "turn_limit"}
    assert all(not talk.error or "Traceback" not in talk.error for talk in done.conversations())


def test_a_conversation_that_outgrows_the_context_ends_so_and_keeps_what_it_had(tmp_path):
    with FaultServer(Faults({Fault.TOO_LONG: 0.1}, seed=4)) as server:
        done = played(server, tmp_path / "run", 6, "parcels")

    told = done.summary.as_json()
    ended = [talk for talk in done.conversations() if talk.end_reason is EndReason.CONTEXT_LIMIT]
    assert ended
    assert told["rejected"] == {"too_long": len(ended)}
    assert told["end_reasons"]["context_limit"] == len(ended)
    assert told["http"] == {"too_long": len(ended)} == {"too_long": server.tally.faults[Fault.TOO_LONG]}
    assert any(talk.turns for talk in ended)
    assert all("too_long" in talk.error and "maximum context length" in talk.error for talk in ended)


# --- all kinds at once -------------------------------------------------------------------------------------------


def test_a_fifth_of_all_calls_going_wrong_loses_no_conversation(tmp_path):
    with FaultServer(Faults.mixed(0.2, seed=1), retry_after=0.01, slow=0.05) as server:
        done = played(server, tmp_path / "run", 100, SHORT, deadline=1.0)

    talks = list(done.conversations())
    told = done.summary.as_json()
    assert [talk.index for talk in talks] == list(range(100))
    assert told["accepted"] + sum(told["rejected"].values()) == 100
    assert not any("Traceback" in talk.error for talk in talks)
    assert set(server.tally.faults) == set(Fault)
    assert told["accepted"] > 40
    assert set(told["http"]) == {*ON_THE_WIRE.values(), "too_long"}
    assert sum(told["http"].values()) >= sum(server.tally.faults[fault] for fault in ON_THE_WIRE)
    assert len(told["troubles"]) >= 9


@pytest.mark.parametrize("fault", [Fault.RANDOM_BYTES, Fault.RANDOM_JSON])
def test_models_that_answer_at_random_are_rejected_with_counted_causes(tmp_path, fault):
    with FaultServer(Faults({fault: 1.0}, seed=2)) as server:
        done = played(server, tmp_path / "run", 20)

    told = done.summary.as_json()
    assert (told["conversations"], told["accepted"]) == (20, 0)
    assert sum(told["rejected"].values()) == 20
    assert told["troubles"]
    assert not any("Traceback" in talk.error for talk in done.conversations())


@pytest.mark.parametrize("role", ["planner", "user", "assistant", "colleague", "critic"])
@pytest.mark.parametrize("fault", [Fault.RANDOM_BYTES, Fault.RANDOM_JSON])
def test_one_role_that_answers_at_random_crashes_nothing(tmp_path, role, fault):
    with FaultServer(Faults({fault: 1.0}, seed=2)) as server:
        done = played(server, tmp_path / "run", 3, APPROVAL, model="", role_models=(f"{role}=openai:rules",))

    told = done.summary.as_json()
    assert told["conversations"] == 3
    assert not any("Traceback" in talk.error for talk in done.conversations())
    assert server.tally.asked
    assert told["troubles"] or role in ("user", "assistant", "colleague")  # any bytes may be somebody's words


def test_an_endpoint_that_bears_little_is_asked_less(tmp_path):
    with FaultServer(at_once=16, latency=0.02, retry_after=0.02) as server:
        told = played(server, tmp_path / "run", 64, SHORT, concurrency=64, retries=50).summary.as_json()

    assert (told["conversations"], told["accepted"]) == (64, 64)
    assert told["http"] == {"rate_limited": server.tally.turned_away}
    assert server.tally.turned_away < 0.5 * told["model_calls"]


# --- nothing is paid twice ---------------------------------------------------------------------------------------


def replies(folder: Path) -> Iterator[str]:
    """The hash of the request that each committed reply answers, for roles whose requests have a seed of their own."""
    with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as database:
        for (data,) in database.execute("SELECT reply FROM calls WHERE role NOT IN ('critic', 'judge')"):
            yield json.loads(from_json(zstandard.ZstdDecompressor().decompress(data)).raw)["id"]


def committed(folder: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as database:
            count: int = database.execute("SELECT count(*) FROM calls").fetchone()[0]
            return count
    except sqlite3.OperationalError:
        return 0


def command(server: FaultServer, out: Path) -> list[str]:
    asked = [sys.executable, "-m", "tertulia", "run", SHORT, "--out", str(out), "-n", "16", "--seed", "3"]
    return [*asked, "--model", "openai:rules", "--base-url", server.url, "--json"]


def test_a_killed_run_goes_on_without_paying_again_and_ends_as_if_undisturbed(tmp_path):
    faults = Faults.mixed(0.06, seed=4, kinds=[fault for fault in Fault if fault is not Fault.HANG])
    options: dict[str, Any] = {"retry_after": 0.01, "slow": 0.05, "latency": 0.005}
    with FaultServer(faults, **options) as server:
        subprocess.run(command(server, tmp_path / "whole"), check=True, capture_output=True, timeout=60)
    total = committed(tmp_path / "whole")

    out = tmp_path / "killed"
    with FaultServer(faults, **options) as server:
        with subprocess.Popen(command(server, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            until = time.monotonic() + 60
            while committed(out) < total // 3 and child.poll() is None and time.monotonic() < until:
                time.sleep(0.002)
            child.send_signal(signal.SIGKILL)
            child.wait()
        until = time.monotonic() + 10
        while server.endpoint.crowd.there and time.monotonic() < until:
            time.sleep(0.01)
        seen, then = set(replies(out)), dict(server.tally.asked)
        last = subprocess.run(command(server, out), check=True, capture_output=True, timeout=60, text=True)
        end = dict(server.tally.asked)

    assert 0 < len(seen) < total
    assert [key for key in seen if end[key] != then[key]] == []
    assert json.loads(last.stdout.splitlines()[-1])["journal_hits"] > 0
    whole, killed = tmp_path / "whole" / "exports", out / "exports"
    assert {file.name: file.read_bytes() for file in whole.iterdir()} == {
        file.name: file.read_bytes() for file in killed.iterdir()
    }
    assert list(Run(tmp_path / "whole").conversations()) == list(Run(out).conversations())


# --- no secret ---------------------------------------------------------------------------------------------------


def test_the_key_is_nowhere_in_a_run_folder_nor_in_what_a_run_says(tmp_path):
    faults = Faults.mixed(0.1, seed=5, kinds=[fault for fault in Fault if fault is not Fault.HANG])
    with FaultServer(faults, key=KEY, retry_after=0.01, slow=0.02) as server:
        good = played(server, tmp_path / "run", 6, SHORT)
        wrong = {**os.environ, "OPENAI_API_KEY": f"{KEY}-wrong"}
        bad = subprocess.run(command(server, tmp_path / "denied"), capture_output=True, timeout=60, env=wrong)

    said = bad.stdout + bad.stderr
    kept = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    unpress = zstandard.ZstdDecompressor()
    with closing(sqlite3.connect(tmp_path / "run" / "run.sqlite")) as database:
        journal = b"".join(unpress.decompress(row[0]) for row in database.execute("SELECT reply FROM calls"))
    assert good.summary.conversations == 6
    assert bad.returncode != 0
    assert said
    assert len(kept) > 4
    assert KEY.encode() not in said + journal
    assert [file for file, content in kept.items() if KEY.encode() in content] == []
