"""What the fault server does wrong, how often, and how it draws: by seed, so that two runs meet the same faults.

A fault of the transport is drawn for each attempt, since a retry may go better. A fault of the reply is drawn for each
request, since a model that is asked the same with the same seed answers the same; so is a fault of the request itself,
which is as long the next time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

from tertulia.errors import SettingsError, did_you_mean

__all__ = ["REPLY", "REQUEST", "TRANSPORT", "Fault", "Faults"]


class Fault(StrEnum):
    """One way in which an endpoint or a model goes wrong."""

    SLOW = "slow"  # comes late, but comes
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    HANG = "hang"  # never answers
    RESET = "reset"  # drops the connection
    TRUNCATED_BODY = "truncated_body"  # breaks off before Content-Length is reached
    MALFORMED_JSON = "malformed_json"
    NOT_A_COMPLETION = "not_a_completion"  # JSON of another shape
    GARBAGE = "garbage"  # text that answers nothing
    WRONG_SCHEMA = "wrong_schema"
    JSON_IN_PROSE = "json_in_prose"
    EMPTY = "empty"
    LENGTH = "length"  # finish reason `length`
    REFUSAL = "refusal"
    UNKNOWN_TOOL = "unknown_tool"
    WRONG_ARGUMENTS = "wrong_arguments"
    SEVERAL_CALLS = "several_calls"
    CALL_AND_TEXT = "call_and_text"
    REASONING_LEAK = "reasoning_leak"
    RANDOM_BYTES = "random_bytes"
    RANDOM_JSON = "random_json"
    TOO_LONG = "too_long"  # 400: more than the model's context holds


TRANSPORT = tuple(Fault)[: tuple(Fault).index(Fault.GARBAGE)]
REPLY = tuple(Fault)[len(TRANSPORT) : tuple(Fault).index(Fault.TOO_LONG)]
REQUEST = tuple(Fault)[len(TRANSPORT) + len(REPLY) :]


@dataclass(frozen=True, slots=True)
class Faults:
    """The share of requests that meets each fault; 0 to 1, together at most 1."""

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if any(rate < 0 for rate in self.rates.values()) or sum(self.rates.values()) > 1 + 1e-9:
            raise SettingsError(f"rates of faults must lie between 0 and 1 together, got {dict(self.rates)!r}")

    @classmethod
    def mixed(cls, share: float, seed: int = 0, kinds: Iterable[Fault] = tuple(Fault)) -> "Faults":
        """All kinds alike, together this share."""
        chosen = tuple(kinds)
        return cls({kind: share / len(chosen) for kind in chosen}, seed)

    @classmethod
    def parsed(cls, texts: Iterable[str], seed: int = 0) -> "Faults":
        """From `0.2` (all kinds mixed) or `hang=0.05 empty=0.1` as a person types it.

        Raises:
            SettingsError: naming what is no fault or no share."""
        rates: dict[Fault, float] = {}
        for text in texts:
            name, equals, share = text.rpartition("=")
            if equals and name not in tuple(Fault):
                raise SettingsError(f"no fault is called {name!r}{did_you_mean(name, tuple(Fault))}")
            try:
                rate = float(share)
            except ValueError:
                raise SettingsError(f"a share of faults is a number such as 0.2, not {share!r}") from None
            kinds = (Fault(name),) if equals else tuple(Fault)
            rates |= {kind: rates.get(kind, 0.0) + rate / len(kinds) for kind in kinds}
        return cls(rates, seed)

    def drawn(self, key: str, attempt: int) -> Fault | None:
        """The fault that this attempt at this request meets, if any."""
        return self.pick(TRANSPORT, f"{key}/{attempt}") or self.pick(REPLY + REQUEST, key)

    def pick(self, kinds: Iterable[Fault], key: str) -> Fault | None:
        at = self.number(key)
        for kind in kinds:
            at -= self.rates.get(kind, 0.0)
            if at < 0:
                return kind
        return None

    def number(self, key: str) -> float:
        """A number from 0 to 1 that this seed and key always give."""
        return int.from_bytes(blake2b(f"{self.seed}/{key}".encode(), digest_size=8).digest()) / 2**64
