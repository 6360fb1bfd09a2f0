"""What a user can tell: the values of its script and of what it knows, found by the words of a question."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tertulia.contracts import View
from tertulia.language.acts import question
from tertulia.language.filling import label_of
from tertulia.language.saying import render
from tertulia.language.wording import KEPT, forms, humanize, normal, scalar, stem, stems, words
from tertulia.scenario import Want

__all__ = ["Fact", "asked_for", "facts", "misstated"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One value with the path it has in the script."""

    path: tuple[str, ...]
    value: Any

    @property
    def label(self) -> str:
        return label_of(self.path)


def facts(view: View, want: Want | None) -> list[Fact]:
    """All that the user may tell, the current want's values first. Its secrets are not among them."""
    found = list(_walk(want.args, ())) if want else []
    if want and want.change:
        found += _walk(want.change.args, ())
    known = {key: value for key, value in view.party.knows.items() if key not in view.party.secret}
    return [*found, *_walk(known, ())]


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[Fact]:
    if path:
        yield Fact(path, value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, (*path, str(key)))


def asked_for(text: str, known: list[Fact]) -> Fact | None:
    """The fact whose words a question says: the longest label first, then the order of the facts."""
    said, exact = stems(question(text)), words(question(text))
    rated = []
    for nth, fact in enumerate(known):
        label = fact.label.split()
        wanted = [stem(word) for word in label]
        hits = sum(word in said for word in wanted)
        if wanted and (hits == len(wanted) or (len(wanted) > 1 and wanted[-1] in said and wanted[-1] not in GENERAL)):
            rated.append((-hits / len(wanted), -hits, -sum(word in exact for word in label), nth, fact))
    return min(rated, key=lambda entry: entry[:4])[4] if rated else None


GENERAL = frozenset(map(stem, ("id", "number", "code", "name", "date", "time", "type", "reference")))


_MISSTATED: dict[tuple[int, str], tuple[Mapping[str, Any], list[Fact]]] = {}


def misstated(args: Mapping[str, Any], text: str) -> list[Fact]:
    """The wanted values that a text does not say, leaves only. Remembered: a user rereads the talk at every turn."""
    key = (id(args), text)
    known = _MISSTATED.get(key)
    if known is None or known[0] is not args:
        if len(_MISSTATED) > KEPT:
            _MISSTATED.clear()
        known = _MISSTATED[key] = (args, _misstated(args, text))
    return known[1]


def _misstated(args: Mapping[str, Any], text: str) -> list[Fact]:
    low = " ".join(text.lower().split())
    found = []
    for fact in _walk(dict(args), ()):
        if not isinstance(fact.value, Mapping) and not _said(fact, low, text):
            found.append(fact)
    return found


def _said(fact: Fact, low: str, text: str) -> bool:
    value = fact.value
    if isinstance(value, bool):
        names = (humanize(fact.path[-1]), fact.label)
        return any(f"{name}{link} {render(value)}" in low for name in names for link in ("", ":", " is"))
    if isinstance(value, list | tuple):
        return all(_said(Fact(fact.path, entry), low, text) for entry in value)
    if isinstance(value, Mapping):
        return all(_said(Fact((*fact.path, str(k)), v), low, text) for k, v in value.items())
    said = " ".join(scalar(value).lower().split()).rstrip(".!?")
    if len(said) < 3 and not any(stem(word) in stems(text) for word in fact.label.split()):
        return not said  # a short value is told by its name alone
    return not said or whole(said, low) or normal(said) in forms(text)


INSIDE_LEFT = re.compile(r"[^\W_]$|\w[-_/@.:]$|[/@]$")
INSIDE_RIGHT = re.compile(r"[^\W_]|[-_/@]\w|[.:][\w/]")


def whole(said: str, text: str) -> bool:
    """Whether a text holds a value that is not part of a longer word or number."""
    at = text.find(said)
    while at >= 0:
        end = at + len(said)
        if not INSIDE_LEFT.search(text[max(0, at - 2) : at]) and not INSIDE_RIGHT.match(text, end):
            return True
        at = text.find(said, at + 1)
    return False
