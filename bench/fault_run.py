"""A long run against an endpoint at which a fifth of everything goes wrong, in every way there is.

The endpoint is the fault server in a process of its own: all kinds of faults alike, and no more than so many requests
at a time, above which it answers 429. Nothing may be lost and nothing may hang; every failure is counted under its
cause, by the client as by the endpoint; and the client finds out by itself how much the endpoint bears.

    python bench/fault_run.py             1,000 conversations
    python bench/fault_run.py --quick     60 conversations, for `make bench`
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tertulia.running.runs import Run
from tertulia.testing import Fault
from tertulia.testing.fault_server import apart, counts

KEY = "bench-key"
LATENCY, AT_ONCE, OPEN = 0.1, 48, 256  # seconds; what the endpoint bears; conversations open at once
DEADLINE = 2.0  # seconds for one try of a call
WIRE = {
    Fault.RATE_LIMITED: "rate_limited",
    Fault.SERVER_ERROR: "server_error",
    Fault.UNAVAILABLE: "server_error",
    Fault.HANG: "timeout",
    Fault.RESET: "connection",
    Fault.TRUNCATED_BODY: "malformed",
    Fault.MALFORMED_JSON: "malformed",
    Fault.NOT_A_COMPLETION: "malformed",
    Fault.TOO_LONG: "too_long",
}


def begun(url: str, folder: Path, n: int) -> subprocess.Popen[str]:
    """The run in a process of its own."""
    command = [sys.executable, "-m", "tertulia", "run", "--out", str(folder), "-n", str(n), "--concurrency", str(OPEN)]
    command += ["--model", "openai:rules", "--base-url", url, "--deadline", str(DEADLINE), "--json", "--quiet"]
    environment = {**os.environ, "OPENAI_API_KEY": KEY}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def watched(process: subprocess.Popen[str], url: str) -> list[tuple[int, int]]:
    """Requests and refusals so far, looked at every half second until the run is over."""
    seen = []
    while process.poll() is None:
        told = counts(url)
        seen.append((told["requests"], told["turned_away"]))
        time.sleep(0.5)
    return seen


def shares(seen: Sequence[tuple[int, int]], parts: int = 5) -> list[float]:
    """The share of requests that was turned away in each part of the run."""
    total = seen[-1][0]
    marks = [next(look for look in seen if look[0] >= total * part / parts) for part in range(parts + 1)]
    marks[0] = (0, 0)
    return [(b[1] - a[1]) / max(1, b[0] - a[0]) for a, b in pairwise(marks)]


def listed(counted: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items(), key=lambda pair: -pair[1])) or "none"


def report(n: int, summary: dict[str, Any], told: dict[str, Any], seen: Sequence[tuple[int, int]], wall: float) -> bool:
    """Print what came of it; whether nothing is amiss."""
    sent: dict[str, int] = {}
    for fault, cause in WIRE.items():
        sent[cause] = sent.get(cause, 0) + told["faults"].get(fault, 0)
    sent["rate_limited"] += told["turned_away"]
    faults = sum(told["faults"].values())
    kinds = len(told["faults"])
    print(f"{n} conversations in {wall:.0f} s, {told['requests']} requests, {faults} of them spoiled in {kinds} ways")
    print(f"accepted {summary['accepted']}, rejected: {listed(summary['rejected'])}")
    print(f"on the wire, as the client counts:   {listed(summary['http'])}")
    print(f"on the wire, as the endpoint counts: {listed(sent)}")
    print(f"in the replies: {listed(summary['troubles'])}")
    print(
        f"the endpoint bears {AT_ONCE} at once, {OPEN} conversations are open; turned away in each fifth of the run: "
        + ", ".join(f"{share:.0%}" for share in shares(seen))
    )
    lost = n - summary["accepted"] - sum(summary["rejected"].values())
    crashed = summary["rejected"].get("failed", 0)
    print(f"{lost} lost, {crashed} crashed, wanted 0 and 0")
    return lost == 0 and crashed == 0 and set(sent) == set(summary["http"]) and summary["conversations"] == n


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=1_000, help="conversations")
    parser.add_argument("--share", type=float, default=0.2, help="of the requests that meet a fault")
    parser.add_argument("--quick", action="store_true", help="60 conversations")
    options = parser.parse_args(arguments)
    n = 60 if options.quick else options.n
    endpoint = ["--faults", str(options.share), "--latency", str(LATENCY), "--at-once", str(AT_ONCE), "--slow", "0.5"]
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as name, apart(*endpoint, "--no-caching") as url:
        began = time.monotonic()
        with begun(url, Path(name) / "run", n) as process:
            seen = watched(process, url)
            said = process.stdout.read() if process.stdout else ""
        wall = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"the run ended with {process.returncode}")
        places = [talk.index for talk in Run(Path(name) / "run").conversations()]
        good = report(n, json.loads(said.splitlines()[-1]), counts(url), seen, wall)
    return int(not good or places != list(range(n)))


if __name__ == "__main__":
    sys.exit(main())
