"""Peak memory and speed of a whole `tertulia run`: ten times the conversations must not need more memory.

Each run is a fresh process in a folder of its own: it plays, judges, stores and exports the bundled set. Its peak is
what the system says of that process when it ends (the resident set at its largest).

    python bench/memory.py            2,000 against 20,000 conversations
    python bench/memory.py --quick    500 against 2,000, for `make bench`
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WANTED = 1.2  # times the peak of the smaller run, at most
SEED, SLIPS = "7", "0.15"
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in which the system counts


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run took."""

    conversations: int
    peak: int  # bytes
    cpu: float  # seconds
    wall: float  # seconds

    def __str__(self) -> str:
        return (
            f"{self.conversations:13}{self.peak / 2**20:11.1f}{self.wall:9.1f}{self.cpu:9.1f}"
            f"{self.conversations / self.wall:9.1f}{self.conversations / self.cpu:13.1f}"
        )


def spent(conversations: int, folder: Path) -> Spent:
    """Run the command in a process of its own and ask the system what it took."""
    out, said = folder / str(conversations), folder / f"{conversations}.json"
    command = [sys.executable, "-m", "tertulia", "run", "--out", str(out), "-n", str(conversations)]
    command += ["--seed", SEED, "--slips", SLIPS, "--json", "--quiet"]
    began = time.monotonic()
    files = [(os.POSIX_SPAWN_OPEN, 1, str(said), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - began
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    played = json.loads(said.read_text())["conversations"]
    if played != conversations:
        raise SystemExit(f"{played} conversations were played, not {conversations}")
    return Spent(played, usage.ru_maxrss * UNIT, usage.ru_utime + usage.ru_stime, wall)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--few", type=int, default=2_000)
    parser.add_argument("--many", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="500 against 2,000")
    options = parser.parse_args(arguments)
    sizes = (500, 2_000) if options.quick else (options.few, options.many)
    print(f"{'conversations':>13}{'peak MiB':>11}{'wall s':>9}{'CPU s':>9}{'conv/s':>9}{'conv/CPU s':>13}")
    runs: list[Spent] = []
    with tempfile.TemporaryDirectory(prefix="tertulia-memory-") as folder:
        for size in sizes:
            runs.append(spent(size, Path(folder)))
            print(runs[-1], flush=True)
    ratio = runs[1].peak / runs[0].peak
    print(
        f"{runs[1].conversations} conversations need {ratio:.3f} times the memory of {runs[0].conversations},", end=" "
    )
    print(f"wanted at most {WANTED}")
    return int(ratio > WANTED)


if __name__ == "__main__":
    sys.exit(main())
