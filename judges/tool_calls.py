"""Whether tool calls are sound: known tools, arguments that fit their schemas, one result each."""

from collections import Counter
from typing import ClassVar

from tertulia.models.answers import faults as schema_faults
from tertulia.records import Conversation, ToolCall, Verdict
from tertulia.scenario import Scenario
from tertulia.setting import Settings
from tertulia.world import ToolSpec

__all__ = ["ToolCalls"]

SHOWN = 10


class ToolCalls:
    """Passes when every call is of a tool that its caller has, its arguments fit the tool's JSON Schema, and it has
    exactly one result. The score is the share of sound calls; None without calls.

    `detail`: `calls`, `unknown` (no such tool), `unfit` (arguments against the schema), `unpaired` (no result, or
    several), `errors` (results that are errors, refusals by the world included), `by_tool`."""

    heuristic: ClassVar[bool] = True

    def __init__(self) -> None:
        self.settings = Settings()

    async def judge(self, scenario: Scenario, talk: Conversation) -> Verdict:
        setting = self.settings.of(scenario)
        results = Counter(message.answers for message in talk.messages if message.role == "tool")
        counts: Counter[str] = Counter()
        by_tool: Counter[str] = Counter()
        wrong, sound = [], 0
        for message in talk.messages:
            tools = {tool.name: tool for tool in setting.tools.get(message.speaker, ())}
            for call in message.calls:
                by_tool[call.name] += 1
                found = list(unsound(call, tools.get(call.name), results[call.id]))
                counts.update(cause for cause, _ in found)
                wrong += [f"{call.name}: {what}" for _, what in found]
                sound += not found
        total = by_tool.total()
        return Verdict(
            judge="tool_calls",
            passed=not wrong,
            score=sound / total if total else None,
            reason="; ".join(wrong[:SHOWN]),
            detail={
                "calls": total,
                **{cause: counts[cause] for cause in ("unknown", "unfit", "unpaired")},
                "errors": sum(message.error for message in talk.messages if message.role == "tool"),
                "by_tool": dict(by_tool),
            },
        )


def unsound(call: ToolCall, tool: ToolSpec | None, results: int) -> list[tuple[str, str]]:
    """What is wrong with a call: a cause, and the words for it."""
    found = []
    if tool is None:
        found.append(("unknown", "its caller has no such tool"))
    elif complaint := next(iter(schema_faults(call.args, tool.parameters)), ""):
        found.append(("unfit", complaint))
    if results != 1:
        found.append(("unpaired", f"{results} results"))
    return found
