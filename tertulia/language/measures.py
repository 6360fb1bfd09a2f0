"""What can be measured of texts without a model: how varied their words are, and how much they repeat themselves."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["bleu_brevity", "mtld", "ngrams", "repeated", "self_bleu", "ttr"]

Words = Sequence[str]
MTLD_FACTOR = 0.72  # where a factor of MTLD is full


def ngrams(words: Words, n: int) -> list[tuple[str, ...]]:
    """Every run of `n` words, in order; none when there are fewer words."""
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def ttr(words: Words) -> float | None:
    """The type-token ratio: distinct words by words, 0 to 1. It falls with length, so compare texts of one length.
    None without words."""
    return len(set(words)) / len(words) if words else None


def mtld(words: Words) -> float | None:
    """The measure of textual lexical diversity, in words: how long a stretch keeps a type-token ratio above 0.72, the
    mean of reading forwards and backwards (McCarthy and Jarvis 2010, doi 10.3758/BRM.42.2.381).

    The higher, the more varied; it hardly depends on length. Below about 50 words it says little. None without any."""
    return (factored(words) + factored(words[::-1])) / 2 if words else None


def factored(words: Words) -> float:
    factors, types, start = 0.0, set[str](), 0
    for at, word in enumerate(words):
        types.add(word)
        if len(types) / (at + 1 - start) <= MTLD_FACTOR:
            factors, types, start = factors + 1, set(), at + 1
    if start < len(words):
        factors += (1 - len(types) / (len(words) - start)) / (1 - MTLD_FACTOR)
    return len(words) / factors if factors else float(len(words))


def repeated(words: Words, n: int) -> float | None:
    """The share of n-grams that came before in the same text, 0 to 1 (seq-rep-n: Welleck et al., arXiv 1908.04319).
    None with fewer than `n` words."""
    found = ngrams(words, n)
    return 1 - len(set(found)) / len(found) if found else None


def self_bleu(texts: Sequence[Words], most: int = 4) -> float | None:
    """How much texts resemble each other, 0 to 1: the mean BLEU of each against all others (Zhu et al., arXiv
    1802.01886), with n-grams of up to `most` words. An n-gram order in which nothing matches counts as half a match
    by the number of n-grams (Chen and Cherry 2014, method 1). None for fewer than two texts with words."""
    texts = [text for text in texts if text]
    if len(texts) < 2:
        return None
    counts = [[Counter(ngrams(text, n)) for text in texts] for n in range(1, most + 1)]
    best = [tops(order) for order in counts]
    lengths = [len(text) for text in texts]
    scores = []
    for at, text in enumerate(texts):
        logs = [
            math.log(precision(order[at], top)) for order, top in zip(counts, best, strict=True) if order[at].total()
        ]
        others = lengths[:at] + lengths[at + 1 :]
        scores.append(bleu_brevity(len(text), others) * math.exp(sum(logs) / len(logs)))
    return sum(scores) / len(scores)


Tops = dict[tuple[str, ...], tuple[int, int]]  # the two highest counts that an n-gram has in one text


def tops(counts: Iterable[Counter[tuple[str, ...]]]) -> Tops:
    found: Tops = {}
    for count in counts:
        for gram, number in count.items():
            first, second = found.get(gram, (0, 0))
            found[gram] = (number, first) if number >= first else (first, max(second, number))
    return found


def precision(own: Counter[tuple[str, ...]], best: Tops) -> float:
    """The share of a text's n-grams that some other text has as often."""
    matched = 0
    for gram, number in own.items():
        first, second = best[gram]
        matched += min(number, second if number == first else first)
    return (matched or 0.5) / own.total()


def bleu_brevity(length: int, others: Iterable[int]) -> float:
    """BLEU's penalty for a text that is shorter than the reference nearest in length."""
    nearest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length > nearest else math.exp(1 - nearest / length)
