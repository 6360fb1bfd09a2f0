"""The rule critic: reviews a draft with the deterministic detectors of the principles in force."""

from tertulia.contracts import Hearing
from tertulia.detectors import Scene, find
from tertulia.records import Marker

__all__ = ["Detectors"]


class Detectors:
    """Marks every finding, in the order of the principles. Principles without a detector are left to other critics."""

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        scene = Scene(hearing)
        return tuple(
            Marker(
                principle=principle.id,
                turn=hearing.turn,
                draft=hearing.draft,
                severity=principle.severity,
                quote=finding.quote,
                evidence=finding.evidence,
                critic="detectors",
                revise=principle.revises,
            )
            for principle in hearing.principles
            if principle.detector is not None
            for finding in find(principle.detector, scene)
        )
