"""Kills a run with SIGKILL in the middle, again and again, and compares what is left with an uninterrupted run.

The same command is started each time. It is killed as soon as a number of conversations drawn at random is committed;
then it is started once more and may finish. Nothing may be lost, nothing may be there twice, and every record and
every export must be the same bytes as those of the run that nobody disturbed.

    python bench/kill.py                   2,000 conversations, five kills
    python bench/kill.py -n 300 --kills 3  less of both
"""

import argparse
import hashlib
import json
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

__all__ = ["command", "committed", "differences", "finished", "moments", "rows", "stopped"]

POLL = 0.01  # seconds between two looks at the database


def command(out: Path, n: int, *more: str, seed: int = 5, slips: float = 0.3) -> list[str]:
    """The shell command of a run in that folder."""
    asked = [sys.executable, "-m", "tertulia", "run", "--out", str(out), "-n", str(n)]
    return [*asked, "--seed", str(seed), "--slips", str(slips), "--quiet", "--json", *more]


def rows(folder: Path) -> list[tuple[int, bytes]]:
    """Every place and record of a run, as they stand in its database."""
    with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT place, record FROM conversations ORDER BY place").fetchall()


def committed(folder: Path) -> int:
    """How many conversations are committed; -1 when there is no database to ask yet."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as database:
            count: int = database.execute("SELECT count(*) FROM conversations").fetchone()[0]
            return count
    except sqlite3.OperationalError:
        return -1


def stopped(asked: Sequence[str], folder: Path, at: int, how: signal.Signals, deadline: float = 120) -> tuple[int, int]:
    """Start a run and send it a signal once so many conversations are committed: its exit status, and how many.

    Raises:
        RuntimeError: if it ended, or the deadline passed, before there were so many."""
    until = time.monotonic() + deadline
    with subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            while (there := committed(folder)) < at:
                if process.poll() is not None:
                    said = process.stderr.read() if process.stderr else ""
                    raise RuntimeError(f"the run ended with {process.returncode} before it was stopped: {said}")
                if time.monotonic() > until:
                    raise RuntimeError(f"only {there} conversations after {deadline} seconds")
                time.sleep(POLL)
            process.send_signal(how)
            process.communicate(timeout=deadline)
        finally:
            process.kill()
    return process.returncode, there


def finished(asked: Sequence[str], deadline: float = 3600) -> dict[str, object]:
    """Run a command to its end and give what it said.

    Raises:
        RuntimeError: if it failed."""
    done = subprocess.run(asked, capture_output=True, text=True, timeout=deadline, check=False)
    if done.returncode:
        raise RuntimeError(f"the run ended with {done.returncode}: {done.stderr}")
    said: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return said


def moments(n: int, kills: int, seed: int) -> list[int]:
    """Numbers of conversations at which to kill: the first at once, the last with a tenth still to play."""
    return [0, *sorted(Random(seed).sample(range(1, n * 9 // 10), kills - 1))]


def differences(one: Path, other: Path, n: int) -> Iterator[str]:
    """Every way in which two run folders are not the same run of n conversations."""
    for folder in (one, other):
        places = [place for place, _ in rows(folder)]
        if places != list(range(n)):
            yield f"{folder.name}: {len(places)} conversations at {len(set(places))} places, not {n}"
    for (place, mine), (_, theirs) in zip(rows(one), rows(other), strict=False):
        if mine != theirs:
            yield f"conversation {place} has another record"
    exports = [{path.name: path.read_bytes() for path in (folder / "exports").iterdir()} for folder in (one, other)]
    for name in sorted({*exports[0], *exports[1]}):
        if exports[0].get(name) != exports[1].get(name):
            yield f"{name} has other bytes"
    if (one / "manifest.json").read_bytes() != (other / "manifest.json").read_bytes():
        yield "manifest.json differs"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=2_000, help="conversations")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--moments", type=int, default=None, help="seed of the moments; left out: a new one")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(10**6) if options.moments is None else options.moments
    with tempfile.TemporaryDirectory(prefix="tertulia-kill-") as place:
        whole, cut = Path(place) / "whole", Path(place) / "cut"
        print(f"{options.n} conversations, {options.kills} kills, moments drawn with seed {seed}")
        for nth, at in enumerate(moments(options.n, options.kills, seed), start=1):
            status, there = stopped(command(cut, options.n), cut, at, signal.SIGKILL, deadline=3600)
            print(f"kill {nth}: at {there} conversations, status {status}; {committed(cut)} are kept", flush=True)
        finished(command(cut, options.n))
        finished(command(whole, options.n))
        found = list(differences(whole, cut, options.n))
        print(f"compared: {len(rows(whole))} records with {len(rows(cut))}, the manifests, and these exports:")
        for path in sorted((whole / "exports").iterdir()):
            print(f"  {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}  {path.stat().st_size:>11}  {path.name}")
    print("\n".join(found) or "no difference")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
