"""A call as the HTTP request that its operation stands for: each argument in its place, written in its style.

https://spec.openapis.org/oas/v3.1.1.html#style-values
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from tertulia.errors import ToolError
from tertulia.scenario import Credential, Operation, Place

__all__ = ["HttpRequest", "request_of"]

FORM = "application/x-www-form-urlencoded"
SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|", "": ","}


@dataclass
class HttpRequest:
    """What is sent."""

    method: str
    url: str  # already in percent-encoding
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def request_of(operation: Operation, server: str, args: Mapping[str, Any], secrets: Mapping[str, str]) -> HttpRequest:
    """The request of a call. `secrets` are values by the names of security schemes, and of headers.

    Raises:
        ToolError: for an argument that cannot be sent."""
    parts = _Parts(operation.path)
    for name, value in args.items():
        for place in operation.places.get(name, ()):
            parts.put(place, value)
    schemes = {credential.scheme for credential in operation.credentials}
    for credential in operation.credentials:
        if secret := secrets.get(credential.scheme):
            parts.show(credential, secret)
    parts.headers |= {name: header(name, secret) for name, secret in secrets.items() if name not in schemes}
    content = parts.content(operation.media) if operation.media else b""
    return HttpRequest(operation.method.upper(), server.rstrip("/") + parts.target, parts.sent_headers, content)


class _Parts:
    """The parts of a request as they are filled."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.query: list[tuple[str, str]] = []
        self.headers = {"Accept": "application/json, */*;q=0.1"}
        self.cookies: list[str] = []
        self.body: dict[str, Any] = {}
        self.whole: Any = None  # the body, when one argument is all of it

    def put(self, place: Place, value: Any) -> None:
        """Write an argument where it goes."""
        if place.at == "path":
            self.path = self.path.replace(f"{{{place.name}}}", in_path(place, value))
        elif place.at == "query":
            self.query += in_query(place, value)
        elif place.at == "header":
            self.headers[place.name] = header(place.name, joined(place, value))
        elif place.at == "cookie":
            self.cookies.append(f"{place.name}={quote(joined(place, value), safe='')}")
        elif place.name:
            self.body[place.name] = value
        else:
            self.whole = value

    def show(self, credential: Credential, secret: str) -> None:
        """Write a secret where it goes."""
        if credential.at == "query":
            self.query.append((credential.name, secret))
        elif credential.at == "cookie":
            self.cookies.append(f"{credential.name}={quote(secret, safe='')}")
        else:
            self.headers[credential.name] = header(credential.name, shown(credential.prefix, secret))

    def content(self, media: str) -> bytes:
        """The body in its media type; none where no argument is of it."""
        sent = self.body if self.whole is None else self.whole
        if not sent and self.whole is None:
            return b""
        self.headers["Content-Type"] = FORM if "multipart" in media else media
        return written(self.headers["Content-Type"], sent)

    @property
    def target(self) -> str:
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    @property
    def sent_headers(self) -> dict[str, str]:
        return self.headers | ({"Cookie": "; ".join(self.cookies)} if self.cookies else {})


def shown(prefix: str, secret: str) -> str:
    """A credential as its header says it; a user and password for `Basic` are encoded."""
    if prefix == "Basic " and ":" in secret:
        secret = base64.b64encode(secret.encode()).decode()
    return prefix + secret


def header(name: str, value: str) -> str:
    if any(letter in name + value for letter in "\r\n\0"):
        raise ToolError(f"{name!r} may hold no line break.")
    return value


def in_path(place: Place, value: Any) -> str:
    """A value as one segment of a path."""
    text = joined(place, value)
    if text in ("", ".", ".."):
        raise ToolError(f"{text!r} is no value for {place.name!r}.")
    return quote(text, safe="")


def in_query(place: Place, value: Any) -> Iterator[tuple[str, str]]:
    """The pairs of one query parameter."""
    explode = place.explode if place.explode is not None else place.style in ("", "form", "deepObject")
    if isinstance(value, Mapping) and place.style == "deepObject":
        yield from ((f"{place.name}[{key}]", plain(one)) for key, one in value.items())
    elif isinstance(value, Mapping) and explode:
        yield from ((key, plain(one)) for key, one in value.items())
    elif isinstance(value, list) and explode:
        yield from ((place.name, plain(one)) for one in value)
    else:
        yield place.name, joined(place, value)


def joined(place: Place, value: Any) -> str:
    """A value as one text."""
    if isinstance(value, Mapping):
        pairs = [(key, plain(one)) for key, one in value.items()]
        return ",".join(f"{key}={one}" if place.explode else f"{key},{one}" for key, one in pairs)
    if isinstance(value, list):
        return SEPARATORS.get(place.style, ",").join(map(plain, value))
    return plain(value)


def plain(value: Any) -> str:
    """A value as the text that stands for it in a URL."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def written(media: str, value: Any) -> bytes:
    """A body in its media type."""
    if media == FORM and isinstance(value, Mapping):
        return urlencode([(key, plain(one)) for key, one in value.items()]).encode()
    return value.encode() if isinstance(value, str) and "json" not in media else json.dumps(value).encode()
