"""Texts that mean the same as one that is kept: the cosine of their embeddings."""

from collections.abc import Callable, Sequence

import numpy as np

from tertulia.corpus.alike.embedding import Embed, Vectors, local

__all__ = ["SameMeaning", "grouping", "groups"]

BLOCK = 4096  # texts in one matrix


class SameMeaning:
    """The growing pool of unit vectors, in half precision: 768 bytes for each text kept, with 384 dimensions."""

    def __init__(self, embed: Embed, cosine: float) -> None:
        self.embed, self.cosine = embed, cosine
        self.coming: dict[str, Vectors] = {}
        self.blocks: list[np.ndarray] = []
        self.places: list[int] = []

    def prepare(self, texts: Sequence[str]) -> None:
        """Embed all texts that are looked at next, in one go."""
        wanted = sorted({text for text in texts if text})
        self.coming = dict(zip(wanted, self.embed(wanted), strict=True)) if wanted else {}

    def seen(self, place: int, text: str) -> tuple[int, float] | None:
        """The place of the pool text that is nearest, and its cosine, from `cosine` on; None: it is in the pool now."""
        if not text:
            return None
        vector = (self.coming[text] if text in self.coming else self.embed([text])[0]).astype(np.float16)
        best, at = -1.0, -1
        for nth, block in enumerate(self.blocks):
            scores = block[: len(self.places) - nth * BLOCK].astype(np.float32) @ vector.astype(np.float32)
            top = int(scores.argmax())
            if scores[top] > best:
                best, at = float(scores[top]), nth * BLOCK + top
        if best >= self.cosine:
            return self.places[at], best
        if len(self.places) == len(self.blocks) * BLOCK:
            self.blocks.append(np.zeros((BLOCK, len(vector)), dtype=np.float16))
        self.blocks[-1][len(self.places) % BLOCK] = vector
        self.places.append(place)
        return None


def groups(vectors: Vectors, cosine: float) -> list[int]:
    """For each unit vector the first one of its group: those that a chain of pairs with this cosine joins.

    With two points as the least, that is what DBSCAN gives for the distance 1 - cosine, outliers alone."""
    above = list(range(len(vectors)))

    def first(nth: int) -> int:
        while above[nth] != nth:
            above[nth] = above[above[nth]]
            nth = above[nth]
        return nth

    for start in range(0, len(vectors), BLOCK):
        for one, other in zip(*np.nonzero(vectors[start : start + BLOCK] @ vectors.T >= cosine), strict=True):
            low, high = sorted((first(start + int(one)), first(int(other))))
            above[high] = low
    return [first(nth) for nth in range(len(vectors))]


def grouping(
    model: str, cosine: float, opener: Callable[[str], Embed] | None = None
) -> Callable[[Sequence[str]], list[int]]:
    """`groups` of texts by the embeddings of a model."""
    embed = (opener or local)(model)
    return lambda texts: groups(embed(texts), cosine)
