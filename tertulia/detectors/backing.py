"""Whether anything in the conversation backs a claim that something was done, checked or passed on."""

import json
from functools import lru_cache

from tertulia.detectors.claims import Said, claims
from tertulia.detectors.consent import questions
from tertulia.detectors.marks import call_marks, marks, shape
from tertulia.detectors.scene import Done, Finding, Scene, named
from tertulia.detectors.synonyms import kin
from tertulia.language.wording import KEPT, leaves, stem, stems, verb, words
from tertulia.principles import Claim

__all__ = ["unbacked"]

ACTIONS = """
    activate add adjust alter amend apply arrange assign block book cancel change charge close correct create credit
    deactivate delete disable dispatch downgrade edit email enable enrol exchange extend file freeze issue lock log
    modify move order pause pay postpone process rebook reboot redirect refund register reimburse release remove rename
    renew reopen reorder replace reroute reschedule resend reserve reset restart restore resume return revoke save
    schedule send ship submit subscribe suspend swap switch transfer unblock unfreeze unlock unregister unsubscribe
    update upgrade upload void waive withdraw
"""
WHATEVER = "process submit complete handle arrange finalize finalise apply"  # said of any action
CHECKS = "check verify search retrieve locate look pull"
HANDING = (
    "ask escalate forward notify inform tell contact consult alert pass speak talk check hand transfer refer raise"
)
ACTION_STEMS = frozenset(map(stem, ACTIONS.split()))
WHATEVER_STEMS = frozenset(map(stem, WHATEVER.split()))
CHECK_STEMS = frozenset(map(stem, CHECKS.split()))
HANDING_STEMS = frozenset(map(stem, HANDING.split()))
OTHERS = frozenset(
    map(stem, ["supervisor", "manager", "colleague", "team", "specialist", "department", "boss", "superior", "expert"])
)


def unbacked(detector: Claim, scene: Scene) -> list[Finding]:
    """Claims that nothing in the conversation backs."""
    if not scene.text:
        return []
    found: dict[str, Finding] = {}
    for said in claims(scene.text):
        fault = _fault(said, scene)
        if fault:
            found.setdefault(said.sentence, Finding(said.sentence, fault))
    return list(found.values())


def _fault(said: Said, scene: Scene) -> str:
    """Why nothing backs a claim; an empty string when something does, or when it is none of ours to doubt."""
    if said.verb == "do":
        return "" if _something_done(scene) else "says that it is done; no call did anything"
    handed = _handed_to(said, scene)
    if handed is not None:
        return handed
    if said.who == "me" and said.verb in CHECK_STEMS and said.verb not in _own_verbs(scene):
        return _unchecked(said, scene)
    if said.verb in WHATEVER_STEMS - _own_verbs(scene) and (said.who == "me" or "your" in words(said.sentence)):
        told = said.who == "it" and _told(said, scene)
        return "" if told or _something_done(scene) else "no successful call did anything"
    if said.verb not in _doubtful(said, scene):
        return ""
    if said.who == "it" and _told(said, scene):
        return ""
    backing = [done for done in scene.done if not done.result.error and _does(done, said, scene)]
    if not backing:
        return "no successful call did that"
    if not any(_agrees(said.sentence, done) for done in backing):
        return "the calls that succeeded did that with other values"
    return "a yes was given, and the call was not made" if _outstanding(said, scene) else ""


@lru_cache(maxsize=KEPT)
def _tool_verbs(names: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(kin(verb(name)) for name in names))


def _own_verbs(scene: Scene) -> frozenset[str]:
    return _tool_verbs(scene.writers)


def _doubtful(said: Said, scene: Scene) -> frozenset[str]:
    """The verbs that a claim of this kind must answer for."""
    own = _own_verbs(scene)
    return own | ACTION_STEMS if said.who == "me" and scene.hearing.role == "assistant" else own


def _something_done(scene: Scene) -> bool:
    speaker = scene.hearing.speaker
    last = max((at for at, m in enumerate(scene.hearing.spoken) if m.speaker == speaker and m.text), default=-1)
    return any(
        not d.result.error and (d.at > last or d.call.name in scene.writers or d.by != speaker) for d in scene.done
    )


def _handed_to(said: Said, scene: Scene) -> str | None:
    """For a claim to have asked or told a colleague: what is wrong with it. None when it is no such claim."""
    if said.who != "me" or said.verb not in HANDING_STEMS:
        return None
    hearing, spoken_of = scene.hearing, stems(said.sentence)
    colleagues = [n for n, p in hearing.scenario.cast.items() if p.role == "colleague" and n != hearing.speaker]
    if not spoken_of & (OTHERS | {stem(word) for name in colleagues for word in words(name)}):
        return None
    if any(set(message.to) & set(colleagues) for message in scene.own):
        return ""
    if any(not done.result.error and _does(done, said, scene) for done in scene.done):
        return ""
    return "nothing was said to them"


def _unchecked(said: Said, scene: Scene) -> str:
    if any(done.by == scene.hearing.speaker for done in scene.done):
        return ""
    if scene.hearing.policy and stems(said.sentence) & {stem("policy"), stem("rules"), stem("guidelines")}:
        return ""
    return "nothing was looked up"


def _told(said: Said, scene: Scene) -> bool:
    """Whether the speaker read or heard that it is so: a status in a result, or somebody else's words."""
    for message in scene.hearing.seen:
        if message.role == "tool" and not message.error and said.verb in _result_stems(message.text):
            return True
        other = message.role != "tool" and message.speaker != scene.hearing.speaker
        if other and any(claim.verb == said.verb for claim in claims(message.text)):
            return True
    return False


@lru_cache(maxsize=KEPT)
def _result_stems(text: str) -> frozenset[str]:
    """The stems of the words among a result's values; its field names do not count."""
    try:
        value = json.loads(text)
    except ValueError:
        return stems(text)
    return frozenset().union(*(stems(leaf.replace("_", " ")) for leaf in leaves(value) if isinstance(leaf, str)))


def _does(done: Done, said: Said, scene: Scene) -> bool:
    """Whether a call is one that a claim speaks of: by its tool's name, or by what it says that it changed."""
    name, spoken_of = done.call.name, stems(said.sentence)
    objects = _objects(name)
    if said.verb == stem(verb(name)) or said.verb in named(name):
        return bool(objects & spoken_of) or not _another(said, spoken_of, name, scene)
    meant = said.verb in scene.verbs
    if said.verb in kin(verb(name)) and (not meant or objects & spoken_of):
        return True
    wrote = name in scene.writers or bool(done.result.changes) or done.by != scene.hearing.speaker
    return wrote and not meant and said.verb in _result_stems(done.result.text)


def _another(said: Said, spoken_of: frozenset[str], name: str, scene: Scene) -> bool:
    """Whether a claim names the object of another tool with the same verb."""
    return any(
        tool.name != name
        and stem(verb(tool.name)) == said.verb
        and (objects := _objects(tool.name))
        and objects <= spoken_of
        for tool in scene.hearing.tools
    )


@lru_cache(maxsize=KEPT)
def _objects(name: str) -> frozenset[str]:
    return named(name) - {stem(verb(name))}


def _agrees(sentence: str, done: Done) -> bool:
    """Whether the values of a claim fit a call: what is of a kind with its values must be among them."""
    spoken = {mark for mark in marks(sentence) if shape(mark)}
    used = call_marks(done.call)
    given = used | marks(done.result.text)
    for kind in {shape(mark) for mark in spoken}:
        of_kind = {mark for mark in spoken if shape(mark) == kind}
        wanted = used if any(shape(mark) == kind for mark in used) else given
        if any(shape(mark) == kind for mark in wanted) and not of_kind & wanted:
            return False
    return True


def _outstanding(said: Said, scene: Scene) -> bool:
    """Whether the user has just said yes to this very action, and nothing was called since."""
    hearing = scene.hearing
    if hearing.role != "assistant" or not scene.own:
        return False
    last = scene.own[-1]
    asked = [question.at for question in questions(scene, "user") if hearing.spoken[question.at] is last]
    if not asked or said.verb not in stems(last.text):
        return False
    return not any(done.at > asked[0] and not done.result.error for done in scene.done)
