"""Which agent sits on the assistant's seat, as a person types it.

rules                 the form-filling assistant of the rule cast
none                  does nothing, and takes leave
oracle                makes the gold calls of each item
openai:NAME ...       a model, as `tertulia run --model` takes it
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tertulia.contracts import Speaker
from tertulia.errors import SettingsError
from tertulia.evaluation.bounds import Nothing, Oracle
from tertulia.evaluation.sets import EvalSet
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.parts import made

__all__ = ["seated"]

KNOWN = "rules, none, oracle, MODULE:NAME, http(s)://..., or a model such as openai:NAME"
AT_HAND: dict[str, Callable[[EvalSet], Speaker]] = {
    "rules": lambda evalset: made("assistants", "form", "assistant"),
    "none": lambda evalset: Nothing(),
    "oracle": lambda evalset: Oracle(evalset.scenarios),
}


@asynccontextmanager
async def seated(settings: EvaluationSettings, evalset: EvalSet) -> AsyncIterator[Speaker | None]:
    """The agent, ready to speak; None where it is a model, which the recipe's own assistant asks.

    Raises:
        SettingsError: if the spec names no agent."""
    if settings.agent in AT_HAND:
        yield AT_HAND[settings.agent](evalset)
    elif settings.agent_is_model:
        yield None
    else:
        raise SettingsError(f"--agent {settings.agent!r}: write {KNOWN}")
