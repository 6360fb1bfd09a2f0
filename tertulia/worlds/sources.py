"""The tools that a scenario's `world` points to, read once, when the file is: from then on the scenario holds them."""

from collections.abc import Sequence
from pathlib import Path

from tertulia.errors import ToolError, UserError, did_you_mean
from tertulia.permissions import need_net
from tertulia.scenario import ToolSchema, ToolSource
from tertulia.worlds.functions import tools_of_python
from tertulia.worlds.http_request import HttpRequest
from tertulia.worlds.mcp import tools_of_server
from tertulia.worlds.openapi_document import Api, api_of, read_api
from tertulia.worlds.safe_http import Answer, Bounds, fetch, host_of, session
from tertulia.worlds.secrets import named, secrets_of
from tertulia.worlds.waiting import waited

__all__ = ["document_at", "is_url", "tools_from"]

DOCUMENT = 16 << 20  # bytes


def is_url(text: str) -> bool:
    """Whether a document is named by its URL."""
    return text.startswith(("http://", "https://"))


def tools_from(source: ToolSource, folder: Path) -> tuple[ToolSchema, ...]:
    """The tools of a source; files are looked for in the scenario's folder.

    Raises:
        ScenarioError: with the faults of a document.
        UserError: when the source cannot be reached, or may not be."""
    if source.openapi:
        return chosen(api_named(source, folder).tools, source)
    if source.mcp:
        return chosen(tools_of_server(source), source)
    return chosen(tools_of_python(source), source) if source.python else ()


def api_named(source: ToolSource, folder: Path) -> Api:
    """The API of a document in the folder, or of one at a URL.

    Raises:
        ScenarioError: with the faults of the document.
        UserError: when it may not be fetched, or what it describes may not be called."""
    if is_url(source.openapi):
        api = api_of(document_at(source.openapi, source.hosts), source.openapi)
    else:
        api = read_api(folder / source.openapi)
    if source.answers == "http":
        server = source.server or next(iter(api.servers), "")
        where = host_of(server) or "their servers"
        need_net(f"the operations of {source.openapi} are called at {where}{named(source.auth.values())}")
        secrets_of(source.auth)
    return api


def document_at(url: str, private: Sequence[str] = ()) -> str:
    """The text at a URL. `private` are hosts that may be private.

    Raises:
        UserError: when it may not be fetched, or there is none."""
    need_net(f"the document is fetched from {host_of(url)}")
    bounds = Bounds(frozenset({host_of(url)}), frozenset(host.lower() for host in private), size=DOCUMENT)
    try:
        answer = waited(_fetched(url, bounds))
    except ToolError as error:
        raise UserError(f"{url} cannot be fetched: {error}") from error
    if answer.status >= 300:
        raise UserError(f"{url} cannot be fetched: {answer.status} {answer.reason}")
    return answer.text


async def _fetched(url: str, bounds: Bounds) -> Answer:
    async with session(bounds) as client:
        return await fetch(client, HttpRequest("GET", url), bounds)


def chosen(tools: Sequence[ToolSchema], source: ToolSource) -> tuple[ToolSchema, ...]:
    """The tools that the source lets through.

    Raises:
        UserError: for one that is not there."""
    known = {tool.name: tool for tool in tools}
    for name in source.operations:
        if name not in known:
            raise UserError(f"there is no operation {name!r}{did_you_mean(name, known)}")
    return tuple(known[name] for name in source.operations) if source.operations else tuple(tools)
