"""`tertulia judge --calibrate` and `--against`: how far critics and judges can be trusted, and what changed in them."""

from collections.abc import Iterator
from json import dumps
from pathlib import Path

import yaml
from rich.console import RenderableType
from rich.markup import escape

from tertulia.commands.printing import as_json, console, note, table
from tertulia.corpus.fields import principles
from tertulia.corpus.trust.calibration import PEOPLE, SLIPS, Calibration, calibrated
from tertulia.corpus.trust.drift import Drift, drifted
from tertulia.corpus.trust.labels import Labels, read_labels
from tertulia.corpus.trust.marks import SEVERITIES
from tertulia.corpus.trust.rates import Counts, interval
from tertulia.errors import UserError
from tertulia.running.run_folder import write_atomically
from tertulia.running.runs import Run
from tertulia.running.store import Store
from tertulia.shares import percent, rounded

__all__ = ["BY", "labels_of", "perform", "surely", "tell_unseen"]

FILE = "calibration.json"  # in the run's folder
RATES = ("precision", "recall")
BY = {SLIPS: "planted slips", PEOPLE: "people's labels"}
TRUTHS = BY | {SLIPS: "planted slips that are still in it"}


def perform(
    *, folder: Path, labels: Path | None, precision: float, criteria: Path | None, against: Path | None, json: bool
) -> int:
    run = Run(folder)
    if against:
        return show_drift(drifted(Run(against).conversations(), run.conversations()), against, json=json)
    found = calibrated(run.conversations(), labels_of(folder, labels), precision)
    known = {truth for truth, _ in found.decided} | set(found.marks)
    if labels and PEOPLE not in known:
        raise UserError(f"{str(labels)!r} labels no conversation of {str(folder)!r}: an item is the id of one")
    tell_unseen(found.labels, labels, folder)
    result = found.as_json()
    write_atomically(folder / FILE, dumps(result, ensure_ascii=False, indent=1) + "\n")
    if criteria:
        write_criteria(found, criteria)
    if json:
        as_json({"run": str(folder), "path": str(folder / FILE)} | result)
        return 0
    screen = console()
    for part in parts(found):
        screen.print(part)
    note(f"{folder / FILE}: the same as JSON")
    return 0


def write_criteria(found: Calibration, path: Path) -> None:
    """A file of criteria that rejects what is marked by critics or cut by judges that are right often enough.

    Raises:
        UserError: if it is there already or cannot be written, or nothing is right often enough."""
    truth = PEOPLE if PEOPLE in found.marks or any(known == PEOPLE for known, _ in found.decided) else SLIPS
    rules = found.rules(truth)
    if not rules:
        raise UserError(f"no critic and no judge is right in {found.least_precision:.0%}: give a lower --precision")
    given = {"id": path.stem, "rules": [{"reject": rule, "because": name} for name, rule in rules.items()]}
    text = yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=1000)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"# chosen by {BY[truth]}, at a precision of {found.least_precision:g}\n{text}")
    except FileExistsError:
        raise UserError(f"{str(path)!r} is there already") from None
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    note(f"{path}: {len(rules)} rules for `tertulia corpus`")


def labels_of(folder: Path, path: Path | None) -> Labels:
    """What people say of a run; nothing without a file.

    Raises:
        ScenarioError: with every line that cannot be used.
        UserError: if the file cannot be read, or holds nothing that people say."""
    if path is None:
        return Labels()
    with Store(folder) as store:
        known = {name for scenario in store.scenarios().values() for name in principles(scenario)}
    return read_labels(path, known)


def tell_unseen(labels: Labels, path: Path | None, folder: Path) -> None:
    """Say how many of the labelled conversations are not in a run that has been read."""
    if labels.unseen:
        first, line = min(labels.unseen.items(), key=lambda one: one[1])
        count = len(labels.unseen)
        note(f"{path}: {count} of its conversations are not in {folder}; the first is {first!r} (line {line})")


def parts(found: Calibration) -> Iterator[RenderableType]:
    """Critics on drafts, what filtering by them gives, judges on conversations, and where to cut."""
    for truth in sorted(found.marks, reverse=True):
        yield critics(found, truth)
        yield filtered(found, truth)
    for truth in sorted({truth for truth, _ in found.decided}, reverse=True):
        yield judges(found, truth)
        yield cuts(found, truth)


def critics(found: Calibration, truth: str) -> RenderableType:
    marks = found.marks[truth]
    trusted = marks.trusted(found.least_precision)
    title = f"critics on drafts, against {BY[truth]}"
    made = table(title, "principle", "broken", "found", "false", *RATES, "kappa", "<trusted from")
    for (critic, principle), counts in marks.critics().items():
        severity = trusted.get((critic, principle))
        kappa = "-" if counts.kappa is None else f"{counts.kappa:.2f}"
        name = "" if severity is None else SEVERITIES[severity]
        made.add_row(escape(f"{principle} ({critic})"), *cells(counts), kappa, name)
    return made


def filtered(found: Calibration, truth: str) -> RenderableType:
    marks = found.marks[truth]
    made = table(
        f"\ndrafts of the other half, against {BY[truth]} [95% interval]",
        *("flagged by", "drafts", "<faulty before", "<after", "<missed", "<false alarms"),
    )
    for name, trusted in (("any mark", None), ("trusted marks", marks.trusted(found.least_precision))):
        counts = marks.filtered(trusted)
        rates = [surely(*counts.parts[rate]) for rate in ("faulty_before", "faulty_after", "miss_rate")]
        made.add_row(name, str(counts.total), *rates, surely(*counts.parts["false_alarm_rate"]))
    return made


def surely(part: int, whole: int) -> str:
    """A share with its interval, as text."""
    ends = interval(part, whole)
    return escape(f"{part / whole:.2%} [{ends[0]:.2%}, {ends[1]:.2%}]") if ends else "-"


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
