"""What a run plays: its items in order, each with its variant of a scenario settled."""

import json
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from tertulia.errors import UserError
from tertulia.files import find_scenarios, load_scenarios
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.streams import number
from tertulia.table import Item
from tertulia.variation import balanced_choice, settle

__all__ = ["Pairs", "Variants", "gathered", "plan_items"]

Pairs = Iterator[tuple[Scenario, Conversation]]  # each conversation with the settled scenario that it played


class Variants:
    """Settled scenarios. The same choice gives the same object, as long as it is among the last `most` asked for."""

    def __init__(self, most: int = 512) -> None:
        self.most = most
        self.kept: OrderedDict[tuple[str, str], Scenario] = OrderedDict()

    def of(self, scenario: Scenario, choice: Mapping[str, Any]) -> Scenario:
        key = (scenario.id, json.dumps(choice, sort_keys=True, default=str))
        if key in self.kept:
            self.kept.move_to_end(key)
            return self.kept[key]
        try:
            settled = self.kept[key] = settle(scenario, choice)
        except ValueError as error:  # a ValidationError is a ValueError
            first = str(error).splitlines()[0]
            raise UserError(f"scenario {scenario.id!r} cannot be played with {dict(choice)!r}: {first}") from error
        if len(self.kept) > self.most:
            self.kept.popitem(last=False)
        return settled

    def or_as_written(self, scenario: Scenario, choice: Mapping[str, Any]) -> tuple[Scenario, str]:
        """The settled scenario, or the one of the file with why this choice of it cannot be played.

        Values of `vary` that are each fine may not go together: two texts, both empty, leave an opening empty."""
        try:
            return self.of(scenario, choice), ""
        except UserError as error:
            return scenario, str(error)


def gathered(names: Sequence[str]) -> tuple[list[Scenario], dict[str, str]]:
    """The scenarios that the names stand for, by id, and the SHA-256 of each with its tools.

    Raises:
        ScenarioError: with every fault of every file.
        UserError: for a name that stands for nothing."""
    scenarios = sorted(load_scenarios(find_scenarios(names)), key=lambda scenario: scenario.id)
    texts = {scenario.id: scenario.model_dump_json(by_alias=True, exclude_unset=True) for scenario in scenarios}
    return scenarios, {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}


def plan_items(
    scenarios: Sequence[Scenario], n: int, seed: int, slips: float, skip: Collection[int] = ()
) -> Iterator[Item]:
    """The conversations 0 to n - 1 of a run, without those to skip.

    The scenarios take turns; each runs through its own grid in a balanced order. An item depends on the seed and
    its index alone, never on what else is played."""
    variants = Variants()
    for index in range(n):
        if index in skip:
            continue
        nth, place = divmod(index, len(scenarios))
        scenario = scenarios[place]
        choice = balanced_choice(scenario, nth, seed)
        settled, unplayable = variants.or_as_written(scenario, choice)
        yield Item(
            index=index,
            id=f"{scenario.id}-{index:06d}",
            scenario=settled,
            choice=choice,
            seed=number(seed, "conversation", index),
            slips=slips,
            unplayable=unplayable,
        )
