"""Alpaca's three texts: what is asked of the assistant, what it was given, and what it should put out.

One row for each message of an assistant in an accepted conversation that has no known fault:

    instruction  the system prompt, with the tools in `<tools>` when there are some
    input        the conversation so far: the words themselves when the user alone has spoken, once; otherwise one
                 paragraph for each message, labelled User, Assistant or Tool
    output       the message; a call stands in it as `<tool_call>` around a JSON object
    id, meta     as in `sft`, and the message's place among the assistant's own
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tertulia.exporting.chats import META, in_tags, taught, transcript
from tertulia.exporting.columns import Columns
from tertulia.exporting.lessons import LOSES, Lesson, about, lessons
from tertulia.exporting.rows import row_id
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.setting import Settings

__all__ = ["Alpaca"]


class Alpaca:
    """`lost` counts rejected conversations, messages with a known fault, and ids of calls."""

    consumer: ClassVar[str] = "alpaca"
    loses: ClassVar[Mapping[str, str]] = LOSES | {
        "call_ids": "ids of calls",
        "faulty_messages": "messages with a known fault",
    }
    columns: ClassVar[Columns] = {
        "instruction": "text",
        "input": "text",
        "output": "text",
        "id": "text",
        "meta": {**META, "place": "int"},
    }

    def __init__(self) -> None:
        self.settings = Settings()
        self.lost: Counter[str] = Counter()

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        for lesson in lessons(self.settings.of(scenario), talk, self.lost):
            yield from self.rows_of(lesson)

    def rows_of(self, lesson: Lesson) -> Iterator[dict[str, Any]]:
        instruction, place = taught(lesson.system, lesson.tools), -1
        for at, message in enumerate(lesson.chat):
            if message["role"] != "assistant":
                continue
            place += 1
            self.lost["call_ids"] += len(message.get("tool_calls", ()))
            if not message["weight"]:
                self.lost["faulty_messages"] += 1
                continue
            yield {
                "instruction": instruction,
                "input": transcript(lesson.chat[:at]),
                "output": in_tags(message),
                "id": row_id(lesson.talk, "alpaca", lesson.name, place),
                "meta": {**about(lesson.talk), "place": place},
            }
