"""Texts as vectors: by a model of sentence-transformers on this machine, or by an endpoint with `/v1/embeddings`.

What an endpoint gives is kept in the run's journal under the text itself, so no text is paid for twice: not by another
file of criteria, and not after a stop.
"""

import asyncio
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from tertulia.corpus.criteria import SERVED
from tertulia.errors import UserError
from tertulia.models.caller import Caller
from tertulia.models.measuring import measure
from tertulia.models.records import ModelFailure

try:
    import numpy as np
except ImportError as error:
    raise UserError("embeddings need numpy: pip install 'tertulia[corpus]'") from error

__all__ = ["Embed", "Vectors", "local", "served", "unit"]

SHOWN = 60  # characters of a text that an error quotes

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Embed = Callable[[Sequence[str]], Vectors]  # a row of length 1 for each text


def local(model: str) -> Embed:
    """A model of sentence-transformers, by its folder or its name on the Hub.

    Raises:
        UserError: if the extra is missing, or there is no such model."""
    if model.startswith(SERVED):
        raise UserError(f"{model!r} is asked by a run: `tertulia corpus RUN FILE`")
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - the extra [embed]
    except ImportError as error:
        raise UserError("embeddings need sentence-transformers: pip install 'tertulia[embed]'") from error
    try:
        opened = SentenceTransformer(model)
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise UserError(f"no model {model!r} of sentence-transformers: {why}") from None

    def embed(texts: Sequence[str]) -> Vectors:
        return unit(opened.encode(list(texts), show_progress_bar=False))

    return embed


def served(caller: Caller) -> Embed:
    """The judge's model of a caller. Texts of one call are asked about at once, as far as its limiter allows.

    Raises, when it is used:
        UserError: if no embedding comes for a text after all tries; what came is kept."""
    ask = caller.ask_for("judge")

    async def one(text: str) -> tuple[float, ...]:
        home = "embedding-" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        try:
            return (await ask(measure(text, "embedding", home, "embedding"))).embedding
        except ModelFailure as error:
            raise UserError(f"{ask.model} gave no embedding of {text[:SHOWN]!r}: {error}") from None
        finally:
            caller.leave(home)

    async def every(texts: Sequence[str]) -> list[tuple[float, ...]]:
        return await asyncio.gather(*map(one, texts))

    def embed(texts: Sequence[str]) -> Vectors:
        distinct = list(dict.fromkeys(texts))
        found = dict(zip(distinct, asyncio.run(every(distinct)), strict=True))
        if len(set(map(len, found.values()))) > 1:
            raise UserError(f"{ask.model} gives embeddings of several lengths")
        return unit([found[text] for text in texts])

    return embed


def unit(given: Any) -> Vectors:
    """Rows of length 1; a row of zeros stays one."""
    found = np.asarray(given, dtype=np.float32)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    made: Vectors = np.divide(found, np.where(lengths > 0, lengths, 1), dtype=np.float32)
    return made
