"""One pass over a run: each conversation goes through the criteria in their order, and the first that takes it counts.

Memory holds the pools of novelty and meaning, the evaluation sets, and what is counted by; all else lies on disk. The
result depends on the conversations and the criteria alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any

from tertulia.corpus.balance import Balanced, balanced
from tertulia.corpus.contamination import Contaminated
from tertulia.corpus.criteria import Plan
from tertulia.corpus.expressions import ExpressionFault
from tertulia.corpus.fields import Facts, values
from tertulia.corpus.ledger import Ledger
from tertulia.corpus.rules import ReadRule, read_rules
from tertulia.corpus.splits import divided
from tertulia.corpus.words import digest, texts_of, words_of
from tertulia.errors import Fault, ScenarioError
from tertulia.export import replacing
from tertulia.parts import heuristics
from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["Selected", "Step", "select"]

EXAMPLES = 3  # rejects that each step shows
QUOTED = 160  # characters of an example
Pairs = Iterable[tuple[Scenario, Conversation]]
Told = str | None  # why a step takes a conversation out; None: it does not
Look = Callable[[Scenario, Conversation, Facts], Told]


@dataclass(slots=True)
class Step:
    """One criterion, and what became of the conversations that reached it."""

    name: str
    look: Look | None = None
    reached: int = 0
    rejected: int = 0
    unknown: int = 0  # conversations that lack what a rule speaks of
    seconds: float = 0.0  # of the processor
    examples: list[tuple[str, str, str]] = field(default_factory=list)  # id, why, the user's first words

    @property
    def left(self) -> int:
        return self.reached - self.rejected

    def take(self, talk: Conversation, why: str, words: str) -> None:
        self.rejected += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((talk.id, why, " ".join(words.split())[:QUOTED]))

    def as_json(self) -> dict[str, Any]:
        shown = [{"id": name, "why": why, "opening": words} for name, why, words in self.examples]
        counts = {"reached": self.reached, "rejected": self.rejected, "left": self.left, "unknown": self.unknown}
        return {"step": self.name, **counts, "examples": shown}


@dataclass(slots=True)
class Selected:
    """What a selection came to."""

    criteria: str
    digest: str  # SHA-256 of the file of criteria
    seed: int
    conversations: int = 0
    kept: int = 0
    steps: list[Step] = field(default_factory=list)
    balance: list[Balanced] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)
    coverage: list[dict[str, Any]] = field(default_factory=list)
    sets: dict[str, int] = field(default_factory=dict)  # evaluation sets that were looked for, and their items
    too_short: int = 0  # items of evaluation sets that are too short to look for
    path: Path | None = None
    seconds: float = 0.0  # of the processor, to read the conversations; a step has its own

    def as_json(self) -> dict[str, Any]:
        """All but the times, so that the same selection gives the same file."""
        return {
            "criteria": self.criteria,
            "sha256": self.digest,
            "seed": self.seed,
            "conversations": self.conversations,
            "kept": self.kept,
            "steps": [step.as_json() for step in self.steps],
            "balance": [
                {"by": one.by, "before": one.before, "after": one.after, "short": one.short} for one in self.balance
            ],
            "parts": self.parts,
            "coverage": self.coverage,
            "evaluation_sets": self.sets,
            "items_too_short": self.too_short,
        }


def select(plan: Plan, pairs: Pairs, path: Path | None = None) -> Selected:
    """Put every conversation through the criteria, and write the selection to `path` and its account beside it.

    Raises:
        ScenarioError: when a rule cannot be worked out for some conversation, or reads a judge that was never asked, at
            the rule; for a line of an evaluation set that cannot be read.
        UserError: if an extra is missing, a set cannot be read, or a balance cannot be had."""
    criteria = plan.criteria
    made = Selected(criteria.id, sha256(Path(plan.source.file).read_bytes()).hexdigest(), criteria.seed)
    names = counted_by(plan)
    judged: set[str] = set()
    begun = process_time()
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger())
        rules = read_rules(plan)
        made.steps = [*map(ruled, rules), *comparisons(plan, ledger, made, stack)]
        for scenario, talk in pairs:
            facts = Facts(scenario, talk)
            made.conversations += 1
            judged.update(verdict.judge for verdict in talk.verdicts)
            rule, why = through(made.steps, scenario, talk, facts)
            ledger.add(talk.index, talk.id, rule, why, {name: values(facts, name) for name in names})
        if unasked := list(never_asked(rules, judged)):
            raise ScenarioError(unasked)
        made.seconds = process_time() - begun - sum(step.seconds for step in made.steps)
        for wanted in criteria.balance:
            step = Step("balance by " + " / ".join(wanted.by), reached=ledger.count)
            with timed(step):
                made.balance.append(balanced(ledger, wanted, criteria.seed))
            step.rejected = step.reached - ledger.count
            made.steps.append(step)
        if criteria.split:
            step = Step("split by " + ", ".join(criteria.split.by), reached=ledger.count)
            with timed(step):
                made.parts = divided(ledger, criteria.split, criteria.seed)
            made.steps.append(step)
        made.kept = ledger.count
        made.coverage = [covered(ledger, one, other) for one, other in criteria.coverage]
        if path is not None:
            write(ledger, made, path)
    return made


def never_asked(rules: Iterable[ReadRule], judged: set[str]) -> Iterator[Fault]:
    """Rules about judges of whom the run holds no verdict: they would hold for nothing, and nobody would notice."""
    for rule in rules:
        for judge in rule.judges:
            if judge not in judged:
                hint = f" (ask it: tertulia judge RUN {'--tags' if judge in heuristics() else judge})"
                yield rule.fault(ExpressionFault(f"no conversation of this run was judged by {judge!r}", 0, hint))


@contextmanager
def timed(step: Step) -> Iterator[None]:
    begun = process_time()
    try:
        yield
    finally:
        step.seconds += process_time() - begun


def counted_by(plan: Plan) -> tuple[str, ...]:
    """The fields that are kept of each conversation."""
    criteria = plan.criteria
    named = [name for wanted in criteria.balance for name in wanted.by]
    named += criteria.split.by if criteria.split else ()
    return tuple(dict.fromkeys([*named, *(name for pair in criteria.coverage for name in pair)]))


def through(steps: Iterable[Step], scenario: Scenario, talk: Conversation, facts: Facts) -> tuple[str, str]:
    """The step that takes a conversation out, and why; two empty texts: none does."""
    for step in steps:
        if step.look is None:
            continue
        step.reached += 1
        begun = process_time()
        why = step.look(scenario, talk, facts)
        step.seconds += process_time() - begun
        if why is not None:
            step.take(talk, why, str(facts.value("opening")))
            return step.name, why
    return "", ""


def ruled(rule: ReadRule) -> Step:
    """A step for a rule."""
    step = Step(rule.name)

    def look(scenario: Scenario, talk: Conversation, facts: Facts) -> Told:
        held = rule.holds(facts)
        step.unknown += held is None
        return rule.told(facts) if rule.rejects(held) else None

    step.look = look
    return step


def comparisons(plan: Plan, ledger: Ledger, made: Selected, stack: ExitStack) -> Iterator[Step]:
    """Steps that hold a conversation against evaluation sets, and against what is kept so far."""
    criteria = plan.criteria
    if wanted := criteria.contamination:
        paths = [plan.folder / name for name in wanted.against]
        sets = Contaminated(paths, wanted.words, wanted.match, wanted.fields)
        made.sets, made.too_short = sets.sets, sets.too_short
        yield Step("in an evaluation set", leaked(sets))
    if criteria.exact:
        yield Step("exact duplicate", repeated_exactly(ledger))
    if near := criteria.near:
        from tertulia.corpus.near import NearDuplicates  # noqa: PLC0415 - the extra [corpus]

        kept = stack.enter_context(closing(NearDuplicates(near.similarity, near.words, criteria.seed)))
        yield Step("near duplicate", resembling(ledger, lambda talk: kept.seen(talk.index, words_of(talk, near.of))))
    if novelty := criteria.novelty:
        from tertulia.corpus.novelty import Novel  # noqa: PLC0415 - the extra [corpus]

        pool = Novel(novelty.rouge_l)
        yield Step("no news", resembling(ledger, lambda talk: pool.seen(talk.index, words_of(talk, novelty.of))))
    if meaning := criteria.meaning:
        from tertulia.corpus.embedding import local  # noqa: PLC0415 - the extra [corpus]
        from tertulia.corpus.meaning import SameMeaning  # noqa: PLC0415 - the extra [corpus]

        vectors = SameMeaning(local(meaning.model), meaning.cosine)
        yield Step(
            "same meaning",
            resembling(ledger, lambda talk: vectors.seen(talk.index, "\n".join(texts_of(talk, meaning.of)))),
        )


def leaked(sets: Contaminated) -> Look:
    def look(scenario: Scenario, talk: Conversation, facts: Facts) -> Told:
        found = sets.leak(scenario, words_of(talk, "all"))
        return f"{found.match:.2f} of {found.item}" if found else None

    return look


def repeated_exactly(ledger: Ledger) -> Look:
    def look(scenario: Scenario, talk: Conversation, facts: Facts) -> Told:
        said = words_of(talk, "all")
        first = ledger.first_with(digest(said), talk.index) if said else None
        return f"the same as {ledger.name_of(first)}" if first is not None else None

    return look


def resembling(ledger: Ledger, seen: Callable[[Conversation], tuple[int, float] | None]) -> Look:
    def look(scenario: Scenario, talk: Conversation, facts: Facts) -> Told:
        found = seen(talk)
        return f"{found[1]:.2f} like {ledger.name_of(found[0])}" if found else None

    return look


def covered(ledger: Ledger, one: str, other: str) -> dict[str, Any]:
    """The matrix of two fields, before and after: value -> value -> count."""
    found: dict[str, Any] = {"fields": [one, other]}
    for when, kept_only in (("before", False), ("after", True)):
        matrix: dict[str, dict[str, int]] = {}
        for (a, b), count in sorted(ledger.crossed(one, other, kept_only).items()):
            matrix.setdefault(a, {})[b] = count
        found[when] = matrix
    return found


def write(ledger: Ledger, made: Selected, path: Path) -> None:
    """The selection and its account, each in one piece."""
    with replacing(path) as file:
        for place, name, rule, note, part in ledger.rows():
            row: dict[str, Any] = {"place": place, "id": name, "kept": not rule}
            row |= ({"part": part} if part else {}) if not rule else {"rule": rule, "note": note}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with replacing(path.with_suffix(".json")) as file:
        file.write(json.dumps(made.as_json(), ensure_ascii=False, indent=1) + "\n")
    made.path = path
