"""One pass over a run: each conversation goes through the criteria in their order, and the first that takes it counts.

Memory holds the pools of novelty and meaning, the evaluation sets, and what is counted by; all else lies on disk. The
result depends on the conversations and the criteria alone.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from tertulia.corpus.alike.contamination import Contaminated
from tertulia.corpus.balance import Balanced, balanced
from tertulia.corpus.criteria import Plan
from tertulia.corpus.expressions import ExpressionFault
from tertulia.corpus.fields import FIELDS, Facts, values
from tertulia.corpus.ledger import Ledger
from tertulia.corpus.rules import ReadRule, read_rules
from tertulia.corpus.splits import divided
from tertulia.corpus.steps import Opener, Step, comparisons, leaked, ruled, through, timed
from tertulia.corpus.trust.faulty import Faulty, Shares
from tertulia.corpus.trust.labels import Labels
from tertulia.errors import Fault, ScenarioError
from tertulia.parts import heuristics
from tertulia.records import Conversation
from tertulia.replacing import replacing
from tertulia.scenario import Scenario

if TYPE_CHECKING:
    from tertulia.corpus.tags import Named

__all__ = ["Selected", "select"]

AT_ONCE = 256  # conversations in memory
Pairs = Iterable[tuple[Scenario, Conversation]]


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
    notes: list[str] = field(default_factory=list)  # parts that got nothing, and why
    coverage: list[dict[str, Any]] = field(default_factory=list)
    sets: dict[str, int] = field(default_factory=dict)  # evaluation sets that were looked for, and their items
    too_short: int = 0  # items of evaluation sets that are too short to look for
    tags: "Named | None" = None
    faulty: list[Shares] = field(default_factory=list)
    path: Path | None = None
    seconds: float = 0.0  # of the processor, to read the conversations; a step has its own

    def read_sets(self, plan: Plan) -> list[Contaminated]:
        """The evaluation sets that the criteria name, as one; none if there are none."""
        wanted = plan.criteria.contamination
        if not wanted:
            return []
        paths = [plan.folder / name for name in wanted.against]
        sets = Contaminated(paths, wanted.words, wanted.match, wanted.fields)
        self.sets, self.too_short = sets.sets, sets.too_short
        return [sets]

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
            "notes": self.notes,
            "coverage": self.coverage,
            "evaluation_sets": self.sets,
            "items_too_short": self.too_short,
            "tags": self.tags.as_json() if self.tags else None,
            "faulty": [one.as_json() for one in self.faulty],
        }


def select(
    plan: Plan,
    pairs: Pairs,
    path: Path | None = None,
    *,
    tags: "Named | None" = None,
    labels: Labels | None = None,
    opener: Opener | None = None,
) -> Selected:
    """Put every conversation through the criteria, and write the selection to `path` and its account beside it.

    `tags` are what the corpus calls its instruction tags, `labels` what people say of its conversations; `opener` gives
    embeddings of served models.

    Raises:
        ScenarioError: when a rule cannot be worked out for some conversation, or reads a judge that was never asked, at
            the rule; for a line of an evaluation set that cannot be read; for labels of drafts that are not there.
        UserError: if an extra is missing, a set cannot be read, or a balance cannot be had."""
    criteria = plan.criteria
    made = Selected(criteria.id, sha256(Path(plan.source.file).read_bytes()).hexdigest(), criteria.seed, tags=tags)
    faulty = Faulty(labels or Labels())
    begun = process_time()
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger())
        rules = read_rules(plan)
        made.steps = [*map(ruled, rules), *map(leaked, made.read_sets(plan))]
        made.steps += comparisons(criteria, ledger, stack, opener)
        judged = one_by_one(made, plan, few(pairs, tags), ledger, faulty)
        faulty.labels.check()
        if unasked := [*never_asked(rules, judged), *untagged(plan, judged)]:
            raise ScenarioError(unasked)
        made.seconds = process_time() - begun - sum(step.seconds for step in made.steps)
        all_together(made, plan, ledger)
        made.kept = ledger.count
        made.faulty = faulty.known()
        for shares in made.faulty:
            shares.end(place for place, _, _ in ledger.kept())
        made.coverage = [covered(ledger, one, other) for one, other in criteria.coverage]
        if path is not None:
            write(ledger, made, path)
    return made


def one_by_one(made: Selected, plan: Plan, some: Iterable[list[Facts]], ledger: Ledger, faulty: Faulty) -> set[str]:
    """Put conversations into the ledger and through the steps, a few at a time; the judges that were asked of any."""
    names, rules = counted_by(plan), {rule.name for rule in read_rules(plan)}
    judged: set[str] = set()
    for together in some:
        for facts in together:
            made.conversations += 1
            judged.update(verdict.judge for verdict in facts.talk.verdicts)
            cells = {name: values(facts, name) for name in names}
            ledger.add(facts.talk.index, facts.talk.id, "", "", cells)
        rejected = list(through(made.steps, together))
        ledger.reject(rejected)
        by_rules = {place for step, _, place in rejected if step in rules}
        for facts in together:
            faulty.add(facts.talk, facts.talk.index in by_rules)
    return judged


def all_together(made: Selected, plan: Plan, ledger: Ledger) -> None:
    """Balance and split what the steps have left, and tell of both as steps."""
    criteria = plan.criteria
    for wanted in criteria.balance:
        step = Step("balance by " + " / ".join(wanted.by), reached=ledger.count)
        with timed(step):
            made.balance.append(balanced(ledger, wanted, criteria.seed))
        step.rejected = step.reached - ledger.count
        made.steps.append(step)
    if criteria.split:
        step = Step("split by " + ", ".join(criteria.split.by), reached=ledger.count)
        with timed(step):
            made.parts, made.notes = divided(ledger, criteria.split, criteria.seed)
        made.steps.append(step)


def never_asked(rules: Iterable[ReadRule], judged: set[str]) -> Iterator[Fault]:
    """Rules about judges of whom the run holds no verdict: they would hold for nothing, and nobody would notice."""
    for rule in rules:
        for judge in rule.judges:
            if judge not in judged:
                hint = f" (ask it: tertulia judge RUN {'--tags' if judge in heuristics() else judge})"
                yield rule.fault(ExpressionFault(f"no conversation of this run was judged by {judge!r}", 0, hint))


def untagged(plan: Plan, judged: set[str]) -> Iterator[Fault]:
    """Tags of a judge of whom the run holds no verdict."""
    judge = plan.criteria.tags.of.partition(".")[0] if plan.criteria.tags else ""
    if judge and judge not in judged | set(FIELDS):
        hint = f" (ask it: tertulia judge RUN {judge} --model SPEC)"
        yield plan.source.fault(("tags",), f"no conversation of this run was judged by {judge!r}", hint)


def few(pairs: Pairs, tags: "Named | None") -> Iterator[list[Facts]]:
    """Conversations by the hundreds, so that what is asked of a model is asked for many at once."""
    facts = (Facts(scenario, talk) for scenario, talk in pairs)
    while some := list(islice(facts, AT_ONCE)):
        for one in some:
            one.tags = tags.tags(one) if tags else None
        yield some


def counted_by(plan: Plan) -> tuple[str, ...]:
    """The fields that are kept of each conversation."""
    criteria = plan.criteria
    named = [name for wanted in criteria.balance for name in wanted.by]
    named += criteria.split.by if criteria.split else ()
    return tuple(dict.fromkeys([*named, *(name for pair in criteria.coverage for name in pair)]))


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
