"""Every block of the README and the pages is run: commands and their output, Python, scenario files, whole packages.

A block may name a file after its language (```python brief.py) and is written there; a `pyproject.toml` is installed.
A block of YAML that is no whole scenario is laid over the first one of its page. `python tests/test_docs.py` writes
what commands print into the pages.
"""

import contextlib
import importlib
import io
import os
import re
import runpy
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tertulia.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    where: str
    language: str
    name: str
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(f"{page.name}:{text.count(chr(10), 0, m.start()) + 1}", m[1], m[2] or "", m[3])
        for m in FENCE.finditer(text)
    ]


def exchanges(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output that is shown below it."""
    for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = piece.partition("\n")
        yield command, output


def told(command: str) -> str:
    """What a command prints; it must end well."""
    name, *words = shlex.split(command)
    assert name == "tertulia", f"{command!r}: only commands of tertulia stand in a console block"
    raw, err, given, status = io.BytesIO(), io.StringIO(), sys.argv, None
    out = io.TextIOWrapper(raw, encoding="utf-8", newline="\n", write_through=True)
    try:
        sys.argv = ["tertulia", *words]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as left:
        status = left.code
    finally:
        sys.argv = given
    assert not status, f"{command!r} ended with {status}: {err.getvalue()}{raw.getvalue().decode()}"
    return raw.getvalue().decode()


def fits(shown: str, printed: str) -> bool:
    """Whether output is what is shown; a line of three dots stands for any lines."""
    pattern = "".join(".*" if line == "...\n" else re.escape(line) for line in shown.splitlines(keepends=True))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


class Reader:
    """Does what a page says, in the working directory."""

    def __init__(self) -> None:
        self.base: dict[str, Any] = {}  # the first scenario of the page

    def follow(self, block: Block) -> None:
        if block.name:
            self.write(Path(block.name), block.text)
        elif block.language == "console":
            for command, shown in exchanges(block.text):
                printed = told(command)
                assert not shown or fits(shown, printed), (
                    f"{block.where}: {command} prints (`python tests/test_docs.py` writes it)\n{printed}"
                )
        elif block.language == "python":
            exec(compile(block.text, block.where, "exec"), {"__name__": "__main__"})
        elif block.language == "yaml":
            self.scenario(block, yaml.safe_load(block.text))

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if path.name == "pyproject.toml":
            install(tomllib.loads(text)["project"])
        importlib.invalidate_caches()

    def scenario(self, block: Block, value: Any) -> None:
        if not isinstance(value, dict) or not (self.base or {"id", "cast"} <= set(value)):
            return
        whole = {"id", "cast"} <= set(value)
        self.base = self.base or value
        path = Path(f"{value['id']}.yaml" if whole else f"{block.where.replace(':', '-')}.yaml")
        path.write_text(block.text if whole else yaml.safe_dump(self.base | value), encoding="utf-8")
        told(f"tertulia check --no-floors {path}")


def install(project: dict[str, Any]) -> None:
    """Make a package of the working directory known by its entry points, as `pip install -e .` does."""
    info = Path(f"{project['name'].replace('-', '_')}-{project['version']}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    groups = (
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in e.items()) for group, e in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(groups))
    sys.path.insert(0, os.getcwd())


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty working directory; what was put on the path or imported from there is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_does_what_it_says(page, elsewhere):
    reader = Reader()
    for block in blocks(page):
        reader.follow(block)


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ tertulia list worlds\nparcels\n```",
        "```console\n$ tertulia list wolds\n```",
        "```console\n$ rm -r /tmp/x\n```",
        "```python\nassert 1 == 2\n```",
        "```yaml\nid: x\ncast: {}\n```",
    ],
)
def test_a_page_that_is_wrong_is_found(text, elsewhere):
    (elsewhere / "page.md").write_text(text)
    (block,) = blocks(elsewhere / "page.md")

    with pytest.raises(AssertionError):
        Reader().follow(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_or_a_heading_that_is_there(page):
    text = page.read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name}: {target}"
        titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
        assert not heading or heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_the_tables_of_fields_are_those_of_the_records():
    fields = runpy.run_path(str(ROOT / "docs" / "fields.py"))
    page = fields["PAGE"].read_text(encoding="utf-8")

    assert page == fields["written"](page), "a record has changed: run `python docs/fields.py`"


def refresh(page: Path) -> None:
    """Write what the commands of a page print below them, wherever something is shown."""
    reader, text = Reader(), page.read_text(encoding="utf-8")
    for block in blocks(page):
        if block.language != "console":
            reader.follow(block)
            continue
        made = ""
        for command, shown in exchanges(block.text):
            printed = told(command)
            made += f"$ {command}\n" + (shown if not shown or fits(shown, printed) else printed)
        text = text.replace(f"```console\n{block.text}```", f"```console\n{made}```")
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for one in PAGES:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            refresh(one)
