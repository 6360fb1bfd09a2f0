"""HTTP to hosts that are named, and to no other: no private addresses, no redirects elsewhere, bounds in time and size.

An address is private when it is none of the public internet: loopback, link-local, RFC 1918 and the like. A name is
resolved once, and what it stands for is looked at before anything is sent, so that it cannot stand for something else
a moment later.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from tertulia.errors import ToolError
from tertulia.permissions import need_net
from tertulia.worlds.http_request import HttpRequest

__all__ = ["Answer", "Bounds", "Lost", "fetch", "host_of", "reachable", "session"]

MOST_REDIRECTS = 3
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a request may go, how long it may take, how much it may bring."""

    hosts: frozenset[str]
    private: frozenset[str] = frozenset()  # those of them that may be private: they were named for it
    seconds: float = 20.0
    size: int = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    text: str
    retry_after: str = ""


class Lost(ToolError):
    """Nobody answered, through no doing of the caller: `fault` says how."""

    def __init__(self, words: str, fault: str) -> None:
        self.fault = fault
        super().__init__(words)


class _Public(AbstractResolver):
    """Resolves names to public addresses, and those that may be private to any."""

    def __init__(self, private: Collection[str]) -> None:
        self.private, self.inner = private, ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self.inner.resolve(host, port, family)
        if host not in self.private:
            for one in found:
                refuse_private(host, one["host"])
        return found

    async def close(self) -> None:
        await self.inner.close()


def refuse_private(host: str, address: str) -> None:
    """Raises:
    OSError: for an address that is not of the public internet."""
    where = ip_address(address.partition("%")[0])
    mapped = getattr(where, "ipv4_mapped", None) or where
    if not mapped.is_global or mapped.is_multicast:
        raise OSError(f"{host} is at the private address {address}: to let it, name it in hosts")


def host_of(url: str) -> str:
    """The host of a URL in lower case; an empty text for none."""
    try:
        return (URL(url).host or "").lower()
    except ValueError:
        return ""


def session(bounds: Bounds) -> aiohttp.ClientSession:
    """A session that keeps to the bounds, with no cookies and no proxies."""
    connector = aiohttp.TCPConnector(resolver=_Public(bounds.private), ttl_dns_cache=60, limit=64)
    timeout = aiohttp.ClientTimeout(total=bounds.seconds)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def fetch(client: aiohttp.ClientSession, request: HttpRequest, bounds: Bounds) -> Answer:
    """What a host answers; redirects are followed where they stay with it.

    Raises:
        Lost: when it could not be asked, or gave no answer within the bounds."""
    need_net(f"{request.method} {host_of(request.url)}")
    url = _within(request.url, bounds)
    try:
        async with asyncio.timeout(bounds.seconds):
            for _ in range(MOST_REDIRECTS + 1):
                async with client.request(
                    request.method, url, headers=request.headers, data=request.body or None, allow_redirects=False
                ) as response:
                    if response.status not in (301, 302, 303, 307, 308) or "Location" not in response.headers:
                        return await _read(response, bounds)
                    url = _onward(url, response, request)
            raise Lost("The service redirects without end.", "server_error")
    except TimeoutError as error:
        raise Lost(f"The service did not answer within {bounds.seconds:g} seconds.", "timeout") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Lost(f"The service cannot be reached: {_told(error)}", "lost") from error


def _told(error: BaseException) -> str:
    """The reason that lies deepest, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:200] or type(error).__name__


def reachable(url: str, bounds: Bounds) -> None:
    """Whether a URL may be asked at all, for clients other than ours; its name is resolved once more by them.

    Raises:
        Lost: when it may not, or its host is not known."""
    host = _within(url, bounds).host or ""
    if host in bounds.private:
        return
    try:
        for one in socket.getaddrinfo(host, None):
            refuse_private(host, str(one[4][0]))
    except OSError as error:
        raise Lost(f"{host} cannot be reached: {error}", "lost") from error


def _within(text: str, bounds: Bounds) -> URL:
    """The URL, when its host is one that may be called."""
    try:
        url = URL(text, encoded=True)
    except ValueError as error:
        raise Lost(f"{text[:100]!r} is no URL: {error}", "lost") from error
    host = (url.host or "").lower()
    if url.scheme not in ("http", "https") or host not in bounds.hosts:
        raise Lost(f"{host or text[:100]!r} is not among the hosts that may be called", "lost")
    if host not in bounds.private:
        try:
            ip_address(host)
        except ValueError:
            return url
        refuse_literal(host)
    return url


def refuse_literal(host: str) -> None:
    try:
        refuse_private(host, host)
    except OSError as error:
        raise Lost(str(error), "lost") from error


def _onward(url: URL, response: aiohttp.ClientResponse, request: HttpRequest) -> URL:
    """Where a redirect leads."""
    new = url.join(URL(response.headers["Location"]))
    if new.origin() != url.origin():
        raise Lost(f"The service redirects to another host, {new.host!r}; that is not followed.", "server_error")
    if request.method not in ("GET", "HEAD") and response.status in (301, 302, 303):
        raise Lost("The service redirects a request that writes; that is not followed.", "server_error")
    return new


async def _read(response: aiohttp.ClientResponse, bounds: Bounds) -> Answer:
    """The answer, as far as it may be long."""
    parts, length = [], 0
    async for part in response.content.iter_chunked(CHUNK):
        parts.append(part)
        length += len(part)
        if length > bounds.size:
            raise Lost(f"The answer is larger than {bounds.size >> 10} KiB.", "server_error")
    try:
        text = b"".join(parts).decode(response.charset or "utf-8", "replace")
    except LookupError:
        text = b"".join(parts).decode("utf-8", "replace")
    return Answer(response.status, response.reason or "", text, response.headers.get("Retry-After", ""))
