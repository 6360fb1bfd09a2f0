"""Draws the compiled graph into ARCHITECTURE.md, between its two `graph` comments: `python docs/picture.py`."""

from pathlib import Path

from tertulia.graph import Stage
from tertulia.recipe import bundled_recipe

__all__ = ["PAGE", "drawn", "picture"]

PAGE = Path(__file__).resolve().parent.parent / "ARCHITECTURE.md"
BEGIN, END = "<!-- graph:begin -->", "<!-- graph:end -->"


def picture() -> str:
    """The compiled graph as LangGraph draws it in Mermaid."""
    mermaid: str = Stage(bundled_recipe("user_script")).graph.get_graph().draw_mermaid()
    return f"```mermaid\n{mermaid.strip()}\n```"


def drawn(page: str) -> str:
    """The page with the picture between its comments.

    Raises:
        SystemExit: if the page has no such comments."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE.name} has no block from {BEGIN} to {END}")
    return f"{before}{BEGIN}\n{picture()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
