"""How well static and dynamic evaluations of agents track the human one, by slot F1.

After AutoDE (Mu et al., arXiv 2403.11128): macro F1 over items, a failed dialogue scoring 0, with mean and unbiased
standard deviation over trials. A mode is held against the human one on the items that an agent has in both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev

from tertulia.evaluation.agreement.coefficients import icc_2_1, pearson, spearman
from tertulia.evaluation.agreement.rows import HUMAN, Dialogue
from tertulia.evaluation.slots import slot_score

__all__ = ["Agreement", "ModeScore", "agreement"]

Items = dict[str, float]  # the mean F1 of each item
Cells = Mapping[tuple[str, str], Mapping[int, Items]]  # (agent, mode) -> trial -> item -> F1


@dataclass(frozen=True, slots=True)
class ModeScore:
    """An agent's macro F1 in one mode, from 0 to 1."""

    agent: str
    mode: str
    mean: float
    std: float | None  # over trials, unbiased; None for a single one
    trials: int
    items: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Scores, and each mode against the human one; None where a coefficient is not defined."""

    f1: tuple[ModeScore, ...]
    agents: dict[str, int] = field(default_factory=dict)  # that have items in this mode and in the human one
    items: dict[str, int] = field(default_factory=dict)  # of all these agents together
    pearson: dict[str, float | None] = field(default_factory=dict)  # of agents' F1
    spearman: dict[str, float | None] = field(default_factory=dict)
    gap: dict[str, float] = field(default_factory=dict)  # mean absolute difference over agents, in points of 100
    icc: dict[str, float | None] = field(default_factory=dict)  # ICC(2,1) of items' F1, all agents together
    item_pearson: dict[str, float | None] = field(default_factory=dict)
    item_spearman: dict[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def agreement(dialogues: Iterable[Dialogue]) -> Agreement:
    """Score dialogues and hold every mode against the human one."""
    cells = _scored(dialogues)
    made = Agreement(
        tuple(_score(agent, mode, trials) for (agent, mode), trials in sorted(cells.items())),
        notes=tuple(_uneven(cells)),
    )
    modes = sorted({mode for _, mode in cells} - {HUMAN})
    for mode in modes:
        pairs = _pairs(cells, mode)
        if not pairs:
            continue
        ours = [fmean(a for a, _ in items) for items in pairs.values()]
        theirs = [fmean(b for _, b in items) for items in pairs.values()]
        made.pearson[mode] = pearson(ours, theirs)
        made.spearman[mode] = spearman(ours, theirs)
        made.gap[mode] = 100 * fmean(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        together = [pair for items in pairs.values() for pair in items]
        made.agents[mode], made.items[mode] = len(pairs), len(together)
        one, other = [a for a, _ in together], [b for _, b in together]
        made.icc[mode] = icc_2_1(together)
        made.item_pearson[mode] = pearson(one, other)
        made.item_spearman[mode] = spearman(one, other)
    return made


def _scored(dialogues: Iterable[Dialogue]) -> Cells:
    cells: dict[tuple[str, str], dict[int, Items]] = defaultdict(lambda: defaultdict(dict))
    for row in dialogues:
        cells[row.agent, row.mode][row.trial][row.item] = slot_score(row.gold, row.predicted).f1
    return cells


def _score(agent: str, mode: str, trials: Mapping[int, Items]) -> ModeScore:
    means = [fmean(items.values()) for _, items in sorted(trials.items())]
    spread = stdev(means) if len(means) > 1 else None
    return ModeScore(agent, mode, fmean(means), spread, len(means), len(_by_item(trials)))


def _by_item(trials: Mapping[int, Items]) -> Items:
    found: dict[str, list[float]] = defaultdict(list)
    for items in trials.values():
        for item, f1 in items.items():
            found[item].append(f1)
    return {item: fmean(scores) for item, scores in found.items()}


def _pairs(cells: Cells, mode: str) -> dict[str, list[tuple[float, float]]]:
    """Per agent, the F1 of each item in this mode and in the human one, where it has both."""
    made = {}
    for agent in sorted({agent for agent, of in cells if of == mode}):
        ours, theirs = _by_item(cells[agent, mode]), _by_item(cells.get((agent, HUMAN), {}))
        if both := sorted(ours.keys() & theirs.keys()):
            made[agent] = [(ours[item], theirs[item]) for item in both]
    return made


def _uneven(cells: Cells) -> Iterator[str]:
    """What makes figures less comparable than they look."""
    if not any(mode == HUMAN for _, mode in cells):
        yield f"no row has the mode {HUMAN!r}: there is nothing to compare with"
        return
    for agent in sorted({agent for agent, _ in cells} - {agent for agent, mode in cells if mode == HUMAN}):
        modes = ", ".join(repr(mode) for of, mode in sorted(cells) if of == agent)
        yield f"agent {agent!r} has no row of the mode {HUMAN!r}, and is left out of what stands against it: {modes}"
    for (agent, mode), trials in sorted(cells.items()):
        items = _by_item(trials).keys()
        if short := [trial for trial, there in sorted(trials.items()) if there.keys() != items]:
            yield (
                f"agent {agent!r}, mode {mode!r}: trial {short[0]} lacks {len(items - trials[short[0]].keys())} of its "
                f"{len(items)} items; a failed dialogue is a row whose predicted is null"
            )
        people = _by_item(cells.get((agent, HUMAN), {})).keys()
        if people and items != people and mode != HUMAN:
            both = len(items & people)
            told = f"compared on the {both} item{'s' * (both != 1)} that {HUMAN!r} has too" if both else "not compared"
            yield f"agent {agent!r}, mode {mode!r}: {told}"
