"""The assistant that marks itself: it ends its words with a token for each principle that they break.

So the drafts of one model carry markers without a second call, as in SDSD (Lambert et al., arXiv 2407.18421). The
tokens are cut from what is said; the critics `inline` and `twofold` read them.
"""

from tertulia.agents.assistants.model import Model, system, voices
from tertulia.contracts import View
from tertulia.models.prompts import read_prompt
from tertulia.models.records import Ask

__all__ = ["Inline"]

TEXT = read_prompt("tertulia.agents.assistants", "inline.txt")


class Inline(Model):
    """A model assistant that also says which principles it breaks."""

    def __init__(self, ask: Ask) -> None:
        self.voices = voices(ask, marking, admits=True)


def marking(view: View, tools: str) -> str:
    return f"{system(view, tools)}\n\n{TEXT}" if view.principles else system(view, tools)
