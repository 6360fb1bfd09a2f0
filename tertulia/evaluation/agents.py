"""Which agent sits on the assistant's seat, as a person types it.

    rules             the form-filling assistant of the rule cast
    none              does nothing, and takes leave
    oracle            makes the gold calls of each item
    openai:NAME ...   a model, as `tertulia run --model` takes it
    MODULE:NAME       Python, in a process of its own: a callable of messages and tools, a graph with `ainvoke`, or a
                      speaker of tertulia's own contract
    http(s)://...     an agent behind an address; `#VARIABLE` at its end names the environment variable with its key

Whoever it is sees a `View` and nothing else.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tertulia.contracts import Speaker
from tertulia.errors import SettingsError
from tertulia.evaluation.bounds import Nothing, Oracle
from tertulia.evaluation.process import AgentProcess
from tertulia.evaluation.remote import RemoteAgent
from tertulia.evaluation.sets import EvalSet
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.parts import made

__all__ = ["seated"]

MODULE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
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
    elif settings.agent.startswith(("http://", "https://")):
        yield RemoteAgent(settings.agent, settings.deadline)
    elif settings.agent_is_model:
        yield None
    elif MODULE.fullmatch(settings.agent):
        agent = AgentProcess(settings.agent, settings.deadline)
        try:
            await agent.running()
            yield agent
        finally:
            await agent.close()
    else:
        raise SettingsError(f"--agent {settings.agent!r}: write {KNOWN}")
