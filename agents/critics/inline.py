"""The inline critic: takes over what the speaker itself says its draft breaks, without a model call of its own.

The SDSD way (Lambert et al., arXiv 2407.18421): a model marks its own words with special tokens as it writes them.
"""

from tertulia.contracts import Hearing
from tertulia.records import Marker

__all__ = ["Inline"]


class Inline:
    """One marker for each principle in force that the speaker admits to break."""

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        return tuple(
            Marker(
                principle=principle.id,
                turn=hearing.turn,
                draft=hearing.draft,
                severity=principle.severity,
                evidence="the speaker says so itself",
                critic="inline",
                revise=principle.revises,
            )
            for principle in hearing.principles
            if principle.id in hearing.message.admits
        )
