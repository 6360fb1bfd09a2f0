"""What the fault server answers to each request, and the count it keeps of them."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from time import monotonic
from typing import Any

from tertulia.models.records import Reply
from tertulia.testing.bodies import completion, spoiled, tokens
from tertulia.testing.faults import Fault, Faults
from tertulia.testing.measured import embedding, scored_completion
from tertulia.testing.prefixes import PrefixCache, prompt_text
from tertulia.testing.wire import Answer, Crowd, Heard

__all__ = ["Endpoint", "Player", "Tally", "body_key"]

MODEL = "tertulia-rules"
Player = Callable[[Mapping[str, Any]], Reply]


def body_key(body: bytes) -> str:
    """The hash under which a request is counted; the id of its completion is this hash too."""
    return blake2b(body, digest_size=10).hexdigest()


@dataclass(slots=True)
class Tally:
    """What happened so far."""

    asked: Counter[str] = field(default_factory=Counter)  # by body: every attempt
    answered: Counter[str] = field(default_factory=Counter)  # by body: whole completions that were sent
    faults: Counter[str] = field(default_factory=Counter)  # by fault
    turned_away: int = 0  # 429 because too many asked at once
    first: float = 0.0  # when the first request came, by the monotonic clock
    last: float = 0.0  # when the last of the whole completions was due
    tokens_in: int = 0
    tokens_out: int = 0
    cached_in: int = 0


class Endpoint:
    """Chat completions by a player, and what `tertulia.testing.measured` measures, with faults in between."""

    def __init__(
        self,
        player: Player,
        faults: Faults,
        *,
        latency: float = 0.0,
        slow: float = 1.0,
        at_once: int = 0,
        retry_after: float = 0.05,
        key: str = "",
        caching: bool = True,
        prompt_logprobs: bool = True,
    ) -> None:
        self.player, self.faults, self.key = player, faults, key
        self.latency, self.slow, self.at_once, self.retry_after = latency, slow, at_once, retry_after
        self.tally, self.crowd = Tally(), Crowd()
        self.cache = PrefixCache() if caching else None
        self.prompt_logprobs = prompt_logprobs

    def answer(self, heard: Heard) -> Answer:
        """What is sent back."""
        match heard.method, heard.path.partition("?")[0].rstrip("/"):
            case "POST", "/v1/chat/completions":
                return self.served(heard, "messages", list, self.whole)
            case "POST", "/v1/completions":
                return self.served(heard, "prompt", str, self.scored)
            case "POST", "/v1/embeddings":
                return self.served(heard, "input", str, self.embedded)
            case "GET", "/v1/models":
                return sent({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "tertulia"}]})
            case "GET", "/counts":
                return sent(self.counts())
        return failed(404, f"{heard.method} {heard.path} is not served here")

    def counts(self) -> dict[str, Any]:
        """The tally as JSON."""
        tally, crowd = self.tally, self.crowd
        return {
            "requests": tally.asked.total(),
            "turned_away": tally.turned_away,
            "seconds": tally.last - tally.first,  # from the first request to the last completion
            "busy": crowd.busy,
            "busiest": crowd.busiest,
            "connections": len(crowd.there),
            "tokens": {"in": tally.tokens_in, "out": tally.tokens_out, "cached": tally.cached_in},
            "faults": dict(tally.faults),
            "asked": dict(tally.asked),
            "answered": dict(tally.answered),
        }

    def served(self, heard: Heard, field: str, kind: type, good: Callable[..., Answer]) -> Answer:
        """A good answer, or the fault that this attempt meets."""
        if self.key and heard.headers.get("authorization") != f"Bearer {self.key}":
            return failed(401, "this key is not known here")
        try:
            asked = json.loads(heard.body)
            said = asked[field]
        except (ValueError, TypeError, KeyError):
            return failed(400, f"the body is no request with `{field}`")
        if not isinstance(said, kind) or not said:
            return failed(400, f"`{field}` is empty")
        key = body_key(heard.body)
        self.tally.asked[key] += 1
        self.tally.first = self.tally.first or monotonic()
        if self.at_once and self.crowd.busy > self.at_once:
            self.tally.turned_away += 1
            return self.too_many()
        fault = self.faults.drawn(key, self.tally.asked[key])
        if fault is not None:
            self.tally.faults[fault] += 1
        return self.broken(fault) or good(asked, key, fault)

    def broken(self, fault: Fault | None) -> Answer | None:
        """An answer that holds no completion at all."""
        match fault:
            case Fault.RATE_LIMITED:
                return self.too_many()
            case Fault.SERVER_ERROR:
                return failed(500, "something broke", after=self.latency)
            case Fault.UNAVAILABLE:
                return failed(503, "overloaded", after=self.latency)
            case Fault.HANG:
                return Answer(never=True)
            case Fault.RESET:
                return Answer(reset=True, after=self.latency)
            case Fault.NOT_A_COMPLETION:
                return sent({"object": "list", "data": []}, after=self.latency)
            case Fault.TOO_LONG:
                return failed(400, "the prompt exceeds the maximum context length", code="context_length_exceeded")
        return None

    def whole(self, asked: Mapping[str, Any], key: str, fault: Fault | None) -> Answer:
        """A completion, good, late, spoiled or broken off."""
        prompt = prompt_text(asked)
        reply = self.player(asked)
        if fault in tuple(Fault) and fault is not Fault.SLOW and fault not in BROKEN_OFF:
            reply = spoiled(fault, reply, asked, Random(f"{self.faults.seed}/{key}"))
        cached = tokens(self.cache.shared(prompt)) if self.cache else 0
        model = str(asked.get("model") or MODEL)
        made = completion(reply, key=key, model=model, tokens_in=tokens(len(prompt)), cached=cached)
        return self.delivered(made, key, fault, cached)

    def scored(self, asked: Mapping[str, Any], key: str, fault: Fault | None) -> Answer:
        """A text with the log probability of each of its tokens, where it asks for that and this endpoint tells it."""
        model = str(asked.get("model") or MODEL)
        return self.delivered(scored_completion(asked, key=key, model=model, told=self.prompt_logprobs), key, fault)

    def embedded(self, asked: Mapping[str, Any], key: str, fault: Fault | None) -> Answer:
        """The embedding of a text."""
        return self.delivered(embedding(asked["input"], str(asked.get("model") or MODEL)), key, fault)

    def delivered(self, made: Mapping[str, Any], key: str, fault: Fault | None, cached: int = 0) -> Answer:
        """A good answer on its way, which may be slow or broken off."""
        body = json.dumps(made).encode()
        after = self.latency + (self.slow if fault is Fault.SLOW else 0.0)
        if fault is Fault.TRUNCATED_BODY:
            return Answer(body, cut=len(body) // 2, after=after)
        if fault is Fault.MALFORMED_JSON:
            return Answer(body[: len(body) // 2] + b"}}", after=after)
        self.tally.answered[key] += 1
        self.tally.last = monotonic() + after
        self.tally.tokens_in += made["usage"]["prompt_tokens"]
        self.tally.tokens_out += made["usage"].get("completion_tokens", 0)
        self.tally.cached_in += cached
        return Answer(body, after=after)

    def too_many(self) -> Answer:
        """429, with the time after which to try again."""
        return failed(429, "too many requests", headers={"Retry-After": f"{self.retry_after:g}"})


BROKEN_OFF = (Fault.TRUNCATED_BODY, Fault.MALFORMED_JSON)


def sent(value: Any, after: float = 0.0) -> Answer:
    return Answer(json.dumps(value).encode(), after=after)


def failed(
    status: int, why: str, headers: dict[str, str] | None = None, after: float = 0.0, code: str | None = None
) -> Answer:
    """An error in OpenAI's shape."""
    body = json.dumps({"error": {"message": why, "type": "error", "code": code or status}}).encode()
    return Answer(body, status, headers or {}, after=after)
