"""How the rule cast mends words that a critic sent back: it says them otherwise, or leaves out what was quoted."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from tertulia.contracts import Utterance, View
from tertulia.language.wording import sentences
from tertulia.records import Draft

__all__ = ["holds", "quotes", "reworded"]

TRIES = 8  # other wordings that are tried before anything is left out
CUT = " ..."  # how a quote ends that shows a beginning


def reworded(view: View, word: Callable[[], Utterance], last_resort: str) -> Utterance:
    """What `word` says, clear of what this turn's earlier drafts were sent back for.

    `word` is called again for other words as long as what it gives was said in a draft that was sent back, or holds
    a passage that was quoted. If that does not help, the quoted passages are left out; `last_resort` is said where
    nothing is left."""
    said = word()
    if not view.sent_back or said.calls:
        return said
    quoted, before = quotes(view.sent_back), {draft.message.text for draft in view.sent_back}
    for _ in range(TRIES):
        if said.text not in before and not holds(said.text, quoted):
            return said
        said = word()
    return replace(said, text=without(said.text, quoted) or last_resort)


def quotes(sent_back: Iterable[Draft]) -> tuple[str, ...]:
    """The passages for which words were sent back, in lower case."""
    found = (
        plain(marker.quote.removesuffix(CUT))
        for draft in sent_back
        if not draft.message.calls
        for marker in draft.markers
        if marker.revise
    )
    return tuple(dict.fromkeys(filter(None, found)))


def plain(text: str) -> str:
    return " ".join(text.lower().split())


def holds(text: str, quoted: Iterable[str]) -> bool:
    """Whether a text has one of these passages, as whole words."""
    low = plain(text)
    return any(quote in low and re.search(rf"(?<!\w){re.escape(quote)}(?!\w)", low) for quote in quoted)


def without(text: str, quoted: tuple[str, ...]) -> str:
    """A text without the passages: of an enumeration the entry is left out, else the sentence."""
    kept = []
    for sentence in sentences(text):
        said = without_entries(sentence, quoted) if holds(sentence, quoted) else sentence
        if said and not holds(said, quoted):
            kept.append(said)
    return " ".join(kept)


def without_entries(sentence: str, quoted: tuple[str, ...]) -> str:
    """A sentence without the entries of its enumeration that hold a passage; empty where that cannot be."""
    body = sentence.rstrip(".!?")
    head, colon, rest = body.rpartition(": ") if ";" not in body else body.partition(": ")
    entries = re.split(r"[;,]\s+", rest) if ";" not in rest else re.split(r";\s+", rest)
    kept = [entry for entry in entries if not holds(entry, quoted)]
    if not colon or not kept or len(kept) == len(entries):
        return ""
    said = f"{head}{colon}{'; '.join(kept)}{sentence[len(body) :]}"
    return said if said.count("(") == said.count(")") else ""
