"""Kills a run of models with SIGKILL, again and again, and lets the endpoint say whether anything was paid for twice.

The endpoint is the fault server in a process of its own, which outlives the runs. It counts every request by the hash
of its body and puts that hash into the reply, so the journal of a run folder names the requests whose replies are
committed. After each kill both are written down. A reply that was sent and not committed was lost with the kill, and is
asked for again later; so a request may be answered without being committed only as often as it is committed later on,
and after the last kill not at all. Anything beyond was paid for twice. The run that was killed must have the records
and exports of one that nobody disturbed, byte for byte.

    python bench/journal_kill.py             1,000 conversations, ten kills
    python bench/journal_kill.py --quick     60 conversations, three kills, for `make bench`
"""

import argparse
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import zstandard

from tertulia.models.journal import from_json
from tertulia.testing import Fault
from tertulia.testing.fault_server import apart, counts

KEY = "bench-key"
FAULTS = [f"{kind}=0.01" for kind in Fault if kind not in (Fault.HANG, Fault.SLOW)]  # those that wait for no deadline
DEADLINE = 3_600.0  # seconds for one stretch of the run


def command(out: Path, n: int, url: str) -> list[str]:
    """The shell command of the run."""
    asked = [sys.executable, "-m", "tertulia", "run", "--out", str(out), "-n", str(n), "--seed", "5"]
    return [*asked, "--model", "openai:rules", "--base-url", url, "--quiet", "--json"]


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)


def committed(folder: Path) -> int:
    """How many replies are in the journal."""
    try:
        with closing(database(folder)) as journal:
            count: int = journal.execute("SELECT count(*) FROM calls").fetchone()[0]
            return count
    except sqlite3.OperationalError:
        return 0


def paid(folder: Path) -> Counter[str]:
    """How many replies in the journal answer each request, by the hash that the endpoint counts it under.

    Conversations may ask the same, but none may have an entry twice."""
    unpress = zstandard.ZstdDecompressor()
    with closing(database(folder)) as journal:
        rows, distinct = journal.execute(
            "SELECT count(*), count(DISTINCT conversation || hex(key)) FROM calls"
        ).fetchone()
        if rows != distinct:
            raise SystemExit(f"{rows - distinct} replies are in the journal twice")
        replies = (from_json(unpress.decompress(data)) for (data,) in journal.execute("SELECT reply FROM calls"))
        return Counter(json.loads(reply.raw)["id"] for reply in replies)


def settled(url: str) -> dict[str, Any]:
    """The endpoint's counts once it has noticed that its client is gone."""
    while (told := counts(url))["connections"] > 1:  # one is our own
        time.sleep(0.02)
    return told


def killed(asked: Sequence[str], folder: Path, at: int) -> bool:
    """Start the run and kill it once so many replies are committed; False when it ended before."""
    with subprocess.Popen(asked, stdout=subprocess.DEVNULL, env={**os.environ, "OPENAI_API_KEY": KEY}) as process:
        until = time.monotonic() + DEADLINE
        while process.poll() is None:
            if committed(folder) >= at:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True
            if time.monotonic() > until:
                process.kill()
                raise SystemExit(f"no {at} replies within {DEADLINE:.0f} s")
            time.sleep(0.003)
        return False


def completed(asked: Sequence[str]) -> dict[str, Any]:
    """Let the run finish; its summary."""
    done = subprocess.run(
        asked, stdout=subprocess.PIPE, text=True, timeout=DEADLINE, env={**os.environ, "OPENAI_API_KEY": KEY}
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(asked)} ended with {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def contents(folder: Path) -> dict[str, Any]:
    """Every record and every export of a run."""
    with closing(database(folder)) as run:
        records = dict(run.execute("SELECT place, record FROM conversations"))
    return {"records": records} | {path.name: path.read_bytes() for path in (folder / "exports").glob("*.jsonl")}


def disturbed(folder: Path, n: int, kills: int, calls: int, chance: Random) -> tuple[int, int]:
    """Play with kills in between: how many committed calls were asked again, and how many replies the kills lost."""
    looks: list[tuple[Counter[str], Counter[str]]] = [(Counter(), Counter())]  # committed, answered
    with apart("--faults", *FAULTS, "--latency", "0.02", "--no-caching") as url:
        asked = command(folder, n, url)
        for at in sorted(chance.randrange(calls) for _ in range(kills)):
            if not killed(asked, folder, at):
                raise SystemExit(f"the run ended after {len(looks) - 1} of {kills} kills")
            looks.append((paid(folder), Counter(settled(url)["answered"])))
            committed_now, answered = (counted.total() for counted in looks[-1])
            print(f"killed with {committed_now} replies committed; {answered} were sent so far", flush=True)
        completed(asked)
        looks.append((paid(folder), Counter(settled(url)["answered"])))
    return again(looks), looks[-1][1].total() - looks[-1][0].total()


def again(looks: Sequence[tuple[Counter[str], Counter[str]]]) -> int:
    """How many replies were sent for requests that were committed before."""
    end, twice = looks[-1][0], 0
    for (kept, sent), (later, resent) in pairwise(looks):
        for key in resent:
            uncommitted = (resent[key] - sent[key]) - (later[key] - kept[key])
            twice += max(0, uncommitted - (end[key] - later[key]))
    return twice


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=1_000, help="conversations")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, help="of the moments; left out: random")
    parser.add_argument("--quick", action="store_true", help="60 conversations, three kills")
    options = parser.parse_args(arguments)
    n, kills = (60, 3) if options.quick else (options.n, options.kills)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory(prefix="tertulia-journal-") as name:
        whole, broken = Path(name) / "whole", Path(name) / "broken"
        with apart("--faults", *FAULTS, "--latency", "0.02", "--no-caching") as url:
            summary = completed(command(whole, n, url))
        calls = committed(whole)
        print(
            f"{n} conversations, {calls} replies, rejected: {summary['rejected']}; moments by seed {seed}", flush=True
        )
        twice, lost = disturbed(broken, n, kills, calls, Random(seed))
        same = contents(whole) == contents(broken)
    print(f"{twice} committed calls were asked again, wanted 0; {lost} replies were under way at {kills} kills")
    print(f"records and exports are {'the same' if same else 'NOT the same'} as those of an uninterrupted run")
    return int(twice > 0 or not same)


if __name__ == "__main__":
    sys.exit(main())
