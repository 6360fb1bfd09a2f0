"""An MCP server for the tests: notes that are kept as long as it runs. `python mcp_server.py [PORT]`."""

import os
import sys
import time

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("notes")
NOTES: dict[str, str] = {}


@server.tool()
def add_note(name: str, text: str) -> dict[str, str]:
    """Keep a note."""
    NOTES[name] = text
    return {"name": name, "text": text}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def get_note(name: str) -> dict[str, str]:
    """Read a note."""
    if name not in NOTES:
        raise ValueError(f"there is no note {name!r}")
    return {"name": name, "text": NOTES[name]}


@server.tool()
def crash() -> str:
    """End the server in the middle of a call."""
    os._exit(3)


@server.tool()
def hang() -> str:
    """Answer too late."""
    time.sleep(3600)
    return "late"


@server.tool()
def environment(name: str) -> str:
    """What an environment variable holds here."""
    return os.environ.get(name, "")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
