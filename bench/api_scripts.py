"""How much of a made set the rule cast gets right: `python bench/api_scripts.py DOCS... [-n 20] [--seed 0] [--show]`.

DOCS are OpenAPI documents, folders of them, or a file of ToolAlpaca (Tang et al., arXiv 2306.05301), whose documents
are taken out of it. Of each document so many scripts are made, linted, played offline without slips and exported as an
evaluation set. `exact`: the share of gold calls that were made with exactly the values wanted; slot precision, recall
and F1 are those of `tertulia.gold`, the mean over the scripts of a kind. The assistant was tuned on the documents at
even places in the order of their titles; those at odd places are the unseen half.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tertulia
from tertulia.commands.check import checked
from tertulia.gold import calls_that_worked, comparable, gold_of, measure
from tertulia.importing import Asked, bring_in
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.worlds import open_world

SINGLE = ("single_call", "missing_optional", "change_of_mind", "ambiguous")  # kinds with one call


@dataclass
class Tally:
    """What the scripts of one kind, or of one document, gave."""

    scripts: int = 0
    passed: int = 0
    calls: int = 0
    exact: int = 0
    slots: list[tuple[float, float, float]] = field(default_factory=list)  # precision, recall, F1

    def add(self, scenario: Scenario, talk: Conversation) -> bool:
        """Count one conversation; whether it is a success."""
        world = open_world(scenario)
        measured = measure(scenario, world, talk.messages)
        wanted = [comparable(call.name, call.by, call.args, world.tools) for call in gold_of(scenario).calls]
        made = Counter(calls_that_worked(talk.messages, world.tools))
        self.scripts += 1
        self.passed += measured.passed
        self.calls += len(wanted)
        self.exact += sum((Counter(wanted) & made).values())
        self.slots.append((measured.slots.precision, measured.slots.recall, measured.slots.f1))
        return measured.passed

    def row(self, name: str) -> str:
        mean = [sum(column) / len(self.slots) for column in zip(*self.slots, strict=True)] if self.slots else [0, 0, 0]
        exact = f"{self.exact}/{self.calls}"
        share = f"{self.exact / self.calls:.2f}" if self.calls else "-"
        figures = "".join(f"{value:>8.2f}" for value in mean)
        return f"{name:<18}{self.scripts:>8}{self.passed:>8}{exact:>9}{share:>7}{figures}"


HEAD = f"{'':<18}{'scripts':>8}{'passed':>8}{'calls':>9}{'exact':>7}{'prec':>8}{'recall':>8}{'F1':>8}"


def documents(given: Sequence[Path], folder: Path) -> list[Path]:
    """The documents as files, in the order of their names."""
    found = []
    for path in given:
        if path.is_dir():
            found += documents(sorted(p for p in path.iterdir() if p.suffix in (".json", ".yaml", ".yml")), folder)
            continue
        held = json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else {}
        if not isinstance(held, list):
            found.append(path)
            continue
        for api in held:
            found.append(folder / f"{api['Name']}.json")
            found[-1].write_text(api["Documentation"], encoding="utf-8")
    return sorted(found, key=lambda path: path.stem)


def shown(scenario: Scenario, talk: Conversation) -> Iterator[str]:
    yield f"--- {scenario.id}: wanted {[(want.call, want.gold) for want in scenario.script.wants]}"
    for message in talk.messages:
        calls = ", ".join(f"{call.name}({json.dumps(call.args)})" for call in message.calls)
        yield f"    {message.speaker}: {(message.text or calls)[:400]}"


def play(path: Path, n: int, seed: int, folder: Path, kinds: dict[str, Tally], *, show: bool) -> Tally:
    """Make, lint, play and export the scripts of one document."""
    total, home = Tally(), folder / path.stem
    report = bring_in("openapi", Asked(path, n, seed), home)
    faults = checked([home / f"{name}.yaml" for name in report.scenarios])[2]
    run = tertulia.run([home], n=len(report.scenarios), seed=seed, slips=0.0, out=folder / f"{path.stem}-run")
    scenarios = {name: tertulia.load_scenario(home / f"{name}.yaml") for name in report.scenarios}
    ends = Counter(talk.end_reason for talk in run.conversations())
    for talk in run.conversations():
        scenario = scenarios[talk.scenario]
        total.add(scenario, talk)
        if not kinds.setdefault(scenario.kind, Tally()).add(scenario, talk) and show:
            print("\n".join(shown(scenario, talk)))
    exported = run.export("evalset", folder / f"{path.stem}.jsonl")
    broken = ends.get("failed", 0)
    print(total.row(path.stem), f"  {len(faults)} faults, {exported.rows} items exported, {broken} failed")
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs", nargs="+", type=Path)
    parser.add_argument("-n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", choices=("tuned", "unseen"), help="only the documents of one half")
    parser.add_argument("--show", action="store_true", help="print the conversations that fail")
    given = parser.parse_args()
    kinds: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(HEAD)
        for nth, path in enumerate(documents(given.docs, folder)):
            half = "tuned" if nth % 2 == 0 else "unseen"
            if given.half in (None, half):
                play(path, given.n, given.seed, folder, kinds, show=given.show)
    print()
    for kind, tally in kinds.items():
        print(tally.row(kind))
    single = [tally for kind, tally in kinds.items() if kind in SINGLE]
    f1 = [row[2] for tally in single for row in tally.slots]
    print(f"\nslot F1 of the kinds with one call: {sum(f1) / len(f1):.3f} over {len(f1)} scripts" if f1 else "")


if __name__ == "__main__":
    main()
