"""What lies in one folder of exports and must not be used together: who trained on a scenario knows its evaluation.

An exporter whose rows are evaluation items says `evaluates = True`; all others are taken for training data.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["mixed", "told_of"]


def mixed(manifests: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    """Each evaluation set with each file for training that is made of some of its scenarios, and how many those are."""
    there = list(manifests)
    found = [
        (asked, taught, len(asked["scenarios"].keys() & taught["scenarios"].keys()))
        for asked in there
        for taught in there
        if asked.get("evaluates") and not taught.get("evaluates")
    ]
    return [(str(asked["file"]), str(taught["file"]), shared) for asked, taught, shared in found if shared]


def told_of(found: Sequence[tuple[str, str, int]], file: str) -> str:
    """What is to be known of a file in one line; empty: nothing."""
    others = {
        (taught if asked == file else asked): shared for asked, taught, shared in found if file in (asked, taught)
    }
    if not others:
        return ""
    most = max(others.values())
    return (
        f"{file} shares {most} scenario{'s' * (most > 1)} with {', '.join(sorted(others))}: no model may be trained on "
        "one and evaluated with the other; parts of a selection keep them apart (--select NAME --split PART)"
    )
