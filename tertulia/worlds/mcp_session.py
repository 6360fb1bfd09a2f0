"""One session with a server of the Model Context Protocol, through the official SDK, on the loop that waits for others.

A session lives in one task from its beginning to its end, as the SDK wants it; calls reach it from anywhere. A server
that dies, or falls silent, gives `Gone`, then and ever after: what it knew of the conversation is lost, and another
that is started in its place would know nothing of it.
https://modelcontextprotocol.io/specification
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from typing import Any

from tertulia.errors import ToolError, UserError
from tertulia.scenario import McpServer

__all__ = ["Gone", "Session"]

AT_ONCE = 16  # sessions, so that a run of many conversations does not start as many servers
MOST_PAGES = 50  # of a list of tools
CLOSING = 5.0  # seconds
BEGINNING = 60.0  # seconds that a server may take to start


class Gone(ToolError):
    """The server does not answer any more, or did not in time: `fault` says which."""

    def __init__(self, words: str, fault: str) -> None:
        self.fault = fault
        super().__init__(words)


def sdk() -> Any:
    """The official SDK.

    Raises:
        UserError: when it is not installed."""
    try:
        import_module("mcp.client.streamable_http")
        return import_module("mcp")
    except ImportError as error:
        raise UserError("MCP servers need the package mcp: pip install 'tertulia[mcp]'") from error


@cache
def places() -> asyncio.Semaphore:
    """A place for each session that may be open at once. There is one loop that waits for others."""
    return asyncio.Semaphore(AT_ONCE)


class Session:
    """Begins with the first request. All its methods run on the loop that waits for others."""

    def __init__(self, server: McpServer, seconds: float) -> None:
        self.server, self.seconds = server, seconds
        self.task: asyncio.Task[None] | None = None
        self.stop = asyncio.Event()
        self.lost = ""  # why there is nobody to ask any more
        self.loop: asyncio.AbstractEventLoop | None = None

    async def call(self, name: str, args: dict[str, Any]) -> Any:
        """The SDK's `CallToolResult`.

        Raises:
            Gone: when the server does not answer.
            ToolError: when it refuses the request itself."""
        await self.begun()
        return await self.answered(self.client.call_tool(name, args, read_timeout_seconds=self.seconds))

    async def tools(self) -> list[Any]:
        """The SDK's `Tool`s.

        Raises:
            Gone: when the server does not answer."""
        await self.begun()
        found: list[Any] = []
        cursor = None
        for _ in range(MOST_PAGES):
            params = sdk().types.PaginatedRequestParams(cursor=cursor) if cursor else None
            page = await self.answered(self.client.list_tools(params=params) if params else self.client.list_tools())
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    async def answered(self, request: Any) -> Any:
        """What a request gives, unless the server is gone before."""
        asked, ended = asyncio.ensure_future(request), asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({asked, ended}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
        except sdk().MCPError as error:
            raise self.refused(error) from error
        except (OSError, RuntimeError) as error:
            self.lost = self.lost or str(error)
        finally:
            for one in (asked, ended):
                one.cancel()
            await asyncio.gather(asked, ended, return_exceptions=True)
        if self.lost or self.over.is_set():
            raise Gone(f"The server is gone. {self.lost}".strip(), "lost")
        raise Gone(f"The server did not answer within {self.seconds:g} seconds.", "timeout")

    def refused(self, error: Any) -> ToolError:
        """An error of the protocol: of the request, or of the connection."""
        code, types = error.error.code, sdk().types
        if code == types.REQUEST_TIMEOUT:
            return Gone(f"The server did not answer within {self.seconds:g} seconds.", "timeout")
        if code == types.CONNECTION_CLOSED:
            self.lost = "It closed the connection."
            return Gone("The server is gone. It closed the connection.", "lost")
        return ToolError(error.error.message)

    async def begun(self) -> None:
        """Start the server, unless it runs.

        Raises:
            Gone: when it cannot be reached, or has died."""
        if self.lost:
            raise Gone(f"The server is gone. {self.lost}", "lost")
        if self.task is None:
            await places().acquire()
            self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
            self.ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self.task = asyncio.create_task(self.live())
            try:
                self.client = await asyncio.wait_for(asyncio.shield(self.ready), BEGINNING)
            except TimeoutError as error:
                self.lost = f"It did not begin within {BEGINNING:g} seconds."
                await self.end()
                raise Gone(f"The server is gone. {self.lost}", "lost") from error

    async def live(self) -> None:
        """The session from its beginning to its end, in one task."""
        try:
            async with self.connected() as (read, write), sdk().ClientSession(read, write) as client:
                await client.initialize()
                self.ready.set_result(client)
                await self.stop.wait()
        except (OSError, RuntimeError, ValueError, sdk().MCPError, BaseExceptionGroup) as error:
            self.lost = self.lost or told(error)
        finally:
            places().release()
            self.over.set()
            if not self.ready.done():
                self.ready.set_exception(Gone(f"The server cannot be reached. {self.lost}".strip(), "lost"))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Any, Any]]:
        """The streams to the server."""
        server, mcp = self.server, sdk()
        if server.command:
            environment = {name: os.environ[name] for name in server.env if name in os.environ}
            command, *more = server.command
            given = mcp.StdioServerParameters(command=command, args=more, env=environment or None)
            with open(os.devnull, "w", encoding="utf-8") as nowhere:
                async with mcp.stdio_client(given, errlog=nowhere) as streams:
                    yield streams
        else:
            headers = {name: os.environ.get(variable, "") for name, variable in server.headers.items()}
            transport = mcp.client.streamable_http
            async with (
                transport.create_mcp_http_client(headers=headers) as http,
                transport.streamable_http_client(server.url, http_client=http) as streams,
            ):
                yield streams

    async def end(self) -> None:
        """End the session, and the server where it was started for it."""
        self.stop.set()
        if self.task:
            done, _ = await asyncio.wait({self.task}, timeout=CLOSING)
            if not done:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    def forget(self) -> None:
        """Let the session end, from any thread: nobody holds it any more."""
        if self.loop and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stop.set)


def told(error: BaseException) -> str:
    """The first reason, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split())[:200] or type(error).__name__
