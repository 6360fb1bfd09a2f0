"""What each kind of detector does with a draft: pure functions from a hearing to findings.

text       pattern, avoid, asks, length, repetition
language   language
calls      call_first, never_call
consent    ask_first              (assent: how people say yes; marks: which values tell an action from another)
grounding  grounded
backing    claim                  (claims: what a text says has been done)
secrets    secret                 (persons: whose record is whose)
roles      role, script
scene      a hearing, read once for all detectors
"""

from collections.abc import Callable
from typing import Any

from tertulia.contracts import Hearing
from tertulia.detectors.backing import unbacked
from tertulia.detectors.calls import called_too_early, forbidden
from tertulia.detectors.consent import unasked
from tertulia.detectors.grounding import ungrounded
from tertulia.detectors.language import strayed
from tertulia.detectors.roles import departed, impersonated
from tertulia.detectors.scene import Finding, Scene
from tertulia.detectors.secrets import revealed
from tertulia.detectors.text import asked, avoided, matched, measured, repeated
from tertulia.principles import Detector

__all__ = ["Finding", "Scene", "find"]

FINDERS: dict[str, Callable[[Any, Scene], list[Finding]]] = {
    "pattern": matched,
    "avoid": avoided,
    "ask_first": unasked,
    "call_first": called_too_early,
    "never_call": forbidden,
    "grounded": ungrounded,
    "claim": unbacked,
    "secret": revealed,
    "asks": asked,
    "language": strayed,
    "length": measured,
    "repetition": repeated,
    "role": impersonated,
    "script": departed,
}


def find(detector: Detector, hearing: Hearing | Scene) -> list[Finding]:
    """Every place where a draft breaks the rule of a detector, in the order of the draft.

    Give a `Scene` to run several detectors on the same hearing: what they share is then worked out once."""
    scene = hearing if isinstance(hearing, Scene) else Scene(hearing)
    return FINDERS[detector.kind](detector, scene)
