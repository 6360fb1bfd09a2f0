"""What a tool does to which records, told from its HTTP verb and path, or from the verb and the noun of its name.

GET /pets            list      listPets, searchPets
POST /pets           create    createPet, bookRoom
GET /pets/{petId}    read      getPet
PATCH /pets/{petId}  update    updatePet
DELETE /pets/{petId} delete    deletePet, cancelBooking
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tertulia.scenario import ToolSchema
from tertulia.worlds.drawing import bare, first_type, pointed, split_name

__all__ = ["Resource", "listed_in", "reads_by_name", "resource_of"]

Deed = Literal["list", "read", "create", "update", "delete"]
VERBS: dict[str, Deed] = {
    **dict.fromkeys(("list", "search", "find", "browse", "query", "all"), "list"),
    **dict.fromkeys(("get", "show", "read", "fetch", "retrieve", "lookup", "check", "view", "describe"), "read"),
    **dict.fromkeys(("create", "add", "register", "make", "book", "post", "new", "open", "report", "send"), "create"),
    **dict.fromkeys(
        ("generate", "authenticate", "login", "order", "place", "submit", "upload", "start", "initiate", "schedule"),
        "create",
    ),
    **dict.fromkeys(("update", "edit", "change", "modify", "set", "assign", "put", "patch", "rename"), "update"),
    **dict.fromkeys(("move", "pay", "confirm", "synchronize", "sync", "enable", "disable", "verify"), "update"),
    **dict.fromkeys(("delete", "remove", "cancel", "drop", "unregister", "destroy"), "delete"),
}
METHODS: dict[str, Deed] = {"post": "create", "put": "update", "patch": "update", "delete": "delete"}
FILLERS = {"by", "for", "of", "with", "from", "to", "the", "a", "an", "all", "my", "details", "info", "id"}


@dataclass(frozen=True, slots=True)
class Resource:
    """What a tool does."""

    deed: Deed
    kind: str  # the records it is about, in the singular: pet
    key: str  # the parameter that names one of them; empty: none does
    parents: tuple[str, ...] = ()  # parameters that name what the records belong to


def resource_of(tool: ToolSchema) -> Resource:
    """What this tool does, as well as can be told."""
    operation = tool.operation
    if operation is None or spoken(segments(operation.path)):
        return _by_name(tool)
    path = segments(operation.path)
    nouns = [segment for segment in path if not segment.startswith("{")]
    at_item = bool(path) and path[-1].startswith("{")
    names = [segment[1:-1] for segment in path if segment.startswith("{")]
    kind = singular(bare(nouns[-1])) if nouns else "record"
    if operation.reads:
        deed: Deed = "list" if listed_in(tool.output) is not None and not at_item else "read"
    else:
        deed = METHODS.get(operation.method, "create")
    if at_item and deed == "create":
        deed = "update"
    key = names[-1] if at_item else ""
    if not at_item and deed in ("read", "update", "delete"):
        key = key_among(tool, kind)
    return Resource(deed, kind, key, tuple(name for name in names if name != key))


def reads_by_name(name: str) -> bool:
    """Whether the first verb in a name is one of looking."""
    return next((VERBS[word] for word in split_name(name) if word in VERBS), "") in ("list", "read")


def segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def spoken(path: list[str]) -> bool:
    """Whether a path speaks in verbs, as /getUserProfile does, and no part of it names a record."""
    last = next((segment for segment in reversed(path) if not segment.startswith("{")), "")
    words = split_name(last)
    return not words or (words[0] in VERBS and not any(segment.startswith("{") for segment in path))


def _by_name(tool: ToolSchema) -> Resource:
    words = split_name(tool.name)
    verb = next((word for word in words if word in VERBS), "")
    deed: Deed = VERBS.get(verb, "create" if tool.writes else "read")
    if not tool.writes and deed not in ("list", "read"):
        deed = "read"
    if tool.writes and deed in ("list", "read"):
        deed = "create"
    many = listed_in(tool.output) is not None
    if not tool.writes and tool.output:
        deed = "list" if many else "read"
    rest = words[words.index(verb) + 1 :] if verb else words
    noun = [word for word in rest if word not in FILLERS] or rest or words
    kind = singular("".join(noun[: _before(noun)]))
    key = key_among(tool, kind, by_words=VERBS.get(verb) == "list") if deed in ("read", "update", "delete") else ""
    return Resource(deed, kind, key)


def _before(noun: list[str]) -> int:
    """How many words of the noun come before `by` and the like; at least one."""
    return next((nth for nth, word in enumerate(noun) if word in FILLERS and nth), len(noun))


def key_among(tool: ToolSchema, kind: str, *, by_words: bool = False) -> str:
    """The parameter that names a record: its own id, else the first id that is needed, else what is needed first.

    What searches by words is not told an id: the first parameter of `searchUser` is no id of a user."""
    properties = tool.parameters.get("properties", {})
    required = [name for name in tool.parameters.get("required", ()) if name in properties]
    own = {kind + "id", "id", kind, kind + "number", kind + "name", kind + "code"}
    candidates = [name for name in properties if bare(name) in own]
    ids = [name for name in required if bare(name).endswith(("id", "number", "code", "reference"))]
    plain = [
        name for name in required if first_type(pointed(properties[name], tool.parameters)) in ("string", "integer")
    ]
    return next(iter([*candidates, *ids, *([] if by_words else plain)]), "")


def listed_in(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Where in an answer the records are listed: () for the answer itself, (key,) for a list in it; None: nowhere."""
    schema_ = pointed(schema, schema)
    if first_type(schema_) == "array":
        return ()
    lists = [
        name
        for name, one in schema_.get("properties", {}).items()
        if first_type(pointed(one, schema)) == "array"
        and first_type(pointed(pointed(one, schema).get("items", {}), schema)) == "object"
    ]
    others = [name for name in schema_.get("properties", {}) if name not in lists]
    paging = (
        "total",
        "count",
        "page",
        "limit",
        "offset",
        "next",
        "prev",
        "size",
        "meta",
        "pagination",
        "more",
        "cursor",
    )
    if len(lists) == 1 and all(any(word in bare(name) for word in paging) for name in others):
        return (lists[0],)
    return None


def singular(word: str) -> str:
    """A noun without its plural ending."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
