"""User scripts from the operations of an API, output first: the calls are chosen, then the words are written.

The fields of a script are those of AutoDE (Mu et al., arXiv 2403.11128): character, background, purpose, API,
parameters, and a first query that is fixed and mentions one or two values to the letter; the other values are facts
that the user tells when asked. An identifier that an operation wants comes out of the answer to an earlier call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tertulia.importers.openapi.links import Link, links
from tertulia.importers.openapi.values import drawn
from tertulia.importers.openapi.vocabulary import BEYOND, ELSEWHERE, VAGUE
from tertulia.importers.openapi.words import addition, asked, deed, indifferent, mention, recanted, sequel
from tertulia.language.filling import label_of
from tertulia.language.kinds import ID_WORDS
from tertulia.language.wording import humanize, verb
from tertulia.scenario import Kind, Want
from tertulia.world import LiveWorld, ToolSpec

__all__ = ["KINDS", "Draft", "Writer"]

MENTIONED = 2  # values in the opening, at most
OUTSIDE = 0.5  # how often a request that cannot be met is about something else altogether
MANY_OPTIONAL = 0.3  # how often two optional values are given


@dataclass(frozen=True, slots=True)
class Draft:
    """What a script is about, before it is a scenario."""

    opening: str
    wants: tuple[Want, ...] = ()
    knows: Mapping[str, Any] = field(default_factory=dict)
    forbidden: str = ""  # a tool that the policy forbids
    grounds: str = ""  # the sentence of the policy that does
    used: tuple[tuple[str, str], ...] = ()  # operation and parameter, for the coverage


@dataclass
class Writer:
    """Writes scripts of each kind for one API. What it has used least comes first."""

    tools: Sequence[ToolSpec]
    rng: Random
    operations: Mapping[str, int]  # how often each was used
    parameters: Mapping[tuple[str, str], int]
    live: Callable[[], LiveWorld]  # a fresh world

    def write(self, kind: Kind) -> Draft | None:
        """A draft, or None where the API has nothing for that kind."""
        return next(WRITERS[kind](self), None)

    # --- what to choose from -------------------------------------------------------------------------------------

    def ordered(self, tools: Sequence[ToolSpec]) -> list[ToolSpec]:
        """The tools, the least used first, by chance among equals."""
        shuffled = self.rng.sample(list(tools), len(tools))
        return sorted(shuffled, key=lambda tool: self.operations.get(tool.name, 0))

    def optional(self, tool: ToolSpec) -> list[str]:
        wanted = tool.parameters.get("required", ())
        names = [name for name in tool.parameters.get("properties", {}) if name not in wanted]
        shuffled = self.rng.sample(names, len(names))
        return sorted(shuffled, key=lambda name: self.parameters.get((tool.name, name), 0))

    def values(self, tool: ToolSpec, names: Sequence[str], taken: set[str]) -> dict[str, Any] | None:
        """A value for each of these parameters; None where one cannot be had."""
        found = {}
        for name in names:
            value = drawn(name, tool.parameters["properties"].get(name) or {}, tool.parameters, self.rng, taken)
            if value is None:
                return None
            found[name] = value
        return found

    def form(self, tool: ToolSpec, taken: set[str], *, given: Sequence[str] = (), optional: bool = True) -> Any:
        """The values of a call: all required ones but those given, and one or two optional ones."""
        required = [name for name in needed(tool) if name not in given]
        extra: list[str] = []
        if optional:
            extra = self.optional(tool)[: 2 if self.rng.random() < MANY_OPTIONAL else 1]
        return self.values(tool, [*required, *(name for name in extra if name not in given)], taken)

    def split(self, tool: ToolSpec, args: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values for the opening, the optional ones first, for nobody asks for them; and those told when asked."""
        required = tool.parameters.get("required", ())
        names = sorted(args, key=lambda name: name in required)
        fixed = [name for name in names if name not in required]
        fixed += names[len(fixed) :][: max(0, self.rng.randint(1, MENTIONED) - len(fixed))]
        return {name: args[name] for name in fixed}, {name: args[name] for name in names if name not in fixed}

    # --- the kinds -----------------------------------------------------------------------------------------------

    def single_call(self) -> Iterator[Draft]:
        for tool in self.ordered(self.tools):
            args = self.form(tool, set())
            if args is not None:
                said, told = self.split(tool, args)
                yield Draft(
                    asked(tool, said, self.rng), (Want(call=tool.name, **{"with": args}),), told, used=use(tool, args)
                )

    def missing_optional(self) -> Iterator[Draft]:
        for tool in self.ordered([tool for tool in self.tools if self.optional(tool)]):
            args = self.form(tool, set(), optional=False)
            if args is None:
                continue
            left_out = self.optional(tool)[0]
            said, told = self.split(tool, args)
            opening = f"{asked(tool, said, self.rng)} {indifferent(left_out, self.rng)}"
            yield Draft(opening, (Want(call=tool.name, **{"with": args}),), told, used=use(tool, args))

    def change_of_mind(self) -> Iterator[Draft]:
        for tool in self.ordered(self.tools):
            taken: set[str] = set()
            args = self.form(tool, taken)
            said, told = self.split(tool, args) if args else ({}, {})
            plain = [name for name in said if not isinstance(said[name], bool | list | dict)]
            if not plain:
                continue
            name = self.rng.choice(plain)
            other = self.values(tool, [name], taken)
            if other is None or other[name] == args[name]:
                continue
            change = {"say": recanted(name, other[name], self.rng), "with": other}
            want = Want.model_validate({"call": tool.name, "with": args, "change": change})
            yield Draft(asked(tool, said, self.rng), (want,), told, used=use(tool, args))

    def parallel(self) -> Iterator[Draft]:
        """Two calls in one breath: of one operation for two things, or of two operations."""
        for tool in self.ordered(self.tools):
            taken: set[str] = set()
            twice = bool(tool.parameters.get("properties")) and self.rng.random() < 0.5
            other = tool if twice else next((one for one in self.ordered(self.tools) if one is not tool), None)
            first = self.form(tool, taken)
            second = self.form(other, taken) if other is not None else None
            if other is None or first is None or second is None or (twice and same_form(first, second)):
                continue
            said, told = self.split(tool, first)
            opening = f"{asked(tool, said, self.rng)} {addition(other, second, self.rng)}"
            again = " ".join(["And the other thing:", f"please {deed(other, self.rng)}.", *mention(second)])
            wants = (Want(call=tool.name, **{"with": first}), Want(call=other.name, say=again, **{"with": second}))
            yield Draft(opening, wants, told, used=(*use(tool, first), *use(other, second)))

    def chain(self) -> Iterator[Draft]:
        """A call that needs what another one returns."""
        for consumer in self.ordered(self.tools):
            found = [link for tool in self.ordered(self.tools) for link in self.linked(tool, consumer)]
            for link in found:
                same = {name: link.args[name] for name in needed(consumer) if name in link.args}
                taken = {str(value).lower() for value in link.args.values()}
                args = self.form(consumer, taken, given=[*link.gives, *same])
                if args is None:
                    continue
                args = {**same, **args}
                said, told = self.split(link.tool, link.args)
                say = sequel(consumer, args, link.picked, self.rng)
                wants = (
                    Want(call=link.tool.name, **{"with": link.args}),
                    Want(call=consumer.name, say=say, **{"with": {**link.gives, **args}}),
                )
                used = (*use(link.tool, link.args), *use(consumer, {**link.gives, **args}))
                yield Draft(asked(link.tool, said, self.rng), wants, told, used=used)

    def linked(self, tool: ToolSpec, consumer: ToolSpec) -> Iterator[Link]:
        """The ways in which the answer of a call of `tool` gives identifiers that `consumer` wants."""
        if tool is consumer or not identifiers(consumer):
            return
        args = self.form(tool, set())
        if args is not None:
            yield from links(self.live(), tool, args, consumer, identifiers(consumer), self.rng)

    def unanswerable(self) -> Iterator[Draft]:
        """Something else altogether, or something with a thing of this API that no operation does."""
        nouns = sorted({thing(tool.name) for tool in self.tools} - {""})
        lines = [line for line in ELSEWHERE if not any(noun in line.lower() for noun in nouns)]
        near = [line.format(noun=plural(noun)) for line in BEYOND for noun in nouns]
        choices = [self.rng.sample(these, len(these)) for these in (lines, near)]
        first, second = choices if self.rng.random() < OUTSIDE else choices[::-1]
        for line in (*first, *second):
            yield Draft(line)

    def ambiguous(self) -> Iterator[Draft]:
        """A first query that fits several operations; asked what is meant, the user names one."""
        for tool in self.ordered(self.tools):
            noun = thing(tool.name)
            rivals = [
                other
                for other in self.tools
                if other is not tool and set(noun.split()) & set(thing(other.name).split())
            ]
            args = self.form(tool, set(), optional=False) if noun and rivals else None
            if args is None or not rivals:
                continue
            shared = [word for word in noun.split() if any(word in thing(other.name).split() for other in rivals)]
            opening = self.rng.choice(VAGUE).format(noun=plural(" ".join(shared)))
            yield Draft(opening, (Want(call=tool.name, **{"with": args}),), args, used=use(tool, args))

    def refusal(self) -> Iterator[Draft]:
        """The policy forbids what the user asks for."""
        writing = [tool for tool in self.tools if tool.writes]
        for tool in self.ordered(writing or self.tools):
            args = self.form(tool, set())
            if args is not None:
                said, told = self.split(tool, args)
                want = Want(call=tool.name, outcome="refused", **{"with": args})
                grounds = f"Never {humanize(tool.name)} for anybody; say that this is done in person only."
                yield Draft(asked(tool, said, self.rng), (want,), told, tool.name, grounds, use(tool, args))


WRITERS: dict[Kind, Callable[[Writer], Iterator[Draft]]] = {
    "single_call": Writer.single_call,
    "chain": Writer.chain,
    "parallel": Writer.parallel,
    "missing_optional": Writer.missing_optional,
    "change_of_mind": Writer.change_of_mind,
    "unanswerable": Writer.unanswerable,
    "ambiguous": Writer.ambiguous,
    "refusal": Writer.refusal,
}
KINDS: tuple[Kind, ...] = tuple(WRITERS)


def use(tool: ToolSpec, args: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return ((tool.name, ""), *((tool.name, name) for name in args))


def same_form(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two calls of an operation differ in nothing that both have: one request, said twice."""
    return one.keys() == other.keys() and all(one[name] == other[name] for name in one)


def thing(name: str) -> str:
    """What an operation is about: its name without the verb, singular."""
    said = [
        word for word in humanize(name).split() if word != verb(name) and word not in ("by", "id", "of", "the", "all")
    ]
    return " ".join(word[:-1] if word.endswith("s") and not word.endswith("ss") else word for word in said)


def needed(tool: ToolSpec) -> list[str]:
    return list(tool.parameters.get("required", ()))


def plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


def identifiers(tool: ToolSpec) -> list[str]:
    """The required parameters that name something by an identifier."""
    return [
        name
        for name in tool.parameters.get("required", ())
        if label_of((name,)).split()[-1:] and label_of((name,)).split()[-1] in ID_WORDS
    ]
