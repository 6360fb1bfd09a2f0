"""Detectors that read the order of calls: what must be called first, never, or not twice."""

import re

from tertulia.detectors.scene import Finding, Scene
from tertulia.principles import CallFirst, NeverCall
from tertulia.records import ToolCall

__all__ = ["called_too_early", "forbidden"]

AGAIN = re.compile(r"\b(?:again|another|once more|one more|second|twice|repeat|retry|re-?try|also|too|both)\b", re.I)


def called_too_early(detector: CallFirst, scene: Scene) -> list[Finding]:
    """Calls made before any of the calls that must come first has succeeded."""
    calls = [
        call
        for call in scene.hearing.message.calls
        if (call.name in detector.tools if detector.tools else call.name not in detector.first)
    ]
    if not calls:
        return []
    speaker = scene.hearing.speaker
    if any(done.by == speaker and done.call.name in detector.first and not done.result.error for done in scene.done):
        return []
    first = " or ".join(detector.first)
    return [Finding(call.name, f"called before {first} has succeeded") for call in calls]


def forbidden(detector: NeverCall, scene: Scene) -> list[Finding]:
    """Calls of forbidden tools, or calls repeated for no reason."""
    found = []
    for nth, call in enumerate(scene.hearing.message.calls):
        if detector.tools and call.name not in detector.tools:
            continue
        if not detector.repeats:
            found.append(Finding(call.name, "must not be called"))
        elif _same(call, scene.hearing.message.calls[:nth]) or _needless(call, scene):
            found.append(Finding(call.name, "was called with the same arguments before"))
    return found


def _same(call: ToolCall, others: tuple[ToolCall, ...]) -> bool:
    return any(call.name == other.name and call.args == other.args for other in others)


def _needless(call: ToolCall, scene: Scene) -> bool:
    """Whether the very same call succeeded before, with nothing since that could make it worth while."""
    speaker = scene.hearing.speaker
    earlier = [done for done in scene.done if done.by == speaker and not done.result.error]
    last = max((done.at for done in earlier if _same(call, (done.call,))), default=None)
    if last is None:
        return False
    if any(done.at > last and (done.result.changes or done.call.name in scene.writers) for done in earlier):
        return False
    since = [m for m in scene.hearing.spoken[last:] if m.text and m.speaker != speaker and m.role != "tool"]
    return not any(AGAIN.search(message.text) for message in since) if call.name in scene.writers else not since
