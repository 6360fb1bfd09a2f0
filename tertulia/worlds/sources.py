"""The tools that a scenario's `world` points to, read once, when the file is: from then on the scenario holds them."""

from collections.abc import Sequence
from pathlib import Path

from tertulia.errors import UserError, did_you_mean
from tertulia.scenario import ToolSchema, ToolSource
from tertulia.worlds.openapi_document import read_api

__all__ = ["is_url", "tools_from"]


def is_url(text: str) -> bool:
    """Whether a document is named by its URL."""
    return text.startswith(("http://", "https://"))


def tools_from(source: ToolSource, folder: Path) -> tuple[ToolSchema, ...]:
    """The tools of a source; files are looked for in the scenario's folder.

    Raises:
        ScenarioError: with the faults of a document.
        UserError: when the source cannot be reached, or may not be."""
    if source.openapi:
        tools: Sequence[ToolSchema] = read_api(folder / source.openapi).tools
    else:
        return ()
    return chosen(tools, source)


def chosen(tools: Sequence[ToolSchema], source: ToolSource) -> tuple[ToolSchema, ...]:
    """The tools that the source lets through.

    Raises:
        UserError: for one that is not there."""
    known = {tool.name: tool for tool in tools}
    for name in source.operations:
        if name not in known:
            raise UserError(f"there is no operation {name!r}{did_you_mean(name, known)}")
    return tuple(known[name] for name in source.operations) if source.operations else tuple(tools)
