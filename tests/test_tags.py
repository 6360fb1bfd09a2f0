"""Instruction tags of a corpus made one: by wording, by meaning, by company; the same whatever the order."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.corpus.alike.embedding import unit
from tertulia.corpus.alike.meaning import groups
from tertulia.corpus.criteria import Tags, read_plan
from tertulia.corpus.fields import Facts
from tertulia.corpus.rules import Rules
from tertulia.corpus.tags import Named, named, stem
from tertulia.errors import ScenarioError
from tertulia.records import Conversation, EndReason, Verdict
from tertulia.scenario import Scenario

TINY = Scenario.model_validate(
    {
        "id": "tiny",
        "kind": "nothing_to_do",
        "cast": {"customer": {"role": "user"}, "agent": {"role": "assistant"}},
        "script": {"opening": "When does it come?"},
    }
)


def tagged(*tags: str) -> Facts:
    """A conversation with these tags."""
    talk = Conversation(
        id="tiny-000000",
        index=0,
        scenario="tiny",
        seed=0,
        roles={"customer": "user", "agent": "assistant"},
        end_reason=EndReason.GOAL_REACHED,
        verdicts=(Verdict(judge="rubric", passed=True, detail={"tags": list(tags)}),),
    )
    return Facts(TINY, talk)


def of(corpus: Sequence[Facts], **settings: Any) -> Named:
    return named(Tags.model_validate(settings), corpus)


def test_wordings_that_differ_in_case_signs_and_endings_are_one_tag():
    corpus = [tagged("Reschedule deliveries"), tagged("reschedule-delivery"), tagged("rescheduling delivery", "x")]
    found = of([*corpus, tagged("reschedule delivery"), tagged()])

    assert found.names == {"reschedul deliveri": "reschedule delivery"}
    assert found.tags(corpus[2]) == ["reschedule delivery"]
    assert (found.conversations, found.tagged, found.distinct, found.rare) == (5, 4, 4, 1)
    assert found.as_json()["tags"] == {
        "reschedule delivery": {
            "conversations": 4,
            "wordings": ["reschedule delivery", "reschedule deliveries", "rescheduling delivery"],
        }
    }


def test_a_tag_of_fewer_conversations_is_dropped_and_a_wording_twice_in_one_counts_once():
    found = of([tagged("Refund", "refunds"), tagged("dates"), tagged("dates")], least=2)

    assert found.names == {"date": "dates"}
    assert of([tagged("Refund", "refunds")], least=1).counts == {"refund": 1}


def test_tags_of_one_meaning_go_by_the_more_frequent_name():
    """Refund and money back point the same way, dates the other."""
    ways = {"refund": (1.0, 0.0), "money back": (0.99, 0.1), "dates": (0.0, 1.0)}
    corpus = [
        tagged("money back"),
        tagged("refund"),
        tagged("refund", "dates"),
        tagged("dates", "money back", "refund"),
    ]

    def alike(wordings: Sequence[str]) -> list[int]:
        return groups(unit([ways[wording] for wording in wordings]), 0.95)

    found = named(Tags(), corpus, alike)

    assert found.names == {"refund": "refund", "monei back": "refund", "date": "dates"}
    assert found.counts == {"refund": 4, "dates": 2}
    assert found.wordings["refund"] == ["refund", "money back"]


def test_a_tag_that_never_stands_alone_goes_into_the_one_beside_it():
    corpus = [tagged("flask", "python")] * 4 + [tagged("python")] * 3 + [tagged("dates")] * 3
    found = of(corpus, together={"support": 0.4, "confidence": 0.99})

    assert found.names == {"flask": "python", "python": "python", "date": "dates"}
    assert found.counts == {"python": 7, "dates": 3}
    assert len(set(of(corpus, together={"support": 0.5}).names.values())) == 3
    assert len(set(of([*corpus, tagged("flask")], together={}).names.values())) == 3


def test_two_tags_that_only_come_together_are_called_by_the_first_of_the_alphabet():
    found = of([tagged("b", "a")] * 5, together={})

    assert found.names == {"a": "a", "b": "a"}


SOME = ["Parcel", "parcels", "DATE", "dates", "refund", "re-fund", "a", "b"]
WORDS = st.lists(st.lists(st.sampled_from(SOME)), max_size=12)


@given(WORDS, st.integers(0, 5))
def test_the_order_of_the_corpus_changes_nothing_and_every_tag_is_the_stem_of_its_name(tags, seed):
    corpus = [tagged(*some) for some in tags]
    shuffled = random.Random(seed).sample(corpus, len(corpus))
    found = of(corpus, together={"support": 0.2, "confidence": 0.9})

    assert found.as_json() == of(shuffled, together={"support": 0.2, "confidence": 0.9}).as_json()
    assert all(found.names[stem(name)] == name for name in found.names.values())


def test_groups_are_chains_of_pairs_that_lie_close():
    turned = [np.deg2rad(angle) for angle in (0, 10, 20, 90, 95, 180)]
    vectors = unit([(np.cos(turn), np.sin(turn)) for turn in turned])

    assert groups(vectors, np.cos(np.deg2rad(12))) == [0, 0, 0, 3, 3, 5]
    assert groups(vectors[:0], 0.9) == []


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("id: t\nbalance:\n  - {by: [tag], most: 3}\n", "3:11", "no 'tags:'"),
        ("id: t\nrules:\n  - keep: \"'refund' in tag\"\n", "3:", "no 'tags:'"),
        ("id: t\ntags: {of: rubrik.tags}\n", "2:", "'rubrik' is neither a field nor a judge"),
        ("id: t\ntags: {together: {support: 2}}\n", "2:28:", "expected at most"),
    ],
)
def test_a_file_that_speaks_of_tags_without_reading_any_is_wrong_at_its_place(tmp_path, text, at, message):
    (tmp_path / "t.yaml").write_text(text)

    with pytest.raises(ScenarioError, match=f"t.yaml:{at}.*{message}"):
        read_plan(str(tmp_path / "t.yaml"))


def test_a_rule_over_tags_is_no_gate_of_a_run_as_its_corpus_is_not_there_yet(tmp_path):
    (tmp_path / "t.yaml").write_text("id: t\ntags: {}\nrules:\n  - keep: turns > 2\n  - keep: \"'refund' in tag\"\n")

    with pytest.raises(ScenarioError, match=r"t.yaml:5:\d+: tags are known when all is played"):
        Rules.of(read_plan(str(tmp_path / "t.yaml")))
