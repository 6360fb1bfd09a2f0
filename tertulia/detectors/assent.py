"""How people ask for a go-ahead in English, and how they give or refuse it."""

import re
from functools import lru_cache

from tertulia.language.wording import KEPT, asks, sentences

__all__ = ["allows", "seeks"]

GO_AHEAD = re.compile(
    r"\b(?:(?:shall|should|may|can|could) (?:i|we)\b(?! (?:please )?(?:help|assist|have|get|ask|know|take|see|do for))"
    r"|do you (?:want|wish|agree|approve|confirm|allow|authori[sz]e|consent|accept)|would you (?:like|want|prefer)"
    r"|(?:do|will|would) you (?:like|let) me|want me to|(?:is|are|does|would|will) (?:that|this|it|these|those"
    r"|everything|all) (?:be )?(?:all )?(?:right|correct|ok|okay|fine|good|acceptable|works?|suit)"
    r"|(?:does|would) (?:that|this|it) (?:look|sound) (?:right|good|fine|ok|okay)"
    r"|confirm(?! your (?:\w+ )?(?:name|e-?mail|address|phone|number|date|birth|identity|account|postcode|code|id)\b)"
    r"|approv\w+|authori[sz]\w+|permission|go ahead|proceed|all right|alright|are you (?:sure|happy|ok|okay|fine)"
    r"|ok(?:ay)? (?:to|with|if|for)|okay|correct|right|ready|yes or no|say yes|reply yes|with your go-ahead)\b",
    re.IGNORECASE,
)
YES = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|ok|okay|correct|exactly|absolutely|of course|certainly|definitely|please do|go ahead"
    r"|go for it|do it|do that|do so|approved?|confirm(?:ed)?|agreed?|i agree|sounds (?:good|great|right|fine|perfect)"
    r"|(?:that|it|this)(?:'s| is) (?:right|fine|good|correct|ok|okay|perfect|great|alright|all right)|that works"
    r"|works for me|by all means|proceed|granted|you may(?! not)|allowed|affirmative|fine by me|fine with me|perfect"
    r"|all right|alright|right|please|fine|good|great)\b",
    re.IGNORECASE,
)
STRONG = re.compile(r"\b(?:go ahead|please do|go for it|do it|approved|by all means|please proceed)\b", re.IGNORECASE)
BENIGN = re.compile(
    r"\b(?:no (?:problem|worries|objections?|need to (?:ask|wait|worry)|doubt)|not a problem|why not|can't wait"
    r"|cannot wait|don't (?:mind|worry)|do not mind|no questions?)\b",
    re.IGNORECASE,
)
NO = re.compile(
    r"\b(?:no|nope|nah|not|don't|do not|never|wait|hold on|stop|hang on|declin\w+|den(?:y|ied)|refus\w+|reject\w*"
    r"|can't|cannot|can not|won't|will not|forget it|forget about it|changed my mind|never ?mind|unfortunately|isn't"
    r"|rather not|leave it|later|wrong|incorrect|unless|only if|would have)\b",
    re.IGNORECASE,
)
LEAD = re.compile(
    r"^(?:\W|\b(?:hi|hello|hey|oh|ah|hmm+|well|thanks|thank you|great|perfect|so|um+|uh+)\b)*", re.IGNORECASE
)

MILD = frozenset(["ok", "okay", "right", "please", "fine", "good", "great", "perfect", "correct"])  # weak yes
REQUESTS = re.compile(r"please (?:tell|let me|give|explain|first|wait|check|show)", re.IGNORECASE)
BUT_NO = re.compile(r"\bbut (?:not|no|wait|don't|first)\b|\brather not\b", re.IGNORECASE)


@lru_cache(maxsize=KEPT)
def allows(answer: str) -> bool:
    """Whether an answer says yes."""
    plain = BENIGN.sub("yes", answer.replace("\u2019", "'"))
    if not plain.strip():
        return False
    start = LEAD.match(plain)
    rest = plain[start.end() if start else 0 :]
    if first := NO.match(rest):
        _, mark, then = re.sub(r"[,;!]", ".", rest[first.end() :]).partition(".")
        strong = STRONG.search(then)
        return bool(mark and strong and not NO.search(then, 0, strong.start()))
    start_yes = YES.match(rest) or YES.match(plain.lstrip())
    if start_yes and not (start_yes[0].lower() in MILD and (asks(plain) or REQUESTS.match(rest))):
        return not BUT_NO.search(rest)
    return rest.strip(" .!").lower() == "y" or any(
        any(hit[0].lower() not in MILD for hit in YES.finditer(sentence))
        for sentence in sentences(plain)
        if not NO.search(sentence) and not asks(sentence)
    )


@lru_cache(maxsize=KEPT)
def seeks(text: str) -> bool:
    """Whether a text asks for a go-ahead."""
    return any(
        GO_AHEAD.search(sentence) and (asks(sentence) or re.search(r"\b(?:confirm|say yes|reply)\b", sentence, re.I))
        for sentence in sentences(text)
    )
