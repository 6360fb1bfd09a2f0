"""What an endpoint measures of a text and does not say: how likely its tokens are, and where it lies in meaning.

Log probabilities come from `/v1/completions` with `echo`, which vLLM and SGLang serve; of hosted endpoints hardly any
does. Embeddings come from `/v1/embeddings`.
"""

import math
from collections.abc import Mapping
from typing import Any

from tertulia.models.completions import decoded, excerpt, not_a_completion, text_in, usage_of, whole
from tertulia.models.records import CallFailed, Reply, Request, Trouble

__all__ = [
    "COMPLETIONS",
    "EMBEDDINGS",
    "NEVER",
    "body_to_embed",
    "body_to_score",
    "embedded_in",
    "measure",
    "scored_in",
    "text_of",
]

COMPLETIONS, EMBEDDINGS = "completions", "embeddings"  # paths behind the base URL
NEVER = -9999.0  # what stands for an infinite log probability in JSON, as vLLM writes it
EXACT: dict[str, Any] = {"max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
CHAT_ONLY = {"max_completion_tokens", "response_format", "tool_choice", "parallel_tool_calls", "reasoning_effort"}
OF_EMBEDDINGS = {"dimensions", "user"}
BEGINNING = 16  # characters by which an echoed prompt is known


def measure(text: str, wants: str, conversation: str, step: str) -> Request:
    """A request that measures a text, `logprobs` or `embedding`; the judge's model does so."""
    said = ({"role": "user", "content": text},)
    return Request.model_validate(
        {"conversation": conversation, "role": "judge", "step": step, "messages": said, "wants": wants}
    )


def text_of(request: Request) -> str:
    """The text that is to be measured."""
    return str(request.messages[0]["content"])


# --- log probabilities -------------------------------------------------------------------------------------------


def body_to_score(model: str, text: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A request for the log probability of each token of a text. One token is generated, since some endpoints refuse
    to generate none, and cut off again."""
    given = {name: value for name, value in settings.items() if name not in CHAT_ONLY and value is not None}
    return {**given, "model": model, "prompt": text, **EXACT}


def scored_in(body: bytes, text: str, asked: int) -> Reply:
    """The tokens of the text with their log probabilities; none where the endpoint does not tell them.

    The first token has nothing before it and mostly no log probability; such ones are left out.

    Raises:
        CallFailed: when the answer is no completion at all."""
    answer = decoded(body)
    try:
        choice = answer["choices"][0]
        said = text_in(choice, "text")
        told = choice.get("logprobs") or {}
        tokens, chances = list(told.get("tokens") or ()), list(told.get("token_logprobs") or ())
    except (KeyError, IndexError, TypeError, AttributeError):
        raise not_a_completion(answer, body) from None
    usage = answer.get("usage")
    of_prompt = whole(usage.get("prompt_tokens")) if isinstance(usage, dict) else 0
    of_prompt = of_prompt or len(tokens) - 1
    echoed = len(tokens) == len(chances) >= of_prompt and text[:BEGINNING].strip() in said
    scored = zip(tokens[:of_prompt], chances[:of_prompt], strict=True) if echoed else ()
    return Reply(
        text=said,
        finish=text_in(choice, "finish_reason") or "stop",
        model=text_in(answer, "model"),
        raw=body.decode("utf-8", "replace"),
        logprobs=behind_the_first(scored),
        **usage_of(usage, asked, len(said)),
    )


def behind_the_first(scored: Any) -> tuple[tuple[str, float], ...]:
    """Tokens with numbers, without those at the beginning that have none."""
    found: list[tuple[str, float]] = []
    for token, chance in scored:
        known = isinstance(chance, int | float) and not math.isnan(chance)
        if known or found:
            found.append((str(token), max(NEVER, float(chance)) if known else NEVER))
    return tuple(found)


# --- embeddings --------------------------------------------------------------------------------------------------


def body_to_embed(model: str, text: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A request for the embedding of a text."""
    given = {name: value for name, value in settings.items() if name in OF_EMBEDDINGS and value is not None}
    return {"model": model, "input": text, **given}


def embedded_in(body: bytes, asked: int) -> Reply:
    """The embedding; the answer itself is not kept, as it holds nothing else.

    Raises:
        CallFailed: when the answer holds none."""
    answer = decoded(body)
    try:
        vector = tuple(float(number) for number in answer["data"][0]["embedding"])
    except (KeyError, IndexError, TypeError, ValueError):
        vector = ()
    if not vector or not all(map(math.isfinite, vector)):
        raise CallFailed(Trouble.MALFORMED, "the endpoint's answer holds no embedding", excerpt(body))
    return Reply(embedding=vector, model=text_in(answer, "model"), **usage_of(answer.get("usage"), asked, 0))
