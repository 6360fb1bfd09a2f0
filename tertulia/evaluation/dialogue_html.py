"""Failed dialogues as HTML: every turn, and at the failing one why."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tertulia.evaluation.causes.blame import Judged
from tertulia.pages.document import folded, named, text
from tertulia.records import Conversation, Message, ToolCall, Turn
from tertulia.running.store import Store

__all__ = ["anchor", "dialogues", "turn_anchor"]

SAID, VALUE, TRACE = 4000, 400, 8000  # characters of a message, of an argument, of an error


def place_of(one: Judged) -> int:
    return int(one.score.conversation.rpartition("-")[2])


def anchor(one: Judged) -> str:
    """The id of a trial's section."""
    return f"trial-{place_of(one)}"


def turn_anchor(one: Judged) -> str:
    """The id of its failing turn."""
    return f"failing-{place_of(one)}"


def dialogues(folder: Path, shown: Sequence[Judged]) -> Iterator[str]:
    """Each failed trial in full."""
    if shown:
        yield "<h2>Failed dialogues</h2>"
    with Store(folder) as store:
        for one in shown:
            talk = store.conversation(place_of(one))
            if talk is not None:
                yield dialogue(one, talk)


def dialogue(one: Judged, talk: Conversation) -> str:
    marked = one.fault.turn if one.fault else -1
    turns = "\n".join(turn_of(turn, turn.index == marked, one) for turn in talk.turns)
    if not any(turn.index == marked for turn in talk.turns):  # it failed where no turn came, or as a whole
        turns += f'<div class="turn failing" id="{turn_anchor(one)}">{why(one)}</div>'
    error = folded("the error", f"<pre>{text(talk.error, TRACE)}</pre>") if talk.error else ""
    told = f"{text(one.score.kind)}, ended by {text(talk.end_reason.value)}."
    return (
        f'<section id="{anchor(one)}"><h3>{named(talk.id)}</h3>'
        f"<p>{told} <bdi>{text(one.score.reason, SAID)}</bdi></p>"
        f'{turns}{error}<p><a href="#failures">all failures</a></p></section>'
    )


def turn_of(turn: Turn, marked: bool, one: Judged) -> str:
    said = "".join(line(message) for message in (turn.message, *turn.results))
    said += f"<small>{len(turn.drafts)} drafts</small>" if len(turn.drafts) > 1 else ""
    said += why(one) if marked else ""
    mark = f' class="turn failing" id="{turn_anchor(one)}"' if marked else ' class="turn"'
    return f"<div{mark}><small>{turn.index}</small>{said}</div>"


def why(one: Judged) -> str:
    rule = one.fault.why if one.fault else ""
    return f'<p class="why">Failed here: {text(one.name)}. <bdi>{text(rule, SAID)}</bdi></p>'


def line(message: Message) -> str:
    """One message: words, calls, or a result."""
    kind = f"{message.role} refused" if message.error else message.role
    to = f" to {', '.join(message.to)}" if message.to else ""
    who = f"{message.speaker}{to}{' (refused)' if message.error else ''}"
    said = f'<span class="said" dir="auto">{text(message.text, SAID)}</span>' if message.text else ""
    return f'<div class="{kind}"><b><bdi>{text(who)}</bdi></b> {said}{"".join(map(called, message.calls))}</div>'


def called(call: ToolCall) -> str:
    args = ", ".join(f"{text(key)}={text(repr(value), VALUE)}" for key, value in call.args.items())
    return f"<code>{text(call.name)}({args})</code>"
