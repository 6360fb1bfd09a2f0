"""The model critic: reviews a draft with one structured call that names each principle it breaks, quote and reason.

It judges the last draft alone, with the whole conversation in view (SDSD, Lambert et al., arXiv 2407.18421).
"""

from functools import partial

from tertulia.contracts import Hearing
from tertulia.memo import Memo
from tertulia.models.asking import Reading, ask_for, read_answer
from tertulia.models.prompts import block, fill_prompt, lines, read_prompt, rules
from tertulia.models.records import Ask, Reply, Request, Trouble
from tertulia.models.transcript import as_line, occurs
from tertulia.records import Marker

__all__ = ["Model"]

TEXT = read_prompt("tertulia.agents.critics", "model.txt")
ASKED = "Review this draft:"
ANSWER = {
    "type": "object",
    "properties": {
        "markers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("principle", "quote", "evidence")},
                "required": ["principle", "quote", "evidence"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["markers"],
    "additionalProperties": False,
}


class Model:
    """Reviews with a model. The script's fixed opening is not reviewed: nobody could write it anew."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.systems: Memo[str] = Memo()

    def prompt(self, hearing: Hearing) -> Request | None:
        """The request for this review; None when there is nothing to hold the draft against."""
        if not hearing.principles or opens(hearing):
            return None
        sources = (hearing.party, hearing.tools, hearing.principles)
        heard = lines("transcript", map(as_line, hearing.spoken))
        draft = block("draft", as_line(hearing.message))
        return Request(
            conversation=hearing.conversation,
            role="critic",
            step=hearing.step,
            messages=(
                {"role": "system", "content": self.systems.of(sources, lambda: system(hearing))},
                {"role": "user", "content": f"{heard}\n\n{ASKED}\n\n{draft}"},
            ),
            answer=ANSWER,
        )

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        request = self.prompt(hearing)
        return () if request is None else await ask_for(self.ask, request, partial(read_markers, hearing))


def opens(hearing: Hearing) -> bool:
    return hearing.script is not None and not hearing.spoken and hearing.message.text == hearing.script.opening


def system(hearing: Hearing) -> str:
    """The system prompt: what holds for all conversations in this world, then the party under review."""
    tools = [{"name": t.name, "description": t.description, "writes": t.writes} for t in hearing.tools]
    values = {
        "policy": hearing.policy.strip(),
        "tools": block("tools", tools),
        "principles": rules(hearing.principles),
        "about": block("about", {"speaker": hearing.speaker, "role": hearing.role}),
        "facts": block("facts", hearing.party.knows),
    }
    return fill_prompt(TEXT, values)


def read_markers(hearing: Hearing, reply: Reply) -> Reading[tuple[Marker, ...]]:
    """The markers in a reply. Those for unknown principles, and those that quote what the draft does not hold, are
    counted as troubles and dropped."""
    reading = read_answer(reply, ANSWER)
    known = {principle.id: principle for principle in hearing.principles}
    markers: dict[tuple[str, str], Marker] = {}
    dropped = 0
    for found in reading.value["markers"]:
        principle = known.get(found["principle"])
        if principle is None or not occurs(found["quote"], hearing.message):
            dropped += 1
            continue
        markers[principle.id, found["quote"]] = Marker(
            principle=principle.id,
            turn=hearing.turn,
            draft=hearing.draft,
            severity=principle.severity,
            quote=found["quote"],
            evidence=found["evidence"],
            critic="model",
            revise=principle.revises,
        )
    return Reading(tuple(markers.values()), (*reading.troubles, *[Trouble.WRONG_SCHEMA] * dropped))
