"""What is worked out of objects that live on, such as a tool or a scenario: once, and kept in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Memo"]

Made = TypeVar("Made")


@dataclass(slots=True)
class Memo(Generic[Made]):
    """What was made out of objects: once for as many as ask, as long as it is among the `most` made last.

    Objects are told apart by identity, for schemas and scenarios are slow to compare or cannot be hashed. They are
    kept alive while they are remembered, so that no other object takes their identity; they must not change."""

    most: int = 256
    kept: OrderedDict[tuple[Hashable, ...], tuple[tuple[object, ...], Made]] = field(default_factory=OrderedDict)

    def of(self, sources: tuple[object, ...], make: Callable[[], Made], *more: Hashable) -> Made:
        """What `make` gives for these very objects, and for what else it depends on."""
        key = (*map(id, sources), *more)
        known = self.kept.get(key)
        if known is None:
            known = (sources, make())
            while len(self.kept) >= self.most:
                self.kept.popitem(last=False)
            self.kept[key] = known
        return known[1]
