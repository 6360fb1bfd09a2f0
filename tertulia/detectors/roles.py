"""Speakers who fall out of their role or leave their script, and plans that do not carry it out."""

import re
from functools import lru_cache

from tertulia.detectors.grounding import invented
from tertulia.detectors.scene import Finding, Scene
from tertulia.detectors.secrets import holds
from tertulia.detectors.text import search
from tertulia.language.wording import humanize, leaves
from tertulia.principles import Role, Script

__all__ = ["departed", "impersonated"]

ROLE_LABELS = {
    "user": ("user", "customer", "client", "caller", "human"),
    "assistant": ("assistant", "agent", "bot", "ai", "representative"),
    "colleague": ("supervisor", "manager", "colleague"),
}
SPEECH = re.compile(r"[.!?]|\b(?:i|you|your|my|me|we|please|thanks|hello|hi|yes|no)\b", re.IGNORECASE)


@lru_cache(maxsize=512)
def _labels(names: tuple[str, ...]) -> re.Pattern[str]:
    said = "|".join(sorted({re.escape(humanize(name)) for name in names} | set(map(re.escape, names)), key=len)[::-1])
    return re.compile(rf"^\W*({said})\s*:\W*\s*(.+)$", re.IGNORECASE | re.MULTILINE)


def impersonated(detector: Role, scene: Scene) -> list[Finding]:
    """Lines spoken for another party, and words that only the other role says."""
    if not scene.text:
        return []
    found = [
        Finding(match[0].strip(), f"speaks for {match[1]!r}")
        for match in (_other_labels(scene).finditer(scene.text) if ":" in scene.text else ())
        if len(match[2].split()) >= 3 and SPEECH.search(match[2])
    ]
    if detector.any_of:
        hits = [(sentence, search(detector.any_of, sentence)) for sentence in scene.sentences]
        found += [
            Finding(sentence, f"{hit!r} is for the other side to say")
            for sentence, hit in hits
            if hit and not (detector.unless and search(detector.unless, sentence))
        ]
    return found


def _other_labels(scene: Scene) -> re.Pattern[str]:
    hearing = scene.hearing
    own = {hearing.speaker, *ROLE_LABELS.get(hearing.role, ())}
    labels = [label for role in ROLE_LABELS for label in ROLE_LABELS[role]] + ["system", "tool", *hearing.scenario.cast]
    return _labels(tuple(sorted(set(labels) - own)))


# --- scripts and plans -------------------------------------------------------------------------------------------


def departed(detector: Script, scene: Scene) -> list[Finding]:
    """Departures from the script."""
    if detector.what == "invents":
        return invented(detector, scene)
    if scene.hearing.plan is None:
        return []
    return _incomplete(scene) if detector.what == "plan_incomplete" else _reveals(scene)


def _incomplete(scene: Scene) -> list[Finding]:
    plan, script = scene.hearing.plan, scene.hearing.scenario.script
    if plan is None:
        return []
    found = []
    if plan.opening.strip() != script.opening.strip():
        found.append(Finding(plan.opening, "is not the fixed opening"))
    wanted = [want.call for want in script.wants]
    for call in dict.fromkeys(wanted):
        planned = sum(_mentions(step, call) for step in plan.steps)
        if planned < wanted.count(call):
            found.append(
                Finding("; ".join(plan.steps), f"{call} is wanted {wanted.count(call)} x, planned {planned} x")
            )
    return found


def _mentions(step: str, call: str) -> bool:
    """Whether a step of a plan speaks of a call by its name, or by its name in plain words."""
    return re.search(rf"(?<!\w){re.escape(call)}(?!\w)", step) is not None or humanize(call) in step.lower()


def _reveals(scene: Scene) -> list[Finding]:
    plan, scenario = scene.hearing.plan, scene.hearing.scenario
    if plan is None:
        return []
    wanted = {str(leaf) for want in scenario.script.wants for leaf in [*leaves(want.args), *leaves(want.gold)]}
    secrets = [str(leaf) for p in scenario.cast.values() for key in p.secret for leaf in leaves(p.knows.get(key))]
    texts = [*scenario.script.never_say, *(secret for secret in secrets if secret not in wanted)]
    spoken = [text for text in (plan.opening, *plan.steps) if text.strip() != scenario.script.opening.strip()]
    return [Finding(text, "must never be said") for text in dict.fromkeys(texts) if any(holds(s, text) for s in spoken)]
