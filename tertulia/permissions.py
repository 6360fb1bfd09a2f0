"""What a scenario file may make this process do: run code, reach the network. Nothing of it, unless it is allowed.

The word is given once, by whoever runs the command, and holds for everything below it: `with allowing(code=True)`.
Worlds that go by name are installed code, and need none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tertulia.errors import UserError

__all__ = ["Allowed", "allowed", "allowing", "need_code", "need_net"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed."""

    code: bool = False
    net: bool = False


NOTHING = Allowed()
_now: ContextVar[Allowed] = ContextVar("tertulia_allowed", default=NOTHING)


def allowed() -> Allowed:
    """What is allowed here."""
    return _now.get()


@contextmanager
def allowing(*, code: bool = False, net: bool = False) -> Iterator[None]:
    """Allow this, besides what is allowed already."""
    before = _now.get()
    token = _now.set(Allowed(before.code or code, before.net or net))
    try:
        yield
    finally:
        _now.reset(token)


def need_code(what: str) -> None:
    """Raises:
    UserError: unless code may be run; `what` says what would be."""
    if not _now.get().code:
        raise UserError(f"{what}: to let it, give --allow-code")


def need_net(what: str) -> None:
    """Raises:
    UserError: unless the network may be reached; `what` says what for."""
    if not _now.get().net:
        raise UserError(f"{what}: to let it, give --allow-net")
