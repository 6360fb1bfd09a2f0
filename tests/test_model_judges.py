"""Model judges that rate: what they ask, what they make of replies, and that nothing unreadable becomes a score."""

from typing import Any

import pytest
from examples import SHOP, scenario, shop, two_party
from hypothesis import given, settings
from hypothesis import strategies as st

import tertulia
from tertulia.commands.judge import of_one_family, same_family
from tertulia.commands.tables import unread
from tertulia.errors import ScenarioError, SettingsError
from tertulia.judges.aspects import ASPECTS, Aspects
from tertulia.judges.pairwise import Pairwise
from tertulia.judges.rubric import BUNDLED, Rubric, categories_in
from tertulia.models.prompts import blocks
from tertulia.models.rating import ratings_schema, read_ratings
from tertulia.models.records import BadReply, CallFailed, Reply, Request, Trouble
from tertulia.models.spec import ModelSpec, RoleModel
from tertulia.records import Conversation, Draft, Message
from tertulia.testing import Scripted

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")


def rating(name: str, score: int | None) -> dict[str, Any]:
    return {"name": name, "reason": f"why {name}", "score": score}


def ratings(scores: dict[str, int | None]) -> dict[str, Any]:
    return {"ratings": [rating(name, score) for name, score in scores.items()]}


def shown(request: Request) -> dict[str, Any]:
    return blocks(str(request.messages[-1]["content"]))


CATEGORY = {"category": "service", "tags": ["Move  a delivery", "move a delivery", "dates"]}
SERVICE = tuple(categories_in(BUNDLED)["service"].aspects)


# --- rubric ------------------------------------------------------------------------------------------------------


async def test_the_overall_mean_leaves_out_what_does_not_apply():
    scores: dict[str, int | None] = dict.fromkeys(SERVICE, 4) | {"tool_use": None, "clarity": 1}
    ask = Scripted([CATEGORY, ratings({"prompt_quality": 5}), ratings(scores)])
    found = await Rubric(ask).judge(scenario(), two_party())

    assert found.detail["overall"] == 3.5
    assert found.score == pytest.approx(2.5 / 4)
    assert (found.passed, found.reason) == (True, "clarity: why clarity")
    assert found.detail["tags"] == ["dates", "move a delivery"]
    assert found.detail["prompt"] == {"score": 5, "reason": "why prompt_quality"}
    assert found.detail["aspects"]["tool_use"]["score"] is None


async def test_the_rubric_is_that_of_the_category_and_the_assistant_s_policy_is_shown():
    maths = tuple(categories_in(BUNDLED)["math_solving"].aspects)
    replies = [
        {"category": "math_solving", "tags": []},
        ratings({"prompt_quality": 3}),
        ratings(dict.fromkeys(maths, 2)),
    ]
    ask = Scripted(replies)
    found = await Rubric(ask).judge(scenario(), two_party())

    assert (found.detail["overall"], found.passed) == (2.0, False)
    system = blocks(str(ask.asked[2].messages[0]["content"]))
    assert tuple(system["aspects"]) == maths
    assert system["policy"] == {"text": SHOP.policy}


async def test_nothing_that_applies_gives_no_score():
    none: dict[str, int | None] = dict.fromkeys(SERVICE)
    ask = Scripted([CATEGORY, ratings({"prompt_quality": 5}), ratings(none)])
    found = await Rubric(ask).judge(scenario(), two_party())

    assert (found.passed, found.score, found.detail["overall"]) == (True, None, None)


@pytest.mark.parametrize(
    "bad",
    [
        ratings(dict.fromkeys(SERVICE[1:], 4)),
        {"ratings": [rating(SERVICE[0], 4), *(rating(name, 4) for name in SERVICE)]},
        ratings(dict.fromkeys(SERVICE, 9)),
        "I would say four out of five.",
    ],
)
async def test_an_unreadable_rubric_is_a_counted_error_and_no_score(bad):
    ask = Scripted([CATEGORY, ratings({"prompt_quality": 5}), bad, bad])
    found = await Rubric(ask).judge(scenario(), two_party())

    assert (found.passed, found.score, found.detail["step"]) == (False, None, "aspects")
    assert found.detail["error"] in ("not_json", "wrong_schema")
    assert len(ask.noted) == 2


async def test_a_reply_that_is_mended_counts():
    good = ratings(dict.fromkeys(SERVICE, 5))
    ask = Scripted([CATEGORY, ratings({"prompt_quality": 5}), "perhaps", good])
    found = await Rubric(ask).judge(scenario(), two_party())

    assert (found.score, [trouble for _, trouble, _ in ask.noted]) == (1.0, [Trouble.NOT_JSON])


@pytest.mark.parametrize("judge", [Rubric, Aspects, Pairwise])
async def test_a_model_that_cannot_be_reached_gives_no_score(judge):
    def fails(request: Request) -> Any:
        return CallFailed(Trouble.TIMEOUT, "no answer in 60 s")

    found = await judge(Scripted(fails)).judge(scenario(), two_party())

    assert (found.passed, found.score) == (False, None)
    assert "timeout" in str(found.detail)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_is_read_as_ratings_by_chance(text):
    with pytest.raises(BadReply):
        read_ratings(("clarity",), Reply(text=text, finish="stop"))


def test_the_schema_wants_a_reason_before_each_score():
    entry = ratings_schema(("clarity",))["properties"]["ratings"]["items"]

    assert list(entry["properties"]) == ["name", "reason", "score"]
    assert entry["required"] == ["name", "reason", "score"]


# --- pairs -------------------------------------------------------------------------------------------------------


def by_words(request: Request) -> Any:
    """Prefers the version that promises no money, wherever it stands."""
    texts = shown(request)
    money = ["euros" in str(texts[name]) for name in ("first", "second")]
    better = "tie" if money[0] == money[1] else ("second" if money[0] else "first")
    return {"reason": "money", "better": better}


async def test_each_pair_is_asked_in_both_orders():
    ask = Scripted(by_words)
    found = await Pairwise(ask).judge(scenario(), two_party())

    assert [request.step for request in ask.asked] == [
        f"judge/pairwise/{turn}/{order}" for turn in (3, 6) for order in (0, 1)
    ]
    one, other = shown(ask.asked[2]), shown(ask.asked[3])
    assert (one["first"], one["second"]) == (other["second"], other["first"])
    assert found.detail["better"] == 1
    assert found.detail["tie"] == 1
    assert found.score == 0.75


async def test_a_preference_for_the_first_place_is_no_preference():
    found = await Pairwise(Scripted(lambda request: {"reason": "it is first", "better": "first"})).judge(
        scenario(), two_party()
    )

    assert (found.detail["turned"], found.detail["better"], found.score) == (2, 0, 0.5)


async def test_a_pair_that_cannot_be_read_is_counted_and_left_out():
    replies = ["?", "?", {"reason": "a", "better": "first"}, {"reason": "b", "better": "second"}]
    found = await Pairwise(Scripted(replies)).judge(scenario(), two_party())

    assert (found.detail["errors"], found.detail["pairs"], found.score) == ({"not_json": 1}, 1, 1.0)
    assert not found.passed


# --- candidates --------------------------------------------------------------------------------------------------


def with_siblings() -> Conversation:
    """The agent's last words, which three models drafted."""
    talk = two_party()
    last = talk.turns[6].drafts[-1]

    def said(text: str, by: str) -> Draft:
        message: Message = last.message.model_copy(update={"text": text})
        return Draft(message=message, by=by)

    chosen = last.model_copy(update={"by": "a", "siblings": (said("It comes.", "b"), said("Friday it is.", "c"))})
    turns = list(talk.turns)
    turns[6] = talk.turns[6].model_copy(update={"drafts": (chosen,)})
    turns[3] = talk.turns[3].model_copy(update={"drafts": talk.turns[3].drafts[-1:]})
    return talk.model_copy(update={"turns": tuple(turns)})


def by_length(request: Request) -> Any:
    """Rates by the number of words, so that a rating tells which text it is of."""
    texts = shown(request)["texts"]
    return {"ratings": [rating(name, min(5, len(text["says"].split()))) for name, text in texts.items()]}


async def test_ratings_are_mapped_back_through_the_permutation():
    ask = Scripted(by_length)
    found = await Aspects(ask).judge(scenario(), with_siblings())
    (turn,) = found.detail["turns"]

    assert turn["candidates"] == ["a", "b", "c"]
    assert all(one["ratings"] == [5, 2, 3] for one in turn["aspects"].values())
    assert turn["means"] == [5.0, 2.0, 3.0]
    assert {tuple(sorted(one["order"])) for one in turn["aspects"].values()} == {(0, 1, 2)}
    assert len(turn["aspects"]) == len(ask.asked) == len(ASPECTS)
    for request, one in zip(ask.asked, turn["aspects"].values(), strict=True):
        says = [text["says"] for text in shown(request)["texts"].values()]
        assert says == [("Done. It comes on friday.", "It comes.", "Friday it is.")[which] for which in one["order"]]


async def test_the_same_conversation_is_shuffled_the_same_way_and_aspects_differently():
    found = [await Aspects(Scripted(by_length)).judge(scenario(), with_siblings()) for _ in range(2)]
    orders = {tuple(one["order"]) for one in found[0].detail["turns"][0]["aspects"].values()}

    assert found[0] == found[1]
    assert len(orders) > 1


async def test_a_candidate_that_was_passed_over_and_is_rated_far_higher_fails():
    def short_is_better(request: Request) -> Any:
        texts = shown(request)["texts"]
        return {"ratings": [rating(name, 5 if len(text["says"].split()) < 3 else 2) for name, text in texts.items()]}

    found = await Aspects(Scripted(short_is_better)).judge(scenario(), with_siblings())

    assert (found.passed, found.score) == (False, 0.25)
    assert "turn 6" in found.reason


async def test_without_candidates_nobody_is_asked():
    talk = two_party()
    single = tuple(turn.model_copy(update={"drafts": turn.drafts[-1:]}) for turn in talk.turns)
    for judge in (Aspects, Pairwise):
        found = await judge(Scripted([])).judge(scenario(), talk.model_copy(update={"turns": single}))
        assert (found.passed, found.score) == (True, None)


# --- the whole way -----------------------------------------------------------------------------------------------

REPLIES = """
replies:
  - {step: judge/rubric/category, json: {category: others, tags: [parcels]}}
  - {step: judge/rubric/prompt, json: {ratings: [{name: prompt_quality, reason: plain, score: 4}]}}
  - {step: "judge/rubric/aspects*", text: "Four out of five."}
"""


def test_a_finished_run_is_rated_by_a_model_that_is_named_later_and_errors_are_counted(tmp_path):
    run = tertulia.run("clinic", n=2, slips=0.0, out=tmp_path / "run")
    (tmp_path / "replies.yaml").write_text(REPLIES)
    summary = run.judge("rubric", model=f"scripted:{tmp_path / 'replies.yaml'}")

    assert summary.verdicts["rubric"] == (0, 2)
    assert summary.as_json()["verdicts"]["rubric"] == {"passed": 0, "given": 2, "errors": {"not_json": 2}}
    assert summary.as_json()["verdicts"]["structure"] == {"passed": 2, "given": 2, "errors": {}}
    assert unread(summary, "rubric") == "not_json 2"
    assert "goal_met" not in summary.verdicts
    assert summary.as_json()["model_calls"] == 2 * 4
    told = [verdict.detail for talk in run.conversations() for verdict in talk.verdicts if verdict.judge == "rubric"]
    assert [(one["error"], one["step"], one["category"]) for one in told] == [("not_json", "aspects", "others")] * 2
    again = run.judge("rubric", model=f"scripted:{tmp_path / 'replies.yaml'}")
    assert again.as_json()["model_calls"] == 2 * 4


RUBRICS = """
categories:
  parcels:
    describes: somebody asks about a parcel
    aspects:
      promptness: The first answer helps already.
"""


def test_a_rubric_of_your_own_is_a_file(tmp_path):
    run = tertulia.run("clinic", n=1, slips=0.0, out=tmp_path / "run")
    (tmp_path / "mine.yaml").write_text(RUBRICS)
    told = REPLIES.replace("others", "parcels").replace(
        'text: "Four out of five."', "json: {ratings: [{name: promptness, reason: quick, score: 5}]}"
    )
    (tmp_path / "replies.yaml").write_text(told)
    run.judge(f"rubric:{tmp_path / 'mine.yaml'}", model=f"scripted:{tmp_path / 'replies.yaml'}")
    found = next(verdict for talk in run.conversations() for verdict in talk.verdicts if verdict.judge == "rubric")

    assert (found.score, found.detail["category"]) == (1.0, "parcels")
    assert found.detail["aspects"] == {"promptness": {"score": 5, "reason": "quick"}}


def test_what_is_wrong_with_a_file_of_rubrics_is_named_at_its_line(tmp_path):
    (tmp_path / "mine.yaml").write_text(RUBRICS.replace("describes", "describe"))
    (tmp_path / "replies.yaml").write_text(REPLIES)
    run = tertulia.run("clinic", n=1, slips=0.0, out=tmp_path / "run")

    with pytest.raises(ScenarioError, match=r"mine.yaml:4:5: .*describes"):
        run.judge(f"rubric:{tmp_path / 'mine.yaml'}", model=f"scripted:{tmp_path / 'replies.yaml'}")


@pytest.mark.parametrize(("name", "why"), [("size:mine.yaml", "'size' takes no file"), ("rubric:", "without one")])
def test_a_file_goes_to_a_judge_that_takes_one(tmp_path, name, why):
    with pytest.raises(SettingsError, match=why):
        tertulia.run("clinic", n=1, slips=0.0, out=tmp_path / "run").judge(name)


def test_without_a_model_a_model_judge_is_refused(tmp_path):
    run = tertulia.run("clinic", n=1, slips=0.0, out=tmp_path / "run")

    with pytest.raises(SettingsError, match="the judge 'rubric' needs a model"):
        run.judge("rubric")


@pytest.mark.parametrize(("judge", "warned"), [("openai:meta/llama-9b", True), ("openai:qwen-9b", False), ("", False)])
def test_critic_and_judge_of_one_family_are_told(tmp_path, monkeypatch, judge, warned):
    models = {"critic": RoleModel(spec=ModelSpec(provider="openai", name="Llama-3"))}
    monkeypatch.setattr("tertulia.commands.judge.models_in", lambda manifest: models)
    run = tertulia.run("clinic", n=1, slips=0.0, out=tmp_path / "run")

    assert ("family 'llama'" in same_family(run.folder, judge)) is warned


@pytest.mark.parametrize(
    ("critic", "judge", "family"),
    [
        ("meta-llama/Llama-3-8B", "llama-4-scout", "llama"),
        ("Qwen/Qwen2.5-72B", "meta-llama/Llama-3", ""),
        ("gpt-4o", "gpt-5-mini", "gpt"),
        ("", "gpt-5", ""),
        ("gpt-5", "", ""),
    ],
)
def test_a_family_is_told_by_what_a_name_begins_with(critic, judge, family):
    told = of_one_family({"critic": critic, "judge": judge})

    assert (f"both of the family {family!r}" in told) if family else (told == "")
