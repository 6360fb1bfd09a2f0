"""What can be wrong with an agent's words, each a reading of its conduct that finds it or finds nothing."""

import re
from collections import Counter

from tertulia.evaluation.causes.conduct import Conduct, shown
from tertulia.evaluation.causes.findings import Finding, detected
from tertulia.evaluation.causes.wrong_calls import AGAIN
from tertulia.evaluation.scoring import disclosures
from tertulia.language.acts import Act, act_of
from tertulia.language.filling import slots
from tertulia.language.wording import squeezed
from tertulia.principles import Claim
from tertulia.records import EndReason

__all__ = ["claimed_undone", "declined", "leaked", "looped", "over_asking", "stopped_early", "unsaid"]

UNKNOWN = re.compile(r"\b(don't know|do not know|not sure|no idea|don't have|do not have)\b", re.IGNORECASE)
SPARE = 3  # questions more than the calls wanted have arguments


def looped(conduct: Conduct) -> Finding | None:
    if not conduct.wanting:
        return None
    said: Counter[str] = Counter()
    for turn, message in conduct.words:
        said[squeezed(message.text)] += 1
        if said[squeezed(message.text)] >= AGAIN:
            return Finding("looped", turn, message.text, f"said for the {AGAIN}rd time")
    made: Counter[str] = Counter()
    for one in conduct.calls:
        made[shown(one.call)] += one.worked
        if made[shown(one.call)] >= AGAIN:
            return Finding("looped", one.turn, shown(one.call), f"made for the {AGAIN}rd time, and it had worked")
    return None


def declined(conduct: Conduct) -> Finding | None:
    tried = {one.call.name for one in conduct.calls}
    rightly = conduct.calls and any(not want.due for want in conduct.setting.scenario.script.wants)
    if not conduct.undone or rightly or any(want.name in tried for want in conduct.wanted) or claimed_undone(conduct):
        return None
    no = next(((turn, m) for turn, m in conduct.words if act_of(m.text) is Act.REFUSE), None)
    return Finding("declined", no[0], no[1].text, f"it never tried; {conduct.score.reason}") if no else None


def over_asking(conduct: Conduct) -> Finding | None:
    if not conduct.wanting:
        return None
    asked = [(turn, m) for turn, m in conduct.words if act_of(m.text) is Act.ASK]
    replies = {turn.index - 1: turn.message.text for turn in conduct.talk.turns if turn.speaker != conduct.agent}
    gave_up = len(conduct.talk.turns) - 2 if conduct.talk.end_reason is EndReason.DONE_BY_USER else None
    vain = [(turn, m) for turn, m in asked if UNKNOWN.search(replies.get(turn, "")) or turn == gave_up]
    if len(vain) >= AGAIN or (len(vain) > 1 and vain[-1][0] == gave_up):
        turn, message = vain[:AGAIN][-1]
        return Finding("over_asking", turn, message.text, f"{len(vain)} questions that the user cannot answer")
    named = {want.call for want in conduct.setting.scenario.script.wants}
    tools = [tool for tool in conduct.setting.tools[conduct.agent] if tool.name in named]
    needed = sum(len(slots(tool.parameters)) for tool in tools)
    if len(asked) > needed + SPARE:
        turn, message = asked[needed + SPARE]
        return Finding("over_asking", turn, message.text, f"{len(asked)} questions; the calls have {needed} arguments")
    return None


def claimed_undone(conduct: Conduct) -> Finding | None:
    acted = any(one.worked and conduct.writes(one.call) for one in conduct.calls)
    if not conduct.undone and (acted or not conduct.broke("says")):
        return None
    told = (heard for heard in conduct.hearings if heard.message.text)
    return next((found for heard in told for found in detected("claimed_undone", Claim(kind="claim"), heard)), None)


def stopped_early(conduct: Conduct) -> Finding | None:
    if conduct.talk.end_reason is not EndReason.DONE_BY_ASSISTANT or not (conduct.undone or conduct.broke("says")):
        return None
    return Finding("stopped_early", *conduct.last_words, conduct.score.reason)


def leaked(conduct: Conduct) -> Finding | None:
    markers = [m for t in conduct.talk.turns if t.speaker == conduct.agent for m in t.drafts[-1].markers]
    told = disclosures(conduct.setting.scenario, markers)
    if told:
        return Finding("leaked", told[0].turn, told[0].quote, f"{told[0].principle}: {told[0].evidence}")
    if conduct.broke("never_says"):
        forbidden = [squeezed(text) for text in conduct.setting.scenario.success.never_says]
        said = next(((t, m) for t, m in conduct.words if any(x in squeezed(m.text) for x in forbidden)), None)
        return Finding("leaked", said[0] if said else -1, said[1].text if said else "", conduct.score.reason)
    return None


def unsaid(conduct: Conduct) -> Finding | None:
    return Finding("unsaid", *conduct.last_words, conduct.score.reason) if conduct.broke("says") else None
