"""Wall time of a run against the ideal when the endpoint is slow, and the memory of thousands of open conversations.

The endpoint is a process of its own that takes half a second for each reply. The ideal is what a client without any
cost of its own would need: conversations begin in their order as places come free, and each takes its number of calls
times the latency. For the memory, two runs with every conversation open at once are compared, a small and a large one;
what the large one needs more is divided by the conversations that it has more.

    python bench/wall.py             1,000 conversations, 256 at once; 5,000 open at once
    python bench/wall.py --quick     200 conversations, 64 at once; 500 open at once, for `make bench`
"""

import argparse
import heapq
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model_calls import KEY, SCENARIO

from tertulia.running.runs import Run
from tertulia.testing.fault_server import apart, counts

WALL, MEMORY = 1.05, 100.0  # wanted, at most: of the ideal; KB for each open conversation
FEW = 100  # conversations of the small run for the memory
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in which the system counts


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run took."""

    folder: Path
    wall: float  # seconds from the first request to the last reply
    cpu: float  # seconds
    peak: int  # bytes
    failed: int


def spent(url: str, folder: Path, conversations: int, at_once: int) -> Spent:
    """A run in a process of its own; its wall time is counted from the moment it begins to ask."""
    scenario = folder / "table-for-two.yaml"
    scenario.write_text(SCENARIO)
    out = folder / f"run-{conversations}-{at_once}"
    command = [sys.executable, "-m", "tertulia", "run", str(scenario), "--out", str(out), "-n", str(conversations)]
    command += ["--model", "openai:rules", "--base-url", url, "--concurrency", str(at_once), "--json", "--quiet"]
    said = folder / "said.json"
    files = [(os.POSIX_SPAWN_OPEN, 1, str(said), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    before = counts(url)["requests"]
    child = os.posix_spawn(command[0], command, {**os.environ, "OPENAI_API_KEY": KEY}, file_actions=files)
    while counts(url)["requests"] == before:
        time.sleep(0.02)
    began = time.monotonic()
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - began
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    told = json.loads(said.read_text().splitlines()[-1])
    failed = sum(told["rejected"].values())
    return Spent(out, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * UNIT, failed)


def ideal(folder: Path, latency: float, at_once: int) -> float:
    """The wall time of a client that costs nothing itself."""
    free = [0.0] * at_once
    for talk in Run(folder).conversations():
        heapq.heapreplace(free, free[0] + talk.usage.calls * latency)
    return max(free)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--conversations", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=256)
    parser.add_argument("--open", type=int, default=5_000, help="conversations open at once, for the memory")
    parser.add_argument("--latency", type=float, default=0.5, help="seconds for each reply")
    parser.add_argument("--quick", action="store_true", help="200 conversations, 64 at once; 500 open at once")
    options = parser.parse_args(arguments)
    conversations, at_once, most = (
        (200, 64, 500)
        if options.quick
        else (
            options.conversations,
            options.at_once,
            options.open,
        )
    )
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="tertulia-wall-") as folder:
        ratio = wall(Path(folder), conversations, at_once, options.latency)
        each, failed = memory(Path(folder), most)
    return int(ratio > WALL or each > MEMORY or failed > 0)


def wall(folder: Path, conversations: int, at_once: int, latency: float) -> float:
    """Wall over ideal."""
    with apart("--latency", str(latency), "--no-caching") as url:
        run = spent(url, folder, conversations, at_once)
        calls = counts(url)["requests"]
    best = ideal(run.folder, latency, at_once)
    print(
        f"{conversations} conversations, {at_once} at once, {calls} calls of {latency * 1e3:.0f} ms: "
        f"{run.wall:.1f} s against {best:.1f} s, {run.cpu / run.wall:.0%} of a core"
    )
    print(f"{run.wall / best:.3f} times the ideal, wanted at most {WALL}")
    return run.wall / best


def memory(folder: Path, most: int) -> tuple[float, int]:
    """KB for each open conversation, and how many failed."""
    with apart("--latency", "4", "--no-caching") as url:
        few = spent(url, folder, FEW, FEW)
    with apart("--latency", "4", "--no-caching") as url:
        many = spent(url, folder, most, most)
        busiest = counts(url)["busiest"]
    each = (many.peak - few.peak) / (most - FEW) / 1e3
    print(
        f"{most} conversations open at once, at most {busiest} of them waiting for a reply: peak {many.peak / 1e6:.0f} "
        f"MB, {few.peak / 1e6:.0f} MB with {FEW}; {many.failed + few.failed} failed, {many.wall:.0f} s"
    )
    print(f"{each:.1f} KB for each open conversation, wanted at most {MEMORY:.0f}")
    return each, many.failed + few.failed


if __name__ == "__main__":
    sys.exit(main())
