"""Detectors that read nothing but the draft's words: patterns, entities, questions, length, repetition."""

import re
from collections.abc import Sequence
from functools import lru_cache

from tertulia.detectors.scene import Finding, Scene, first_words
from tertulia.language.acts import Act, act_of
from tertulia.language.wording import KEPT, asks, forms, stands_in, words
from tertulia.principles import Asks, Avoid, Length, Pattern, Repetition
from tertulia.records import Message

__all__ = ["asked", "avoided", "excused", "matched", "measured", "repeated"]

REQUEST = re.compile(
    r"\?|\b(?:please|(?:can|could|will|would|may|might) (?:you|i)|tell me|give me|send me|share|provide|enter|type"
    r"|reply with|read (?:me|out|the|us)|i(?:'ll| will|'d| would)? (?:also |just |only |still )*need|need to know"
    r"|what(?:'s| is)|let me have|confirm your|ask (?:you )?for|(?:send|hand) (?:it |them )?over|if you would)\b",
    re.IGNORECASE,
)
POLITE_NOT = re.compile(r"\b(?:why don't|won't|can't|couldn't|don't) you\b|\bif you don't mind\b", re.IGNORECASE)
SETTLED = frozenset((Act.REPORT, Act.REFUSE, Act.CLOSE, Act.OTHER))  # after these, the other side begins anew
DENIED = re.compile(
    r"\b(?:never|not|no need|without|don't|doesn't|won't|do not|cannot|can't|shouldn't|nobody|no one|keep"
    r"|(?:i|we) (?:send|e-?mail|text|reset|give|issue))\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=512)
def either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all of these, case ignored. The word boundary that begins many is looked for only once."""
    bounded = [pattern for pattern in patterns if pattern.startswith(r"\b") and "|" not in outside(pattern)]
    several = [f"(?:{pattern})" for pattern in patterns if pattern not in bounded]
    if bounded:
        several.append(rf"\b(?:{'|'.join(f'(?:{pattern[2:]})' for pattern in bounded)})")
    return re.compile("|".join(several), 0 if small(patterns) else re.IGNORECASE)


def small(patterns: tuple[str, ...]) -> bool:
    """Whether expressions are written in small letters alone, so that they can be looked for in a text in small
    letters, which is several times faster than to ignore case."""
    return not any(re.search(r"[A-Z]|\(\?-i", re.sub(r"\\.", "", pattern)) for pattern in patterns)


def outside(pattern: str) -> str:
    """What of an expression stands in no group and no set, so that a bar there splits all of it."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern)
    while (less := re.sub(r"\([^()]*\)", "", bare)) != bare:
        bare = less
    return bare


@lru_cache(maxsize=KEPT)
def search(patterns: tuple[str, ...], sentence: str) -> str | None:
    """The first match in a sentence."""
    match = first(patterns, sentence)
    return sentence[match.start() : match.end()] if match else None


def first(patterns: tuple[str, ...], sentence: str) -> re.Match[str] | None:
    """A match, with its place in the sentence: the first of the expressions in small letters, else of the others."""
    quick, slow = parted(patterns)
    lowered = sentence.lower()
    if quick and (match := either(quick).search(lowered if len(lowered) == len(sentence) else sentence)):
        return match
    return either(slow).search(sentence) if slow else None


@lru_cache(maxsize=512)
def parted(patterns: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The expressions that are written in small letters alone, and the others."""
    quick = tuple(pattern for pattern in patterns if small((pattern,)))
    return quick, tuple(pattern for pattern in patterns if pattern not in quick)


def matched(detector: Pattern, scene: Scene) -> list[Finding]:
    """Sentences that match a pattern, or the whole draft when none matches what must be said."""
    if not scene.text or not _applies(detector, scene):
        return []
    hits = [(s, hit) for s in scene.sentences if (hit := search(detector.any_of, s)) is not None]
    if detector.unseen:
        hits = [(s, hit) for s, hit in hits if not any(stands_in(hit.lower(), text) for text in scene.seen_texts)]
    if detector.must:
        return [] if hits else [Finding(first_words(scene.text), "what must be said here is missing")]
    return [
        Finding(hit or sentence, f"says {hit!r}")
        for sentence, hit in hits
        if not detector.unless or search(detector.unless, sentence) is None
    ]


def _applies(detector: Pattern, scene: Scene) -> bool:
    if detector.when == "first_turn":
        return not scene.own
    if detector.when == "after_error":
        seen = scene.hearing.seen
        return bool(seen) and seen[-1].role == "tool" and seen[-1].error
    return True


@lru_cache(maxsize=512)
def _names(entities: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Every name and alias with the entity it stands for, and the expression that finds it."""
    said = [(alias, name) for name, aliases in entities for alias in (name, *aliases) if alias.split()]
    return tuple(
        (name, alias.split()[0].lower(), re.compile(rf"(?<!\w){_spaced(alias)}(?!\w)", re.IGNORECASE))
        for alias, name in said
    )


def _spaced(alias: str) -> str:
    return r"\s+".join(map(re.escape, alias.split()))


def avoided(detector: Avoid, scene: Scene) -> list[Finding]:
    """Entities named that must not be named."""
    lowered = scene.text.lower()
    found: dict[str, Finding] = {}
    for name, first, pattern in _names(tuple(detector.entities.items())):
        if first in lowered and (match := pattern.search(scene.text)):
            found.setdefault(name, Finding(match[0], f"names {name!r}"))
    return list(found.values())


def asked(detector: Asks, scene: Scene) -> list[Finding]:
    """Requests for what must never be asked for."""
    return [Finding(sentence, "asks for it") for sentence in scene.sentences if requests(detector.any_of, sentence)]


@lru_cache(maxsize=KEPT)
def requests(patterns: tuple[str, ...], sentence: str) -> bool:
    """Whether a sentence asks for something that matches, and does not deny asking for it."""
    match = first(patterns, sentence)
    if not match or not REQUEST.search(sentence):
        return False
    return not DENIED.search(POLITE_NOT.sub(" ", sentence[: match.start()]))


def measured(detector: Length, scene: Scene) -> list[Finding]:
    """A text that is too long or too short, or asks too many questions."""
    if not scene.text:
        return []
    found, count = [], len(words(scene.text))
    if detector.most_words is not None and count > detector.most_words:
        found.append(Finding(first_words(scene.text), f"{count} words; at most {detector.most_words}"))
    if detector.least_words is not None and count < detector.least_words and not scene.hearing.message.calls:
        found.append(Finding(first_words(scene.text), f"{count} words; at least {detector.least_words}"))
    if detector.most_questions is not None:
        questions = [sentence for sentence in scene.sentences if asks(sentence)]
        if len(questions) > detector.most_questions:
            found.append(Finding(questions[-1], f"{len(questions)} questions; at most {detector.most_questions}"))
    return found


@lru_cache(maxsize=KEPT)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(words(text))


def repeated(detector: Repetition, scene: Scene) -> list[Finding]:
    """A text that was said before, to the same party and with the same values. A question may be put again once the
    other side has begun a new request."""
    said = words(scene.text)
    if len(said) < detector.least_words:
        return []
    new, to = _word_set(scene.text), scene.hearing.message.to
    for earlier in reversed(scene.own):
        old = _word_set(earlier.text)
        most = max(len(new), len(old))
        if earlier.to == to and not earlier.calls and len(new & old) >= detector.share * most:
            count = len(words(earlier.text))
            if min(count, len(said)) >= detector.share * max(count, len(said)) and forms(scene.text) == forms(
                earlier.text
            ):
                if excused(scene.text, earlier, scene.hearing.seen):
                    return []
                return [Finding(first_words(scene.text), f"said before: {first_words(earlier.text)!r}")]
    return []


def excused(text: str, earlier: Message, seen: Sequence[Message]) -> bool:
    """Whether a question may be put again: the other side has begun a new request since its speaker put it."""
    if act_of(text) not in (Act.ASK, Act.CONFIRM):
        return False
    settled, past = False, False
    for message in seen:
        if message.role == "tool" or message.calls or not message.text:
            continue
        past = past or message is earlier
        if message.speaker == earlier.speaker:
            settled = act_of(message.text) in SETTLED
        elif settled and past:
            return True
    return False
