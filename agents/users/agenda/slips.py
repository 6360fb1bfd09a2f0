"""Faults that the rule user plants on purpose, so that critics of user turns can be measured."""

from dataclasses import replace

from tertulia.contracts import Utterance, View
from tertulia.principles import Principle
from tertulia.saying import render

__all__ = ["plant"]

INVERTED = ("How can I help you today?", "Is there anything else I can help you with?")


def plant(view: View, honest: Utterance) -> Utterance | None:
    """The honest turn with one fault in it that breaks a principle in force; None where none can be planted."""
    options = [slip for slip in (inversion(view), invention(view, honest), blurt(view, honest)) if slip]
    return view.rng.choice(options) if options else None


def breaking(view: View, kind: str, what: str = "") -> tuple[str, ...]:
    """The ids of the principles in force with such a detector."""

    def fits(principle: Principle) -> bool:
        rule = principle.detector
        return (
            rule is not None
            and rule.kind == kind
            and (not what or what in (getattr(rule, "of", ""), getattr(rule, "what", "")))
        )

    return tuple(p.id for p in view.principles if fits(p))


def inversion(view: View) -> Utterance | None:
    """Speak as the assistant would."""
    breaks = breaking(view, "role")
    return Utterance(view.rng.choice(INVERTED), slip="role_inversion", breaks=breaks) if breaks else None


def invention(view: View, honest: Utterance) -> Utterance | None:
    """State a value that stands in no script."""
    breaks = breaking(view, "script", "invents")
    if not breaks:
        return None
    made_up = f"{view.rng.choice('QXZ')}{view.rng.choice('JKV')}{view.rng.randrange(10_000, 99_999)}"
    return replace(
        honest,
        text=f"{honest.text} My file number is {made_up}.",
        slip="invent_fact",
        breaks=breaks,
        slip_detail=made_up,
    )


def blurt(view: View, honest: Utterance) -> Utterance | None:
    """Say something that must never be said."""
    breaks = breaking(view, "secret", "own")
    secrets = [render(view.party.knows[key]) for key in view.party.secret if key in view.party.knows]
    secrets += view.script.never_say if view.script else ()
    if not breaks or not secrets:
        return None
    said = view.rng.choice(secrets)
    return replace(
        honest, text=f"{honest.text} By the way: {said}.", slip="blurt_secret", breaks=breaks, slip_detail=said
    )
