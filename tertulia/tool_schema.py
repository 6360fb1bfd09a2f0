"""A tool as a scenario gives it: JSON Schema of what goes in and comes out, fixed answers, and the HTTP behind it."""

from typing import Any, Literal

from pydantic import Field

from tertulia.records import Record

__all__ = [
    "Answers",
    "Credential",
    "Example",
    "FaultKind",
    "McpServer",
    "Operation",
    "Place",
    "Response",
    "Role",
    "ToolClasses",
    "ToolSchema",
    "ToolSource",
]

Role = Literal["user", "assistant", "colleague"]
READING = ("get", "head", "options", "trace")  # RFC 9110, 9.2.1: the safe methods


class Example(Record):
    """A fixed answer of a tool for certain arguments."""

    args: dict[str, Any] = Field({}, alias="with", description="the arguments it answers; others may be anything")
    returns: Any = Field(None, description="what the tool returns")
    error: str = Field("", description="or the words with which it refuses")


class Place(Record):
    """Where an argument goes in an HTTP request."""

    at: Literal["path", "query", "header", "cookie", "body"] = Field(description="the part of the request")
    name: str = Field("", description="its name there; empty: it is the whole body")
    style: str = Field("", description="how a list or an object is written; left out: the usual way of that part")
    explode: bool | None = Field(None, description="whether every entry of it is a value of its own")


class Response(Record):
    """What an operation documents for a status."""

    status: str = Field(pattern=r"^([1-5]([0-9]{2}|XX)|default)$", description="200, 4XX or default")
    description: str = Field("", description="what it means")
    body: dict[str, Any] = Field({}, description="JSON Schema of what it carries; empty: nothing is known of it")
    examples: tuple[Any, ...] = Field((), description="whole bodies")
    media: str = Field("", description="the media type; empty: no body")


class Credential(Record):
    """Where a request shows a secret."""

    scheme: str = Field(description="the name of the security scheme")
    at: Literal["header", "query", "cookie"] = Field("header", description="the part of the request")
    name: str = Field("Authorization", description="its name there")
    prefix: str = Field("", description="what stands before the secret")


class Operation(Record):
    """The HTTP request that a tool stands for."""

    method: str = Field(pattern=r"^(get|head|options|trace|put|post|patch|delete)$", description="in lower case")
    path: str = Field(description="with {name} for a path parameter")
    server: str = Field("", description="the URL before the path")
    places: dict[str, tuple[Place, ...]] = Field({}, description="argument -> where it goes")
    media: str = Field("", description="the media type of the request's body; empty: it has none")
    security: tuple[str, ...] = Field((), description="names of the security schemes, all of them needed")
    credentials: tuple[Credential, ...] = Field((), description="how it shows those that are secrets")
    tags: tuple[str, ...] = Field((), description="what the document sorts it under")

    @property
    def reads(self) -> bool:
        """Whether the method is one that changes nothing."""
        return self.method in READING


class ToolSchema(Record):
    """A tool given as plain JSON Schema, with fixed answers."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", description="what it is called by")
    description: str = Field("", description="what it does, as its caller reads it")
    parameters: dict[str, Any] = Field({"type": "object", "properties": {}}, description="JSON Schema of an object")
    output: dict[str, Any] = Field({}, description="JSON Schema of what it returns, where known")
    writes: bool = Field(False, description="whether it changes anything")
    owner: Role = Field("assistant", description="who it is meant for")
    examples: tuple[Example, ...] = Field((), description="the first whose `with` agrees with the call answers it")
    returns: Any = Field(None, description="the answer when no example fits")
    operation: Operation | None = Field(None, description="the HTTP request it stands for, if any")
    responses: tuple[Response, ...] = Field((), description="what it answers, by status, where documented")


class McpServer(Record):
    """A server that speaks the Model Context Protocol: a command for stdio, or the URL of streamable HTTP."""

    command: tuple[str, ...] = Field((), description="starts a server of its own for each conversation; or give `url`")
    env: tuple[str, ...] = Field((), description="environment variables that the command is handed")
    url: str = Field("", description="where a server listens")
    headers: dict[str, str] = Field({}, description="header -> environment variable that holds its value")


class ToolClasses(Record):
    """Classes of another library whose methods are the tools; every conversation has objects of its own."""

    of: tuple[str, ...] = Field(min_length=1, description="MODULE:NAME of each class")
    data: Any = Field(None, description="what it is filled with; with several classes, by the name of each")
    data_file: str = Field("", description="or a JSON file beside the scenario that holds it")
    policy_file: str = Field("", description="a text file beside the scenario: what the assistant is told")
    writing: tuple[str, ...] = Field((), description="tools that change something, where the library does not say so")


class ToolSource(Record):
    """Where tools come from that are not written in the scenario: `openapi`, `mcp`, `python` or `classes`."""

    openapi: str = Field("", description="an OpenAPI 3 document: a file beside the scenario, or a URL")
    mcp: McpServer | None = Field(None, description="an MCP server")
    python: str = Field(
        "", description="MODULE:NAME of functions, a toolkit or LangChain tools; MODULE:NAME() makes one"
    )
    classes: ToolClasses | None = Field(None, description="classes of another library")
    operations: tuple[str, ...] = Field((), description="only these tools; left out: all there are")
    answers: Literal["simulated", "model", "http"] = Field(
        "simulated", description="for openapi: drawn by rules, by the recipe's tool model, or asked of the server"
    )
    seed: int = Field(0, description="for simulated answers: another number, other answers")
    server: str = Field("", description="for http: the URL to call; left out: that of the document")
    hosts: tuple[str, ...] = Field((), description="for http: hosts that may be called; left out: that of the server")
    auth: dict[str, str] = Field(
        {}, description="for http: a security scheme of the document or a header -> environment variable with its value"
    )
    timeout: float = Field(20.0, gt=0, le=600, description="seconds that a call may take")


Answers = Literal["fixed", "simulated", "model"]
FaultKind = Literal["timeout", "server_error", "rate_limit", "stale_read", "schema_drift", "partial_result"]
