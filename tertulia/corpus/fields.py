"""What can be read of a conversation by name: in rules, for balance, and for splits.

A verdict is read as JUDGE.passed, JUDGE.score, JUDGE.reason, and JUDGE.KEY for what stands in its detail.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tertulia.corpus.words import digest
from tertulia.exporting.tally import world_of
from tertulia.lint.duplicates import spoken
from tertulia.parts import names
from tertulia.recipe import is_text
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.slips import accepted, placed

__all__ = ["BEFOREHAND", "FIELDS", "MISSING", "TAG", "Facts", "known_names", "label", "values"]


class Missing:
    """What a conversation does not have."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


TAG = "tag"


def principles(scenario: Scenario) -> list[str]:
    return sorted({given if isinstance(given, str) else given.id for given in scenario.principles})


def personas(scenario: Scenario) -> str:
    return scenario.cast[scenario.user].persona


def twin(scenario: Scenario) -> str:
    """Twelve digits for the words and wishes of the user, whatever the world, the principles or the answers are.

    Contrast pairs share it: the same request under two principles, in two states of the world, of two personas."""
    unsaid = (want for want in scenario.script.wants if not want.say)
    brought = [*spoken(scenario), *(f"{want.call} {sorted(want.args.items())}" for want in unsaid)]
    return digest(brought).hex()[:12]


def document(scenario: Scenario) -> str | None:
    """The API document, server or module that tools come from; for tools in the scenario, twelve digits for them."""
    source = scenario.source
    if source is None:
        return digest([tool.name for tool in scenario.tools]).hex()[:12] if scenario.tools else None
    return source.openapi or source.python or digest([source.model_dump_json(include={"mcp", "classes"})]).hex()[:12]


def survived(talk: Conversation) -> list[str]:
    """Kinds of the slips whose draft was accepted: faults that are still in the conversation."""
    last = accepted(talk)
    return sorted({slip.kind for slip in talk.slips if slip.breaks and (slip.turn, slip.draft) in last})


def marks_left(talk: Conversation) -> list[str]:
    """What critics mark on the drafts that were accepted, as CRITIC/PRINCIPLE and CRITIC/PRINCIPLE/SEVERITY."""
    places = accepted(talk)
    last = [draft for place, draft in placed(talk) if place in places]
    marks = {(f"{m.critic}/{m.principle}", m.severity) for draft in last for m in draft.markers}
    return sorted({name for mark, severity in marks for name in (mark, f"{mark}/{severity}")})


FIELDS: dict[str, tuple[Callable[[Scenario, Conversation], Any], str]] = {
    "id": (lambda scenario, talk: talk.id, "its id"),
    "index": (lambda scenario, talk: talk.index, "its place in the run"),
    "scenario": (lambda scenario, talk: talk.scenario, "the id of its scenario"),
    "twin": (lambda scenario, talk: twin(scenario), "what its user brings; scenarios that differ in all else share it"),
    "document": (
        lambda scenario, talk: document(scenario),
        "where tools of its own come from; none in a world by name",
    ),
    "kind": (lambda scenario, talk: scenario.kind, "what makes the scenario hard"),
    "recipe": (lambda scenario, talk: "its own" if is_text(scenario.recipe) else scenario.recipe, "the method"),
    "world": (lambda scenario, talk: world_of(scenario), "the world it is played in"),
    "principles": (lambda scenario, talk: principles(scenario), "ids of the principles in force"),
    "persona": (lambda scenario, talk: personas(scenario), "the user's persona"),
    "parties": (lambda scenario, talk: len(talk.roles), "how many talk"),
    "opening": (lambda scenario, talk: opening(talk), "the first words of the user"),
    "tools": (lambda scenario, talk: tools(talk), "the tools that were called"),
    "turns": (lambda scenario, talk: len(talk.turns), "utterances"),
    "revisions": (lambda scenario, talk: sum(len(turn.drafts) - 1 for turn in talk.turns), "drafts sent back"),
    "marked": (lambda scenario, talk: sorted({m.principle for m in talk.markers}), "principles marked on any draft"),
    "marks_left": (
        lambda scenario, talk: marks_left(talk),
        "marks on the drafts that were accepted, as CRITIC/PRINCIPLE and CRITIC/PRINCIPLE/SEVERITY",
    ),
    "end_reason": (lambda scenario, talk: talk.end_reason.value, "how it ended"),
    "accepted": (lambda scenario, talk: talk.accepted, "whether it passed the gates of its recipe"),
    "rejected_by": (lambda scenario, talk: talk.rejected_by, "the gate or cause that rejected it"),
    "slips": (lambda scenario, talk: len(talk.slips), "faults planted in any draft"),
    "slipped": (lambda scenario, talk: survived(talk), "kinds of planted faults that are still in it"),
    "calls": (lambda scenario, talk: talk.usage.calls, "calls of models"),
    "tokens_in": (lambda scenario, talk: talk.usage.tokens_in, "tokens of their prompts"),
    "tokens_out": (lambda scenario, talk: talk.usage.tokens_out, "tokens of their replies"),
    "usd": (lambda scenario, talk: talk.usage.usd, "what they cost"),
    "troubles": (lambda scenario, talk: sum(talk.usage.troubles.values()), "replies with something wrong"),
    TAG: (lambda scenario, talk: [], "its instruction tags, as `tags` of the criteria makes them one"),
    "variant": (
        lambda scenario, talk: talk.variant,
        "its choice of `vary`: variant.slots.day, variant.customer.persona",
    ),
}
BEFOREHAND: dict[str, Callable[[Scenario], Any]] = {  # what is known of a scenario before it is played
    "scenario": lambda scenario: scenario.id,
    "kind": lambda scenario: scenario.kind,
    "recipe": lambda scenario: "its own" if is_text(scenario.recipe) else scenario.recipe,
    "world": world_of,
    "principles": principles,
}


def opening(talk: Conversation) -> str:
    return next((turn.message.text for turn in talk.turns if talk.roles.get(turn.speaker) == "user"), "")


def tools(talk: Conversation) -> list[str]:
    return sorted({call.name for turn in talk.turns if turn.drafts for call in turn.message.calls})


def known_names() -> list[str]:
    """What the first word of a name may be: a field, or a judge."""
    return [*FIELDS, *names("judges")]


class Facts:
    """One conversation, read by name. `tags` are what the corpus calls its tags; only the corpus knows."""

    def __init__(self, scenario: Scenario, talk: Conversation, tags: Sequence[str] | None = None) -> None:
        self.scenario, self.talk, self.tags = scenario, talk, tags

    def value(self, name: str) -> Any:
        """The value under a dotted name; `MISSING` where there is none, or where it is null."""
        first, _, rest = name.partition(".")
        if name == TAG:
            return MISSING if self.tags is None else list(self.tags)
        found = FIELDS[first][0](self.scenario, self.talk) if first in FIELDS else self.verdict(first)
        found = inside(found, rest.split(".") if rest else ())
        return MISSING if found is None else found

    def verdict(self, judge: str) -> Any:
        given = next((one for one in self.talk.verdicts if one.judge == judge), None)
        if given is None:
            return MISSING
        return given.detail | {"passed": given.passed, "score": given.score, "reason": given.reason}


def inside(value: Any, steps: Iterable[str]) -> Any:
    """The value at a path of keys; a key may itself hold dots, as those of `vary` do."""
    steps = tuple(steps)
    if not steps:
        return value
    if not isinstance(value, dict):
        return MISSING
    for length in range(len(steps), 0, -1):
        key = ".".join(steps[:length])
        if key in value:
            return inside(value[key], steps[length:])
    return MISSING


def values(facts: Facts, name: str) -> list[str]:
    """The value as texts to count by: several for a list, `none` for nothing."""
    found = facts.value(name)
    if isinstance(found, list | tuple):
        return [label(one) for one in found] or ["none"]
    return [label(found)]


def label(value: Any) -> str:
    if value is MISSING:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
