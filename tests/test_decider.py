"""The rule colleague: yes and no as its party has decided, and nothing unasked."""

import pytest

from tertulia.agents.colleagues.decider import Decider
from tertulia.contracts import View
from tertulia.records import Draft, Marker, Message
from tertulia.scenario import Party
from tertulia.streams import stream
from tertulia.world import ToolSpec

PARTY = Party.model_validate(
    {
        "role": "colleague",
        "decides": [
            {"call": "issue_refund", "answer": "yes", "because": "it was our fault"},
            {"call": "waive_fee", "answer": "no", "because": "the fee is due"},
        ],
    }
)


async def says(*messages, tools=(), party=PARTY, sent_back=()):
    view = View(
        name="boss",
        party=party,
        others=(),
        messages=messages,
        tools=tools,
        policy="",
        principles=(),
        rng=stream(1, "boss"),
        sent_back=sent_back,
    )
    return await Decider().speak(view)


def asked(text, to=("boss",)):
    return Message(speaker="desk", role="assistant", text=text, to=to, audience=("desk", "boss"))


@pytest.mark.parametrize(
    ("question", "first", "reason"),
    [
        ("Boss, may I issue the refund (order A1, amount 30)? Please say yes or no.", "Yes", "It was our fault."),
        ("Boss, may I waive the fee (amount 5)? Please say yes or no.", "No", "The fee is due."),
    ],
)
async def test_the_decision_is_given_with_its_reason(question, first, reason):
    said = await says(asked(question))

    assert said.text.startswith(first)
    assert said.text.endswith(reason)
    assert said.to == ("desk",)


async def test_what_it_has_no_say_in_it_declines():
    assert (await says(asked("Boss, may I paint the wall red? Please say yes or no."))).text.startswith("No")


async def test_a_question_to_somebody_else_is_left_alone():
    said = await says(asked("Guest, may I issue the refund? Please say yes or no.", to=("guest",)))

    assert not said.to


async def test_a_yes_with_a_tool_of_its_own_calls_it_first():
    note = ToolSpec(
        name="approve_refund",
        parameters={
            "type": "object",
            "properties": {"order": {"type": "string", "pattern": r"^A\d+$"}},
            "required": ["order"],
        },
    )
    said = await says(asked("Boss, may I issue the refund (order A17)? Please say yes or no."), tools=(note,))

    assert [(c.name, c.args) for c in said.calls] == [("approve_refund", {"order": "A17"})]


async def test_a_reason_that_was_sent_back_is_left_out():
    marker = Marker(principle="no_blame", turn=1, draft=0, severity="high", quote="our fault", critic="c")
    draft = Draft(message=Message(speaker="boss", role="colleague", text="Yes. It was our fault."), markers=(marker,))
    said = await says(asked("Boss, may I issue the refund (order A1, amount 30)? Say yes or no."), sent_back=(draft,))

    assert said.text.startswith("Yes")
    assert "fault" not in said.text
