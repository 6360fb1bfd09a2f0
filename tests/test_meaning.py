"""Embeddings: of the real sentence-transformers with a tiny model made here, and of an endpoint through the journal."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tertulia
from tertulia.corpus.alike.embedding import local, unit
from tertulia.corpus.alike.meaning import SameMeaning, groups
from tertulia.errors import SettingsError, UserError
from tertulia.records import Conversation
from tertulia.running.runs import Run
from tertulia.testing import FaultServer
from tertulia.testing.faults import Faults

SAID = ["where is my parcel", "Where is my parcel?", "my line is dead", "a referral for tuesday"]


# --- a model on this machine -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer with random weights over the words of `SAID`; the library takes the mean of its tokens."""
    pytest.importorskip("sentence_transformers")
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("tiny")
    words = sorted({word.strip("?").lower() for text in SAID for word in text.split()})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, "?"]))
    torch.manual_seed(7)
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=6 + len(words), max_position_embeddings=64, **size)
    transformers.BertModel(config).save_pretrained(folder / "bert")
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    return folder / "bert"


def test_the_real_library_embeds_with_a_model_from_a_folder(tiny):
    vectors = local(str(tiny))(SAID)

    assert vectors.shape == (4, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert groups(local(str(tiny))(["where is my parcel", "Where IS my parcel"]), 0.999) == [0, 0]
    assert (vectors @ vectors[0])[2:].max() < 0.99


def test_a_run_loses_what_means_the_same_to_the_real_library(tiny, tmp_path):
    made = selected(played(tmp_path), tmp_path, f"meaning: {{model: {tiny}, cosine: 0.9}}")

    assert 0 < made["kept"] < made["conversations"]
    assert " like " in made["steps"][-1]["examples"][0]["why"]


def test_a_model_that_is_not_there_is_an_error_of_one_line(tmp_path):
    pytest.importorskip("sentence_transformers")

    with pytest.raises(UserError, match=r"^no model .*nowhere' of sentence-transformers: \S.*$"):
        local(str(tmp_path / "nowhere"))


# --- a model that is served --------------------------------------------------------------------------------------


def played(folder: Path) -> Run:
    if (folder / "run").exists():
        return Run(folder / "run")
    return tertulia.run("clinic", n=13, slips=0.0, out=folder / "run")


def openings(run: Run) -> set[str]:
    return {opening(talk) for talk in run.conversations()}


def opening(talk: Conversation) -> str:
    return next(turn.message.text for turn in talk.turns if talk.roles[turn.speaker] == "user")


def selected(run: Run, folder: Path, text: str, preview: bool = True) -> dict[str, Any]:
    (folder / "c.yaml").write_text(f"id: c\nexact: false\n{text}\n")
    return run.select(str(folder / "c.yaml"), preview=preview).as_json()


def test_a_served_model_embeds_each_text_once_and_is_not_asked_again(tmp_path):
    run = played(tmp_path)
    with FaultServer(Faults.parsed(["unavailable=0.1"], 2)) as server:
        text = f"meaning: {{model: 'openai:tiny@{server.url}', cosine: 0.9999}}"
        first = selected(run, tmp_path, text)
        asked = server.tally.answered.total()
        again = selected(run, tmp_path, text, preview=False)
        broader = selected(run, tmp_path, text.replace("0.9999", "0.3"))

        assert server.tally.answered.total() == asked == len(openings(run))
    assert first == again
    assert len(openings(run)) >= first["kept"] > broader["kept"] > 0
    assert "like" in broader["steps"][-1]["examples"][0]["why"]
    assert run.summary.as_json()["model_calls"] == asked


def test_a_rule_spares_the_texts_that_it_rejects(tmp_path):
    run = played(tmp_path)
    with FaultServer() as server:
        text = f"rules: [{{keep: 'index < 3'}}]\nmeaning: {{model: 'openai:tiny@{server.url}'}}"
        selected(run, tmp_path, text)

        assert server.tally.asked.total() <= 3


async def test_a_selection_that_asks_a_model_works_where_a_loop_is_running(tmp_path):
    run = await asyncio.to_thread(played, tmp_path)
    with FaultServer() as server:
        made = selected(run, tmp_path, f"meaning: {{model: 'openai:tiny@{server.url}', cosine: 0.9999}}")

    assert made["kept"] > 0


def test_an_endpoint_that_gives_no_embedding_stops_the_selection(tmp_path):
    run = played(tmp_path)
    with (
        FaultServer(key="other-key-of-this-server") as server,
        pytest.raises(UserError, match=r"tiny gave no embedding of .*: denied"),
    ):
        selected(run, tmp_path, f"meaning: {{model: 'openai:tiny@{server.url}'}}")
    with pytest.raises(SettingsError, match="base URL"):
        selected(run, tmp_path, "meaning: {model: 'openai:tiny@http://'}")


def test_tags_of_one_meaning_are_joined_by_a_served_model_and_balanced(tmp_path):
    """To the server, texts of the same words mean the same, in whatever order."""
    run = played(tmp_path)
    wordings = ["book an appointment", "an appointment to book", "refund"]
    replies = "".join(
        f"  - {{step: judge/rubric/category, conversation: '*{n}', json: {{category: others, tags: [{tag}]}}}}\n"
        for n in range(10)
        for tag in [wordings[(0, 0, 1)[n] if n < 3 else 2]]
    )
    rated = "{ratings: [{name: prompt_quality, reason: plain, score: 4}]}"
    replies += f"  - {{step: judge/rubric/prompt, json: {rated}}}\n  - {{text: none}}\n"
    (tmp_path / "replies.yaml").write_text(f"replies:\n{replies}")
    run.judge("rubric", model=f"scripted:{tmp_path / 'replies.yaml'}")
    with FaultServer() as server:
        model = f"model: 'openai:tiny@{server.url}', cosine: 0.8"
        made = selected(run, tmp_path, f"tags: {{{model}}}\nbalance:\n  - {{by: [tag], most: 5}}")

    assert set(made["tags"]["tags"]) == {"book an appointment", "refund"}
    assert made["tags"]["tags"]["book an appointment"]["wordings"] == ["book an appointment", "an appointment to book"]
    assert made["balance"][0]["after"] == {"book an appointment": 5, "refund": 5}
    assert sum(made["balance"][0]["before"].values()) == 13
    assert made["kept"] == 10


def test_tags_that_no_judge_has_given_are_a_fault_of_the_file(tmp_path):
    with pytest.raises(UserError, match=r"c.yaml:3:.*was judged by 'rubric' \(ask it: tertulia judge RUN rubric"):
        selected(played(tmp_path), tmp_path, "tags: {least: 1}")


# --- the pool ----------------------------------------------------------------------------------------------------


def test_texts_that_are_prepared_are_embedded_in_one_go_and_no_other_is():
    asked: list[list[str]] = []

    def embed(texts: Any) -> Any:
        asked.append(list(texts))
        return unit([[1.0, float("parcel" in text)] for text in texts])

    pool = SameMeaning(embed, 0.99)
    pool.prepare(["my parcel", "a line", "", "my parcel"])

    assert [pool.seen(place, text) for place, text in enumerate(["my parcel", "a line", "my parcel", ""])] == [
        None,
        None,
        (0, pytest.approx(1.0, abs=1e-3)),
        None,
    ]
    assert asked == [["a line", "my parcel"]]
