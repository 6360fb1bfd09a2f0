"""Hearings made by hand: a small talk between a customer, an agent and a supervisor, for whoever tests detectors."""

from dataclasses import dataclass, field
from typing import Any

from tertulia.contracts import Hearing
from tertulia.detectors import Finding, Scene, find
from tertulia.principles import Detector, Principle, PrincipleFile
from tertulia.records import Message, Plan, ToolCall
from tertulia.scenario import Scenario
from tertulia.world import ToolSpec

__all__ = ["TOOLS", "Talk", "detector"]

TEXT = {"type": "string"}


def spec(name: str, description: str, properties: dict[str, Any], writes: bool = False) -> ToolSpec:
    return ToolSpec(
        name=name,
        description=description,
        parameters={"type": "object", "properties": properties, "required": list(properties)},
        writes=writes,
    )


TOOLS = (
    spec("find_order", "Look up an order.", {"order": TEXT}),
    spec("find_customer", "Look up a customer.", {"email": TEXT}),
    spec("reschedule_delivery", "Move a delivery to another day.", {"order": TEXT, "day": TEXT}, writes=True),
    spec("cancel_order", "Cancel an order.", {"order": TEXT}, writes=True),
    spec("issue_refund", "Pay money back.", {"order": TEXT, "amount": {"type": "number"}}, writes=True),
    spec("send_note", "Leave a note.", {"order": TEXT, "note": TEXT, "copies": {"type": "integer"}}, writes=True),
)
CAST = {
    "customer": {"role": "user", "persona": "hurried courier", "knows": {"order": "A1042", "name": "Mara Lind"}},
    "agent": {"role": "assistant", "knows": {"code": "PLUM-88"}, "secret": ["code"]},
    "supervisor": {"role": "colleague", "decides": [{"call": "issue_refund", "answer": "yes"}]},
}
OPENING = "You missed me yesterday. Can you move the delivery of A1042 to friday?"


def detector(**fields: Any) -> Detector:
    """A detector from its data."""
    raw = {"id": "p", "text": "a rule for tests", "source": "tests", "topic": "role", "detector": fields}
    made = PrincipleFile.model_validate({"principles": [raw]}).principles[0].detector
    assert made is not None
    return made


@dataclass
class Talk:
    """Lines so far; `says` and `calls` add to them, `find` asks a detector about one more draft."""

    cast: dict[str, Any] = field(default_factory=lambda: CAST)
    script: dict[str, Any] = field(default_factory=dict)
    policy: str = "Deliveries can be moved until 18:00 on the day before."
    tools: tuple[ToolSpec, ...] = TOOLS
    spoken: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        script = {"opening": OPENING, **self.script}
        raw = {"id": "talk", "kind": "single_call", "cast": self.cast, "script": script}
        self.scenario = Scenario.model_validate(raw)

    def says(self, speaker: str, text: str, *to: str) -> "Talk":
        role = self.scenario.cast[speaker].role
        audience = (speaker, *to) if to else tuple(self.scenario.cast)
        self.spoken.append(Message(speaker=speaker, role=role, text=text, to=to, audience=audience))
        return self

    def calls(self, name: str, result: str = "{}", error: bool = False, by: str = "agent", **args: Any) -> "Talk":
        key = f"call_{len(self.spoken)}"
        made = ToolCall(id=key, name=name, args=args)
        role = self.scenario.cast[by].role
        self.spoken.append(Message(speaker=by, role=role, audience=(by,), calls=(made,)))
        result_role: Any = "tool"
        self.spoken.append(
            Message(speaker=name, role=result_role, text=result, audience=(by,), answers=key, error=error)
        )
        return self

    def hearing(
        self,
        text: str = "",
        *calls: tuple[str, dict[str, Any]],
        speaker: str = "agent",
        to: tuple[str, ...] = (),
        principles: tuple[Principle, ...] = (),
        plan: Plan | None = None,
    ) -> Hearing:
        party = self.scenario.cast[speaker]
        made = tuple(ToolCall(id=f"draft_{n}", name=name, args=args) for n, (name, args) in enumerate(calls))
        audience = (speaker,) if made else (speaker, *to) if to else tuple(self.scenario.cast)
        return Hearing(
            scenario=self.scenario,
            speaker=speaker,
            party=party,
            role="plan" if plan else party.role,
            turn=len(self.spoken),
            draft=0,
            message=Message(speaker=speaker, role=party.role, text=text, to=to, audience=audience, calls=made),
            seen=[m for m in self.spoken if speaker in m.audience],
            spoken=self.spoken,
            tools=self.tools if speaker == "agent" else (),
            policy=self.policy if speaker == "agent" else "",
            principles=principles,
            plan=plan,
            script=self.scenario.script if speaker == self.scenario.user else None,
        )

    def find(self, rule: Detector, text: str = "", *calls: tuple[str, dict[str, Any]], **more: Any) -> list[Finding]:
        return find(rule, Scene(self.hearing(text, *calls, **more)))
