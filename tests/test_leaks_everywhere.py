"""No speaker is ever shown what it may not see: every bundled scenario is played, and every view is searched.

What a speaker may know is worked out here anew, from the scenario file, the world and the audience rules; what it was
shown is recorded on its way to the part. `faults` compares the two. That it can find leaks is shown by planting some.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel

from tertulia.contracts import Neighbour, Speaker, Utterance, View
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.graph import Item, Stage
from tertulia.principles import bundled_principles
from tertulia.recipe import bundled_recipe
from tertulia.records import Change, Draft, Marker, Message, Plan, ToolCall, Turn
from tertulia.scenario import Party, Scenario
from tertulia.setting import principles_of
from tertulia.streams import number
from tertulia.table import Table
from tertulia.variation import balanced_choice, settle
from tertulia.views import audience_of
from tertulia.world import ToolSpec, World
from tertulia.worlds import open_world

SEED, VARIANTS, RATES = 3, 2, (0.0, 0.3)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
IDENTIFIER = re.compile(r"(?=\w*[A-Za-z])(?=\w*\d)\w{3,}")
WORKED_OUT = re.compile(r"\d+(?:st|nd|rd|th|am|pm|h|min|mbps|kg)", re.IGNORECASE)  # dates, times and quantities


@dataclass(frozen=True)
class Shown:
    """A view on its way to a speaker, with what had really happened by then."""

    scenario: Scenario
    world: World
    view: View
    turns: tuple[Turn, ...]
    plan: Plan | None
    slips: float


class Recorder:
    """Stands before a speaker and keeps what it is shown."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.table: Table | None = None
        self.shown: list[Shown] = []

    async def speak(self, view: View) -> Utterance:
        assert self.table is not None
        item = self.table.item
        kept = replace(view, messages=tuple(view.messages))
        world = self.table.setting.world
        self.shown.append(Shown(item.scenario, world, kept, tuple(self.table.turns), self.table.plan, item.slips))
        return await self.speaker.speak(view)


async def recorded(scenario: Scenario, nth: int, slips: float, **instead: Speaker) -> list[Shown]:
    """All that the rule cast, or the speakers given instead, are shown in one conversation."""
    stage = Stage(bundled_recipe(scenario.recipe))
    recorders = {role: Recorder(instead.get(role, speaker)) for role, speaker in stage.speakers.items()}
    stage.speakers = dict(recorders)
    choice = balanced_choice(scenario, nth, SEED)
    table = stage.seat(Item(nth, f"{scenario.id}-{nth}", settle(scenario, choice), choice, number(SEED, nth), slips))
    for recorder in recorders.values():
        recorder.table = table
    async with asyncio.timeout(20):
        await stage.play(table)
    return [shown for recorder in recorders.values() for shown in recorder.shown]


# --- texts --------------------------------------------------------------------------------------------------------


def leaves(value: Any) -> Iterator[Any]:
    """Every scalar of a value, at any depth, keys included."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from leaves(inner)
    elif is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif value is not None and not isinstance(value, bool | Random):
        yield value


def text_of(*values: Any) -> str:
    """All that values hold, as one text in lower case."""
    return "\n".join(str(leaf) for leaf in leaves(values)).casefold()


def scalars(value: Any) -> Iterator[str]:
    """The values (not the keys) of facts, as texts worth looking for."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from scalars(inner)
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= 3:
        yield str(value)


def holds(text: str, phrase: str) -> bool:
    """Whether a lower-case text holds a phrase as whole words."""
    phrase = phrase.strip().casefold()
    return phrase in text and bool(re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text))


def telling(text: str) -> bool:
    """Whether a value is too peculiar to be said by chance: an address, an identifier, a long number, a sentence."""
    digits = sum(map(str.isdigit, text))
    peculiar = EMAIL.fullmatch(text) or (IDENTIFIER.fullmatch(text) and not WORKED_OUT.fullmatch(text))
    return bool(peculiar) or digits >= 5 == (digits == len(text)) or len(text.split()) >= 3


# --- what is hidden and what is not -------------------------------------------------------------------------------


def private_to(party: Party) -> set[str]:
    """What only this party holds."""
    return {party.persona, *scalars(party.knows), *(decision.because for decision in party.decides)}


def of_the_script(scenario: Scenario) -> set[str]:
    """The script, and the gold values of its calls and of success."""
    script, success = scenario.script, scenario.success
    texts = {script.opening, *script.never_say, *scalars(success.state), *scalars(success.says)}
    for want in script.wants:
        texts |= {want.say, *scalars(want.args), *scalars(want.gold)}
        texts |= {want.change.say} if want.change else set()
    return texts


def hidden_from(shown: Shown) -> set[str]:
    scenario, name = shown.scenario, shown.view.name
    texts = {text for other, party in scenario.cast.items() if other != name for text in private_to(party)}
    texts |= {fault.error for fault in scenario.faults}
    if name != scenario.user:
        texts |= of_the_script(scenario) | set(shown.plan.steps if shown.plan else ())
    return {text for text in texts if len(text.strip()) >= 3}


def forbidden(scenario: Scenario, name: str) -> set[str]:
    """What its holder must tell nobody: without planted slips it never gets about at all."""
    texts = set() if name == scenario.user else set(scenario.script.never_say)
    for other, party in scenario.cast.items():
        if other != name:
            texts |= {text for key in party.secret for text in scalars(party.knows.get(key))}
    return {text for text in texts if len(text.strip()) >= 3}


@lru_cache(maxsize=64)
def common_ground(scenario_json: str, name: str) -> str:
    """What a party may know before a word is said, from the files alone."""
    scenario = Scenario.model_validate_json(scenario_json)
    world, party = open_world(scenario), scenario.cast[name]
    role_rules = [rule for rule in principles_of(scenario) if party.role in rule.applies_to]
    policy = (world.policy, scenario.policy) if party.role == "assistant" else ()
    cast = [(other, card.role, [d.call for d in card.decides]) for other, card in scenario.cast.items()]
    own = (party, scenario.script if name == scenario.user else None)
    return text_of(own, cast, policy, role_rules, dict(world.tools))


def heard(shown: Shown) -> list[Message]:
    """The messages that the viewer may see, by the audience rules."""
    scenario, name = shown.scenario, shown.view.name
    messages: list[Message] = []
    for turn in shown.turns:
        said = turn.message
        audience = audience_of(
            turn.speaker, scenario.cast, calls=bool(said.calls), to=said.to, private=scenario.private
        )
        messages += [said] if name in audience else []
        messages += turn.results if name == turn.speaker else ()
    bare = {"changes": (), "injected": False, "fault": ""}
    return [m.model_copy(update=bare) if m.role == "tool" else m for m in messages]


# --- the comparison -----------------------------------------------------------------------------------------------


def faults(shown: Shown) -> list[str]:
    """Everything in a view that its speaker may not see."""
    return [*in_its_shape(shown), *in_its_words(shown)]


def in_its_shape(shown: Shown) -> Iterator[str]:
    scenario, view = shown.scenario, shown.view
    holder = view.name == scenario.user
    tools = [*view.tools, *(tool for other in view.others for tool in other.tools)]
    for what, leaked in {
        "the card of another party": view.party != scenario.cast[view.name],
        "the script": view.script is not None and not holder,
        "the plan": view.plan is not None and not holder,
        "the assistant's policy": bool(view.policy) and view.party.role != "assistant",
        "other messages than it may hear": list(view.messages) != heard(shown),
        "a principle that is not in force": any(rule not in principles_of(scenario) for rule in view.principles),
        "a tool that is none of its world": any(shown.world.tools.get(tool.name) != tool for tool in tools),
    }.items():
        if leaked:
            yield what
    for message in view.messages:
        if view.name not in message.audience:
            yield f"a message for {message.audience}: {message.text!r}"
        if message.changes or message.injected:
            yield f"what only the record holds of a result: {message.text!r}"


def in_its_words(shown: Shown) -> Iterator[str]:
    scenario, view = shown.scenario, shown.view
    others = [message for message in view.messages if message.speaker != view.name]
    own = [message for message in view.messages if message.speaker == view.name]
    drafts = [draft.message for draft in view.sent_back]
    known = common_ground(scenario.model_dump_json(by_alias=True, exclude_unset=True), view.name) + text_of(others)
    remarks = [(draft.markers, draft.critique) for draft in view.sent_back]
    others_cards = tuple(replace(other, tools=()) for other in view.others)
    given = replace(view, messages=(), sent_back=(), tools=(), principles=(), others=others_cards)  # see in_its_shape
    secrets = [text for text in sorted(hidden_from(shown)) if not holds(known, text)]
    for what, text, found in [
        ("is told", text_of(given), secrets),
        ("reads in a critic's remark", text_of(remarks), [s for s in secrets if not holds(text_of(drafts), s)]),
        ("says or calls with", text_of(own, drafts), [s for s in secrets if telling(s)]),
    ]:
        yield from (f"{view.name!r} {what} {secret!r}" for secret in found if holds(text, secret))
    if not shown.slips:
        aloud = text_of([message.text for message in others if message.role != "tool"])
        yield from (f"{view.name!r} hears {s!r}" for s in sorted(forbidden(scenario, view.name)) if holds(aloud, s))


# --- every bundled scenario ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("slips", RATES)
@pytest.mark.parametrize("name", sorted(bundled_scenarios()))
async def test_no_view_holds_what_its_speaker_may_not_see(name: str, slips: float):
    scenario = load_scenario(bundled_scenarios()[name])
    views = 0
    for nth in range(VARIANTS):
        for shown in await recorded(scenario, nth, slips):
            views += 1
            assert faults(shown) == [], f"variant {nth}, turn {len(shown.turns)}"
    assert views >= 4


async def test_every_visibility_rule_is_at_work_in_the_bundled_scenarios():
    cards = [load_scenario(path) for path in bundled_scenarios().values()]
    assert any(card.private for card in cards)
    assert any(len(card.cast) > 2 for card in cards)
    assert any(card.script.never_say for card in cards)
    assert any(party.secret for card in cards for party in card.cast.values())
    assert any(party.tools for card in cards for party in card.cast.values() if party.role == "user")
    assert any(party.role == "colleague" for card in cards for party in card.cast.values())


# --- planted leaks ------------------------------------------------------------------------------------------------


async def last_views() -> dict[str, Shown]:
    """What each role was shown last in a private scenario of three, played without slips."""
    shown = await recorded(load_scenario(bundled_scenarios()["urgent-today"]), 0, 0.0)
    return {one.view.party.role: one for one in shown}


@pytest.fixture(scope="module")
def clean() -> dict[str, Shown]:
    return asyncio.run(last_views())


def secret_of(shown: Shown) -> str:
    """A text that this viewer has not come to know."""
    known = common_ground(shown.scenario.model_dump_json(by_alias=True, exclude_unset=True), shown.view.name)
    known += text_of(heard(shown))
    return next(text for text in sorted(hidden_from(shown)) if telling(text) and not holds(known, text))


def hearing(shown: Shown, text: str = "psst", **fields: Any) -> View:
    """The view with one message more."""
    values = {"speaker": "agent", "role": "assistant", "audience": (shown.view.name,)} | fields
    return replace(shown.view, messages=(*shown.view.messages, Message(text=text, **values)))


def calling(shown: Shown) -> View:
    call = ToolCall(id="call_9", name="x", args={"deep": [{"value": secret_of(shown)}]})
    return hearing(shown, "", speaker=shown.view.name, calls=(call,))


def with_remark(shown: Shown) -> View:
    message = Message(speaker=shown.view.name, role="assistant", text="Fine.")
    evidence = f"it should have been {secret_of(shown)}"
    mark = Marker(principle="x", turn=1, draft=0, severity="low", evidence=evidence, critic="planted")
    return replace(shown.view, sent_back=(Draft(message=message, markers=(mark,)),))


def stranger(shown: Shown) -> str:
    return next(name for name in shown.scenario.cast if name != shown.view.name)


def neighbour(shown: Shown) -> View:
    return replace(shown.view, others=(Neighbour("x", "user", decides=(secret_of(shown),)),))


PLANTS: dict[str, Callable[[Shown], View]] = {
    "the script": lambda s: replace(s.view, script=s.scenario.script),
    "the plan": lambda s: replace(s.view, plan=s.plan),
    "the card of another party": lambda s: replace(s.view, party=s.scenario.cast[stranger(s)]),
    "the assistant's policy": lambda s: replace(s.view, policy=s.world.policy),
    "a message for": lambda s: hearing(s, audience=(stranger(s),)),
    "other messages than it may hear": hearing,
    "what only the record holds": lambda s: hearing(s, changes=(Change(path="a", before=1, after=2),)),
    "a tool that is none of its world": lambda s: replace(s.view, tools=(ToolSpec(name="back_door"),)),
    "a principle that is not in force": lambda s: replace(
        s.view, principles=tuple(p for p in bundled_principles().values() if p not in principles_of(s.scenario))
    ),
    "is told": neighbour,
    "reads in a critic's remark": with_remark,
    "says or calls with": calling,
    "hears": lambda s: hearing(s, " ".join(forbidden(s.scenario, s.view.name)), speaker=stranger(s)),
}
KNOWN = {("user", "the script"), ("user", "the plan"), ("assistant", "the assistant's policy"), ("user", "hears")}
CASES = [(role, leak) for role in ("user", "assistant", "colleague") for leak in PLANTS if (role, leak) not in KNOWN]


@pytest.mark.parametrize(("role", "leak"), CASES)
def test_a_planted_leak_is_found(clean: dict[str, Shown], role: str, leak: str):
    shown = clean[role]
    assert faults(shown) == []
    assert any(leak in fault for fault in faults(replace(shown, view=PLANTS[leak](shown))))


async def test_a_table_where_everybody_hears_everything_is_found(monkeypatch: pytest.MonkeyPatch):
    hear = Table.hear

    def shouted(table: Table, message: Message) -> None:
        hear(table, message.model_copy(update={"audience": tuple(table.item.scenario.cast)}))

    monkeypatch.setattr(Table, "hear", shouted)
    views = await last_views()
    assert all("other messages than it may hear" in faults(views[role]) for role in ("user", "colleague"))


async def test_an_assistant_that_reads_the_script_behind_our_back_is_found():
    scenario = load_scenario(bundled_scenarios()["book-blood-test"])
    want = settle(scenario, balanced_choice(scenario, 0, SEED)).script.wants[0]

    class Peeks:
        async def speak(self, view: View) -> Utterance:
            return Utterance(calls=(ToolCall(id="", name=want.call, args=want.args),))

    views = await recorded(scenario, 0, 0.0, assistant=Peeks())
    shown = [one for one in views if one.view.party.role == "assistant"]
    assert any("says or calls with" in fault for one in shown for fault in faults(one))
