"""Worlds of MCP servers: each conversation has a session of its own, and a command a process of its own with it.

What a server keeps for a conversation is then nobody else's, and a server that dies takes one conversation's calls
with it and no more: they give an error with the fault `lost`, which is not the caller's, until the conversation ends.
It is not started anew in the middle: another one would know nothing of what was said to the first.
"""

import json
import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from tertulia.errors import ToolError, UserError
from tertulia.permissions import need_code, need_net
from tertulia.scenario import McpServer, Scenario, ToolSchema, ToolSource
from tertulia.world import Outcome, as_text, failed, refusal
from tertulia.worlds.mcp_session import Gone, Session
from tertulia.worlds.openapi_parts import valid_name
from tertulia.worlds.resources import reads_by_name
from tertulia.worlds.safe_http import Bounds, Lost, host_of, reachable
from tertulia.worlds.schema import SchemaWorld
from tertulia.worlds.secrets import named, redacted, secrets_of
from tertulia.worlds.waiting import arrives, waited

__all__ = ["LiveMcp", "McpWorld", "tools_of_server"]

MOST_TEXT = 1 << 20  # characters of an answer


def permitted(server: McpServer, hosts: Sequence[str]) -> None:
    """Raises:
    UserError: unless the command may be run, or the server may be reached."""
    if server.command:
        need_code(f"the world runs the command {' '.join(server.command)!r}{named(server.env)}")
        return
    told = f"the world asks the MCP server at {host_of(server.url) or repr(server.url)}"
    need_net(told + named(server.headers.values()))
    secrets_of(server.headers)
    bounds = Bounds(frozenset({host_of(server.url)}), frozenset(host.lower() for host in hosts))
    try:
        reachable(server.url, bounds)
    except Lost as lost:
        raise UserError(str(lost)) from lost


def tools_of_server(source: ToolSource) -> tuple[ToolSchema, ...]:
    """The tools that a server offers.

    Raises:
        UserError: when it may not be asked, or does not answer."""
    assert source.mcp
    permitted(source.mcp, source.hosts)
    try:
        return tuple(tool_schema(tool) for tool in waited(_listed(source)))
    except ToolError as error:
        raise UserError(f"the MCP server gives no tools: {error}") from error


async def _listed(source: ToolSource) -> list[Any]:
    assert source.mcp
    session = Session(source.mcp, source.timeout)
    try:
        return await session.tools()
    finally:
        await session.end()


def tool_schema(tool: Any) -> ToolSchema:
    """A tool of the SDK as one of ours. What its annotations do not say is told from the verb of its name."""
    hint = tool.annotations.read_only_hint if tool.annotations else None
    reads = reads_by_name(tool.name) if hint is None else hint
    parameters = {key: value for key, value in tool.input_schema.items() if key not in ("title", "$schema")}
    output = {key: value for key, value in (tool.output_schema or {}).items() if key not in ("title", "$schema")}
    described = " ".join((tool.description or tool.title or "").split())
    return ToolSchema(
        name=valid_name(tool.name), description=described, parameters=parameters, output=output, writes=not reads
    )


@dataclass(frozen=True)
class McpWorld(SchemaWorld):
    """The tools of one server."""

    source: ToolSource = field(default_factory=ToolSource)

    def open(self, scenario: Scenario) -> "LiveMcp":  # type: ignore[override]  # each conversation has its own
        assert self.source.mcp
        permitted(self.source.mcp, self.source.hosts)
        return LiveMcp(self, Session(self.source.mcp, self.source.timeout))


class LiveMcp:
    """One conversation's session. It begins with the first call, and ends with the conversation."""

    def __init__(self, world: McpWorld, session: Session) -> None:
        self.world, self.session = world, session
        self.names: dict[str, str] = {}  # of the tools, as the server calls them
        given = {name: os.environ.get(name, "") for name in session.server.env}
        self.secrets = given | secrets_of(session.server.headers)
        weakref.finalize(self, session.forget)

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        return waited(self._answered(name, dict(args)))

    async def ask(self, name: str, args: Mapping[str, Any]) -> Outcome:
        return await arrives(self._answered(name, dict(args)))

    async def close(self) -> None:
        await arrives(self.session.end())

    async def _answered(self, name: str, args: dict[str, Any]) -> Outcome:
        told = self.world.call(name, args)
        if told.error or not told.unanswered:
            return told
        try:
            if not self.names:
                self.names = {valid_name(tool.name): tool.name for tool in await self.session.tools()}
            result = await self.session.call(self.names.get(name, name), args)
        except Gone as gone:
            return failed(redacted(str(gone), self.secrets), gone.fault)
        except ToolError as error:
            return refusal(redacted(str(error), self.secrets))
        outcome = outcome_of(result)
        return replace(outcome, text=redacted(outcome.text, self.secrets))


def outcome_of(result: Any) -> Outcome:
    """The SDK's result of a call as ours: what is structured before what is text."""
    texts = [getattr(part, "text", None) or f"[{part.type}]" for part in result.content or ()]
    if result.is_error:
        return refusal("\n".join(texts)[:MOST_TEXT] or "The tool failed.")
    value: Any = "\n".join(texts)
    if result.structured_content is not None:
        value = result.structured_content
        if set(value) == {"result"}:  # the SDK's wrapping of what is no object
            value = value["result"]
    else:
        with suppress(ValueError):
            value = json.loads(value)
    text = as_text(value)
    return Outcome(text) if len(text) <= MOST_TEXT else failed("The answer is too large.", "server_error")
