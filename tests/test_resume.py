"""Runs that are killed, interrupted or played with another concurrency end as if nothing had happened."""

import runpy
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

KILL: dict[str, Any] = runpy.run_path(str(Path(__file__).resolve().parent.parent / "bench" / "kill.py"))
committed, differences, finished, moments = (KILL[name] for name in ("committed", "differences", "finished", "moments"))
rows, stopped = KILL["rows"], KILL["stopped"]
N, DEADLINE = 90, 150
PLAYED = ("missed-delivery", "late-and-redirected", "urgent-today", "restart-then-reset")


def command(folder: Path, *more: str) -> list[str]:
    asked: list[str] = KILL["command"](folder, N, *PLAYED, *more)
    return asked


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed, 64 conversations at a time."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert finished(command(folder), DEADLINE)["conversations"] == N
    return folder


def test_a_run_that_is_killed_three_times_ends_like_one_that_was_not(whole: Path, tmp_path: Path):
    folder = tmp_path / "cut"
    kept = []
    for at in moments(N, 3, seed=5):
        status, there = stopped(command(folder), folder, at, signal.SIGKILL, DEADLINE)
        assert status == -signal.SIGKILL
        assert committed(folder) >= there >= at
        kept.append({place for place, _ in rows(folder)})
    assert kept[0] <= kept[1] <= kept[2]
    assert kept[0] < kept[2]
    assert finished(command(folder), DEADLINE)["conversations"] == N
    assert list(differences(whole, folder, N)) == []


def test_ctrl_c_exits_with_130_and_one_at_a_time_it_goes_on_to_the_same_bytes(whole: Path, tmp_path: Path):
    folder, alone = tmp_path / "interrupted", ("--concurrency", "1")
    status, there = stopped(command(folder, *alone), folder, 1, signal.SIGINT, DEADLINE)
    assert status == 130
    assert there <= committed(folder) < N
    assert not (folder / "exports").exists()
    assert finished(command(folder, *alone), DEADLINE)["conversations"] == N
    assert list(differences(whole, folder, N)) == []


def test_whatever_differs_between_two_runs_is_named(whole: Path, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(whole, other)
    with closing(sqlite3.connect(other / "run.sqlite", isolation_level=None)) as database:
        database.execute("DELETE FROM conversations WHERE place = 7")
        database.execute("UPDATE conversations SET record = x'00' WHERE place = 3")
    with (other / "exports" / "sft.jsonl").open("a") as file:
        file.write("\n")
    (other / "exports" / "dpo.jsonl").unlink()
    found = list(differences(whole, other, N))
    assert f"other: {N - 1} conversations at {N - 1} places, not {N}" in found
    assert {"conversation 3 has another record", "sft.jsonl has other bytes", "dpo.jsonl has other bytes"} <= set(found)
