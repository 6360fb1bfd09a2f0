"""Several models draft for each turn of the assistant: all are reviewed, the first that breaks least is heard."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import tertulia
from tertulia.errors import RunStopped, SettingsError
from tertulia.models.limits import Patience
from tertulia.models.records import Reply
from tertulia.models.spec import RoleModel, role_models
from tertulia.records import Conversation
from tertulia.running.run_folder import read_manifest
from tertulia.running.run_settings import models_in
from tertulia.running.runs import Run
from tertulia.testing import FaultServer
from tertulia.testing.players import played as by_rules

PAIR = ("assistant=openai:rude,openai:kind",)
RUDE = "That is a stupid question, and entirely your own fault."


class Pair:
    """Plays by rules, except that the model `rude` insults people wherever it speaks to them."""

    def __init__(self, useless: str = "") -> None:
        self.useless = useless
        self.asked: Counter[str] = Counter()

    def __call__(self, body: Mapping[str, Any]) -> Reply:
        self.asked[body["model"]] += 1
        if body["model"] == self.useless:
            return Reply()
        reply = by_rules(body)
        return Reply(text=RUDE) if body["model"] == "rude" and reply.text and not reply.calls else reply


@pytest.fixture(autouse=True)
def key_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-to-be-written-down")
    monkeypatch.setattr("tertulia.running.playing.Patience", partial(Patience, first=0.002))


def run(player: Pair, out: Path, models: tuple[str, ...] = PAIR, **options: Any) -> Run:
    with FaultServer(player=player) as server:
        usual = {"n": 3, "slips": 0.0, "base_url": server.url, "deadline": 30.0, "retries": 1}
        return tertulia.run(("another-day",), out=out, role_models=models, **usual | options)


def drafts(talk: Conversation) -> list[Any]:
    return [d for turn in talk.turns if talk.roles[turn.speaker] == "assistant" for d in turn.drafts]


def test_every_candidate_drafts_each_turn_and_the_first_that_breaks_least_is_heard(tmp_path):
    player = Pair()
    talks = list(run(player, tmp_path / "r").conversations())
    spoken = [draft for talk in talks for draft in drafts(talk) if draft.message.text]

    assert player.asked["rude"] == player.asked["kind"] > 0
    assert all(talk.accepted for talk in talks)
    assert {draft.by for draft in spoken} == {"openai:kind"}
    assert all([sibling.by for sibling in draft.siblings] == ["openai:rude"] for draft in spoken)
    assert all(draft.siblings[0].sent_back and draft.siblings[0].message.text == RUDE for draft in spoken)
    assert not any(draft.sent_back for draft in spoken)


def test_where_none_breaks_anything_the_first_is_heard(tmp_path):
    talks = run(Pair(), tmp_path / "r", ("assistant=openai:one,openai:two",)).conversations()
    made = [draft for talk in talks for draft in drafts(talk)]

    assert {draft.by for draft in made} == {"openai:one"}
    assert all(draft.siblings[0].by == "openai:two" and not draft.siblings[0].siblings for draft in made)


def test_a_candidate_without_a_usable_reply_costs_nobody_the_conversation(tmp_path):
    talks = list(run(Pair(useless="rude"), tmp_path / "r").conversations())

    assert all(talk.accepted for talk in talks)
    assert all(draft.by == "openai:kind" and not draft.siblings for talk in talks for draft in drafts(talk))
    assert all(talk.usage.troubles["empty"] > 0 for talk in talks)


def test_without_any_usable_reply_the_conversation_ends_under_the_trouble_of_the_first(tmp_path):
    done = run(Pair(useless="dumb"), tmp_path / "r", ("assistant=openai:dumb,openai:dumb",))

    assert done.summary.as_json()["rejected"] == {"empty": 3}


def test_a_run_of_candidates_goes_on_where_its_budget_stopped_it_and_pays_nothing_twice(tmp_path):
    whole = run(Pair(), tmp_path / "whole")
    calls = whole.summary.as_json()["model_calls"]
    first, second = Pair(), Pair()
    with pytest.raises(RunStopped):
        run(first, tmp_path / "r", max_calls=calls // 2)
    done = run(second, tmp_path / "r")

    assert first.asked.total() == calls // 2
    assert first.asked.total() + second.asked.total() == calls
    assert list(done.conversations()) == list(whole.conversations())


def test_one_model_twice_is_two_candidates_with_draws_of_their_own(tmp_path):
    player = Pair()
    talks = run(player, tmp_path / "r", ("assistant=openai:one,openai:one",)).conversations()

    assert all(draft.siblings for talk in talks for draft in drafts(talk))


def test_a_comma_separates_candidates_and_settings_are_for_all():
    chosen = role_models(role_model=["assistant=openai:a@http://h/v1,openai:b"], role_setting=["temperature=0.5"])

    assert [str(model.spec) for model in chosen["assistant"].candidates] == ["openai:a@http://h/v1", "openai:b"]
    assert [model.settings for model in chosen["assistant"].candidates] == [{"temperature": 0.5}] * 2


@pytest.mark.parametrize("options", [{"model": "openai:a,openai:b"}, {"role_model": ["critic=openai:a,openai:b"]}])
def test_only_the_assistant_can_have_several(options: dict[str, Any]):
    with pytest.raises(SettingsError, match="only the assistant can have several models"):
        role_models(**options)


def test_the_manifest_tells_of_every_candidate_and_where_each_is_served(tmp_path):
    folder = run(Pair(), tmp_path / "r").folder
    found: RoleModel = models_in(read_manifest(folder))["assistant"]

    assert [model.spec.name for model in found.candidates] == ["rude", "kind"]
    assert all(model.spec.base_url.startswith("http://127.0.0.1") for model in found.candidates)
    assert "127.0.0.1" not in str(read_manifest(folder)["settings"])
