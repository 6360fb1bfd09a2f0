"""The criteria that look at one conversation after another, each at those that the ones before have left."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from time import process_time
from typing import TYPE_CHECKING, Any

from tertulia.corpus.alike.contamination import Contaminated
from tertulia.corpus.criteria import Criteria
from tertulia.corpus.fields import Facts
from tertulia.corpus.ledger import Ledger
from tertulia.corpus.rules import ReadRule
from tertulia.corpus.words import digest, texts_of, words_of
from tertulia.records import Conversation

if TYPE_CHECKING:  # the extra [corpus]
    from tertulia.corpus.alike.embedding import Embed

__all__ = ["Opener", "Step", "comparisons", "leaked", "ruled", "through", "timed"]

EXAMPLES = 3  # rejects that each step shows
QUOTED = 160  # characters of an example
Told = str | None  # why a step takes a conversation out; None: it does not
Look = Callable[[Facts], Told]
Opener = Callable[[str], "Embed"]  # embeddings by the name of a model


@dataclass(slots=True)
class Step:
    """One criterion, and what became of the conversations that reached it."""

    name: str
    look: Look | None = None
    prepare: Callable[[Sequence[Facts]], None] | None = None  # told what it is going to look at next
    reached: int = 0
    rejected: int = 0
    unknown: int = 0  # conversations that lack what a rule speaks of
    seconds: float = 0.0  # of the processor
    examples: list[tuple[str, str, str]] = field(default_factory=list)  # id, why, the user's first words

    @property
    def left(self) -> int:
        return self.reached - self.rejected

    def take(self, facts: Facts, why: str) -> None:
        self.rejected += 1
        if len(self.examples) < EXAMPLES:
            words = str(facts.value("opening"))
            self.examples.append((facts.talk.id, why, " ".join(words.split())[:QUOTED]))

    def as_json(self) -> dict[str, Any]:
        shown = [{"id": name, "why": why, "opening": words} for name, why, words in self.examples]
        counts = {"reached": self.reached, "rejected": self.rejected, "left": self.left, "unknown": self.unknown}
        return {"step": self.name, **counts, "examples": shown}


@contextmanager
def timed(step: Step) -> Iterator[None]:
    begun = process_time()
    try:
        yield
    finally:
        step.seconds += process_time() - begun


def through(steps: Sequence[Step], some: Sequence[Facts]) -> Iterator[tuple[str, str, int]]:
    """Which conversations of a few are taken out: the step that does it, why, and the place.

    What a step finds depends on those before alone, so that each looks at all of the few before the next one does."""
    left = some
    for step in steps:
        if step.look is None:
            continue
        kept = []
        with timed(step):
            if step.prepare:
                step.prepare(left)
            for facts in left:
                step.reached += 1
                why = step.look(facts)
                if why is None:
                    kept.append(facts)
                else:
                    step.take(facts, why)
                    yield step.name, why, facts.talk.index
        left = kept


def ruled(rule: ReadRule) -> Step:
    """A step for a rule."""
    step = Step(rule.name)

    def look(facts: Facts) -> Told:
        held = rule.holds(facts)
        step.unknown += held is None
        return rule.told(facts) if rule.rejects(held) else None

    step.look = look
    return step


def leaked(sets: Contaminated) -> Step:
    """A step for evaluation sets."""

    def look(facts: Facts) -> Told:
        found = sets.leak(facts.scenario, words_of(facts.talk, "all"))
        return f"{found.match:.2f} of {found.item}" if found else None

    return Step("in an evaluation set", look)


def comparisons(criteria: Criteria, ledger: Ledger, stack: ExitStack, opener: Opener | None) -> Iterator[Step]:
    """Steps that hold a conversation against what is kept so far.

    Raises:
        UserError: if an extra or a model is missing."""
    if criteria.exact:
        yield Step("exact duplicate", repeated_exactly(ledger))
    if near := criteria.near:
        from tertulia.corpus.alike.near import NearDuplicates  # noqa: PLC0415 - the extra [corpus]

        kept = stack.enter_context(closing(NearDuplicates(near.similarity, near.words, criteria.seed)))
        yield Step("near duplicate", resembling(ledger, lambda talk: kept.seen(talk.index, words_of(talk, near.of))))
    if novelty := criteria.novelty:
        from tertulia.corpus.alike.novelty import Novel  # noqa: PLC0415 - the extra [corpus]

        pool = Novel(novelty.rouge_l)
        yield Step("no news", resembling(ledger, lambda talk: pool.seen(talk.index, words_of(talk, novelty.of))))
    if meaning := criteria.meaning:
        from tertulia.corpus.alike.embedding import local  # noqa: PLC0415 - the extra [corpus]
        from tertulia.corpus.alike.meaning import SameMeaning  # noqa: PLC0415 - the extra [corpus]

        vectors = SameMeaning((opener or local)(meaning.model), meaning.cosine)

        def text(talk: Conversation) -> str:
            return "\n".join(texts_of(talk, meaning.of))

        yield Step(
            "same meaning",
            resembling(ledger, lambda talk: vectors.seen(talk.index, text(talk))),
            lambda some: vectors.prepare([text(facts.talk) for facts in some]),
        )


def repeated_exactly(ledger: Ledger) -> Look:
    def look(facts: Facts) -> Told:
        said = words_of(facts.talk, "all")
        first = ledger.first_with(digest(said), facts.talk.index) if said else None
        return f"the same as {ledger.name_of(first)}" if first is not None else None

    return look


def resembling(ledger: Ledger, seen: Callable[[Conversation], tuple[int, float] | None]) -> Look:
    def look(facts: Facts) -> Told:
        found = seen(facts.talk)
        return f"{found[1]:.2f} like {ledger.name_of(found[0])}" if found else None

    return look
