"""One address of an OpenAI-compatible service: bytes out, bytes in, and what went wrong as typed errors.

All addresses share one HTTP session in each event loop. It is lean: no cookie jar, no limit of connections, no timers
but the caller's deadline. It closes by itself when its loop shuts down.
"""

import math
import os
from asyncio import AbstractEventLoop, get_running_loop, timeout
from collections.abc import AsyncGenerator, Mapping, Set
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from tertulia.errors import SettingsError
from tertulia.models.completions import RAW
from tertulia.models.records import CallFailed, Trouble

__all__ = ["OPENAI", "Endpoint", "key_in"]

OPENAI = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
IDLE = 4.0  # seconds a connection is kept: uvicorn, under vLLM and others, drops its idle ones after 5
LARGE = 2**20  # bytes; aiohttp warns of a larger body that is not a stream
HIDDEN = b"[key]"
SECRET = 12  # characters that a key has at least; endpoints without one are given `EMPTY`, `none` or `x`
MENDS_ITSELF = {408: Trouble.TIMEOUT, 409: Trouble.SERVER_ERROR, 425: Trouble.SERVER_ERROR, 429: Trouble.RATE_LIMITED}
UNPAID = {"insufficient_quota", "billing_hard_limit_reached"}  # 429s that waiting does not mend
TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length", "context window")
FILTERED = {"content_filter", "content_policy_violation"}

sessions: dict[AbstractEventLoop, aiohttp.ClientSession] = {}
keepers: dict[AbstractEventLoop, AsyncGenerator[aiohttp.ClientSession, None]] = {}


async def opened() -> aiohttp.ClientSession:
    """A session for the running loop; those of loops that are gone are forgotten."""
    for loop in [known for known in sessions if known.is_closed()]:
        del sessions[loop], keepers[loop]
    loop = get_running_loop()
    keepers[loop] = kept()
    sessions[loop] = await anext(keepers[loop])
    return sessions[loop]


async def kept() -> AsyncGenerator[aiohttp.ClientSession, None]:
    """A session that lives as long as this generator: a loop that shuts down closes its generators."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ttl_dns_cache=300)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None)
    ) as session:
        yield session


class Endpoint:
    """Posts chat completions to one base URL. The API key is sent as a header and kept nowhere else.

    Raises:
        SettingsError: if the key's variable is asked for and not set, or OpenAI itself is asked without a key."""

    def __init__(self, base_url: str = OPENAI, key_env: str = "") -> None:
        self.base = base_url.rstrip("/").removesuffix("/chat/completions")
        self.url = URL(f"{self.base}/chat/completions")
        key = key_in(key_env, needed=bool(key_env) or base_url == OPENAI)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "tertulia"}
        self.headers = CIMultiDict({**headers, "Authorization": f"Bearer {key}"} if key else headers)
        self.hide = sorted({key.encode(), key.replace("/", r"\/").encode()}) if len(key) >= SECRET else []
        self.proxy = proxy_of(self.url)

    def __repr__(self) -> str:
        return f"Endpoint({str(self.url)!r})"

    async def post(self, body: bytes, deadline: float, to: str = "") -> bytes:
        """The body of a good answer; keys in it are blotted out. `to` is another path than that of chat completions.

        Raises:
            CallFailed: for any other answer, and for none within `deadline` seconds."""
        http = sessions.get(get_running_loop()) or await opened()
        data = body if len(body) < LARGE else BytesIO(body)
        url = URL(f"{self.base}/{to}") if to else self.url
        try:
            async with timeout(deadline):
                answer = await http.post(url, data=data, headers=self.headers, allow_redirects=False, proxy=self.proxy)
                content = await answer.read()
        except TimeoutError:
            raise CallFailed(Trouble.TIMEOUT, f"no answer from {self.url.host} in {deadline:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self.broken(error) from error
        for secret in self.hide:
            if secret in content:
                content = content.replace(secret, HIDDEN)
        if answer.status != 200:
            raise refused(answer.status, answer.headers, content, url)
        return content

    def broken(self, error: Exception) -> CallFailed:
        """What kept an answer from coming whole."""
        at = f"{self.url.host}:{self.url.port}"
        if isinstance(error, aiohttp.ClientSSLError):
            return CallFailed(Trouble.DENIED, f"{at} cannot be trusted: {error}")
        if isinstance(error, aiohttp.ClientPayloadError) and not isinstance(error.__cause__, OSError):
            return CallFailed(Trouble.MALFORMED, f"the answer of {at} broke off")
        if isinstance(error, aiohttp.ClientResponseError):
            return CallFailed(Trouble.MALFORMED, f"the answer of {at} is not HTTP")
        if isinstance(error, aiohttp.ClientConnectorError):
            return CallFailed(Trouble.CONNECTION, f"nobody answers at {at}: {reason(error.os_error)}")
        return CallFailed(Trouble.CONNECTION, f"{at}: {str(error) or type(error).__name__}")


def reason(error: OSError) -> str:
    """Why no connection came about, in the system's words."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)  # below 0: it is the resolver's


def key_in(name: str, needed: bool) -> str:
    """The API key in an environment variable; without a name, OpenAI's usual one.

    Raises:
        SettingsError: if it is needed and missing, or cannot be sent as a header."""
    name = name or OPENAI_KEY
    key = os.environ.get(name, "").strip()
    if needed and not key:
        raise SettingsError(f"the model needs an API key: set the environment variable {name}")
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(f"the API key in {name} has characters that no key has")
    return key


def proxy_of(url: URL) -> str | None:
    """The proxy that the environment names for this address."""
    if not url.host or proxy_bypass(url.host):
        return None
    return getproxies().get(url.scheme)


# --- answers other than 200 --------------------------------------------------------------------------------------


def refused(status: int, headers: Mapping[str, str], content: bytes, url: URL) -> CallFailed:
    """An answer with an error status, as its cause."""
    codes, said = told(content)
    detail = f"status {status}: {said}" if said else f"status {status}"
    if status == 404 and url.name == "completions" and "v1" not in url.parts:
        detail += f" (base URLs mostly end in /v1; asked was {url})"
    raw = content[:RAW].decode("utf-8", "replace")
    return CallFailed(cause(status, codes, said), detail, raw, status, retry_after(headers))


def cause(status: int, codes: Set[str], said: str) -> Trouble:
    """Which trouble a status, with the codes and the words of its body, is."""
    if codes & UNPAID:
        return Trouble.DENIED
    if status in MENDS_ITSELF:
        return MENDS_ITSELF[status]
    if status >= 500:
        return Trouble.SERVER_ERROR
    if codes & FILTERED:
        return Trouble.REFUSED
    if status in (400, 413, 422) and any(sign in f"{codes} {said}".lower() for sign in TOO_LONG):
        return Trouble.TOO_LONG
    return Trouble.DENIED


def told(content: bytes) -> tuple[Set[str], str]:
    """The codes and the first 300 characters of the message of an error's body, in the shapes that are in use."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return set(), " ".join(content[:300].decode("utf-8", "replace").split())
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return set(), str(error)[:300]
    codes = {error[name] for name in ("code", "type") if isinstance(error.get(name), str)}
    said = error.get("message") or error.get("detail") or ""
    return codes, " ".join(str(said)[:300].split())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the endpoint asks to wait, given as milliseconds, as seconds or as a date (RFC 9110, 10.2.3)."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    then = date(headers.get("retry-after", ""))
    if then is None:
        return None
    now = date(headers.get("date", "")) or datetime.now(UTC)  # the endpoint's clock, if it tells it
    return max(0.0, (then - now).total_seconds())


def date(text: str) -> datetime | None:
    """An HTTP date."""
    try:
        read = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
