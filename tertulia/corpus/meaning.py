"""Texts that mean the same: the cosine of sentence embeddings. Needs the extra `[embed]` and a model on disk or hub."""

from tertulia.errors import UserError

try:
    import numpy as np
    from sentence_transformers import SentenceTransformer
except ImportError as error:
    raise UserError("embeddings need sentence-transformers: pip install 'tertulia[embed]'") from error

__all__ = ["SameMeaning"]

BLOCK = 4096  # texts of the pool in one matrix


class SameMeaning:
    """The growing pool of unit vectors, in half precision: 768 bytes for each text kept, with 384 dimensions."""

    def __init__(self, model: str, cosine: float) -> None:
        self.model, self.cosine = SentenceTransformer(model), cosine
        self.blocks: list[np.ndarray] = []
        self.places: list[int] = []

    def seen(self, place: int, text: str) -> tuple[int, float] | None:
        """The place of the pool text that is nearest, and its cosine, from `cosine` on; None: it is in the pool now."""
        if not text:
            return None
        vector = np.asarray(self.model.encode([text], normalize_embeddings=True), dtype=np.float16)[0]
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
