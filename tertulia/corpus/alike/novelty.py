"""Texts that bring nothing new: ROUGE-L against everything that is kept so far, as Self-Instruct's filter does.

The comparison is exact: every pair whose lengths allow a high score is compared. That is quadratic in the number of
distinct texts, some ten million pairs a second; whole conversations go to `near` instead.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from tertulia.corpus.words import digest
from tertulia.errors import UserError

try:
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import extractOne
except ImportError as error:
    raise UserError("novelty needs rapidfuzz: pip install 'tertulia[corpus]'") from error

__all__ = ["Novel"]

GAP = range(0xD800, 0xE000)  # code points that are no characters
NO_BREAK = 0x100  # where the characters that stand for words begin


class Novel:
    """The growing pool. A text is news when no text of the pool has a ROUGE-L F1 above `most` with it.

    A word is written as one character, so that ROUGE-L F1 of two texts, 2 LCS / (m + n), is the similarity by
    insertions and deletions of two strings, which rapidfuzz works out with bit-parallel instructions. Unlike in
    `rouge_score`, words of any script count (its own tokenizer keeps a to z and 0 to 9 alone)."""

    def __init__(self, most: float) -> None:
        self.most = most
        self.signs: dict[str, str] = {}
        self.pool: dict[int, tuple[list[str], list[int]]] = {}  # by number of words: texts, and their places
        self.lengths: list[int] = []
        self.exact: dict[bytes, int] = {}

    def seen(self, place: int, said: Sequence[str]) -> tuple[int, float] | None:
        """The place of a pool text that this one resembles, and how much; None: it is news, and in the pool now."""
        if not said:
            return None
        key = digest(list(said))
        if key in self.exact:
            return self.exact[key], 1.0
        text = "".join(self.sign(word) for word in said)
        best = self.nearest(text)
        if best is not None:
            return best
        self.exact[key] = place
        if len(text) not in self.pool:
            insort(self.lengths, len(text))
        texts, places = self.pool.setdefault(len(text), ([], []))
        texts.append(text)
        places.append(place)
        return None

    def nearest(self, text: str) -> tuple[int, float] | None:
        """2 LCS / (m + n) is at most 2 min(m, n) / (m + n), which leaves out all other lengths."""
        n, most = len(text), self.most
        low = bisect_left(self.lengths, n * most / (2 - most))
        high = bisect_right(self.lengths, n * (2 - most) / most)
        best: tuple[float, int] | None = None
        for length in self.lengths[low:high]:
            texts, places = self.pool[length]
            found = extractOne(text, texts, scorer=Indel.normalized_similarity, score_cutoff=most)
            if found is not None and found[1] > most and (best is None or (-found[1], places[found[2]]) < best):
                best = -found[1], places[found[2]]
        return None if best is None else (best[1], -best[0])

    def sign(self, word: str) -> str:
        if word not in self.signs:
            at = len(self.signs) + NO_BREAK
            self.signs[word] = chr(at if at < GAP.start else at + len(GAP))
        return self.signs[word]
