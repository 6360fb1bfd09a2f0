"""The words of a user, made of instructions that speak to it: `You want your money back` -> `I want my money back`."""

import re

__all__ = ["OPENS_WITH", "facts_of", "first_person", "opening_of"]

OPENS_WITH = "Open the conversation with exactly these words: "
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
FACT = re.compile(r"- (?P<key>[^:\n]+): (?P<value>.*)")
BEFORE_ME = (
    "to|for|with|from|of|at|by|about|on|give|gives|gave|tell|tells|told|help|helps|send|sends|sent|charge|charged|"
    "refund|refunds|let|lets|show|shows|allow|allows|ask|asks|offer|offers|cost|costs|remind|reminds|inform|informs"
)
TURNED = (
    (r"you are", "I am"),
    (r"you're", "I'm"),
    (r"you were", "I was"),
    (r"are you", "am I"),
    (r"yourself", "myself"),
    (r"yours", "mine"),
    (r"your", "my"),
    (rf"(?P<before>{BEFORE_ME}) you", r"\g<before> me"),
    (r"you", "I"),
)


def first_person(text: str) -> str:
    """A text that speaks to its reader, as that reader would say it, by rules of thumb: facts come before grammar."""
    for pattern, said in TURNED:
        text = re.sub(rf"\b(?i:{pattern})\b", said, text)
    text = re.sub(r"(?:^|(?<=[.!?]\s))my\b", "My", text)
    return re.sub(r"(?:^|(?<=[.!?]\s))mine\b", "Mine", text)


def opening_of(reason: str, instructions: str) -> str:
    """The fixed first message: the words that the instructions give, else the first sentence of the reason, turned to
    the first person."""
    for line in instructions.splitlines():
        if line.startswith(OPENS_WITH):
            return line.removeprefix(OPENS_WITH)
    sentences = SENTENCE.split(" ".join(reason.split()))
    return first_person(sentences[0]) if sentences[0] else "Hello, I need some help."


def facts_of(text: str) -> dict[str, str]:
    """The facts of a text that lists them as `- name: value`, all of its lines; else none."""
    found = [FACT.fullmatch(line) for line in text.splitlines()]
    return {m["key"]: m["value"] for m in found if m} if all(found) else {}
