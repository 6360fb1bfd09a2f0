"""The rules of a file of criteria on one conversation: for `tertulia corpus`, and as gates of a run.

A run keeps the rules in its manifest, so that it can be judged again wherever its folder goes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tertulia.corpus.criteria import COMPARED, Plan, Rule
from tertulia.corpus.expressions import Expression, ExpressionFault, parsed
from tertulia.corpus.fields import FIELDS, TAG, Facts
from tertulia.errors import Fault, ScenarioError, SettingsError
from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["ReadRule", "Rules", "read_rules"]

QUOTED = 60  # characters of a value that decided


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule with its expression, the name under which its rejects are counted, and the place of its faults."""

    name: str
    rule: Rule
    expression: Expression
    fault: Callable[[ExpressionFault], Fault]

    @property
    def judges(self) -> list[str]:
        """The judges whose verdicts it reads."""
        return sorted({name.partition(".")[0] for name in self.expression.names} - set(FIELDS))

    def holds(self, facts: Facts) -> bool | None:
        """Whether its expression holds; None: the conversation lacks what it speaks of.

        Raises:
            ScenarioError: at the rule, when its values do not allow what it does with them."""
        try:
            return self.expression.holds(facts)
        except ExpressionFault as error:
            raised = ExpressionFault(f"{error.message} (in {facts.talk.id})", error.at)
            raise ScenarioError([self.fault(raised)]) from None

    def rejects(self, held: bool | None) -> bool:
        """What follows: an unknown expression does not hold."""
        return not held if self.rule.keep else bool(held)

    def told(self, facts: Facts) -> str:
        """The values on which it was decided."""
        return ", ".join(f"{name} = {str(facts.value(name))[:QUOTED]}" for name in self.expression.names)


def read_rules(plan: Plan) -> list[ReadRule]:
    """The rules of a file, each under a name of its own."""
    return list(named(plan.rules, plan.fault))


def named(rules: Iterable[tuple[Rule, Expression]], at: Callable[[int, ExpressionFault], Fault]) -> Iterator[ReadRule]:
    taken = Counter(COMPARED)  # whose rejects are counted under these names
    for nth, (rule, expression) in enumerate(rules):
        name = rule.because or (f"keep: {rule.keep}" if rule.keep else f"reject: {rule.reject}")
        taken[name] += 1
        yield ReadRule(name if taken[name] == 1 else f"{name} ({taken[name]})", rule, expression, partial(at, nth))


def fault_of_manifest(file: Path, nth: int, error: ExpressionFault) -> Fault:
    return Fault(str(file), 1, 1, f"rule {nth + 1} of its criteria: {error.message}")


@dataclass(frozen=True, slots=True)
class Rules:
    """Gates of a run beside those of its recipes."""

    rules: tuple[ReadRule, ...] = ()

    @classmethod
    def of(cls, plan: Plan) -> "Rules":
        """Those of a file.

        Raises:
            ScenarioError: at each rule that needs the whole corpus to be there."""
        rules = read_rules(plan)
        why = ExpressionFault("tags are known when all is played: leave this rule to `tertulia corpus`")
        if early := [rule.fault(why) for rule in rules if TAG in rule.expression.names]:
            raise ScenarioError(early)
        return cls(tuple(rules))

    @classmethod
    def kept(cls, settings: Mapping[str, Any], file: Path) -> "Rules":
        """The rules that the settings in the manifest `file` tell of.

        Raises:
            SettingsError: if they cannot be read."""
        try:
            given = [Rule.model_validate(rule) for rule in settings.get("criteria", ())]
            read = [(rule, parsed(rule.keep or rule.reject)) for rule in given]
        except (ValidationError, ExpressionFault, TypeError):
            raise SettingsError(f"the manifest {str(file)!r} names criteria in a way that cannot be read") from None
        return cls(tuple(named(read, partial(fault_of_manifest, file))))

    @property
    def judges(self) -> Sequence[str]:
        """The judges that have to be asked before."""
        return list(dict.fromkeys(judge for rule in self.rules for judge in rule.judges))

    def as_json(self) -> list[dict[str, str]]:
        """What the manifest keeps."""
        return [one.rule.model_dump(exclude_defaults=True) for one in self.rules]

    def cause(self, scenario: Scenario, talk: Conversation) -> str:
        """The name of the first rule that rejects a conversation; empty: none.

        Raises:
            ScenarioError: at a rule that cannot be worked out for it."""
        facts = Facts(scenario, talk)
        return next((one.name for one in self.rules if one.rejects(one.holds(facts))), "")
