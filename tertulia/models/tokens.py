"""Counting tokens without a model and without the network."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tiktoken import get_encoding

__all__ = ["Counter", "counter", "rough"]

ENCODING = "o200k_base"
FILE = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"  # tiktoken's, named by its SHA-1
SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
PER_TOKEN = 4  # characters, about right for English

Counter = Callable[[str], int]


def rough(characters: int) -> int:
    """A token for every four characters."""
    return -(-characters // PER_TOKEN)


@cache
def counter() -> tuple[Counter, str]:
    """What counts tokens here, and a label that says how.

    tiktoken downloads an encoding that it does not have, so it is only asked for one whose file is in its cache, whole
    and unspoiled; otherwise the count is an estimate and its label says so."""
    if not in_cache():
        return (lambda text: rough(len(text))), f"estimated at {PER_TOKEN} characters a token"
    encoding = get_encoding(ENCODING)
    return (lambda text: len(encoding.encode_ordinary(text))), f"counted with {ENCODING}"


def in_cache() -> bool:
    """Whether tiktoken has the encoding's file, looked for where it looks."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False  # tiktoken keeps nothing, and would download
    path = Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache") / hashlib.sha1(FILE.encode()).hexdigest()
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    except OSError:
        return False
