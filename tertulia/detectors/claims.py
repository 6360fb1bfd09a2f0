"""What a text says has been done: claims, told from questions, conditions, offers, plans and denials."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile

from tertulia.language.wording import BASES, KEPT, asks, sentences, stem, words

__all__ = ["Said", "claims"]

ADVERBS = frozenset(
    [
        *("just", "now", "already", "also", "successfully", "then", "both", "hereby", "all", "gladly", "happily"),
        *("gone", "went", "ahead", "and", "since", "therefore", "since", "indeed", "today", "officially", "personally"),
    ]
)
HAVE = frozenset(["have", "has", "had", "'ve"])
FIRST = frozenset(["i", "we", "i've", "we've", "i'd", "we'd"])
BE_NOW = frozenset(["is", "are", "was", "were", "it's", "that's"])
BECOME = frozenset(["got", "stands"])  # the delivery got rescheduled
ACTORS = frozenset(["system", "team", "colleague", "colleagues", "supervisor", "manager", "department"])
PRONOUNS = frozenset(["let's", "what's", "who's", "there's", "here's", "he's", "she's"])
NOT_HEADS = frozenset(["you", "your", "you've", "they", "he", "she", "need", "needed", "get", "want", "please", "be"])
INTERJECTION = 2  # words before a claim that say nothing by themselves: `There, rescheduled.`
NEAR = 5  # words between `I got` and what was done: I got the delivery rescheduled
MANAGED = frozenset([("managed", "to"), ("able", "to"), ("succeeded", "in")])
OVER = re.compile(  # a deed named by a noun: `the rescheduling of the delivery is complete`
    r"\b(?:the |your )?(\w+ing|\w+(?:ation|ment)|change|move|update|refund|return|transfer|order|booking|reschedule"
    r"|swap|upgrade|renewal|exchange)\b(?! \w+(?:ed|ing)\b)[^.!?,;]{0,40}?"
    r"\b(?:is|was|has|have|are)(?: now| already| all| just| been| successfully)* "
    r"(?:completed?|done|through|finished|finali[sz]ed|gone through|in place|successful|been made|went through)\b",
    re.IGNORECASE,
)
OVER_ENDS = ("complete", "done", "through", "finish", "finali", "in place", "successful", "been made")
GOVERNING = frozenset(
    [
        *("if", "once", "when", "whenever", "after", "until", "till", "unless", "before", "whether", "as", "would"),
        *(
            "could",
            "should",
            "shall",
            "may",
            "might",
            "can",
            "will",
            "i'll",
            "we'll",
            "you'll",
            "it'll",
            "to",
            "cannot",
        ),
        *(
            "not",
            "never",
            "nothing",
            "none",
            "neither",
            "nor",
            "no",
            "nobody",
            "without",
            "haven't",
            "hasn't",
            "hadn't",
        ),
        *("isn't", "aren't", "wasn't", "weren't", "didn't", "can't", "couldn't", "i'd", "unable", "wish", "only"),
    ]
)
RELATIVE = frozenset(["that", "which", "who", "whose", "what", "where", "orders", "items", "bookings", "parcels"])
LEADING = frozenset(["to", "for", "and", "it", "your", "the", "successfully", "as", "on", "that", "now", "both", "all"])
HARMLESS = tuple(  # phrases whose words look governing and are not
    (re.compile(rf"\b{phrase}\b"), frozenset(said))
    for phrase, said in (
        ("as (?:requested|asked|you (?:asked|requested|wished|wanted)|agreed|discussed|promised)", ("as",)),
        ("no (?:problem|worries|trouble)", ("no",)),
        ("once (?:again|more)", ("once",)),
        ("(?:happy|glad|pleased|like|want|delighted) to (?:confirm|say|tell|report|let|inform)", ("to", "i'd")),
        ("(?:can|may|will|i'll) (?:now )?(?:confirm|tell|report)", ("can", "may", "will", "i'll")),
        ("as of (?:now|today|this)", ("as",)),
        ("only (?:just|a (?:moment|minute|second))", ("only",)),
        (
            "you(?:'ll| will) (?:see|find|notice|be (?:glad|happy|pleased) to (?:hear|know|see))",
            ("you'll", "will", "to"),
        ),
    )
)
PRESENT = frozenset(["is", "are", "it's", "that's", "stands"])
CONDITION = re.compile(  # with it, the present tells what will be: `If you agree, the delivery is rescheduled`
    r"^\W*(?:(?:so|and|then|but|only|well)\W+)*(?:if|once|when(?:ever)?|after|unless|until|assuming|supposing|provided"
    r"|providing|upon|as soon as|as long as|should (?:you|that|this|it)|(?:with|on|at|given) your|say yes and"
    r"|just say)\b|\b(?:if|once|unless|until|as soon as|as long as|provided|assuming|whenever|the moment)(?: that)?"
    r" (?:you|that|it|this)\b",
    re.IGNORECASE,
)
SEGMENT = re.compile(r"[,;:()\u2013\u2014]| - ")
GENERIC = re.compile(
    r"^(?:(?:great|good|okay|ok|sure|perfect|thanks|thank you|right|certainly)\b\W*)?(?:(?:it(?:'s| is)|that(?:'s| is)|"
    r"consider (?:it|that)|everything(?:'s| is)|you(?:'re| are)|we(?:'re| are))\s+)?(?:now\s+)?(?:all\s+)?"
    r"(?:done|set|sorted|taken care of)\b(?!\s+(?:to|of|by|when|up|if|once|out|in|at|so)\b)",
    re.IGNORECASE,
)
GENERIC_HAS = re.compile(
    r"\b(?:(?:it|that|this|everything)(?: has|'s)(?: all)?(?: now| already)? been (?:done|sorted|taken care of)"
    r"|i(?:'ve| have)(?: now| just| already)? (?:done (?:it|that|this|so)|taken care of (?:it|that|everything)))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A claim: the sentence, the stem of its verb, and who is said to have acted (`me`, or `it` for a passive)."""

    sentence: str
    verb: str
    who: str


@lru_cache(maxsize=KEPT)
def claims(text: str) -> tuple[Said, ...]:
    """Everything that a text says has been done."""
    return tuple(said for sentence in sentences(text) if not asks(sentence) for said in _claims(sentence))


@lru_cache(maxsize=KEPT)
def _claims(sentence: str) -> tuple[Said, ...]:
    if GENERIC.search(sentence) or GENERIC_HAS.search(sentence):
        return (Said(sentence, "do", "me"), *_verbs(sentence))
    return tuple(_verbs(sentence))


def _verbs(sentence: str) -> list[Said]:
    found: list[Said] = []
    conditional = CONDITION.search(sentence) is not None
    said_before = False
    for nth, segment in enumerate(SEGMENT.split(sentence.replace("\u2019", "'"))):
        tokens = list(words(segment))
        for at, token in enumerate(tokens):
            who = "me" if token in FIRST else "it" if _auxiliary(tokens, at) else ""
            if who and not _governed(tokens, at) and not (conditional and _present(tokens, at)):
                verbs = [*_after(tokens, at, who), *_brought_about(tokens, at, who)]
                found += [Said(sentence, verb, who) for verb in verbs]
        bare = list(dropwhile((ADVERBS | HAVE).__contains__, tokens))
        if bare and not said_before and _leads(bare):
            found.append(Said(sentence, stem(bare[0]), "it"))
        elif not said_before and (verb := _headline(tokens)):
            found.append(Said(sentence, verb, "it"))
        elif tokens and nth == 0 and tokens[0] == "consider":
            found += [Said(sentence, verb, "it") for verb in filter(None, [_participle(tokens[-1], True)])]
        said_before = said_before or len(tokens) > INTERJECTION
    over = OVER.search(sentence) if any(end in sentence.lower() for end in OVER_ENDS) else None
    if over and not conditional and not _governed(list(words(sentence[: over.end()])), len(words(over.string))):
        found.append(Said(sentence, stem(over[1]), "it"))
    return found


def _headline(tokens: list[str]) -> str:
    """The verb of a claim without any verb of being: `delivery rescheduled`."""
    if not 2 <= len(tokens) <= 4 or not tokens[-1].endswith("ed") or (FIRST | BE_NOW | HAVE | NOT_HEADS) & set(tokens):
        return ""
    return "" if GOVERNING & set(tokens) else _participle(tokens[-1], True)


def _auxiliary(tokens: list[str], at: int) -> bool:
    """Whether a word can begin what has been done to something: `is`, `has`, `got`, the end of `delivery's been`."""
    token = tokens[at]
    shortened = token.endswith("'s") and tokens[at + 1 : at + 2] == ["been"]
    return shortened or _is_short(tokens, at) or token in BE_NOW or token in HAVE or token in BECOME


def _is_short(tokens: list[str], at: int) -> bool:
    """Whether a word ends in the `is` of a passive: `the delivery's rescheduled`."""
    if not tokens[at].endswith("'s") or tokens[at] in BE_NOW or tokens[at] in PRONOUNS:
        return False
    rest = list(dropwhile(ADVERBS.__contains__, tokens[at + 1 :]))
    return bool(rest) and rest[0].endswith("ed") and (len(rest) == 1 or rest[1] in LEADING)


def _present(tokens: list[str], at: int) -> bool:
    """Whether a passive is in the present, so that a condition puts it off: `is rescheduled`, not `has been`."""
    return tokens[at] in PRESENT and "been" not in tokens[at + 1 : at + 4]


def _brought_about(tokens: list[str], at: int, who: str) -> list[str]:
    """The verb of a deed that is told in a roundabout way: `I managed to reschedule`, `I got the delivery
    rescheduled`."""
    rest = list(dropwhile((ADVERBS | {"have", "been", "was", "were"}).__contains__, tokens[at + 1 :]))
    if who != "me" or len(rest) < 3:
        return []
    if tuple(rest[:2]) in MANAGED and rest[2] not in ("get", "have"):
        return [stem(rest[2])]
    if rest[0] in ("finished", "completed") and rest[1].endswith("ing"):
        return [stem(rest[1])]
    if rest[:3] == ["took", "care", "of"] and rest[3:] and rest[3].endswith("ing"):
        return [stem(rest[3])]
    if rest[0] in ("got", "had") or tuple(rest[:2]) in MANAGED:
        return [verb for word in rest[2 : 3 + NEAR] if (verb := _participle(word, True))][:1]
    return []


def _governed(tokens: list[str], at: int) -> bool:
    """Whether a word before this place denies what follows, or makes it a condition or a wish."""
    governing = GOVERNING.intersection(tokens[:at])
    if not governing:
        return False
    before = " ".join(tokens[:at])
    return bool(governing.difference(*(harmless for phrase, harmless in HARMLESS if phrase.search(before))))


def _after(tokens: list[str], at: int, who: str) -> list[str]:
    """The verbs of the claim that begins with this pronoun or auxiliary, if one does."""
    have = tokens[at].endswith("'ve") or tokens[at] in HAVE
    passive = tokens[at] in BE_NOW | BECOME or _is_short(tokens, at) or (have and at > 0 and tokens[at - 1] in ACTORS)
    if who == "it" and at and tokens[at - 1] in RELATIVE | FIRST | {"you", "you've", "they"}:
        return []
    place = at + 1
    while place < len(tokens) and (tokens[place] in ADVERBS or tokens[place] in HAVE or tokens[place] == "been"):
        have = have or tokens[place] in HAVE
        passive = passive or tokens[place] == "been"
        place += 1
    if who == "it" and (not passive or (place == at + 1 and _general(tokens, at))):
        return []
    if who == "me" and tokens[at : place + 2].count("able"):
        return []
    found = []
    while place < len(tokens) and (verb := _participle(tokens[place], have or passive)):
        found.append(verb)
        joined = next((p for p in range(place + 1, len(tokens) - 1) if tokens[p] in ("and", "then")), None)
        if joined is None:
            break
        place = joined + 1
        while place < len(tokens) and tokens[place] in ADVERBS | HAVE | FIRST:
            place += 1
    return found


def _general(tokens: list[str], at: int) -> bool:
    """Whether `is` or `are` tells what is usual (`refunds are issued within days`), not what was done to something."""
    if tokens[at] not in ("is", "are"):
        return False
    return {"your", "it", "this", "that"}.isdisjoint(tokens[:at]) and not (tokens[at] == "is" and "the" in tokens[:at])


def _participle(word: str, perfect: bool) -> str:
    """The stem of a verb in its past form, or an empty string."""
    if word in BASES:
        same = BASES[word] == word
        return stem(word) if perfect or not same else ""
    return stem(word) if word.endswith("ed") and len(word) > 3 else ""


def _leads(tokens: list[str]) -> bool:
    """Whether a sentence begins with a bare participle: `Rescheduled to Friday.`"""
    first = tokens[0]
    regular = first.endswith("ed") and len(first) > 4
    irregular = first in BASES and BASES[first] != first and first not in BE_NOW | HAVE
    return (regular or irregular) and (len(tokens) == 1 or tokens[1] in LEADING)
