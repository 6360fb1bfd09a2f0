"""The house: every folder is packed, every file of data goes along, and every module stands on a floor."""

import configparser
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKING = PROJECT["tool"]["setuptools"]
HOMES = PACKING["package-dir"]


def package_of(folder: Path) -> str:
    """The name under which a folder is installed."""
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "tertulia" else ("tertulia", *parts))


def source_files() -> list[Path]:
    tops = [ROOT / home for home in HOMES.values()]
    return sorted(f for top in tops for f in top.rglob("*") if f.is_file() and "__pycache__" not in f.parts)


def test_every_package_folder_is_listed_and_every_listed_folder_is_there():
    there = {package_of(file.parent) for file in source_files() if file.suffix == ".py"}

    assert sorted(PACKING["packages"]) == sorted(there)


def test_every_folder_of_code_is_a_package():
    lacking = {file.parent for file in source_files() if file.suffix == ".py"}

    assert {folder for folder in lacking if not (folder / "__init__.py").exists()} == set()


def test_every_file_of_data_is_packed():
    packages = sorted(PACKING["packages"], key=len, reverse=True)
    left_out = []
    for file in source_files():
        if file.suffix == ".py":
            continue
        name = package_of(file.parent)
        owner = next(package for package in packages if name == package or name.startswith(f"{package}."))
        inside = "/".join([*name.removeprefix(owner).strip(".").split("."), file.name]).lstrip("/")
        if not any(fnmatch(inside, pattern) for pattern in PACKING["package-data"].get(owner, ())):
            left_out.append(file.relative_to(ROOT))

    assert left_out == []


def test_nothing_imports_a_part_folder_by_its_bare_name():
    bare = re.compile(r"^\s*(?:from|import)\s+(?:agents|judges|exporters|scenarios)\b", re.MULTILINE)
    sources = [*source_files(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]

    assert [file for file in sources if file.suffix == ".py" and bare.search(file.read_text(encoding="utf-8"))] == []


def test_the_core_names_no_part_in_an_import():
    part = re.compile(r"^\s*(?:from|import)\s+tertulia\.(?:agents|judges|exporters)\b", re.MULTILINE)
    core = (ROOT / "tertulia").rglob("*.py")

    named = [file.name for file in core if part.search(file.read_text(encoding="utf-8"))]
    assert named == []


def test_every_core_module_stands_on_one_floor():
    floors = configparser.ConfigParser()
    floors.read(ROOT / ".importlinter", encoding="utf-8")
    listed = re.findall(r"\w+", floors["importlinter:contract:floors"]["layers"])
    there = {path.stem for path in (ROOT / "tertulia").glob("*.py")} - {"__init__"}
    there |= {path.parent.name for path in (ROOT / "tertulia").glob("*/__init__.py")}
    parts = {"agents", "judges", "exporters", "scenarios"}

    assert sorted(listed) == sorted(there | parts)


@pytest.mark.parametrize("name", ["check", "test", "fix", "bench", "docs"])
def test_the_makefile_has_the_doors_that_contributing_names(name):
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_except_exception_stands_in_the_runner_alone():
    broad = re.compile(r"^\s*except\s*(?::|(?:Base)?Exception\b)", re.MULTILINE)

    assert [file.name for file in source_files() if file.suffix == ".py" and broad.search(file.read_text())] == [
        "runner.py"
    ]
