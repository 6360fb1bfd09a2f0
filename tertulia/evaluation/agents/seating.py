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

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tertulia.contracts import Speaker
from tertulia.errors import SettingsError, did_you_mean
from tertulia.evaluation.agents.bounds import Nothing, Oracle
from tertulia.evaluation.agents.process import AgentProcess
from tertulia.evaluation.agents.remote import RemoteAgent
from tertulia.evaluation.agents.version import MODULE
from tertulia.evaluation.sets import EvalSet
from tertulia.evaluation.settings import MODELS, EvaluationSettings
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
    elif settings.agent.startswith(("http://", "https://")):
        yield RemoteAgent(settings.agent, settings.deadline)
    elif settings.agent_is_model:
        yield None
    elif MODULE.fullmatch(settings.agent) and ".py:" not in settings.agent:
        agent = AgentProcess(settings.agent, settings.deadline)
        try:
            await loaded(agent)
            yield agent
        finally:
            await agent.close()
    else:
        raise SettingsError(f"--agent {settings.agent!r}: write {KNOWN}{hint(settings.agent)}")


async def loaded(agent: AgentProcess) -> None:
    """The process of an agent is there.

    Raises:
        SettingsError: if it cannot be loaded."""
    module = agent.spec.partition(":")[0]
    try:
        await agent.running()
    except SettingsError as error:
        missing = f"No module named {module!r}" in str(error)
        raise SettingsError(f"{error}{did_you_mean(module, MODELS) if missing else ''}") from None


def hint(spec: str) -> str:
    """What was perhaps meant by a spec that names no agent."""
    module, _, name = spec.partition(":")
    if not module.endswith(".py"):
        return did_you_mean(spec, AT_HAND)
    dotted = ".".join(Path(module.removesuffix(".py")).parts)
    return f" (MODULE is a dotted name, without .py: {dotted}:{name or 'NAME'})"
