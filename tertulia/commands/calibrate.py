"""`tertulia judge --calibrate` and `--against`: how far critics and judges can be trusted, and what changed in them."""

from collections.abc import Iterator
from json import dumps
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape

from tertulia.commands.printing import as_json, console, note, table
from tertulia.commands.tables import percent
from tertulia.corpus.calibration import Calibration, Counts, calibrated
from tertulia.corpus.drift import Drift, drifted
from tertulia.errors import UserError
from tertulia.evaluation.agreement.rows import HUMAN, read_rows
from tertulia.running.run_folder import write_atomically
from tertulia.running.runs import Run
from tertulia.running.summary import rounded

__all__ = ["perform"]

FILE = "calibration.json"  # in the run's folder
GOOD = {"true", "1", "good", "pass", "accept", "yes"}
BAD = {"false", "0", "bad", "fail", "reject", "no"}
RATES = ("precision", "recall")
TRUTHS = {"slips": "planted slips that are still in it", "people": "people's labels"}


def perform(*, folder: Path, labels: Path | None, precision: float, against: Path | None, json: bool) -> int:
    run = Run(folder)
    if against:
        return show_drift(drifted(Run(against).conversations(), run.conversations()), against, json=json)
    found = calibrated(run.conversations(), people(labels) if labels else {}, precision)
    if labels and not any(truth == "people" for truth, _ in found.decided):
        raise UserError(f"{str(labels)!r} labels no conversation of {str(folder)!r}: an item is the id of one")
    result = found.as_json()
    write_atomically(folder / FILE, dumps(result, ensure_ascii=False, indent=1) + "\n")
    if json:
        as_json({"run": str(folder), "path": str(folder / FILE)} | result)
        return 0
    screen = console()
    for part in parts(found):
        screen.print(part)
    note(f"{folder / FILE}: the same as JSON")
    return 0


def people(path: Path) -> dict[str, bool]:
    """Whether people call a conversation good, by its id; of several labels of one person, rows are checked already.

    Raises:
        ScenarioError: with every row that cannot be read.
        UserError: for a label that is neither good nor bad."""
    found: dict[str, bool] = {}
    for row in read_rows([path]).labels:
        if row.rater != HUMAN or row.label is None:
            continue
        said = str(row.label).lower()
        if said not in GOOD | BAD:
            raise UserError(f"{path}: the label {row.label!r} of {row.item!r} is neither good (true) nor bad (false)")
        found[row.item] = said in GOOD
    return found


def parts(found: Calibration) -> Iterator[RenderableType]:
    """Critics on drafts, what filtering by them gives, judges on conversations, and where to cut."""
    trusted = found.trusted()
    critics = table("critics on drafts, against planted slips", "principle", "planted", "found", "false", *RATES, "<")
    for (critic, principle), counts in found.critics().items():
        name = "trusted" if (critic, principle) in trusted else ""
        critics.add_row(escape(f"{principle} ({critic})"), *cells(counts), name)
    yield critics
    filtered = table("\ndrafts of the other half", "flagged by", "faulty before", "after", "missed", "false alarms")
    for name, counts in (("any mark", found.filtered()), ("trusted marks", found.filtered(trusted))):
        rates = counts.as_json()
        shares = (rates["faulty_before"], rates["faulty_after"], rates["miss_rate"], rates["false_alarm_rate"])
        filtered.add_row(name, *map(percent, shares))
    yield filtered
    for truth in sorted({truth for truth, _ in found.decided}):
        yield judges(found, truth)
        yield cuts(found, truth)


def judges(found: Calibration, truth: str) -> RenderableType:
    made = table(f"\njudges on conversations, against {TRUTHS[truth]}", "judge", "faulty", "found", "false", *RATES)
    for (which, judge), counts in sorted(found.decided.items()):
        if which == truth:
            made.add_row(escape(judge), *cells(counts))
    return made


def cuts(found: Calibration, truth: str) -> RenderableType:
    made = table(
        f"\nwhere to cut, chosen on one half for {truth} and measured on the other", "reject", *RATES, "<measured"
    )
    for cut in found.cuts(truth):
        rule = cut.as_json()["reject"]
        measured = f"precision {percent(cut.measured.precision)}, recall {percent(cut.measured.recall)}"
        made.add_row(escape(rule), percent(cut.chosen.precision), percent(cut.chosen.recall), measured)
    return made


def cells(counts: Counts) -> tuple[str, ...]:
    faulty = counts.true + counts.missed
    return str(faulty), str(counts.true), str(counts.false), percent(counts.precision), percent(counts.recall)


def show_drift(found: list[Drift], against: Path, *, json: bool) -> int:
    """Status 1 when a verdict changed."""
    changed = any(drift.now_pass + drift.now_fail for drift in found)
    if json:
        as_json({"against": str(against), "changed": changed, "judges": [drift.as_json() for drift in found]})
        return int(changed)
    made = table(
        f"verdicts, against {escape(str(against))}",
        *("judge", "both", "now pass", "now fail", "agreement", "kappa", "score shift", "<examples"),
    )
    for drift in found:
        kappa, shift = rounded(drift.kappa), rounded(drift.shift)
        made.add_row(
            escape(drift.judge),
            *map(str, (drift.both, drift.now_pass, drift.now_fail)),
            percent(drift.agreement),
            "-" if kappa is None else f"{kappa:.3f}",
            "-" if shift is None else f"{shift:+.4f}",
            escape(", ".join(drift.examples)),
        )
    console().print(made)
    return int(changed)
