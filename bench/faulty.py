"""The share of faulty conversations before and after a filter by critics, calibrated on one run and used on another.

Nothing is sent back here: the first draft counts, whatever the critic marks on it, so that what the filter lets pass
and what it takes for nothing can be counted by conversation. In an ordinary run the critic has drafts revised instead.

    python bench/faulty.py            two runs of 2,100, some minutes
    python bench/faulty.py 300        so many conversations in each run
"""

import re
import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import tertulia
from tertulia.cli import app

RUNS = {"chosen": 0, "filtered": 1}  # seeds
SLIPS = 0.05  # share of drafts in which a fault is planted
AT_ONCE = "limits: {revisions: 0, user_revisions: 0, plan_revisions: 0"


def without_revisions(folder: Path) -> Path:
    """The bundled scenarios, of which no draft is sent back."""
    worlds = Path(str(files("tertulia.scenarios") / "worlds"))
    for path in sorted(worlds.glob("*/*.yaml")):
        text = path.read_text(encoding="utf-8")
        told = re.sub(r"^limits: \{", f"{AT_ONCE}, ", text, count=1, flags=re.MULTILINE)
        told = told if told != text else f"{text.rstrip()}\n{AT_ONCE}}}\n"
        (folder / path.name).write_text(told, encoding="utf-8")
    return folder


def main(count: int) -> None:
    with TemporaryDirectory() as name:
        home = Path(name)
        (home / "scenarios").mkdir()
        scenarios = str(without_revisions(home / "scenarios"))
        for run, seed in RUNS.items():
            tertulia.run(scenarios, n=count, slips=SLIPS, seed=seed, out=home / run)
        criteria = str(home / "trusted.yaml")
        app(["judge", str(home / "chosen"), "--calibrate", "--criteria", criteria], standalone_mode=False)
        app(["corpus", str(home / "filtered"), criteria, "--preview"], standalone_mode=False)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2100)
