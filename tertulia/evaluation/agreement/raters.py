"""Critics and judges against people's labels, and all raters among each other."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from tertulia.evaluation.agreement.coefficients import cohen_kappa, fleiss_kappa, krippendorff_alpha
from tertulia.evaluation.agreement.rows import HUMAN, Label

__all__ = ["ClassScore", "RaterScore", "Raters", "raters"]

BOOLEAN = {"true", "false"}


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How a rater uses one label, by the human's. None where nobody gave it."""

    label: str
    precision: float | None
    recall: float | None
    found: int  # given by both
    missed: int  # by the human alone
    false: int  # by the rater alone


@dataclass(frozen=True, slots=True)
class RaterScore:
    """A rater against the human, on the items that both labelled."""

    rater: str
    items: int
    precision: float | None  # of the label true; where labels are no booleans, the mean over labels
    recall: float | None
    cohen_kappa: float | None
    classes: tuple[ClassScore, ...]


@dataclass(frozen=True, slots=True)
class Raters:
    """Every rater against the human, and all of them together."""

    raters: tuple[RaterScore, ...]
    fleiss_kappa: float | None  # on the items that every rater labelled
    fleiss_items: int
    krippendorff_alpha: float | None  # nominal, on all labels


def raters(labels: Iterable[Label]) -> Raters:
    """Compare labels; an abstention (null) is as if the row were not there."""
    given: dict[str, dict[str, str]] = defaultdict(dict)
    for row in labels:
        if row.label is not None:
            given[row.rater][row.item] = row.label if isinstance(row.label, str) else json.dumps(row.label)
    items = sorted({item for rows in given.values() for item in rows})
    table = [[rows[item] for _, rows in sorted(given.items()) if item in rows] for item in items]
    whole = [labels_of for labels_of in table if len(labels_of) == len(given) > 1]
    others = sorted(given.keys() - {HUMAN}) if HUMAN in given else []
    return Raters(
        tuple(_against(rater, given[rater], given[HUMAN]) for rater in others),
        fleiss_kappa(whole),
        len(whole),
        krippendorff_alpha(table),
    )


def _against(rater: str, said: Mapping[str, str], human: Mapping[str, str]) -> RaterScore:
    items = sorted(said.keys() & human.keys())
    ours, theirs = [said[item] for item in items], [human[item] for item in items]
    names = {*ours, *theirs}
    classes = tuple(_class(name, ours, theirs) for name in sorted(names))
    heard = [one for one in classes if one.label == "true"] if names <= BOOLEAN else classes
    return RaterScore(
        rater,
        len(items),
        _mean(one.precision for one in heard),
        _mean(one.recall for one in heard),
        cohen_kappa(ours, theirs),
        classes,
    )


def _class(label: str, ours: list[str], theirs: list[str]) -> ClassScore:
    pairs = list(zip(ours, theirs, strict=True))
    found = sum(a == b == label for a, b in pairs)
    false = sum(a == label != b for a, b in pairs)
    missed = sum(a != label == b for a, b in pairs)
    precision = found / (found + false) if found + false else None
    return ClassScore(label, precision, found / (found + missed) if found + missed else None, found, missed, false)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
