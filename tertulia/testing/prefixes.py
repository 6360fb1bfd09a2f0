"""What a prefix cache would have held of a prompt: blocks of text, reused as long as all before them matched."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

__all__ = ["PrefixCache", "prompt_text"]

BLOCK = 64  # characters; serving engines keep blocks of about 16 tokens


def prompt_text(asked: Mapping[str, Any]) -> str:
    """A request as one text in the order in which chat templates lay it out: tools, then the messages."""
    tools = json.dumps(asked.get("tools") or [], ensure_ascii=False)
    return tools + "".join(json.dumps(message, ensure_ascii=False) for message in asked.get("messages") or ())


class PrefixCache:
    """The blocks seen last; the oldest are forgotten."""

    def __init__(self, most: int = 500_000) -> None:
        self.most = most
        self.blocks: OrderedDict[int, None] = OrderedDict()

    def shared(self, prompt: str) -> int:
        """How many characters at the start of this prompt are cached already; the whole of it is from now on."""
        known, chain, matching = 0, 0, True
        for start in range(0, len(prompt) - BLOCK + 1, BLOCK):
            chain = hash((chain, prompt[start : start + BLOCK]))
            matching = matching and chain in self.blocks
            known += BLOCK * matching
            self.blocks[chain] = None
            self.blocks.move_to_end(chain)
        while len(self.blocks) > self.most:
            self.blocks.popitem(last=False)
        return known
