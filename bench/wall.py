"""Wall time of a run against the ideal when the endpoint is slow, and the memory of thousands of open conversations.

The endpoint is a process of its own that takes half a second for each reply. The ideal is what a client without any
cost of its own would need: conversations begin in their order as places come free, and each takes its number of calls
times the latency. Bare aiohttp sends the same requests in the same minute, so that one sees what of the rest is the
machine's. The endpoint measures the time, from the first request that it gets to the last reply that it sends.

For the memory, two runs with every conversation open at once are compared, a small and a large one; what the large one
needs more is divided by the conversations that it has more.

    python bench/wall.py             1,000 conversations, 256 at once; 5,000 open at once
    python bench/wall.py --quick     200 conversations, 64 at once; 500 open at once, for `make bench`
"""

import argparse
import asyncio
import heapq
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model_calls import KEY, SCENARIO, bare, child

from tertulia.running.playing import run
from tertulia.running.runs import Run
from tertulia.testing.fault_server import apart, counts

WALL, MEMORY = 1.05, 100.0  # wanted, at most: of the ideal; KB for each open conversation
FEW = 100  # conversations of the small run for the memory
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in which the system counts


@dataclass(frozen=True, slots=True)
class Spent:
    """What one way of going through the conversations took of its process."""

    cpu: float  # seconds
    peak: int = 0  # bytes
    failed: int = 0


def played(url: str, folder: Path, conversations: int, at_once: int) -> Spent:
    """A run of tertulia in this process."""
    scenario = folder / "table-for-two.yaml"
    scenario.write_text(SCENARIO)
    options = {"model": "openai:rules", "base_url": url, "concurrency": at_once, "slips": 0.0}
    began = time.process_time()
    done = run([str(scenario)], n=conversations, out=folder / "run", fresh=True, **options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    return Spent(time.process_time() - began, peak, done.summary.rejected.total())


def sent(url: str, folder: Path, conversations: int, at_once: int) -> Spent:
    """The same requests by bare aiohttp."""
    bodies = json.loads((folder / "bodies.json").read_text())
    chosen = [bodies[nth % len(bodies)] for nth in range(conversations)]
    began = time.process_time()
    asyncio.run(bare(url, chosen, at_once))
    return Spent(time.process_time() - began)


WAYS = {"played": played, "sent": sent}


def apart_from_us(way: str, url: str, folder: Path, conversations: int, at_once: int) -> Spent:
    """One way in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--url", url, "--folder", str(folder)]
    command += ["--conversations", str(conversations), "--at-once", str(at_once)]
    environment = {**os.environ, "OPENAI_API_KEY": KEY}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def ideal(calls: Iterable[int], latency: float, at_once: int) -> float:
    """The wall time of a client that costs nothing itself, from the number of calls of each conversation."""
    free = [0.0] * at_once
    for number in calls:
        heapq.heapreplace(free, free[0] + number * latency)
    return max(free)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--conversations", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=256)
    parser.add_argument("--open", type=int, default=5_000, help="conversations open at once, for the memory")
    parser.add_argument("--latency", type=float, default=0.5, help="seconds for each reply")
    parser.add_argument("--quick", action="store_true", help="200 conversations, 64 at once; 500 open at once")
    for hidden in ("--way", "--url", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.way:
        one = WAYS[options.way](options.url, Path(options.folder), options.conversations, options.at_once)
        print(json.dumps(asdict(one)))
        return 0
    sizes = (200, 64, 500) if options.quick else (options.conversations, options.at_once, options.open)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="tertulia-wall-") as folder:
        ratio = wall(Path(folder), sizes[0], sizes[1], options.latency)
        each, failed = memory(Path(folder), sizes[2])
    return int(ratio > WALL or each > MEMORY or failed > 0)


def wall(folder: Path, conversations: int, at_once: int, latency: float) -> float:
    """Wall over ideal."""
    with apart("--no-caching") as url:
        child("write-down", url, 0, folder)
    took: dict[str, tuple[float, float, int]] = {}
    for name, way in (("bare aiohttp", "sent"), ("tertulia", "played")):
        with apart("--latency", str(latency), "--no-caching") as url:
            cpu = apart_from_us(way, url, folder, conversations, at_once).cpu
            told = counts(url)
        took[name] = (told["seconds"], cpu, told["requests"])
    lengths = [len(talk) for talk in json.loads((folder / "bodies.json").read_text())]
    bests = {
        "bare aiohttp": ideal((lengths[nth % len(lengths)] for nth in range(conversations)), latency, at_once),
        "tertulia": ideal((talk.usage.calls for talk in Run(folder / "run").conversations()), latency, at_once),
    }
    print(f"{conversations} conversations, {at_once} at once, {latency * 1e3:.0f} ms for each reply")
    print(f"{'':14}{'calls':>8}{'ideal s':>9}{'seconds':>9}{'of ideal':>10}{'CPU s':>8}")
    for name, (seconds, cpu, calls) in took.items():
        best = bests[name]
        print(f"{name:14}{calls:8}{best:9.1f}{seconds:9.1f}{seconds / best:10.3f}{cpu:8.1f}", flush=True)
    ratio = took["tertulia"][0] / bests["tertulia"]
    print(f"{ratio:.3f} times the ideal, wanted at most {WALL}")
    return ratio


def memory(folder: Path, most: int) -> tuple[float, int]:
    """KB for each open conversation, and how many failed."""
    with apart("--latency", "4", "--no-caching") as url:
        few = apart_from_us("played", url, folder, FEW, FEW)
    with apart("--latency", "4", "--no-caching") as url:
        many = apart_from_us("played", url, folder, most, most)
        told = counts(url)
    each, failed = (many.peak - few.peak) / (most - FEW) / 1e3, many.failed + few.failed
    print(
        f"{most} conversations open at once, at most {told['busiest']} of them waiting for a reply: peak "
        f"{many.peak / 1e6:.0f} MB, {few.peak / 1e6:.0f} MB with {FEW}; {failed} failed, {told['seconds']:.0f} s"
    )
    print(f"{each:.1f} KB for each open conversation, wanted at most {MEMORY:.0f}")
    return each, failed


if __name__ == "__main__":
    sys.exit(main())
