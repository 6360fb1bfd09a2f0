"""What the fault server measures of a text: log probabilities of a small language model, and hashed words as a vector.

The language model is Laplace's rule of succession over words: after n words of which c were this one, its probability
is (c + 1) / (n + VOCABULARY). So it can be worked out by hand, and a text becomes likelier behind one like it.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from zlib import crc32

__all__ = ["VOCABULARY", "embedding", "log_probabilities", "scored_completion", "tokenized"]

VOCABULARY = 1000  # words
DIMENSIONS = 64
TOKEN = re.compile(r"\s*\S+|\s+$")


def tokenized(text: str) -> list[str]:
    """Words with the space before them; together they are the text."""
    return TOKEN.findall(text)


def log_probabilities(tokens: list[str]) -> list[float | None]:
    """The natural logarithm of each token's probability behind those before it; None for the first."""
    seen: Counter[str] = Counter()
    found: list[float | None] = []
    for n, token in enumerate(tokens):
        word = token.strip()
        found.append(math.log((seen[word] + 1) / (n + VOCABULARY)) if n else None)
        seen[word] += 1
    return found


def scored_completion(asked: Mapping[str, Any], *, key: str, model: str, told: bool) -> dict[str, Any]:
    """A completion of one word, which is the last one again, with `logprobs` of all tokens where `told`."""
    prompt = str(asked["prompt"])
    tokens = tokenized(prompt)
    more = [f" {tokens[-1].strip()}"] * bool(asked.get("max_tokens", 16))
    echo = bool(asked.get("echo")) and told
    shown = [*tokens, *more] if echo else more
    chances = log_probabilities([*tokens, *more])[-len(shown) or len(tokens) + 1 :]
    choice = {
        "index": 0,
        "text": "".join(shown),
        "logprobs": {"tokens": shown, "token_logprobs": chances} if asked.get("logprobs") is not None else None,
        "finish_reason": "length",
    }
    usage = {"prompt_tokens": len(tokens), "completion_tokens": len(more), "total_tokens": len(tokens) + len(more)}
    return {"id": key, "object": "text_completion", "created": 0, "model": model, "choices": [choice], "usage": usage}


def embedding(text: str, model: str) -> dict[str, Any]:
    """How often the words of a text fall into each of some boxes, so that the cosine tells shared words."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        vector[crc32(word.encode()) % DIMENSIONS] += 1.0
    count = len(tokenized(text))
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
