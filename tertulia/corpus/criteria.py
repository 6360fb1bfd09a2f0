"""The file that says what of a run is kept: `tertulia corpus RUN FILE`.

Its parts work in this order, each on what the ones before have left: rules from top to bottom, evaluation sets, exact
duplicates, near duplicates, novelty, meaning, balance, split.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from tertulia.corpus.expressions import Expression, ExpressionFault, parsed
from tertulia.corpus.fields import TAG, known_names
from tertulia.errors import Fault, ScenarioError, UserError, did_you_mean
from tertulia.records import Record
from tertulia.source import Source, read_records

__all__ = [
    "COMPARED",
    "SERVED",
    "Balance",
    "Contamination",
    "Criteria",
    "Meaning",
    "Near",
    "Novelty",
    "Plan",
    "Rule",
    "Split",
    "Tags",
    "Together",
    "read_plan",
]

COMPARED = ("in an evaluation set", "exact duplicate", "near duplicate", "no news", "same meaning")  # parts, as counted
SERVED = "openai:"  # how the spec of a served model begins; others are models of sentence-transformers
Of = Literal["all", "spoken", "user", "assistant", "opening"]
OF = "which words: all (calls and results too), spoken, user, assistant, or opening (the user's first message)"
NO_TAGS = "there are no tags, as the file has no 'tags:'"
Share = Annotated[float, Field(gt=0, le=1)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class Rule(Record):
    """Keeps what fits, or rejects what fits. Exactly one of `keep` and `reject`."""

    keep: str = Field("", description="an expression; what it does not hold for is rejected")
    reject: str = Field("", description="an expression; what it holds for is rejected")
    because: str = Field("", description="the name under which rejects are counted; left out: the rule itself")


class Near(Record):
    """Conversations that share most of their runs of words with one that is kept (MinHash with banding, Broder 1997;
    every candidate is verified by the exact Jaccard similarity)."""

    similarity: Share = Field(
        0.7, description="Jaccard similarity of the sets of runs, from which on it is a duplicate"
    )
    words: int = Field(3, ge=1, le=20, description="in a run")
    of: Of = Field("all", description=OF)


class Novelty(Record):
    """Texts that resemble one that is kept, by ROUGE-L F1 (Self-Instruct: at most 0.7 against the growing pool)."""

    rouge_l: Share = Field(0.7, description="the highest ROUGE-L F1 that is still news")
    of: Of = Field("opening", description=OF)


class Meaning(Record):
    """Texts that mean the same as one that is kept, by the cosine of their embeddings; the extra `[embed]`, or a served
    model, whose embeddings are kept in the run's journal."""

    model: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="a model of sentence-transformers, or openai:NAME[@URL][#KEY], asked at /v1/embeddings",
    )
    cosine: Share = Field(0.95, description="from which on it is a duplicate")
    of: Of = Field("opening", description=OF)


class Together(Record):
    """A tag that nearly always stands beside a more frequent one goes into it (association rules, one tag each)."""

    support: Share = Field(0.4, description="the least share of the tagged conversations that have both")
    confidence: Share = Field(0.99, description="the least share of those with the rarer tag that have both")


class Tags(Record):
    """Instruction tags, made few enough to balance by: the field `tag` (InsTag, arXiv 2308.07074, as SyGra does it).

    Wordings that differ in case, punctuation and endings alone (Porter stems) are one tag, named by the most
    frequent."""

    of: str = Field("rubric.tags", description="where a judge has left the tags of a conversation")
    least: int = Field(2, ge=1, description="conversations that have a tag; a rarer one is dropped")
    model: str = Field("", description="embeddings that join tags of one meaning, as in `meaning`; left out: none are")
    cosine: Share = Field(0.95, description="from which on two tags are one")
    together: Together | None = Field(None, description="left out: tags that come together stay two")


class Contamination(Record):
    """Conversations that hold an item of an evaluation set: a run of its words, then an aligned match (Cosmopedia).

    Of a tertulia evaluation set, conversations that played an item itself are found as well, whatever was said."""

    against: Names = Field(description="JSONL files of evaluation sets, as seen from this file")
    words: int = Field(10, ge=2, le=50, description="in a run that must be shared; of a shorter item, all of them")
    match: Share = Field(0.5, description="share of an item's words in aligned runs, above which it has leaked")
    fields: tuple[str, ...] = Field((), description="whose texts make an item of a foreign set; left out: all texts")


class Balance(Record):
    """How many of each sort are kept; which ones is drawn by seed."""

    by: Names = Field(description="fields; several of them make one sort together")
    shares: dict[str, Share] = Field({}, description="share by value (`a / b` for two fields); left out: even")
    most: int | None = Field(None, ge=1, description="of each sort")
    total: int | None = Field(None, ge=1, description="of all sorts together")


class Split(Record):
    """Which part a conversation goes to. Those that share a value of any field of `by`, directly or over others, go
    together: of one scenario, of one request under other principles (twin), of one source of tools (document)."""

    shares: dict[str, Share] = Field(min_length=1, description="part -> share of the conversations")
    by: Names = Field(
        ("scenario", "twin", "document"), description="fields whose values stay together, such as variant.document"
    )


class Criteria(Record):
    """One file."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="names what comes out: RUN/selections/ID.jsonl")
    title: str = Field("", description="one line for people")
    tags: Tags | None = Field(None, description="left out: there is no field `tag`")
    rules: tuple[Rule, ...] = Field((), description="from top to bottom")
    contamination: Contamination | None = Field(None, description="left out: no evaluation set is looked at")
    exact: bool = Field(True, description="of conversations with the same words, the first is kept")
    near: Near | None = Field(None, description="left out: near duplicates are kept")
    novelty: Novelty | None = Field(None, description="left out: texts may resemble each other")
    meaning: Meaning | None = Field(None, description="left out: texts may mean the same")
    balance: tuple[Balance, ...] = Field((), description="from top to bottom")
    split: Split | None = Field(None, description="left out: all go together")
    coverage: tuple[Annotated[tuple[str, ...], Field(min_length=2, max_length=2)], ...] = Field(
        (("kind", "world"), ("end_reason", "world")), description="pairs of fields that are counted before and after"
    )
    seed: int = Field(0, description="for what is drawn")


@dataclass(frozen=True, slots=True)
class Plan:
    """A file of criteria, read: its rules as expressions, and where each of them stands."""

    criteria: Criteria
    rules: tuple[tuple[Rule, Expression], ...]
    source: Source

    @property
    def folder(self) -> Path:
        return Path(self.source.file).parent

    def fault(self, nth: int, error: ExpressionFault) -> Fault:
        """What is wrong with a rule, at its place in the file."""
        return fault_at(self.source, nth, self.rules[nth][0], error)


def bundled() -> dict[str, Path]:
    """The criteria that come with tertulia, by name."""
    return {path.stem: path for path in sorted(Path(str(files("tertulia.scenarios") / "criteria")).glob("*.yaml"))}


def read_plan(given: str, against: Sequence[Path] = ()) -> Plan:
    """Read a file of criteria, or bundled ones by name; `against` are evaluation sets besides those that it names.

    Raises:
        ScenarioError: with every fault of the file.
        UserError: if there is no such file."""
    path = bundled().get(given) or Path(given)
    if not path.is_file():
        known = ", ".join(bundled())
        raise UserError(f"no file of criteria {given!r}{did_you_mean(given, bundled())}; bundled: {known}")
    source, criteria = read_records(path, Criteria)
    rules: list[tuple[Rule, Expression]] = []
    faults = list(wrong_names(source, criteria))
    for nth, rule in enumerate(criteria.rules):
        if bool(rule.keep) == bool(rule.reject):
            faults.append(source.fault(("rules", nth), "a rule has exactly one of 'keep' and 'reject'"))
            continue
        try:
            expression = parsed(rule.keep or rule.reject)
            if TAG in expression.names and not criteria.tags:
                raise ExpressionFault(NO_TAGS)
        except ExpressionFault as error:
            faults.append(fault_at(source, nth, rule, error))
        else:
            rules.append((rule, expression))
    if faults:
        raise ScenarioError(faults)
    return Plan(with_sets(criteria, against), tuple(rules), source)


def with_sets(criteria: Criteria, against: Sequence[Path]) -> Criteria:
    """The criteria with more evaluation sets."""
    if not against:
        return criteria
    more = tuple(str(path.absolute()) for path in against)
    old = criteria.contamination
    made = old.model_copy(update={"against": (*old.against, *more)}) if old else Contamination(against=more)
    return criteria.model_copy(update={"contamination": made})


def fault_at(source: Source, nth: int, rule: Rule, error: ExpressionFault) -> Fault:
    """An expression that stands on one line is pointed at to the column."""
    at = ("rules", nth, "keep" if rule.keep else "reject")
    found = source.fault(at, error.message, error.suggestion, rule="expression")
    text = Path(source.file).read_text(encoding="utf-8").splitlines()[found.line - 1][found.column - 1 :]
    quoted = text[:1] in ("'", '"')
    column = found.column + error.at + quoted if text[quoted:].startswith(rule.keep or rule.reject) else found.column
    return Fault(found.file, found.line, column, found.message, found.rule, suggestion=found.suggestion)


def wrong_names(source: Source, criteria: Criteria) -> Iterator[Fault]:
    """Fields of balance, split and coverage that nobody has, and shares that do not add up."""
    named: list[tuple[tuple[str | int, ...], str]] = [(("tags", "of"), criteria.tags.of)] if criteria.tags else []
    for nth, balance in enumerate(criteria.balance):
        named += [(("balance", nth, "by", at), name) for at, name in enumerate(balance.by)]
    if criteria.split:
        named += [(("split", "by", at), name) for at, name in enumerate(criteria.split.by)]
    for nth, pair in enumerate(criteria.coverage):
        named += [(("coverage", nth, at), name) for at, name in enumerate(pair)]
    for place, name in named:
        first = name.partition(".")[0]
        if name == TAG and not criteria.tags:
            yield source.fault(place, NO_TAGS)
        if first not in known_names():
            yield source.fault(place, f"{first!r} is neither a field nor a judge", did_you_mean(first, known_names()))
    shares: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [
        (("balance", nth, "shares"), dict(balance.shares)) for nth, balance in enumerate(criteria.balance)
    ]
    shares += [(("split", "shares"), dict(criteria.split.shares))] if criteria.split else []
    for place, given in shares:
        if given and abs(sum(given.values()) - 1) > 1e-6:
            yield source.fault(place, f"the shares add up to {sum(given.values()):g}, not to 1", on_key=True)
