"""Play scenarios as multi-party dialogues, keep what survives the critic, export training data and evaluation sets.

    import tertulia

    run = tertulia.run(["parcels"], n=20, out="runs/demo")
    print(run.summary.success_rate)
    for talk in run.conversations():
        print(talk.id, talk.end_reason)

These names are the public face; each is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tertulia.contracts import Hearing, Utterance, View
    from tertulia.errors import ScenarioError, TertuliaError, ToolError, UserError
    from tertulia.files import load_scenario
    from tertulia.principles import Principle
    from tertulia.records import (
        Conversation,
        Draft,
        EndReason,
        Marker,
        Message,
        Plan,
        ToolCall,
        Turn,
        Verdict,
    )
    from tertulia.running.playing import run
    from tertulia.running.runs import Run
    from tertulia.running.summary import Summary
    from tertulia.scenario import Scenario
    from tertulia.worlds.toolkit import Toolkit, tool

__all__ = [
    "Conversation",
    "Draft",
    "EndReason",
    "Hearing",
    "Marker",
    "Message",
    "Plan",
    "Principle",
    "Run",
    "Scenario",
    "ScenarioError",
    "Summary",
    "TertuliaError",
    "ToolCall",
    "ToolError",
    "Toolkit",
    "Turn",
    "UserError",
    "Utterance",
    "Verdict",
    "View",
    "load_scenario",
    "run",
    "tool",
]

HOMES = {
    "contracts": ("Hearing", "Utterance", "View"),
    "errors": ("ScenarioError", "TertuliaError", "ToolError", "UserError"),
    "files": ("load_scenario",),
    "principles": ("Principle",),
    "records": (
        "Conversation",
        "Draft",
        "EndReason",
        "Marker",
        "Message",
        "Plan",
        "ToolCall",
        "Turn",
        "Verdict",
    ),
    "running.playing": ("run",),
    "running.runs": ("Run",),
    "scenario": ("Scenario",),
    "running.summary": ("Summary",),
    "worlds.toolkit": ("Toolkit", "tool"),
}


def __getattr__(name: str) -> Any:
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"tertulia.{module}"), name)
    raise AttributeError(f"module 'tertulia' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
