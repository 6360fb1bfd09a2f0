"""The words of a conversation that are compared with others."""

import json
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from tertulia.language.wording import words
from tertulia.records import Conversation

__all__ = ["digest", "hashed", "texts_of", "words_of"]


def texts_of(talk: Conversation, of: str) -> Iterator[str]:
    """The texts of the accepted path: all, spoken, user, assistant or opening (see `criteria.Of`)."""
    for turn in talk.turns:
        if not turn.drafts:
            continue
        message = turn.message
        role = talk.roles.get(turn.speaker, message.role)
        if of in ("all", "spoken") or of == role or (of == "opening" and role == "user"):
            yield message.text
        if of == "opening" and role == "user":
            return
        if of == "all":
            yield from (
                f"{call.name} {json.dumps(call.args, ensure_ascii=False, default=str)}" for call in message.calls
            )
            yield from (result.text for result in turn.results)


def words_of(talk: Conversation, of: str) -> list[str]:
    """Their words in lower case, in order, without punctuation."""
    return [word for text in texts_of(talk, of) for word in words(text)]


def digest(said: list[str]) -> bytes:
    """Sixteen bytes for a sequence of words."""
    return blake2b("\x1f".join(said).encode("utf-8", "backslashreplace"), digest_size=16).digest()


@lru_cache(maxsize=65_536)
def hashed(word: str) -> int:
    """A number of 32 bits for a word, the same on every machine."""
    return crc32(word.encode("utf-8", "backslashreplace"))
