"""What an agent did wrong in a failed trial: the first of these causes that its turns bear out.

crashed, slow, unreachable, unreadable   no turn of it came, or none that can be read
unknown_tool       a call of a tool that it has not
wrong_type         an argument that is not of the type that the tool asks for
invented_value     an argument that nobody has told
invalid_arguments  an argument that is missing, unknown, or not in the form that the tool asks for
ignored_refusal    a refused call was made again and again; or what a user said no to was done
done_twice         a change made again that had worked
unconfirmed        a wrong change, made without the yes that a principle asks for
declined           said that it cannot do what was wanted, and never tried
looped             the same words, or a call that had worked, for the third time
over_asking        asked three times for what the user does not know, or far more than the calls wanted need
claimed_undone     said that it had done what no call did
stopped_early      took leave before what was wanted was done
wrong_value        the tool wanted, with another value
unwanted_call      a change that nobody wanted
missing_call       a call wanted that was not made
leaked             something secret was given away
unsaid             a text that the user had to be told
other              anything else that success asks for

The order is that of what leads to what: a call that was refused for its arguments before the refusals that followed,
and how something came about before that it was missing. A cause counts only where it bears on a part of success that
does not hold: a refused call whose tool worked later explains nothing, nor does a repeated phrase where all was done.
A secret that was given away is the cause where nothing else failed, or nothing but a text unsaid; otherwise it is told
beside the cause. In static evaluation the agent's words are those of the record, and only its calls are read.
"""

from collections.abc import Callable
from dataclasses import replace

from tertulia.evaluation.agents.seat import UNREACHED, agent_trouble
from tertulia.evaluation.causes.conduct import Conduct
from tertulia.evaluation.causes.findings import Finding, ended_by
from tertulia.evaluation.causes.wrong_calls import (
    done_twice,
    ignored_refusal,
    invalid_arguments,
    invented_value,
    missing_call,
    unconfirmed,
    unknown_tool,
    unwanted_call,
    wrong_type,
    wrong_value,
)
from tertulia.evaluation.causes.wrong_words import (
    claimed_undone,
    declined,
    leaked,
    looped,
    over_asking,
    stopped_early,
    unsaid,
)
from tertulia.models.records import Trouble

__all__ = ["fault_of"]

ENDED = {Trouble.CRASHED: "crashed", Trouble.TIMEOUT: "slow", **dict.fromkeys(UNREACHED, "unreachable")}


def fault_of(conduct: Conduct) -> Finding:
    """The first cause that the agent's turns bear out, with what it gave away besides."""
    leak = None if conduct.forced else leaked(conduct)
    if leak and conduct.only_told:
        return leak
    causes = FORCED if conduct.forced else CAUSES
    found = next((found for cause in causes if (found := cause(conduct))), None)
    if found is None:
        return leak or Finding("other", -1, "", conduct.score.reason)
    if leak and found.what != leak.what:
        return replace(found, beside=f"leaked in turn {leak.turn}: {leak.text!r}, {leak.rule}")
    return found


def no_turn(conduct: Conduct) -> Finding | None:
    trouble = agent_trouble(conduct.talk)
    if trouble is None:
        return None
    at = len(conduct.talk.turns)
    return Finding(ENDED.get(trouble, "unreadable"), at, ended_by(conduct.talk), trouble.value)


Cause = Callable[[Conduct], Finding | None]
CAUSES: tuple[Cause, ...] = (
    no_turn,
    unknown_tool,
    wrong_type,
    invented_value,
    invalid_arguments,
    ignored_refusal,
    done_twice,
    unconfirmed,
    declined,
    looped,
    over_asking,
    claimed_undone,
    stopped_early,
    wrong_value,
    unwanted_call,
    missing_call,
    leaked,
    unsaid,
)
FORCED: tuple[Cause, ...] = (
    no_turn,
    wrong_type,
    invented_value,
    invalid_arguments,
    done_twice,
    wrong_value,
    unwanted_call,
    missing_call,
)
