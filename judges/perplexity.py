"""How likely a conversation is to a language model, and how much what came before helps it to foresee the answer.

After SyGra's quality tagging (arXiv 2508.15432): ppl = exp(-mean log probability) of the conversation, the same of the
answer alone, and their quotient, IFD. Beside it stands the IFD as it was defined first (Li et al., arXiv 2308.12032):
the answer's perplexity behind what came before, divided by that of the answer alone.
"""

import json
import math
from collections.abc import Sequence

from tertulia.models.asking import Reading, ask_for, raw_of
from tertulia.models.measuring import NEVER, measure
from tertulia.models.rating import told_to
from tertulia.models.records import Ask, BadReply, ModelFailure, Reply, Trouble
from tertulia.records import Conversation, Message, Verdict
from tertulia.scenario import Scenario

__all__ = ["Perplexity"]

LARGEST = 700.0  # the exponent beyond which a float overflows, nearly
Scored = tuple[tuple[str, float], ...]  # tokens, and the natural logarithm of their probability


class Perplexity:
    """Gates nothing: it passes unless the endpoint gives no log probabilities, which is a counted error under `error`
    and never a number. There is no score.

    What is measured is what the assistant heard, said, called and got, up to the last words that it said: the answer.
    `detail`: `ppl` (of all of it), `answer_ppl` (of the answer alone), `answer_given_ppl` (of the answer behind the
    rest), `ifd` (ppl / answer_ppl, SyGra's), `ifd_given` (answer_given_ppl / answer_ppl; from 1 on, what came before is
    of no help), `tokens` and `answer_tokens` (the model's own), `infinite` (tokens that it holds impossible, left out).
    Null where nothing is left to count. Two calls of `/v1/completions` with `echo` for each conversation."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        before, answer = written(told_to(scenario, talk))
        if not answer:
            return Verdict(judge="perplexity", passed=True, reason="the assistant has said nothing")
        try:
            whole = await self.scored(talk, "whole", before + answer)
            alone = await self.scored(talk, "answer", answer)
        except ModelFailure as error:
            reason = f"gave no verdict: {error}"
            return Verdict(judge="perplexity", passed=False, reason=reason, detail={"error": error.trouble.value})
        ppl, answer_ppl, given = map(perplexity, (whole, alone, at_the_end(whole, len(answer))))
        detail = {
            "ppl": ppl,
            "answer_ppl": answer_ppl,
            "answer_given_ppl": given,
            "ifd": quotient(ppl, answer_ppl),
            "ifd_given": quotient(given, answer_ppl),
            "tokens": len(whole),
            "answer_tokens": len(alone),
            "infinite": sum(chance <= NEVER for _, chance in whole),
        }
        return Verdict(judge="perplexity", passed=True, detail=detail)

    async def scored(self, talk: Conversation, what: str, text: str) -> Scored:
        return await ask_for(self.ask, measure(text, "logprobs", talk.id, f"judge/perplexity/{what}"), read)


def read(reply: Reply) -> Reading[Scored]:
    """The tokens of the text that was sent.

    Raises:
        BadReply: when the endpoint gives no log probabilities of a prompt."""
    if not reply.logprobs:
        what = "the endpoint tells no log probabilities of a prompt (vLLM and SGLang do, at /v1/completions with echo)"
        raise BadReply(Trouble.NO_LOGPROBS, what, raw_of(reply))
    return Reading(reply.logprobs)


def written(messages: Sequence[Message]) -> tuple[str, str]:
    """What came before the last words of the assistant, as text, and these words; empty: it has said none."""
    said = [nth for nth, message in enumerate(messages) if message.role == "assistant" and message.text.strip()]
    if not said:
        return "", ""
    lines = "".join(f"{message.role}:\n{text_of(message)}\n\n" for message in messages[: said[-1]])
    return f"{lines}assistant:\n", messages[said[-1]].text.strip()


def text_of(message: Message) -> str:
    calls = [f"{call.name} {json.dumps(call.args, ensure_ascii=False, default=str)}" for call in message.calls]
    return "\n".join(filter(None, (message.text.strip(), *calls)))


def at_the_end(scored: Scored, characters: int) -> Scored:
    """The tokens that make up the last so many characters; one that begins before them counts as well."""
    left, count = characters, 0
    while left > 0 and count < len(scored):
        count += 1
        left -= len(scored[-count][0])
    return scored[len(scored) - count :]


def perplexity(scored: Scored) -> float | None:
    """exp(-mean), over tokens that the model holds possible."""
    chances = [chance for _, chance in scored if chance > NEVER]
    return round(math.exp(min(LARGEST, -sum(chances) / len(chances))), 4) if chances else None


def quotient(one: float | None, other: float | None) -> float | None:
    return round(one / other, 4) if one is not None and other else None
