"""What the gold lint says of an item, before it is known where in a file that stands."""

from dataclasses import dataclass

from tertulia.checks.reading import Steps

__all__ = ["GoldComplaint"]


@dataclass(frozen=True, slots=True)
class GoldComplaint:
    """One thing that is wrong with the gold of a settled scenario."""

    at: Steps  # the path in the scenario of what is wrong
    rule: str
    message: str
    suggestion: str = ""
    once: bool = True  # said once for all variants, whatever its words

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.at))}: {self.message}{self.suggestion}"
