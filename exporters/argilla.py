"""Records for Argilla 2, where people review what the critic said of an assistant's drafts.

One row for each draft of an assistant that answers somebody, in accepted and rejected conversations alike:

    status       "pending"
    fields       history: the conversation so far as chat messages with role and content alone, calls in `<tool_call>`;
                 draft: the words or call to be judged; principles: what the assistant must hold to
    metadata     conversation, scenario, turn, draft_number, end_reason, accepted
    vectors, responses   empty
    suggestions  for the question `verdict` accept or revise, for `broken` the ids of the principles, for `markers` the
                 spans of the draft that a marker quotes; the agent is the critic. No suggestion for what is empty
    external_id  derived from the conversation's id, the turn and the draft

The questions are `verdict` (label), `broken` (several labels) and `markers` (spans of `draft`, labelled by principle);
`settings` gives them as Argilla wants them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar

from tertulia.errors import UserError
from tertulia.exporting.chats import in_tags
from tertulia.exporting.columns import Columns
from tertulia.exporting.pairs import SIBLINGS, siblings
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation, Draft, Message, Turn
from tertulia.scenario import Scenario
from tertulia.setting import Setting, Settings
from tertulia.views import Chat, as_chat, briefing, own

__all__ = ["Argilla", "settings"]


class Argilla:
    """`lost` counts drafts that answer nobody, ids of calls, and quotes that do not stand in the draft."""

    consumer: ClassVar[str] = "records"
    loses: ClassVar[Mapping[str, str]] = SIBLINGS | {
        "call_ids": "ids of calls",
        "drafts_that_answer_nobody": "drafts before which nobody spoke",
        "quotes_without_a_span": "quotes of markers that do not stand in the draft word for word",
    }
    columns: ClassVar[Columns] = {
        "status": "text",
        "fields": {"history": [{"role": "text", "content": "text"}], "draft": "text", "principles": "text"},
        "metadata": {
            "conversation": "text",
            "scenario": "text",
            "turn": "int",
            "draft_number": "int",
            "end_reason": "text",
            "accepted": "text",
        },
        "vectors": "json",
        "responses": ["json"],
        "suggestions": ["json"],
        "external_id": "text",
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        setting = self.settings.of(scenario)
        before: list[Message] = []
        for turn in talk.turns:
            if talk.roles[turn.speaker] == "assistant":
                yield from self.drafts(setting, talk, turn, as_chat(before, turn.speaker, talk.roles))
            before += [turn.message, *turn.results]

    def drafts(self, setting: Setting, talk: Conversation, turn: Turn, chat: Chat) -> Iterator[dict[str, Any]]:
        if not chat:
            self.lost["drafts_that_answer_nobody"] += len(turn.drafts)
            return
        self.lost += siblings([turn])
        system = briefing(setting, turn.speaker)
        history = [{"role": "system", "content": system}] if system else []
        history += [bare(message) for message in chat]
        principles = "\n".join(f"- {rule.id}: {rule.text}" for rule in setting.principles["assistant"])
        for number, draft in enumerate(turn.drafts):
            text = in_tags(own(draft.message, len(talk.roles) > 2))
            self.lost["call_ids"] += len(draft.message.calls)
            yield {
                "status": "pending",
                "fields": {"history": history, "draft": text, "principles": principles},
                "metadata": {
                    "conversation": talk.id,
                    "scenario": talk.scenario,
                    "turn": turn.index,
                    "draft_number": number,
                    "end_reason": talk.end_reason.value,
                    "accepted": "yes" if talk.accepted else "no",
                },
                "vectors": {},
                "responses": [],
                "suggestions": self.suggestions(draft, text),
                "external_id": row_id(talk, "argilla", turn.index, number),
            }

    def suggestions(self, draft: Draft, text: str) -> list[dict[str, Any]]:
        agent = ", ".join(sorted({marker.critic for marker in draft.markers})) or "critic"
        made = [suggestion("verdict", "revise" if draft.sent_back else "accept", agent)]
        if broken := sorted({marker.principle for marker in draft.markers}):
            made.append(suggestion("broken", broken, agent))
        spans: list[dict[str, Any]] = []
        for marker in draft.markers:
            at = text.find(marker.quote) if marker.quote else -1
            if at < 0:
                self.lost["quotes_without_a_span"] += bool(marker.quote)
                continue
            span = {"start": at, "end": at + len(marker.quote), "label": marker.principle}
            if span not in spans:
                spans.append(span)
        return [*made, suggestion("markers", spans, agent)] if spans else made


def suggestion(question: str, value: Any, agent: str) -> dict[str, Any]:
    return {"question_name": question, "value": value, "score": None, "agent": agent, "type": "model"}


def bare(message: Mapping[str, Any]) -> dict[str, str]:
    """A message with its role and one text."""
    content = in_tags(message) if message["role"] == "assistant" else message["content"]
    return {"role": message["role"], "content": content}


# --- the dataset that takes them -----------------------------------------------------------------------------------


def settings(rows: Iterable[Mapping[str, Any]]) -> Any:
    """`argilla.Settings` for a dataset of these rows: its fields, questions and metadata.

    The labels of `broken` and `markers` are the principles that stand in the rows; Argilla wants at least two labels.
    Argilla wants a client before them: `argilla.Argilla(URL, KEY)`.

    Raises:
        UserError: if argilla is not installed, or the rows name fewer than two principles."""
    try:
        rg = import_module("argilla")
    except ImportError:
        raise UserError("settings for Argilla need its library: pip install argilla") from None
    labels = sorted({name for row in rows for name in principles_of(row)})
    if len(labels) < 2:
        raise UserError(f"a question of Argilla needs two labels, and the rows name {len(labels)} principles")
    return rg.Settings(
        fields=[rg.ChatField("history"), rg.TextField("draft"), rg.TextField("principles", required=False)],
        questions=[
            rg.LabelQuestion("verdict", labels=["accept", "revise"]),
            rg.MultiLabelQuestion("broken", labels=labels, required=False),
            rg.SpanQuestion("markers", field="draft", labels=labels, allow_overlapping=True, required=False),
        ],
        metadata=[
            *map(rg.TermsMetadataProperty, ("conversation", "scenario", "end_reason", "accepted")),
            *map(rg.IntegerMetadataProperty, ("turn", "draft_number")),
        ],
    )


def principles_of(row: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the principles that a row lists or suggests."""
    listed = (line for line in row["fields"]["principles"].splitlines() if line.startswith("- "))
    yield from (line[2:].partition(":")[0] for line in listed)
    for made in row["suggestions"]:
        if made["question_name"] == "broken":
            yield from made["value"]
