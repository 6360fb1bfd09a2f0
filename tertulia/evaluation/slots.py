"""Slot scores of one dialogue: which of the gold slots were filled with exactly the gold value.

After AutoDE (Mu et al., arXiv 2403.11128). Slots without a value (null, an empty text, list or mapping, or the text
"null") are no slots, on either side; false and 0 are values. Values are compared as text, letter case included: the
number 3 is the text "3", a whole float is its integer, true is the text "true".
"""

import json
from collections.abc import Mapping
from typing import Any

from tertulia.gold import Slots

__all__ = ["slot_score"]


def slot_score(gold: Mapping[str, Any], predicted: Mapping[str, Any] | None) -> Slots:
    """Precision, recall and F1 of the predicted slots; `predicted` is None for a dialogue that failed.

    A failed dialogue scores 0 whatever the gold is, so it belongs into every mean. With no slot on either side the
    score is 1, with none on one side alone it is 0."""
    if predicted is None:
        return Slots(0.0, 0.0)
    due, given = _filled(gold), _filled(predicted)
    if not due or not given:
        same = float(not due and not given)
        return Slots(same, same)
    hits = len(due.items() & given.items())
    return Slots(hits / len(given), hits / len(due))


def _filled(slots: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name, value in slots.items() if (text := _text(value)) not in ("", "null", "[]", "{}")}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(_whole(value), ensure_ascii=False, sort_keys=True)


def _whole(value: Any) -> Any:
    """The value with every whole float as its integer."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return [_whole(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _whole(one) for name, one in value.items()}
    return value
