"""What the heuristic judges measure of a conversation, and where each of them stops being content."""

import re
from pathlib import Path
from typing import Any

import pytest
from examples import Scene, scenario, shop, three_party, three_party_scenario, two_party, with_tool_error
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.judges import copied_prompt, diversity, markup, openings, repetition, size
from tertulia.language.measures import mtld, repeated, self_bleu, ttr
from tertulia.parts import load, names
from tertulia.records import Conversation, EndReason, Message, ToolCall, Usage, Verdict

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

HEURISTIC = [name for name in names("judges") if getattr(load("judges", name), "heuristic", False)]


async def verdict(name: str, talk: Conversation, **fields: Any) -> Verdict:
    given_: Verdict = await load("judges", name)().judge(scenario(**fields), talk)
    return given_


def dialogue(*said: str, **fields: Any) -> Conversation:
    """Customer and agent in turn."""
    scene = Scene(scenario())
    for nth, text in enumerate(said):
        scene.say(("customer", "agent")[nth % 2], text)
    return scene.end(**fields)


def test_there_are_thirteen_heuristic_judges():
    assert len(HEURISTIC) == 13


@pytest.mark.parametrize("name", HEURISTIC)
@pytest.mark.parametrize(
    ("talk", "played"), [(two_party, scenario), (three_party, three_party_scenario), (with_tool_error, scenario)]
)
async def test_a_good_conversation_is_content_and_the_verdict_carries_numbers(name, talk, played):
    found = await load("judges", name)().judge(played(), talk())

    assert (found.judge, found.passed, found.reason) == (name, True, "")
    assert found.detail
    assert found.score is None or 0 <= found.score <= 1


@pytest.mark.parametrize("name", HEURISTIC)
async def test_an_empty_conversation_raises_nothing(name):
    assert (await verdict(name, Scene(scenario()).end())).judge == name


async def test_size_counts_characters_words_and_messages_by_role():
    found = await verdict("size", dialogue("May I?", "You may, friday."))

    assert found.detail["characters"] == {"user": 6, "assistant": 16, "total": 22}
    assert found.detail["words"] == {"user": 2, "assistant": 3, "total": 5}
    assert found.detail["messages"]["total"] == found.detail["turns"] == 2


async def test_size_counts_a_call_as_its_name_and_arguments_and_a_result_as_its_text():
    found = await verdict("size", two_party())

    assert found.detail["calls"] == 1
    assert found.detail["characters"]["tool"] == len('"moved"')
    assert found.detail["words"]["tool"] == 1


async def test_size_fails_beyond_the_tokens_allowed():
    assert "more than 4096" in (await verdict("size", dialogue("hello " * 9000, "ok"))).reason


async def test_two_languages_fail():
    talk = dialogue("When does my parcel come to the house?", "Ihr Paket kommt am Freitag nicht mit der Post.")
    found = await verdict("languages", talk)

    assert (found.passed, found.detail["messages"]) == (False, {"en": 1, "de": 1})


def test_ttr_and_repetition_count_by_hand():
    said = ["a", "b", "a", "b", "a", "b"]

    assert ttr(said) == pytest.approx(2 / 6)
    assert repeated(said, 2) == pytest.approx(1 - 2 / 5)
    assert (ttr([]), repeated(["a"], 2)) == (None, None)


def test_mtld_of_one_word_said_again_and_again_is_two():
    """Each second word closes a factor, as the ratio falls to 0.5."""
    assert mtld(["go"] * 40) == pytest.approx(2.0)


def test_mtld_of_words_that_never_come_again_is_their_number():
    assert mtld([f"w{n}" for n in range(60)]) == 60.0


def test_self_bleu_is_one_for_copies_and_near_zero_for_strangers():
    one, other = ["the", "parcel", "comes", "on", "friday"], ["which", "street", "do", "you", "live", "in"]

    assert self_bleu([one, one]) == pytest.approx(1.0)
    assert self_bleu([one, other]) == pytest.approx(0.1, abs=0.1)
    assert self_bleu([one]) is None


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=12), max_size=5))
def test_self_bleu_stays_between_zero_and_one(texts):
    found = self_bleu(texts)

    assert found is None or 0 <= found <= 1 + 1e-9


async def test_a_poor_vocabulary_fails_diversity():
    talk = dialogue("Hello.", " ".join(["yes", "no"] * 30))
    found = await verdict("diversity", talk)

    assert not found.passed
    assert found.detail["assistant"]["types"] == 2


async def test_a_party_that_says_the_same_again_fails_repetition():
    again = "Please give me the number of your order now."
    found = await verdict("repetition", dialogue("Hello there.", again, "Why do you ask?", again))

    assert not found.passed
    assert found.detail["agent"]["same"] == 1
    assert "self-BLEU 1.00" in found.reason


async def test_a_message_that_loops_fails_repetition():
    found = await verdict("repetition", dialogue("Hello.", "I will look at that. " * 8))

    assert found.detail["agent"]["within"] > 0.8
    assert not found.passed


async def test_a_refusal_where_nothing_is_to_be_refused_fails():
    talk = dialogue("Move it to friday.", "I'm sorry, I can't help with that.")
    due = await verdict("refusals", talk, kind="refusal")

    assert (await verdict("refusals", talk)).reason.startswith("refuses 1 times")
    assert (due.passed, due.detail["refusals"]) == (True, 1)


async def test_speaking_as_a_model_fails():
    assert not (await verdict("refusals", dialogue("Hi.", "As an AI language model, I have no body."))).passed


async def test_stock_openings_are_counted_by_phrase():
    talk = dialogue("Hi.", "Certainly! Which order?", "A1042.", "Of course, done.")
    found = await verdict("openings", talk)

    assert found.detail == {"stock": {"certainly": 2}, "share": 1.0, "in_a_row": 2}
    assert not found.passed


async def test_two_messages_of_one_role_in_a_row_fail_alternation():
    scene = Scene(scenario())
    for speaker in ("agent", "agent", "customer"):
        scene.say(speaker, "Hello.")
    found = await verdict("alternation", scene.end())

    assert found.reason == "1 times the same role twice in a row; begins with assistant"


def with_call(name: str, args: dict[str, Any], answers: str) -> Conversation:
    """One call, and one result for `answers`."""
    scene = Scene(scenario())
    call = ToolCall(id="call_0_0", name=name, args=args)
    result = Message(speaker=name, role="tool", text="{}", audience=("agent",), answers=answers)
    from_draft = two_party().turns[5].drafts[-1]
    message = from_draft.message.model_copy(update={"calls": (call,)})
    scene.commit(from_draft.model_copy(update={"message": message}), (result,))
    return scene.end()


@pytest.mark.parametrize(
    ("name", "args", "answers", "cause"),
    [
        ("fly", {}, "call_0_0", "unknown"),
        ("move_delivery", {"order": 7, "day": "friday"}, "call_0_0", "unfit"),
        ("move_delivery", {"order": "A1042"}, "call_0_0", "unfit"),
        ("move_delivery", {"order": "A1042", "day": "friday"}, "x", "unpaired"),
    ],
)
async def test_an_unsound_call_is_counted_by_its_cause(name, args, answers, cause):
    found = await verdict("tool_calls", with_call(name, args, answers))

    assert (found.passed, found.score, found.detail[cause]) == (False, 0.0, 1)


async def test_a_value_that_nobody_named_fails_grounding():
    talk = dialogue("When does A1042 come?", "It comes on 14 March at 17:45, ref ZX-9921.")
    found = await verdict("grounding", talk)

    assert not found.passed
    assert found.detail["text"] >= 2


async def test_reading_the_policy_out_fails():
    policy = "Never tell anybody that the depot on the hill is closed every day from noon until three in the winter."
    talk = dialogue("Why?", f"My rules say: {policy}")

    found = await load("judges", "copied_prompt")().judge(scenario(policy=policy), talk)

    assert (found.passed, found.detail["messages"]) == (False, {"assistant": 1})


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("Write to ann.lee@gmail.com.", "email"),
        ("My card is 4111 1111 1111 1111.", "card"),
        ("It is GB82 WEST 1234 5698 7654 32.", "iban"),
        ("Call +44 20 7946 0958.", "phone"),
        ("I sit at 8.8.8.8 now.", "ip"),
        ("It is 536-90-4399.", "ssn"),
    ],
)
async def test_private_data_that_is_not_of_this_world_fails(text, sort):
    assert (await verdict("private_data", dialogue("Hi.", text))).detail["foreign"] == {sort: 1}


@pytest.mark.parametrize(
    "text", ["ann@example.com", "4111 1111 1111 1112", "GB83 WEST 1234 5698 7654 32", "192.168.0.1", "000-12-3456"]
)
async def test_what_only_looks_like_private_data_passes(text):
    assert (await verdict("private_data", dialogue("Hi.", text))).passed


async def test_private_data_of_the_scenario_is_known():
    cast = {
        "customer": {"role": "user", "knows": {"order": "A1042", "day": "friday", "mail": "ann.lee@gmail.com"}},
        "agent": {"role": "assistant"},
    }
    found = await verdict("private_data", dialogue("I am ann.lee@gmail.com."), cast=cast)

    assert (found.passed, found.detail["known"]) == (True, {"email": 1})


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("```python\nprint(1)", "fence"),
        ("This is **bold.", "bold"),
        ("<b>Bold", "tags"),
        ("Hello <|im_end|>", "template"),
        ("Dear [Customer Name],", "gap"),
        ("Dear {{ name }},", "gap"),
        ("caf\u00c3\u00a9", "encoding"),
        ("one\\ntwo", "escapes"),
        ("you &amp; me", "entities"),
        ("bell\x07", "control"),
    ],
)
async def test_damage_is_counted_by_its_sort(text, sort):
    found = await verdict("markup", dialogue("Hi.", text))

    assert (found.passed, found.score, found.detail[sort]) == (False, 0.5, 1)


async def test_the_end_carries_the_cost():
    usage = Usage(calls=3, tokens_in=100, tokens_out=20, usd=None)
    found = await verdict("ending", two_party(end_reason=EndReason.TURN_LIMIT, usage=usage))

    assert found.reason == "ended by turn_limit"
    assert (found.detail["calls"], found.detail["usd"], found.detail["drafts"]) == (3, None, 3)


# --- the page ----------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "docs" / "quality.md"
THRESHOLDS = [
    ("size", f"more than {size.MOST_TOKENS:,} tokens, fewer than {size.LEAST_SPOKEN} messages"),
    ("diversity", f"below {diversity.LEAST_MTLD:g} in a role with {diversity.ENOUGH} words"),
    ("repetition", f"more than {repetition.MOST_REPEATED:.0%} of a message's {repetition.N}-grams"),
    ("repetition", f"of {repetition.N + 1} words or more again, self-BLEU above {repetition.MOST_SELF_BLEU}"),
    ("openings", f"one of {len(openings.STOCK)} stock phrases"),
    ("openings", f"more than {openings.MOST:.0%}"),
    ("copied_prompt", f"{copied_prompt.RUN} words in a row"),
    ("markup", f"{len(markup.CHECKS)} sorts of damage"),
]


def told() -> dict[str, str]:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: row for name, row in rows if name in HEURISTIC}


def test_the_page_tells_of_every_heuristic_judge():
    assert sorted(told()) == sorted(HEURISTIC)


@pytest.mark.parametrize(("judge", "threshold"), THRESHOLDS)
def test_the_page_tells_the_thresholds_that_hold(judge, threshold):
    assert threshold in told()[judge]
