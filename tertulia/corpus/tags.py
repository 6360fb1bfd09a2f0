"""Instruction tags made few enough to balance by: the wordings of one tag are counted and named as one.

After InsTag (arXiv 2308.07074), as SyGra's quality tagging does it: small letters, no punctuation, Porter stems; what
is rare goes; tags whose embeddings lie close are one; a tag that hardly ever stands without another goes into that.
The result depends on the corpus and the settings alone.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tertulia.corpus.criteria import Tags, Together
from tertulia.corpus.fields import MISSING, Facts
from tertulia.errors import UserError

try:
    from snowballstemmer import stemmer
except ImportError as error:
    raise UserError("tags need snowballstemmer: pip install 'tertulia[corpus]'") from error


__all__ = ["Named", "named", "stem"]

SIGNS = re.compile(r"[\W_]+")
SHOWN = 20  # wordings of a tag that its account lists
PORTER = stemmer("porter")
Groups = Callable[[Sequence[str]], Sequence[int]]  # for each of these wordings the first one that means the same


def plain(tag: str) -> str:
    """Small letters and digits, single spaces."""
    return SIGNS.sub(" ", tag.casefold()).strip()


@lru_cache(maxsize=65_536)
def stem(tag: str) -> str:
    """What the wordings of a tag have in common: the Porter stems of its words, in their order."""
    return " ".join(PORTER.stemWords(plain(tag).split()))


@dataclass(slots=True)
class Named:
    """The tags of a corpus: what each stem is called."""

    of: str  # where tags are read
    names: dict[str, str] = field(default_factory=dict)  # stem -> tag
    counts: Counter[str] = field(default_factory=Counter)  # by tag: conversations
    wordings: dict[str, list[str]] = field(default_factory=dict)  # by tag, the most frequent first
    conversations: int = 0
    tagged: int = 0
    distinct: int = 0  # wordings
    rare: int = 0  # stems

    def tags(self, facts: Facts) -> list[str]:
        """The tags of a conversation, each once."""
        found = {self.names[key] for tag in given(facts, self.of) if (key := stem(tag)) in self.names}
        return sorted(found)

    def as_json(self) -> dict[str, Any]:
        return {
            "of": self.of,
            "conversations": self.conversations,
            "tagged": self.tagged,
            "wordings": self.distinct,
            "rare": self.rare,
            "tags": {
                tag: {"conversations": count, "wordings": self.wordings[tag][:SHOWN]}
                for tag, count in sorted(self.counts.items(), key=lambda one: (-one[1], one[0]))
            },
        }


def given(facts: Facts, name: str) -> list[str]:
    """The tags of a conversation as its judge gave them."""
    found = facts.value(name)
    if found is MISSING:
        return []
    return [tag for tag in (found if isinstance(found, list | tuple) else [found]) if isinstance(tag, str)]


def named(wanted: Tags, corpus: Iterable[Facts], alike: Groups | None = None) -> Named:
    """Read every conversation once. Memory grows with the distinct sets of tags that conversations have.

    `alike` joins wordings of one meaning; without it none are."""
    made = Named(wanted.of)
    written: dict[str, Counter[str]] = defaultdict(Counter)  # stem -> wordings
    sets: Counter[frozenset[str]] = Counter()
    for facts in corpus:
        made.conversations += 1
        said = {plain(tag) for tag in given(facts, wanted.of)} - {""}
        for tag in said:
            written[stem(tag)][tag] += 1
        sets[frozenset(map(stem, said))] += 1
    made.tagged = made.conversations - sets.pop(frozenset(), 0)
    counts = times(sets)
    made.distinct = sum(map(len, written.values()))
    made.rare = sum(count < wanted.least for count in counts.values())
    kept = ranked({key: count for key, count in counts.items() if count >= wanted.least})
    parents = {key: key for key in kept}
    if alike and kept:
        first = alike([wording(written[key]) for key in kept])
        parents = {key: kept[nth] for key, nth in zip(kept, first, strict=True)}
    if wanted.together:
        parents = joined(parents, sets, wanted.together, made.tagged)
    for key, parent in parents.items():
        made.names[key] = wording(written[parent])
    made.counts = times(Counter(dict(folded(sets, made.names))))
    for tag in made.counts:
        every: Counter[str] = sum((written[key] for key, name in made.names.items() if name == tag), Counter())
        made.wordings[tag] = ranked(every)
    return made


def wording(counts: Mapping[str, int]) -> str:
    """The most frequent wording; of equals the first by the alphabet."""
    return ranked(counts)[0]


def ranked(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda key: (-counts[key], key))


def times(sets: Mapping[frozenset[str], int]) -> Counter[str]:
    """In how many conversations each tag stands."""
    found: Counter[str] = Counter()
    for tags, count in sets.items():
        for tag in tags:
            found[tag] += count
    return found


def folded(sets: Mapping[frozenset[str], int], names: Mapping[str, str]) -> Iterator[tuple[frozenset[str], int]]:
    """The sets by other names; what has none is left out."""
    found: Counter[frozenset[str]] = Counter()
    for tags, count in sets.items():
        found[frozenset(names[tag] for tag in tags if tag in names)] += count
    yield from found.items()


def joined(
    parents: Mapping[str, str], sets: Mapping[frozenset[str], int], wanted: Together, conversations: int
) -> dict[str, str]:
    """Put a tag into the more frequent one that nearly always stands beside it: association rules with one tag on
    either side. Of several such the most frequent counts; a tag that went into another takes in no more."""
    merged = Counter(dict(folded(sets, parents)))
    counts, pairs = times(merged), defaultdict[str, Counter[str]](Counter)
    for tags, count in merged.items():
        for one in tags:
            for other in tags - {one}:
                pairs[one][other] += count
    place = {tag: nth for nth, tag in enumerate(ranked(counts))}
    into: dict[str, str] = {}
    for tag in place:
        least = max(wanted.confidence * counts[tag], wanted.support * conversations)
        frequent = [o for o, both in pairs[tag].items() if both >= least and place[o] < place[tag] and o not in into]
        if frequent:
            into[tag] = min(frequent, key=lambda other: place[other])
    return {key: into.get(parent, parent) for key, parent in parents.items()}
