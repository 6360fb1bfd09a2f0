"""`tertulia agreement`: do static and dynamic scores track people's, and do critics and judges?"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.markup import escape

from tertulia.commands.printing import as_json, console, counted, note, table
from tertulia.evaluation.agreement.modes import Agreement, agreement
from tertulia.evaluation.agreement.raters import Raters, raters
from tertulia.evaluation.agreement.rows import HUMAN, read_rows

__all__ = ["perform"]


def perform(*, files: tuple[Path, ...], json: bool) -> int:
    rows = read_rows(files)
    scores = agreement(rows.dialogues)
    labels = raters(rows.labels) if rows.labels else None
    notes = list(scores.notes) if rows.dialogues else []
    if labels and not labels.raters:
        notes.append(f"no rater beside {HUMAN!r}, or none called so: labels are only compared among each other")
    if json:
        result: dict[str, Any] = asdict(scores) | {"notes": notes, "icc_form": "ICC(2,1)"}
        as_json(result | ({"labels": asdict(labels)} if labels else {}))
        return 0
    if rows.dialogues:
        show_modes(scores)
    if labels:
        show_raters(labels)
    for text in notes:
        note(text)
    return 0


def show_modes(scores: Agreement) -> None:
    made = table("slot F1", "agent", "<mode", "mean", "std", "trials", "items")
    for row in scores.f1:
        made.add_row(
            escape(row.agent), escape(row.mode), points(row.mean), points(row.std), str(row.trials), str(row.items)
        )
    console().print(made)
    if not scores.gap:
        return
    made = table(f"\nagainst {HUMAN}, by agent", "mode", "agents", "Pearson", "Spearman", "gap")
    for mode, gap in scores.gap.items():
        among = (number(kind[mode]) for kind in (scores.pearson, scores.spearman))
        made.add_row(escape(mode), str(scores.agents[mode]), *among, f"{gap:.2f}")
    console().print(made)
    made = table(f"\nagainst {HUMAN}, by item", "mode", "items", "ICC(2,1)", "Pearson", "Spearman")
    for mode in scores.gap:
        among = (number(kind[mode]) for kind in (scores.icc, scores.item_pearson, scores.item_spearman))
        made.add_row(escape(mode), str(scores.items[mode]), *among)
    console().print(made)


def show_raters(labels: Raters) -> None:
    if labels.raters:
        made = table(f"raters against {HUMAN}", "rater", "items", "precision", "recall", "Cohen's kappa")
        for row in labels.raters:
            figures = map(number, (row.precision, row.recall, row.cohen_kappa))
            made.add_row(escape(row.rater), str(row.items), *figures)
        console().print(made)
    print(f"Krippendorff's alpha {number(labels.krippendorff_alpha)} over all labels")
    shared = counted(labels.fleiss_items, "item")
    print(f"Fleiss' kappa {number(labels.fleiss_kappa)} over the {shared} that every rater labelled")


def points(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
