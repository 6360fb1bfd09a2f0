"""`tertulia new`: a starting file that works as it stands, and its test.

They are made of the text files in `tertulia/templates`, where `<<name>>` stands for the module, `<<Class>>` for its
class and `<<home>>` for where the test imports it from.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from tertulia.commands.printing import as_json, note
from tertulia.errors import UserError, did_you_mean
from tertulia.parts import camel
from tertulia.schemas import schema

__all__ = ["KINDS", "perform"]

HOMES = {
    "judge": "judges",
    "exporter": "exporters",
    "planner": "agents/planners",
    "user": "agents/users",
    "assistant": "agents/assistants",
    "critic": "agents/critics",
}
KINDS = ("scenario", *HOMES)
SCHEMA = "scenario.schema.json"  # written anew with every scenario, as `tertulia schema` prints it
MARK = re.compile(r"<<(\w+)>>")


def perform(*, kind: str, name: str, folder: Path | None, json: bool) -> int:
    if kind not in KINDS:
        raise UserError(f"cannot write a {kind!r}{did_you_mean(kind, KINDS)}; known: {', '.join(KINDS)}")
    made = scenario(name, folder or Path()) if kind == "scenario" else part(kind, name, folder)
    for path in made:
        if path.exists() and path.name != SCHEMA:
            raise UserError(f"{str(path)!r} exists; choose another name")
    for path, text in made.items():
        write(path, text)
    if json:
        as_json({"kind": kind, "name": name, "files": [str(path) for path in made]})
        return 0
    for path in made:
        print(path)
    if kind == "scenario":
        first = next(iter(made))
        note(f"next: tertulia check {first} && tertulia run {first}")
    elif not in_repository():
        group = HOMES[kind].rpartition("/")[2]
        module = next(iter(made)).stem
        note(f'to be found by name, your package needs: [project.entry-points."tertulia.{group}"]')
        note(f'{module} = "YOUR_PACKAGE.{module}:{camel(module)}"')
    return 0


def write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror}; --in must name a folder") from None


def scenario(name: str, folder: Path) -> dict[Path, str]:
    """The scenario, its test, and beside them the schema that the scenario's first line names for editors."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise UserError(f"{name!r} cannot name a scenario: use lower case letters, digits, - and _, a letter first")
    values = {"name": name, "schema": SCHEMA, "file": f"{name}.yaml"}
    return {
        folder / f"{name}.yaml": filled("scenario.yaml", values),
        folder / f"test_{name.replace('-', '_')}.py": filled("test_scenario.py", values),
        folder / SCHEMA: json.dumps(schema("scenario"), indent=2, ensure_ascii=False) + "\n",
    }


def part(kind: str, name: str, folder: Path | None) -> dict[Path, str]:
    module = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", module):
        raise UserError(f"{name!r} cannot name a {kind}: use lower case letters, digits and _, a letter first")
    ours = folder is None and in_repository()
    home = f"tertulia.{HOMES[kind].replace('/', '.')}.{module}" if ours else module
    values = {"name": module, "Class": camel(module), "home": home}
    target = Path(HOMES[kind]) if ours else folder or Path()
    tests = Path("tests") if ours else target
    return {
        target / f"{module}.py": filled(f"{kind}.py", values),
        tests / f"test_{module}.py": filled(f"test_{kind}.py", values),
    }


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with every mark replaced, in one pass."""
    text = (files("tertulia") / "templates" / f"{template}.txt").read_text(encoding="utf-8")
    return MARK.sub(lambda match: values[match[1]], text)


def in_repository() -> bool:
    """Whether the working directory is a checkout of tertulia, where parts are found without an entry point."""
    return Path("tertulia/parts.py").is_file() and Path("judges/__init__.py").is_file()
