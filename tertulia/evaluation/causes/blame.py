"""Whose fault a trial is: agent, simulator, tool, judge, gold or limit, with the evidence.

    gold        not even the oracle, who knows the gold, succeeds at this item
    simulator   the user broke its script (`fidelity` beside this), had its drafts rejected, or its model failed
    judge       a judge or the critic raised, so nothing was judged
    tool        a call that was wanted was made, and failed through no doing of its caller; or the world raised
    limit       turns, tool rounds or the budget were used up, and nothing of what the agent did explains it
    agent       anything else, with a finer cause (`agent` beside this)

A trial that its simulator tainted is set aside whatever it came to, for a success proves as little as a failure: what
is left is not chosen by its outcome.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from tertulia.evaluation.agents.seat import UNREACHED, agent_trouble
from tertulia.evaluation.causes.agent import fault_of
from tertulia.evaluation.causes.conduct import Conduct
from tertulia.evaluation.causes.fidelity import TAINTS, fidelity
from tertulia.evaluation.causes.findings import Finding, ended_by
from tertulia.evaluation.scoring import Score
from tertulia.records import Conversation, EndReason
from tertulia.setting import Setting

__all__ = ["CAUSES", "Judged", "judged"]

CAUSES = ("agent", "simulator", "tool", "judge", "gold", "limit")
LIMITS = (EndReason.TURN_LIMIT, EndReason.ROUND_LIMIT, EndReason.BUDGET, EndReason.CONTEXT_LIMIT)
VAGUE = frozenset(("missing_call", "unsaid", "other", "wrong_value"))  # causes that do not explain why a limit was met
STEP = re.compile(r'[\\/]tertulia[\\/]graph\.py", line \d+, in (plan|speak|critic|tools)\b')  # in a trace


@dataclass(frozen=True, slots=True)
class Judged:
    """A trial's score with whose fault it is, if it failed, and what its simulator did wrong."""

    score: Score
    cause: str  # empty: it passed
    fault: Finding | None
    simulator: tuple[Finding, ...]

    @property
    def tainted(self) -> bool:
        """Whether it is set aside."""
        return any(finding.what in TAINTS for finding in self.simulator)

    @property
    def unreached(self) -> bool:
        """Whether it ended since the agent, or the simulator's model, could not be reached."""
        ends = [*self.simulator, *([self.fault] if self.fault else [])]
        return any(end.what in ("unreachable", "simulator_failed") and end.rule in UNREACHED for end in ends)

    @property
    def name(self) -> str:
        """The cause, and the finer one of an agent: `agent: invented_value`."""
        return f"{self.cause}: {self.fault.what}" if self.cause == "agent" and self.fault else self.cause


def judged(
    setting: Setting, talk: Conversation, score: Score, unreachable: Collection[str] = (), *, static: bool = False
) -> Judged:
    """A trial with its cause; `unreachable` are the items that the oracle does not pass.

    In static evaluation the user is a record, and no simulator."""
    faults = [] if static else fidelity(setting, talk, score.success)
    wrong = tuple([*faults, *broken_simulator(talk)])
    if score.passed:
        return Judged(score, "", None, wrong)
    cause, fault = blamed(Conduct(setting, talk, score, static), wrong, unreachable)
    return Judged(score, cause, fault, wrong)


def blamed(conduct: Conduct, wrong: tuple[Finding, ...], unreachable: Collection[str]) -> tuple[str, Finding]:
    """Who is to blame for a failure, and the evidence."""
    talk = conduct.talk
    if conduct.score.item in unreachable:
        return "gold", Finding("gold", -1, "", f"the oracle fails too: {conduct.score.reason}")
    if agent_trouble(talk) is None:
        if tainted := next((finding for finding in wrong if finding.what in TAINTS), None):
            return "simulator", tainted
        if raised_at(talk) == "critic" or (talk.error and talk.end_reason is not EndReason.FAILED):
            return "judge", Finding("judge", -1, ended_by(talk), "raised")
        if fault := failed_tool(conduct):
            return "tool", fault
    fault = fault_of(conduct)
    if talk.end_reason in LIMITS and fault.what in VAGUE:
        return "limit", Finding("limit", fault.turn, fault.text, f"{talk.end_reason.value}; {conduct.score.reason}")
    return "agent", fault


def broken_simulator(talk: Conversation) -> list[Finding]:
    """A simulator that gave nothing that could be used."""
    if agent_trouble(talk) is not None:
        return []
    if talk.end_reason is EndReason.REJECTED:
        last = talk.turns[-1] if talk.turns else None
        text = last.message.text if last else ""
        rules = ", ".join(marker.principle for marker in last.drafts[-1].markers) if last else "plan"
        return [Finding("simulator_failed", last.index if last else -1, text, f"its drafts break {rules}")]
    failed = talk.end_reason in (EndReason.PARSE_FAILURE, EndReason.MODEL_FAILURE, EndReason.CONTEXT_LIMIT)
    if failed:
        return [Finding("simulator_failed", len(talk.turns), ended_by(talk), talk.rejected_by)]
    if raised_at(talk) in ("plan", "speak"):
        return [Finding("simulator_failed", len(talk.turns), ended_by(talk), "raised")]
    return []


def raised_at(talk: Conversation) -> str:
    """The step of `tertulia.graph` at which a part raised; empty where none did."""
    steps = STEP.findall(talk.error) if talk.end_reason is EndReason.FAILED else []
    return steps[-1] if steps else ""


def failed_tool(conduct: Conduct) -> Finding | None:
    """A call that was wanted, and that failed through no doing of its caller and never worked."""
    talk = conduct.talk
    if talk.end_reason is EndReason.FAILED:
        return Finding("tool", len(talk.turns), ended_by(talk), "raised")
    if conduct.forced:  # what was called in vain is the record's
        return None
    wanted = [(want.call, want.gold) for want in conduct.setting.scenario.script.wants if want.due]
    worked = [(one.call.name, one.call.args) for one in conduct.calls if one.worked]
    for one in conduct.calls:
        made, result = (one.call.name, one.call.args), one.result
        if result and result.injected and made in wanted and made not in worked:
            return Finding("tool", one.turn, result.text, f"{one.call.name} failed: {result.fault}")
    return None
