"""What `tertulia new` writes: a starting file of each kind that works as it stands, and its test.

`<<name>>` stands for the name as it was given to a module, `<<Class>>` for its class, `<<home>>` for where the test
imports it from. Names are filled in one pass.
"""

import re
from collections.abc import Mapping

__all__ = ["PARTS", "SCENARIO", "SCENARIO_TEST", "filled"]

MARK = re.compile(r"<<(\w+)>>")


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with every mark replaced."""
    return MARK.sub(lambda match: values[match[1]], template)


SCENARIO = """\
# yaml-language-server: $schema=<<schema>>
id: <<name>>
title: A guest moves a table reservation to another day   # what happens, in one line
kind: single_call
policy: |
  You look after the reservations of a restaurant. Look a reservation up before you change it, and ask the guest
  for a yes before you change anything.
principles: [confirm_before_change]    # `tertulia schema principles` says how to write your own

# The tools, with fixed answers; `world: parcels` would bring tools with state instead.
tools:
  - name: find_reservation
    description: Look up a reservation by its number.
    parameters:
      type: object
      properties:
        reservation: {type: string, description: "number of the reservation, such as R204"}
      required: [reservation]
    returns: {status: confirmed, guests: 4}
  - name: move_reservation
    description: Move a reservation to another day.
    parameters:
      type: object
      properties:
        reservation: {type: string, description: "number of the reservation, such as R204"}
        day: {type: string, enum: [monday, tuesday, wednesday, thursday, friday], description: "the new day"}
      required: [reservation, day]
    writes: true
    returns: {status: moved}

# Named values, used below as ${name}.
slots: {number: R204, day: friday}

cast:
  guest:
    role: user
    persona: in a hurry, friendly
    knows: {reservation: "${number}", day: "${day}"}    # told when the assistant asks for it
  host: {role: assistant}

# What the user holds. The assistant never sees it.
script:
  opening: "Hello, my reservation is ${number}. Can you move it to ${day}?"
  wants:
    - call: move_reservation
      with: {reservation: "${number}", day: "${day}"}

# When it is a success: besides the calls wanted, what the assistant must have said.
success:
  says: ["${day}"]

# Each play makes one choice of this grid; over many plays every value comes up equally often.
vary:
  slots.number: [R204, R377, R391]
  slots.day: [tuesday, thursday, friday]
"""

SCENARIO_TEST = '''\
"""The scenario <<name>> is free of faults, and plays."""

from pathlib import Path

import tertulia

FILE = Path(__file__).parent / "<<file>>"


def test_the_file_has_no_fault():
    assert tertulia.load_scenario(FILE).id == "<<name>>"


def test_every_conversation_reaches_its_end(tmp_path):
    run = tertulia.run([str(FILE)], n=9, slips=0, out=tmp_path / "run")

    assert run.summary.conversations == 9
    assert run.summary.end_reasons["failed"] == 0
'''

JUDGE = '''\
"""Whether the assistant keeps its messages short."""

from tertulia.records import Conversation, Verdict
from tertulia.scenario import Scenario

__all__ = ["<<Class>>"]

MOST = 80  # words


class <<Class>>:
    """No message of an assistant is longer than `MOST` words. The score is the share of messages that are not."""

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        said = [message for message in talk.messages if message.role == "assistant" and message.text]
        long = [message for message in said if len(message.text.split()) > MOST]
        return Verdict(
            judge="<<name>>",
            passed=not long,
            score=1 - len(long) / len(said) if said else None,
            reason=f"{len(long)} of {len(said)} messages are longer than {MOST} words" if long else "",
        )
'''

TALK = """\
from tertulia.records import Conversation, Draft, EndReason, Message, Turn
from tertulia.scenario import Party, Scenario, Script

SCENARIO = Scenario(
    id="tiny",
    kind="nothing_to_do",
    cast={"customer": Party(role="user"), "agent": Party(role="assistant")},
    script=Script(opening="Hello"),
)


def talk(text: str) -> Conversation:
    draft = Draft(message=Message(speaker="agent", role="assistant", text=text))
    return Conversation(
        id="tiny-0",
        index=0,
        scenario="tiny",
        seed=0,
        roles={"customer": "user", "agent": "assistant"},
        turns=(Turn(index=0, speaker="agent", drafts=(draft,)),),
        end_reason=EndReason.GOAL_REACHED,
    )
"""

JUDGE_TEST = (
    '''\
"""The judge <<name>>."""

from <<home>> import MOST, <<Class>>
'''
    + TALK
    + """

async def test_short_messages_pass():
    verdict = await <<Class>>().judge(SCENARIO, talk("All done."))

    assert verdict.passed
    assert verdict.score == 1


async def test_a_long_message_fails_and_the_reason_says_so():
    verdict = await <<Class>>().judge(SCENARIO, talk("word " * (MOST + 1)))

    assert not verdict.passed
    assert "1 of 1" in verdict.reason
"""
)

EXPORTER = '''\
"""One row per accepted conversation: its words, each with its speaker."""

from collections.abc import Iterator
from typing import Any

from tertulia.records import Conversation
from tertulia.scenario import Scenario

__all__ = ["<<Class>>"]


class <<Class>>:
    """Tool calls and their results are left out."""

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if talk.accepted:
            said = [{"speaker": m.speaker, "text": m.text} for m in talk.messages if m.text and m.role != "tool"]
            yield {"id": talk.id, "scenario": scenario.id, "said": said}
'''

EXPORTER_TEST = (
    '''\
"""The exporter <<name>>."""

from <<home>> import <<Class>>
'''
    + TALK
    + """

def test_a_row_holds_what_was_said():
    rows = list(<<Class>>().rows(SCENARIO, talk("Hello.")))

    assert rows == [{"id": "tiny-0", "scenario": "tiny", "said": [{"speaker": "agent", "text": "Hello."}]}]


def test_a_rejected_conversation_gives_no_row():
    rejected = talk("Hello.").model_copy(update={"rejected_by": "markers"})

    assert list(<<Class>>().rows(SCENARIO, rejected)) == []
"""
)

PLANNER = '''\
"""Plans nothing but the script's own opening."""

from tertulia.contracts import Planned, PlanView
from tertulia.records import Plan

__all__ = ["<<Class>>"]


class <<Class>>:
    """The steps are the calls wanted, in the order of the script."""

    async def plan(self, view: PlanView) -> Planned:
        script = view.scenario.script
        return Planned(Plan(opening=script.opening, steps=tuple(want.call for want in script.wants)))
'''

PLANNER_TEST = '''\
"""The planner <<name>>."""

from random import Random

from <<home>> import <<Class>>
from tertulia.contracts import PlanView
from tertulia.scenario import Party, Scenario, Script


async def test_the_plan_begins_with_the_opening():
    scenario = Scenario(
        id="tiny",
        kind="nothing_to_do",
        cast={"customer": Party(role="user"), "agent": Party(role="assistant")},
        script=Script(opening="Hello, is it raining?"),
    )

    planned = await <<Class>>().plan(PlanView(scenario=scenario, principles=(), rng=Random(0)))

    assert planned.plan.opening == "Hello, is it raining?"
'''

USER = '''\
"""A user who says the opening, and leaves after the first answer."""

from tertulia.contracts import Utterance, View
from tertulia.records import Signal

__all__ = ["<<Class>>"]


class <<Class>>:
    """Uses nothing but its view: what it has heard, what it knows, and its script."""

    async def speak(self, view: View) -> Utterance:
        spoken = any(message.speaker == view.name for message in view.messages)
        if not spoken and view.script:
            return Utterance(text=view.script.opening)
        return Utterance(text="Thanks, that is all.", signal=Signal.GOAL_REACHED)
'''

ASSISTANT = '''\
"""An assistant that hands everything over to a person."""

from tertulia.contracts import Utterance, View

__all__ = ["<<Class>>"]


class <<Class>>:
    """Uses nothing but its view: what it has heard, its tools, its policy and its principles."""

    async def speak(self, view: View) -> Utterance:
        return Utterance(text="I will pass this on to a colleague, who will get back to you.")
'''

VIEW = """\
from random import Random

from <<home>> import <<Class>>
from tertulia.contracts import View
from tertulia.records import Message, Signal
from tertulia.scenario import Party, Script


def view(*said: Message) -> View:
    return View(
        name="speaker",
        party=Party(role="<<role>>"),
        others=(),
        messages=said,
        tools=(),
        policy="",
        principles=(),
        rng=Random(0),
        script=Script(opening="Hello"),
    )
"""

USER_TEST = (
    '"""The user <<name>>."""\n\n'
    + VIEW
    + """

async def test_it_begins_with_its_opening():
    said = await <<Class>>().speak(view())

    assert said.text == "Hello"
    assert said.signal is None


async def test_it_ends_the_conversation_after_an_answer():
    opening = Message(speaker="speaker", role="user", text="Hello")
    answer = Message(speaker="agent", role="assistant", text="Hello to you")

    assert (await <<Class>>().speak(view(opening, answer))).signal is Signal.GOAL_REACHED
"""
)

ASSISTANT_TEST = (
    '"""The assistant <<name>>."""\n\n'
    + VIEW.replace("Message, Signal", "Message")
    + """

async def test_it_answers_without_a_call():
    said = await <<Class>>().speak(view(Message(speaker="customer", role="user", text="Help!")))

    assert said.text
    assert said.calls == ()
"""
)

CRITIC = '''\
"""Marks drafts that shout."""

import re

from tertulia.contracts import Hearing
from tertulia.records import Marker

__all__ = ["<<Class>>"]

SHOUT = re.compile(r"[A-Z]{4,}(?:\\s+[A-Z]{4,})+|!{2,}")


class <<Class>>:
    """Sends a draft back when it holds words in capitals or several exclamation marks in a row."""

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        shout = SHOUT.search(hearing.message.text)
        if shout is None:
            return ()
        marker = Marker(
            principle="no_shouting",
            turn=hearing.turn,
            draft=hearing.draft,
            severity="medium",
            quote=shout[0],
            evidence="capitals or exclamation marks shout",
            critic="<<name>>",
        )
        return (marker,)
'''

CRITIC_TEST = '''\
"""The critic <<name>>."""

from <<home>> import <<Class>>
from tertulia.contracts import Hearing
from tertulia.records import Message
from tertulia.scenario import Party, Scenario, Script

SCENARIO = Scenario(
    id="tiny",
    kind="nothing_to_do",
    cast={"customer": Party(role="user"), "agent": Party(role="assistant")},
    script=Script(opening="Hello"),
)


def hearing(text: str) -> Hearing:
    return Hearing(
        scenario=SCENARIO,
        speaker="agent",
        party=SCENARIO.cast["agent"],
        role="assistant",
        turn=1,
        draft=0,
        message=Message(speaker="agent", role="assistant", text=text),
        seen=(),
        spoken=(),
        tools=(),
        policy="",
        principles=(),
    )


async def test_a_calm_draft_has_no_marker():
    assert await <<Class>>().review(hearing("It comes on Friday.")) == ()


async def test_a_shout_is_quoted():
    (marker,) = await <<Class>>().review(hearing("It comes on Friday!!!"))

    assert marker.quote == "!!!"
    assert marker.revise
'''

# kind -> (folder in the repository, package, the part, its test)
PARTS = {
    "judge": ("judges", "tertulia.judges", JUDGE, JUDGE_TEST),
    "exporter": ("exporters", "tertulia.exporters", EXPORTER, EXPORTER_TEST),
    "planner": ("agents/planners", "tertulia.agents.planners", PLANNER, PLANNER_TEST),
    "user": ("agents/users", "tertulia.agents.users", USER, USER_TEST),
    "assistant": ("agents/assistants", "tertulia.agents.assistants", ASSISTANT, ASSISTANT_TEST),
    "critic": ("agents/critics", "tertulia.agents.critics", CRITIC, CRITIC_TEST),
}
