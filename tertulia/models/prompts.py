"""The prompts of the model-backed parts: text files filled in one pass, in a layout that programs can read back.

The layout, the same for every part:

    system          You are the ROLE in a simulated conversation ...
                    ROLE: planner, user, assistant, colleague, critic, judge or tool. Then rules, and blocks with what
                    the part works on. What many conversations share comes first, so that a prefix cache serves them.
    user/assistant  from there on the list only grows from one step of a party to the next (see `chat`)
    user            at the very end, for one request only: what to mend (a draft that was sent back, a bad reply)

A block is `<NAME>` on a line, JSON, and `</NAME>` on a line. Strings in it hold no `</`: it is written `<\\/`, which
JSON reads back. `blocks(text)` gives every block of a text by name. A block whose value is empty is left out, with
the paragraph it stands in.

    part        blocks of its system prompt                            blocks of its last user message
    planner     scenario, principles                                   (its whole task stands in the system prompt)
    user        principles, you, others, facts, secret, wants,       -
                never_say, plan
    assistant   principles, others, facts, secret; its policy as text  -
    colleague   principles, you, others, decides, facts, secret        -
    critic      about, principles, tools, facts                        transcript, draft
    judge       facts; for the rubric categories, or policy and        transcript; for pairs first and second, for
                aspects                                                candidates texts
    tool        tools                                                  call (earlier calls and answers before it)

    you         {"name", "persona"}
    others      [{"name", "role", "decides": [tool ...]}]
    facts       {key: value}: what the party knows; for the judge {"1": text ...}
    secret      [key of facts]
    wants       [{"number", "what", "call", "with", "by", "say", "when_asked_to_confirm": {"say", "with", "drop"}}]
    plan        {"style", "steps"}
    decides     [{"call", "answer": "yes" | "no", "because"}]
    principles  [{"id", "text"}]
    scenario    {"title", "kind", "cast": [{"name", "role", "persona"}], "opening", "wants", "never_say", "floor"}
    about       {"speaker", "role"}: whose drafts the critic reviews
    tools       [{"name", "description", "parameters"}]: for a speaker that is told of its tools in the prompt, whose
                calls and results then stand in the chat as <tool_call>{"name", "arguments"}</tool_call> and
                <tool_result>...</tool_result>; for the critic those of the speaker, with "writes"; for the tool
                simulator all it plays, with "writes" and "output"
    transcript  one JSON value a line: {"speaker", "says", "to"}, {"speaker", "calls": [{"name", "arguments"}]} or
                {"tool", "result"}
    draft       a line of a transcript
    call        {"name", "arguments"}

What is wanted back:

    planner     JSON {"style", "steps": [text], "order": [name]}; each step names the call it is about
    critic      JSON {"markers": [{"principle", "quote", "evidence"}]}
    judge       JSON {"facts": [{"number", "evidence", "holds"}]}; {"category", "tags"}; {"reason", "better"};
                {"ratings": [{"name", "reason", "score"}]}
    tool        JSON {"status": "ok" | "error", "result": any}
    speakers    plain words, or calls. A user ends its last words with [GOAL REACHED], [NOTHING LEFT] or [GAVE UP]. With
                three parties or more, words for one of them begin with @name. An inline assistant ends its words with
                <violates id="..."/> for each principle that they break.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import orjson

from tertulia.errors import PartError
from tertulia.principles import Principle

__all__ = ["BEGIN", "block", "blocks", "chat", "fill_prompt", "lines", "read_prompt", "rules"]

Chat = tuple[dict[str, Any], ...]

NAME = re.compile(r"\{\{([a-z_]+)\}\}")
BLOCK = re.compile(r"^<([a-z_]+)>\n(.*?)^</\1>$", re.MULTILINE | re.DOTALL)
LINES = frozenset({"transcript"})  # blocks of one JSON value a line
ENCODER = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":"))
BEGIN = "(The conversation begins. It is your turn.)"


def read_prompt(package: str, name: str) -> str:
    """The text of a prompt file that stands beside a part."""
    return (files(package) / name).read_text(encoding="utf-8").strip()


def fill_prompt(text: str, values: Mapping[str, str]) -> str:
    """The text with every `{{name}}` replaced, in one pass: what is put in is not looked at again.

    A paragraph all of whose names stand for empty texts is left out.

    Raises:
        PartError: for a name without a value, or a value without its name in the text."""
    used: set[str] = set()
    filled = []
    for paragraph in text.split("\n\n"):
        names = NAME.findall(paragraph)
        used.update(names)
        if unknown := [name for name in names if name not in values]:
            raise PartError(f"the prompt names {unknown[0]!r}, which has no value")
        if not names or any(values[name] for name in names):
            filled.append(NAME.sub(lambda match: values[match[1]], paragraph))
    if spare := [name for name in values if name not in used]:
        raise PartError(f"the prompt does not name {spare[0]!r}")
    return "\n\n".join(filled)


def block(name: str, value: Any) -> str:
    """A value as a block that `blocks` reads back; an empty text for an empty value."""
    return f"<{name}>\n{_json(value)}\n</{name}>" if value else ""


def rules(principles: Iterable[Principle]) -> str:
    """The block of principles that somebody is to hold to, or to judge by."""
    return block("principles", [{"id": principle.id, "text": principle.text} for principle in principles])


def lines(name: str, values: Iterable[Any]) -> str:
    """A block of one JSON value a line; it grows at its end alone."""
    return "\n".join((f"<{name}>", *map(_json, values), f"</{name}>"))


def _json(value: Any) -> str:
    try:
        text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:  # half a surrogate pair, or a number beyond 64 bits
        text = ENCODER.encode(value)
    return text.replace("</", "<\\/")


def blocks(text: str) -> dict[str, Any]:
    """Every block of a prompt by name. Of two blocks of one name the last counts."""
    return {name: _value(name, body) for name, body in BLOCK.findall(text)}


def _value(name: str, body: str) -> Any:
    if name in LINES:
        return [json.loads(line) for line in body.split("\n") if line]
    return json.loads(body)


def chat(system: str, history: Sequence[Mapping[str, Any]]) -> Chat:
    """A request's messages: the system prompt, and the history with somebody else's words first.

    Many chat templates want the first message to be a user's; a party that spoke first is told to begin."""
    began = bool(history) and history[0]["role"] == "user"
    opened = () if began else ({"role": "user", "content": BEGIN},)
    return ({"role": "system", "content": system}, *opened, *map(dict, history))
