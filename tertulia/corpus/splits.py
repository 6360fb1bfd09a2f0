"""Which part of a split a conversation goes to, so that what belongs together never straddles two of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tertulia.corpus.criteria import Split
from tertulia.corpus.ledger import Ledger
from tertulia.streams import number

__all__ = ["divided"]

Node = tuple[str, str]  # a field and one of its values


class Groups:
    """Values that some conversation joins; memory grows with the values."""

    def __init__(self) -> None:
        self.above: dict[Node, Node] = {}

    def of(self, node: Node) -> Node:
        """The value that stands for the whole group."""
        self.above.setdefault(node, node)
        while self.above[node] != node:
            self.above[node] = self.above[self.above[node]]
            node = self.above[node]
        return node

    def join(self, one: Node, other: Node) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        self.above[high] = low


def divided(ledger: Ledger, split: Split, seed: int) -> tuple[dict[str, int], list[str]]:
    """Put what is kept into the parts of a split; how many went to each, and which parts have nothing, and why.

    Conversations that share a value of any field of `by`, directly or over others, are one group; `none` joins
    nothing. Groups go, the largest first and equals by seed, to the part that lacks most of its share."""
    groups, sizes = Groups(), Counter[Node]()
    for _, name, cells in ledger.kept():
        nodes = nodes_of(name, cells, split)
        for other in nodes[1:]:
            groups.join(nodes[0], other)
    for _, name, cells in ledger.kept():
        sizes[groups.of(nodes_of(name, cells, split)[0])] += 1
    total, filled, part_of = sizes.total(), dict.fromkeys(split.shares, 0), {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], number(seed, "split", *group), group)):
        part = max(filled, key=lambda part: (split.shares[part] * total - filled[part], split.shares[part]))
        part_of[group] = part
        filled[part] += sizes[group]
    ledger.assign(
        ((part_of[groups.of(nodes_of(name, cells, split)[0])], place) for place, name, cells in ledger.kept())
    )
    return filled, list(left_empty(filled, sizes))


def left_empty(filled: Mapping[str, int], sizes: Counter[Node]) -> Iterator[str]:
    """A line for each part that got nothing."""
    for part, count in filled.items():
        if not count and sizes:
            ((name, value), most), *_ = sizes.most_common(1)
            yield (
                f"nothing is left for the part {part!r}: {most} of {sizes.total()} conversations are one group, "
                f"of {name} {value!r} (`by` names the fields that hold groups together)"
            )


def nodes_of(name: str, cells: dict[str, list[str]], split: Split) -> list[Node]:
    """What a conversation belongs to; to itself alone where it has nothing of the kind."""
    found = [(field, value) for field in split.by for value in cells[field] if value != "none"]
    return found or [("id", name)]
