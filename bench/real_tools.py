"""How much of ToolAlpaca's own instructions the rule cast solves: `python bench/real_tools.py FILE [--show]`.

The file (Tang et al., arXiv 2306.05301) is brought in by `tertulia import toolalpaca`: every instruction an opening,
its golden answer what the user wants. Items whose gold has a fault are left out, counted by rule, and the others are
played offline without slips. The columns are those of `bench/api_scripts.py`, by API.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from api_scripts import HEAD, Tally, shown

import tertulia
from tertulia.commands.check import checked
from tertulia.importing import Asked, bring_in


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the conversations that fail")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "items"
        report = bring_in("toolalpaca", Asked(given.file, seed=given.seed), home)
        paths = [home / f"{item}.yaml" for item in report.scenarios]
        _, sound, faults = checked(paths)
        rules = ", ".join(f"{rule} {count}" for rule, count in Counter(fault.rule for fault in faults).most_common())
        print(f"{len(paths)} items, {len(paths) - len(sound)} with a fault left out: {rules}\n\n{HEAD}")
        scenarios = {scenario.id: scenario for scenario in sound}
        played = [home / f"{item}.yaml" for item in scenarios]
        run = tertulia.run(played, n=len(played), seed=given.seed, slips=0.0, out=Path(name) / "run")
        total, apis = Tally(), dict[str, Tally]()
        for talk in run.conversations():
            scenario = scenarios[talk.scenario]
            total.add(scenario, talk)
            api = talk.scenario.rpartition("-")[0]
            if not apis.setdefault(api, Tally()).add(scenario, talk) and given.show:
                print("\n".join(shown(scenario, talk)))
    for api, tally in sorted(apis.items()):
        print(tally.row(api))
    print(total.row("all"))


if __name__ == "__main__":
    main()
