"""Two critics at once: a structured review that decides, and the speaker's own markers, which only label.

How far they agree is told by the judge `marker_agreement`.
"""

from tertulia.agents.critics.inline import Inline
from tertulia.agents.critics.model import Model
from tertulia.contracts import Hearing
from tertulia.models.records import Ask, Request
from tertulia.records import Marker

__all__ = ["Twofold"]


class Twofold:
    """The markers of the model critic, then the inline ones."""

    def __init__(self, ask: Ask) -> None:
        self.structured = Model(ask)
        self.inline = Inline()

    def prompt(self, hearing: Hearing) -> Request | None:
        """The request for this review, if one is needed."""
        return self.structured.prompt(hearing)

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        found = await self.structured.review(hearing)
        own = await self.inline.review(hearing)
        return (*found, *(marker.model_copy(update={"revise": False}) for marker in own))
