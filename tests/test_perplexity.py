"""Perplexity and IFD from an endpoint that tells log probabilities, held against numbers worked out by hand."""

import json
import math
from typing import Any

import pytest
from examples import scenario, shop, two_party

import tertulia
from tertulia.judges.perplexity import Perplexity, at_the_end, written
from tertulia.models.caller import keyed
from tertulia.models.client import OpenAIChat
from tertulia.models.journal import as_json, from_json
from tertulia.models.langchain import LangChainChat
from tertulia.models.measuring import NEVER, measure, scored_in
from tertulia.models.records import CallFailed, Reply, Request, Trouble
from tertulia.records import Conversation, Message, Verdict
from tertulia.testing import FaultServer, Scripted
from tertulia.testing.faults import Faults

__all__ = ["shop"]
in_the_shop = pytest.mark.usefixtures("shop")


def chances(*shares: float) -> tuple[tuple[str, float], ...]:
    """Tokens of four letters with these probabilities."""
    return tuple((" abc", math.log(share)) for share in shares)


async def judged(replies: Any) -> tuple[Verdict, Scripted]:
    ask = Scripted(replies)
    return await Perplexity(ask).judge(scenario(), two_party()), ask


# --- what is worked out ------------------------------------------------------------------------------------------


@in_the_shop
async def test_perplexity_is_the_inverse_of_the_geometric_mean_and_ifd_a_quotient():
    """The answer has 25 characters, which are seven tokens of four."""
    whole = chances(1 / 2, 1 / 2, *[1 / 4] * 7)
    found, ask = await judged([Reply(logprobs=whole), Reply(logprobs=chances(1 / 16, 1 / 4))])

    assert found.detail["ppl"] == pytest.approx(2 ** (16 / 9), abs=1e-3)
    assert (found.detail["answer_ppl"], found.detail["answer_given_ppl"]) == (8.0, 4.0)
    assert found.detail["ifd"] == pytest.approx(2 ** (16 / 9) / 8, abs=1e-3)
    assert (found.detail["ifd_given"], found.detail["tokens"], found.detail["answer_tokens"]) == (0.5, 9, 2)
    assert (found.passed, found.score) == (True, None)
    texts = [str(request.messages[0]["content"]) for request in ask.asked]
    assert texts[0].endswith(f"assistant:\n{texts[1]}")
    assert texts[1] == "Done. It comes on friday."
    assert [request.wants for request in ask.asked] == ["logprobs", "logprobs"]


@in_the_shop
async def test_tokens_that_the_model_holds_impossible_are_left_out_and_counted():
    whole = (*chances(1 / 4, 1 / 4), (" abc", NEVER))
    found, _ = await judged([Reply(logprobs=whole), Reply(logprobs=chances(1 / 4))])

    assert (found.detail["ppl"], found.detail["infinite"]) == (4.0, 1)


def test_the_answer_is_what_stands_at_the_end():
    scored = tuple((token, float(nth)) for nth, token in enumerate(["<s>", "You", ":\n", "It", " is", " so"]))

    assert [token for token, _ in at_the_end(scored, len("It is so"))] == ["It", " is", " so"]
    assert [token for token, _ in at_the_end(scored, len("t is so"))] == ["It", " is", " so"]
    assert at_the_end(scored, 1000) == scored
    assert at_the_end(scored, 0) == ()


@in_the_shop
async def test_without_words_of_the_assistant_nobody_is_asked():
    talk = two_party()
    users = tuple(turn for turn in talk.turns if turn.speaker == "customer")
    ask = Scripted([])
    found = await Perplexity(ask).judge(scenario(), talk.model_copy(update={"turns": users}))

    assert (found.passed, found.detail, ask.asked) == (True, {}, [])


# --- what is no number -------------------------------------------------------------------------------------------


@in_the_shop
async def test_an_endpoint_without_log_probabilities_is_a_counted_error_and_no_number():
    found, ask = await judged(["Friday."])

    assert (found.passed, found.score, found.detail) == (False, None, {"error": "no_logprobs"})
    assert [trouble for _, trouble, _ in ask.noted] == [Trouble.NO_LOGPROBS]
    assert len(ask.asked) == 1


async def test_models_of_other_providers_deny_what_they_cannot_measure():
    with pytest.raises(CallFailed, match=r"only models of openai:\.\.\. give embedding"):
        await LangChainChat(model=None).complete(measure("a", "embedding", "c", "s"), 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "choice",
    [
        {"text": " so", "logprobs": {"tokens": [" so"], "token_logprobs": [-0.1]}},
        {"text": "It is so", "logprobs": None},
        {"text": "It is so", "logprobs": {"tokens": ["It", " is"], "token_logprobs": [None]}},
        {"text": "It is so"},
    ],
)
def test_what_was_not_echoed_or_scored_counts_for_nothing(choice):
    body = encoded({"choices": [choice], "usage": {"prompt_tokens": 2, "completion_tokens": 1}})

    assert scored_in(body, "It is", 10).logprobs == ()


def test_the_generated_token_and_the_first_are_left_out_and_infinity_is_kept_as_such():
    told = {"tokens": ["<s>", "It", " is", " so"], "token_logprobs": [None, -1.5, None, -3.0]}
    body = encoded({"choices": [{"text": "It is so", "logprobs": told}], "usage": {"prompt_tokens": 3}})
    reply = scored_in(body, "It is", 10)

    assert reply.logprobs == (("It", -1.5), (" is", NEVER))
    assert from_json(as_json(reply)) == reply


def test_an_answer_that_is_no_completion_is_malformed():
    with pytest.raises(CallFailed) as failed:
        scored_in(b'{"object": "list", "data": []}', "It is", 10)

    assert failed.value.trouble is Trouble.MALFORMED


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- the whole way -----------------------------------------------------------------------------------------------


def succession(text: str) -> float:
    """Perplexity of a text but its first word by Laplace's rule of succession over 1000 words, worked out again."""
    words = text.split()
    shares = [(words[:n].count(words[n]) + 1) / (n + 1000) for n in range(1, len(words))]
    return 2 ** -(sum(map(math.log2, shares)) / len(shares))


def heard_by(message: Message, talk: Conversation) -> bool:
    return next(name for name, role in talk.roles.items() if role == "assistant") in message.audience


async def test_a_served_model_scores_a_text_as_by_hand():
    """Behind a, b and a: 1/1001, 2/1002."""
    with FaultServer() as server:
        reply = await OpenAIChat(model="tiny", base_url=server.url).complete(measure("a b a", "logprobs", "c", "s"), 5)

    assert reply.logprobs == ((" b", pytest.approx(math.log(1 / 1001))), (" a", pytest.approx(math.log(2 / 1002))))
    assert (reply.tokens_in, reply.tokens_out) == (3, 1)
    assert succession("a b a") == pytest.approx(math.sqrt(1001 * 1002 / 2))


def test_a_run_is_measured_through_faults_and_nothing_is_paid_twice(tmp_path):
    run = tertulia.run("clinic", n=2, slips=0.0, out=tmp_path / "run")
    with FaultServer(Faults.parsed(["unavailable=0.3", "truncated_body=0.2"], 3)) as server:
        spec = f"openai:tiny@{server.url}"
        summary = run.judge("perplexity", model=spec)
        asked = server.tally.asked.total()
        run.judge("perplexity", model=spec)

        assert server.tally.asked.total() == asked > 4
        assert summary.as_json()["model_calls"] == 4
    for talk in run.conversations():
        detail = next(verdict.detail for verdict in talk.verdicts if verdict.judge == "perplexity")
        before, answer = written([message for message in talk.messages if heard_by(message, talk)])
        assert detail["ppl"] == pytest.approx(succession(before + answer), rel=1e-3)
        assert detail["answer_ppl"] == pytest.approx(succession(answer), rel=1e-3)
        assert detail["ifd"] == pytest.approx(detail["ppl"] / detail["answer_ppl"], rel=1e-3)


def test_an_endpoint_that_tells_none_leaves_errors_in_the_run(tmp_path):
    run = tertulia.run("clinic", n=2, slips=0.0, out=tmp_path / "run")
    with FaultServer(prompt_logprobs=False) as server:
        summary = run.judge("perplexity", model=f"openai:tiny@{server.url}")

    assert summary.verdicts["perplexity"] == (0, 2)
    assert [v.detail for talk in run.conversations() for v in talk.verdicts if v.judge == "perplexity"] == [
        {"error": "no_logprobs"}
    ] * 2


def test_a_chat_request_keeps_the_key_that_it_had_before_texts_could_be_measured():
    asked = Request(conversation="c", role="judge", step="s", messages=({"role": "user", "content": "a"},))

    assert keyed(b"", asked)[0].hex() == "637f0c98a820a1addf460015ff2252f2"
    assert keyed(b"", asked) != keyed(b"", asked.model_copy(update={"wants": "logprobs"}))
