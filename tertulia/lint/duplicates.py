"""Items of a set that ask the same: an evaluation set with twins counts one skill twice.

Two items are compared where they want the same calls with the same values in the same world. They are duplicates when
the user's words are the same too, and near-duplicates when the words agree by more than ROUGE-L 0.7, the threshold of
novelty of Self-Instruct (Wang et al., arXiv 2212.10560).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tertulia.errors import Fault
from tertulia.language.wording import words
from tertulia.scenario import Scenario
from tertulia.source import Source

__all__ = ["ALIKE", "alikeness", "duplicates"]

ALIKE = 0.7  # ROUGE-L F1


def duplicates(items: Iterable[tuple[Scenario, Source]]) -> Iterator[Fault]:
    """A fault for each item that repeats an earlier one, at the line of its opening."""
    seen: dict[str, list[tuple[tuple[str, ...], Scenario, Source]]] = {}
    for scenario, source in items:
        said, earlier = spoken(scenario), seen.setdefault(task(scenario), [])
        rated = [(alikeness(said, words_), other, home) for words_, other, home in earlier]
        best = max(rated, key=lambda entry: entry[0], default=None)
        if best is not None and best[0] > ALIKE:
            share, other, home = best
            same = share == 1.0
            what = "asks the same in the same words as" if same else f"is a near-duplicate ({share:.2f}) of"
            message = f"item {scenario.id!r} {what} {other.id!r} in {home.file}"
            hint = " (drop one, or let them differ in what is wanted)"
            rule = "gold-duplicate" if same else "gold-near-duplicate"
            yield replace(source.fault(("script", "opening"), message, hint, rule), item=scenario.id)
        earlier.append((said, scenario, source))


def task(scenario: Scenario) -> str:
    """All of a scenario that decides what has to happen in it, and not in which words it is asked for."""
    wants = [
        {"call": w.call, "with": w.gold, "first": w.args, "by": w.by, "due": w.due, "outcome": w.outcome}
        for w in scenario.script.wants
    ]
    about = scenario.model_dump(
        mode="json",
        include={"world", "tools", "policy", "principles", "start", "faults", "success", "kind", "vary", "private"},
    )
    if isinstance(about["world"], dict):
        about["world"].pop("seed", None)  # other answers make no other task
    decides = {name: [d.model_dump() for d in party.decides] for name, party in scenario.cast.items() if party.decides}
    return json.dumps([about, wants, decides], sort_keys=True, default=str)


def spoken(scenario: Scenario) -> tuple[str, ...]:
    """The words that a user brings, in order."""
    texts = [scenario.script.opening]
    for want in scenario.script.wants:
        texts += [want.say, want.change.say if want.change else ""]
    return tuple(word for text in texts for word in words(text))


def alikeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """ROUGE-L F1 of two sequences of words, 0 to 1; 1 only where they are the same."""
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    row = [0] * (len(other) + 1)
    for word in one:
        left = 0
        for at, rival in enumerate(other, 1):
            above = row[at]
            row[at], left = (left + 1 if word == rival else max(above, row[at - 1])), above
    return min(2 * row[-1] / (len(one) + len(other)), 0.9999)
