"""Dialogue acts: what a message does, read from its words alone (after the agenda-based user simulator of
Schatzmann et al., 2007, whose acts are inform, request, confirm, affirm, negate and bye)."""

import re
from enum import StrEnum
from functools import lru_cache

from tertulia.language.wording import KEPT, asks, sentences

__all__ = ["Act", "act_of", "affirms", "drops", "negates", "question", "substance", "thanks"]


class Act(StrEnum):
    """What a message does to its listener."""

    CONFIRM = "confirm"  # asks for a yes before doing something
    ASK = "ask"  # asks for a value
    INSTRUCT = "instruct"  # asks the listener to do something itself
    REFUSE = "refuse"  # says that something was not or will not be done
    REPORT = "report"  # tells a result
    CLOSE = "close"  # says goodbye
    OTHER = "other"  # thanks, greets, offers help


OFFER = re.compile(
    r"\b(anything|something) else\b|\bwhat else\b|\bhow (can|may) i help\b|\bcan i help (you )?with\b"
    r"|\bwhat can i do\b|\bhelp with anything\b",
    re.IGNORECASE,
)
CONFIRM = re.compile(
    r"\b(shall|should|may|can|could) i (go ahead|proceed|do (this|that|it|so)|continue)\b|\bgo ahead\?"
    r"|\bis (that|this|it) (all )?(right|correct|ok|okay|fine)\b|\bdo you (agree|approve|confirm)\b"
    r"|\b(please )?confirm\b|\bwould you like me to\b|\bdo you want me to\b|\bare you happy\b|^(\w+ ){0,3}, may i\b"
    r"|\bok(ay)? to\b|\ball right\?",
    re.IGNORECASE,
)
TELL_ME = re.compile(
    r"\b(please|could you|can you|kindly) (tell|give|send|share|provide|let me (know|have))\b|\bi (still )?need\b"
    r"|\blet me (know|have)\b",
    re.IGNORECASE,
)
INSTRUCT = re.compile(
    r"\btell me what (you see|happens|it (says|shows))\b|\blet me know what (you see|happens)\b", re.IGNORECASE
)
REFUSE = re.compile(
    r"\b(can ?not|can't|couldn't|could not|unable|not able|won't|will not|isn't possible|is not possible|not possible"
    r"|did not work|didn't work|not something i can|not allowed|no way to|have to decline|must decline"
    r"|leave it as it is|did not agree|didn't agree|not approved)\b",
    re.IGNORECASE,
)
BYE = re.compile(r"\b(goodbye|good bye|bye|have a (nice|good|great) (day|one|evening))\b", re.IGNORECASE)
GRATEFUL = re.compile(r"\b(thanks|thank you|many thanks|cheers)\b", re.IGNORECASE)
THANKS = re.compile(
    r"^\s*(thanks|thank you|you're welcome|you are welcome|my pleasure|hello|hi|good (morning|day))\b", re.IGNORECASE
)
YES = re.compile(
    r"^\W*((well|ok|okay|sure|oh|great|perfect|lovely|fine)\W+)*(yes|yeah|yep|yup|sure|ok|okay|correct|right|exactly|fine"
    r"|absolutely|certainly|of course|please do|go ahead|do it|go for it|approved|agreed|confirmed|that's right"
    r"|that is right|sounds good|perfect)\b",
    re.IGNORECASE,
)
NO = re.compile(
    r"^\W*(no|nope|nah|not (yet|quite|that|really|what)|don't|do not|wait|hold on|stop|never|almost|actually)\b",
    re.IGNORECASE,
)
DROP = re.compile(
    r"\b(forget (it|that|about)|never ?mind|leave it|don't (want|need) (it|that|this) any ?more"
    r"|do not (want|need) (it|that|this)|no longer (want|need)|changed my mind about|drop it|don't do it)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=KEPT)
def substance(text: str) -> str:
    """The text without its offers of more help and without its goodbyes' small talk."""
    return " ".join(s for s in sentences(text) if not OFFER.search(s))


@lru_cache(maxsize=KEPT)
def question(text: str) -> str:
    """The questions in a text, without what stands in brackets; the whole text if it asks none."""
    core = " ".join(s for s in sentences(substance(text)) if asks(s)) or text
    return re.sub(r"\([^)]*\)", "", core)


@lru_cache(maxsize=KEPT)
def act_of(text: str) -> Act:
    """What a message does. Where it does several things, what asks for an answer counts before what tells."""
    core = substance(text)
    if not core:
        return Act.OTHER
    if INSTRUCT.search(core):
        return Act.INSTRUCT
    questions = [s for s in sentences(core) if asks(s)]
    if any(CONFIRM.search(s) for s in questions):
        return Act.CONFIRM
    if questions or any(TELL_ME.search(s) for s in sentences(core)):
        return Act.ASK
    if REFUSE.search(core):
        return Act.REFUSE
    if BYE.search(core):
        return Act.CLOSE
    return Act.OTHER if THANKS.search(core) and len(core.split()) < 8 else Act.REPORT


@lru_cache(maxsize=KEPT)
def affirms(text: str) -> bool:
    """Whether a message begins with a yes."""
    return bool(YES.search(text)) and not drops(text)


@lru_cache(maxsize=KEPT)
def negates(text: str) -> bool:
    """Whether a message begins with a no, or with a correction."""
    return bool(NO.search(text))


@lru_cache(maxsize=KEPT)
def drops(text: str) -> bool:
    """Whether a message withdraws the wish."""
    return bool(DROP.search(text))


@lru_cache(maxsize=KEPT)
def thanks(text: str) -> bool:
    """Whether a message gives thanks."""
    return bool(GRATEFUL.search(text))
