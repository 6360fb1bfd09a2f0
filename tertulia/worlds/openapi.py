"""Worlds of OpenAPI documents whose servers are asked: every call is an HTTP request, and its answer the result.

A status of 4xx is an answer to the caller. 5xx, 429, silence and an answer out of bounds are the service's own: the
result says `fault`, and nobody blames the caller for it. Secrets come from environment variables that the scenario
names; they stand in no record, for whatever comes back is shown without them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import aiohttp

from tertulia.errors import ToolError
from tertulia.permissions import need_net
from tertulia.scenario import Scenario, ToolSource
from tertulia.world import Outcome, failed, refusal
from tertulia.worlds.http_request import request_of
from tertulia.worlds.safe_http import Answer, Bounds, Lost, fetch, host_of, session
from tertulia.worlds.schema import SchemaWorld
from tertulia.worlds.secrets import redacted, secrets_of
from tertulia.worlds.waiting import arrives, waited

__all__ = ["HttpWorld", "LiveHttp"]

FAULTS = {429: "rate_limit", 408: "timeout", 504: "timeout"}


@dataclass(frozen=True)
class HttpWorld(SchemaWorld):
    """Operations that are called over HTTP."""

    source: ToolSource = field(default_factory=ToolSource)

    @cached_property
    def servers(self) -> dict[str, str]:
        """Where each tool is served."""
        return {
            tool.name: self.source.server or (tool.operation.server if tool.operation else "") for tool in self.schemas
        }

    @cached_property
    def bounds(self) -> Bounds:
        named = frozenset(host.lower() for host in self.source.hosts)
        own = frozenset(filter(None, map(host_of, self.servers.values())))
        return Bounds(hosts=named or own, private=named, seconds=self.source.timeout)

    def open(self, scenario: Scenario) -> "LiveHttp":  # type: ignore[override]  # each conversation has its own
        need_net(f"scenario {scenario.id!r} calls {', '.join(sorted(self.bounds.hosts)) or 'a server'}")
        return LiveHttp(self, secrets_of(self.source.auth))


@dataclass(slots=True)
class LiveHttp:
    """One conversation's connections."""

    world: HttpWorld
    secrets: dict[str, str] = field(repr=False)
    client: aiohttp.ClientSession | None = None

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        """What a call gives, waited for; the connection is closed behind it."""
        return waited(self._alone(name, args))

    async def ask(self, name: str, args: Mapping[str, Any]) -> Outcome:
        need_net(f"the tool {name!r} is called over HTTP")
        return await arrives(self._asked(name, args))

    async def close(self) -> None:
        if self.client:
            await arrives(self.client.close())
            self.client = None

    async def _alone(self, name: str, args: Mapping[str, Any]) -> Outcome:
        async with session(self.world.bounds) as client:
            return await self._answered(client, name, args)

    async def _asked(self, name: str, args: Mapping[str, Any]) -> Outcome:
        self.client = self.client or session(self.world.bounds)
        return await self._answered(self.client, name, args)

    async def _answered(self, client: aiohttp.ClientSession, name: str, args: Mapping[str, Any]) -> Outcome:
        told = self.world.call(name, args)
        tool = self.world.by_name.get(name)
        if told.error or not told.unanswered or tool is None or tool.operation is None:
            return told
        try:
            request = request_of(tool.operation, self.world.servers[name], args, self.secrets)
            answer = await fetch(client, request, self.world.bounds)
        except Lost as lost:
            return failed(redacted(str(lost), self.secrets), lost.fault)
        except ToolError as error:
            return refusal(redacted(str(error), self.secrets))
        return self._outcome(answer)

    def _outcome(self, answer: Answer) -> Outcome:
        text = redacted(answer.text, self.secrets)
        try:
            json.loads(text)
        except ValueError:
            text = json.dumps(text, ensure_ascii=False) if text else '{"status": "ok"}'
        if answer.status < 400:
            return Outcome(text)
        if not answer.text:
            text = json.dumps({"error": f"{answer.status} {answer.reason}".strip()})
        fault = FAULTS.get(answer.status, "server_error" if answer.status >= 500 else "")
        return Outcome(text, error=True, fault=fault)
