"""Chats through a chat template of `transformers`: it renders, and the mask lands on what the assistant says alone.

Without a tokenizer of yours, one is made on the spot: a token for each byte, and a ChatML template with tools. A
template that has no generation marks (`{% generation %}`) gives no mask, so that part is left out and said so.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from tertulia.errors import UserError
from tertulia.verifying.chats import parsed_tools

__all__ = ["MARKS", "Template", "own_tokenizer"]

MARKS = ("{% generation %}", "{%- generation %}", "{%- generation -%}", "{% generation -%}")
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|pad|>"]
LONG = 24  # characters from which on another's text in what the assistant says is no chance


def own_tokenizer() -> Any:
    """A tokenizer with a token for each byte, made without any file but the template.

    Raises:
        UserError: if transformers is not installed."""
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415 - an extra
        from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("a chat template needs transformers and jinja2: pip install 'tertulia[train]'") from None
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token=SPECIAL[1], pad_token=SPECIAL[2])
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL[:1]})
    tokenizer.chat_template = (files("tertulia.verifying") / "chat.jinja").read_text(encoding="utf-8")
    return tokenizer


def tokenizer_at(folder: str) -> Any:
    """The tokenizer in a folder of this machine; nothing is fetched.

    Raises:
        UserError: if there is none, or it has no chat template."""
    if not folder:
        return own_tokenizer()
    if not Path(folder).is_dir():
        raise UserError(f"--tokenizer {folder!r}: no such folder")
    try:
        from transformers import AutoTokenizer  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("--tokenizer needs transformers: pip install 'tertulia[train]'") from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UserError(f"--tokenizer {folder!r}: {str(error).splitlines()[0]}") from None
    if not tokenizer.chat_template:
        raise UserError(f"--tokenizer {folder!r}: it has no chat template")
    return tokenizer


class Template:
    """A tokenizer's chat template, and what is wrong with chats that go through it."""

    def __init__(self, folder: str = "") -> None:
        self.tokenizer = tokenizer_at(folder)
        self.marked = any(mark in self.tokenizer.chat_template for mark in MARKS)

    def faults(self, row: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the chats of a row of TRL's shapes."""
        tools, _ = parsed_tools(row.get("tools"))
        if "messages" in row:
            yield from self.rendered(row["messages"], tools, masked=True)
            return
        prompt = row.get("prompt", [])
        for side in ("chosen", "rejected", "completion"):
            if side in row:
                yield from (f"{side}: {fault}" for fault in self.answered(prompt, row[side], tools))

    def answered(self, prompt: Sequence[Any], answer: Sequence[Any], tools: Sequence[Any]) -> Iterator[str]:
        """What is wrong with a prompt and its answer: the rendered prompt must begin the rendered whole."""
        whole = [*prompt, *answer]
        wrong = list(self.rendered(whole, tools, masked=False))
        yield from wrong
        if prompt and not wrong:
            before = self.text(prompt, tools, add_generation_prompt=True)
            if not self.text(whole, tools).startswith(before):
                yield "the rendered prompt does not begin the rendered conversation"

    def rendered(self, chat: Sequence[Any], tools: Sequence[Any], *, masked: bool) -> Iterator[str]:
        from jinja2 import TemplateError  # noqa: PLC0415 - an extra

        try:
            text = self.text(chat, tools)
        except (TemplateError, TypeError, ValueError) as error:
            yield f"the chat template fails: {type(error).__name__}: {' '.join(str(error).split())[:120]}"
            return
        missing = [m for m in chat if m["role"] != "system" and m["content"].strip() not in text]
        if missing:
            yield f"the template drops what {missing[0]['role']} says: {missing[0]['content'][:40]!r}"
        lacking = [t for t in tools if t["function"]["name"] not in text]
        if lacking:
            yield f"the template does not show the tool {lacking[0]['function']['name']!r}"
        if masked and self.marked:
            yield from self.mask_faults(chat, tools)

    def text(self, chat: Sequence[Any], tools: Sequence[Any], **more: Any) -> str:
        return str(self.tokenizer.apply_chat_template(list(chat), tools=list(tools) or None, tokenize=False, **more))

    def mask_faults(self, chat: Sequence[Any], tools: Sequence[Any]) -> Iterator[str]:
        """Where the loss would fall on anything else than what the assistant says and calls."""
        made = self.tokenizer.apply_chat_template(
            list(chat),
            tools=list(tools) or None,
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        pairs = zip(made["input_ids"], made["assistant_masks"], strict=True)
        spans = [
            self.tokenizer.decode([token for token, _ in group])
            for bears, group in groupby(pairs, lambda p: p[1])
            if bears
        ]
        own = [message for message in chat if message["role"] == "assistant"]
        if len(spans) != len(own):
            yield f"the mask has {len(spans)} stretches for {len(own)} messages of the assistant"
            return
        for span, message in zip(spans, own, strict=True):
            names = [call["function"]["name"] for call in message.get("tool_calls", ())]
            if not all(part in span for part in (message["content"].strip(), *names)):
                yield f"the mask misses a part of what the assistant says: {message['content'][:40]!r}"
        learnt = "\n".join(spans)
        said = "\n".join(message["content"] for message in own)
        for message in chat:
            text = message["content"].strip()
            if message["role"] != "assistant" and len(text) >= LONG and text in learnt and text not in said:
                yield f"the mask lands on what {message['role']} says: {text[:40]!r}"
