"""What an evaluation finds in a conversation: something wrong, at a turn, in these words, by this rule."""

from collections.abc import Iterator
from dataclasses import dataclass

from tertulia.contracts import Hearing
from tertulia.detectors import find
from tertulia.principles import Detector
from tertulia.records import Conversation

__all__ = ["Finding", "cut", "detected", "ended_by"]

QUOTED = 400  # characters of a finding's text


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, with its evidence."""

    what: str
    turn: int = -1  # -1: the conversation as a whole
    text: str = ""  # the words or the call
    rule: str = ""  # what it goes against
    beside: str = ""  # what else was wrong

    @property
    def why(self) -> str:
        """What it goes against, and what else was wrong."""
        return "; besides: ".join(filter(None, (self.rule, self.beside)))

    def as_json(self) -> dict[str, object]:
        told = {"what": self.what, "turn": self.turn, "text": cut(self.text), "rule": cut(self.rule)}
        return told | ({"beside": cut(self.beside)} if self.beside else {})


def cut(text: str, longest: int = QUOTED) -> str:
    """A text of at most so many characters; an ellipsis says that there was more."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def ended_by(talk: Conversation) -> str:
    """The error that ended a conversation, in a line: of a trace, which may close with a remark of the graph's, what
    was raised."""
    lines = [line for line in talk.error.strip().splitlines() if not line.startswith("During task with name")]
    if not lines:
        return ""
    return lines[-1] if "Traceback" in lines[0] else lines[0]


def detected(what: str, detector: Detector, heard: Hearing) -> Iterator[Finding]:
    """What a detector finds in one turn."""
    for found in find(detector, heard):
        yield Finding(what, heard.turn, found.quote, found.evidence)
