"""`tertulia show`: one conversation to be read, with every draft that was sent back and why."""

import json as json_text
from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding

from tertulia.commands.printing import as_json, console
from tertulia.records import Conversation, Draft, Message, Turn
from tertulia.running.runs import Run

__all__ = ["perform", "readable"]


def perform(*, folder: Path, which: str, json: bool) -> int:
    talk = Run(folder).conversation(which)
    if json:
        as_json(talk.model_dump(mode="json"))
        return 0
    screen = console()
    for part in readable(talk):
        screen.print(part)
    return 0


def readable(talk: Conversation) -> Iterator[RenderableType]:
    """The conversation as lines for people: heading, plan and turns first."""
    yield f"[bold]{escape(talk.id)}[/] " + ("accepted" if talk.accepted else f"rejected by {escape(talk.rejected_by)}")
    yield f"ended by {talk.end_reason.value}, seed {talk.seed}"
    for name, value in talk.variant.items():
        yield deeper(f"{name}: {said(value)}", 1)
    if talk.plan:
        yield "\n[bold]plan[/]"
        for draft in talk.plan_drafts[:-1]:
            yield from sent_back("plan", draft)
        for step in (talk.plan.opening, *talk.plan.steps):
            yield deeper(f"- {step}", 1)
    yield ""
    for turn in talk.turns:
        yield from turn_lines(turn)
    yield from afterwards(talk)


def afterwards(talk: Conversation) -> Iterator[RenderableType]:
    """What was planted in a conversation, how it was judged, and what went wrong with it."""
    if talk.slips:
        yield "\n[bold]planted slips[/]"
        for slip in talk.slips:
            breaks = ", ".join(slip.breaks) or "nothing in force"
            yield deeper(f"turn {slip.turn}, draft {slip.draft}: {slip.kind}, breaks {breaks}", 1)
    if talk.verdicts:
        yield "\n[bold]verdicts[/]"
        for verdict in talk.verdicts:
            score = "" if verdict.score is None else f" {verdict.score:.2f}"
            outcome = "passed" if verdict.passed else "failed"
            yield deeper(f"{verdict.judge}: {outcome}{score}" + (f": {verdict.reason}" if verdict.reason else ""), 1)
    if talk.error:
        yield "\n[bold]error[/]"
        yield deeper(talk.error.strip(), 1)


def turn_lines(turn: Turn) -> Iterator[RenderableType]:
    """One turn: the drafts sent back with their markers, what counted, and what its calls returned."""
    for draft in turn.drafts[:-1]:
        yield from sent_back(turn.speaker, draft)
    message = turn.message
    to = f" to {', '.join(message.to)}" if message.to else ""
    yield deeper(f"{turn.index} {turn.speaker}{to}: {words(message)}", 0)
    yield from markers(turn.drafts[-1])
    for result in turn.results:
        yield deeper(("failed: " if result.error else "returned: ") + result.text, 2)
        for change in result.changes:
            yield deeper(f"{change.path}: {said(change.before)} -> {said(change.after)}", 3)


def sent_back(speaker: str, draft: Draft) -> Iterator[RenderableType]:
    yield deeper(f"x {speaker}, sent back: {words(draft.message)}", 1)
    yield from markers(draft)


def markers(draft: Draft) -> Iterator[RenderableType]:
    for marker in draft.markers:
        quote = f' "{marker.quote}"' if marker.quote else ""
        yield deeper(f"! {marker.principle} ({marker.severity}):{quote} {marker.evidence}", 2)


def words(message: Message) -> str:
    """What was said, and the calls that were made."""
    calls = (f"{call.name}({', '.join(f'{k}={said(v)}' for k, v in call.args.items())})" for call in message.calls)
    return " ".join(filter(None, (message.text, *calls)))


def said(value: object) -> str:
    return json_text.dumps(value, ensure_ascii=False)


def deeper(text: str, steps: int) -> Padding:
    return Padding(escape(text), (0, 0, 0, 4 * steps), expand=False)
