"""Faults that the rule user plants on purpose, so that critics of user turns can be measured."""

from dataclasses import replace

from tertulia.contracts import Utterance, View
from tertulia.language.saying import render
from tertulia.principles import Principle
from tertulia.slip_wordings import Drawer, Wordings, slip_wordings

__all__ = ["plant"]


def plant(view: View, honest: Utterance) -> Utterance | None:
    """The honest turn with one fault in it that breaks a principle in force; None where none can be planted."""
    options = [slip for slip in (inversion(view), invention(view, honest), blurt(view, honest)) if slip]
    return view.slip_rng.choice(options) if options else None


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
    breaks, drawer = breaking(view, "role"), Drawer.of(view.slip_rng)
    if not breaks:
        return None
    text = drawer.draw(slip_wordings().inversions)
    return Utterance(text, slip="role_inversion", breaks=breaks, held_out=drawer.held_out)


def invention(view: View, honest: Utterance) -> Utterance | None:
    """State a value that stands in no script."""
    breaks, drawer = breaking(view, "script", "invents"), Drawer.of(view.slip_rng)
    made_up = drawer.value()
    if not breaks or known(view, made_up):
        return None
    return saying(honest, drawer, slip_wordings().facts, made_up, "invent_fact", breaks)


def known(view: View, value: str) -> bool:
    """Whether a value is not made up after all."""
    script = view.script.model_dump_json() if view.script else ""
    texts = [script, render(view.party.knows), *(message.text for message in view.messages)]
    return any(value.lower() in text.lower() for text in texts)


def blurt(view: View, honest: Utterance) -> Utterance | None:
    """Say something that must never be said."""
    breaks = breaking(view, "secret", "own")
    secrets = [render(view.party.knows[key]) for key in view.party.secret if key in view.party.knows]
    secrets += view.script.never_say if view.script else ()
    if not breaks or not secrets:
        return None
    said, drawer = view.slip_rng.choice(secrets), Drawer.of(view.slip_rng)
    return saying(honest, drawer, slip_wordings().leaks, said, "blurt_secret", breaks)


def saying(
    honest: Utterance, drawer: Drawer, wordings: Wordings, value: str, kind: str, breaks: tuple[str, ...]
) -> Utterance:
    """The honest words with a sentence after them that should not be said."""
    text = f"{honest.text} {drawer.draw(wordings).format(value=value)}"
    return replace(honest, text=text, slip=kind, breaks=breaks, slip_detail=value, held_out=drawer.held_out)
