"""The version of an agent of one's own: a digest of its file and of the local modules that it imports.

Imports are read from the source, wherever in a file they stand, and followed as long as they lead to files under the
directory from which the agent itself is imported; nothing is run. Installed packages and Python's library are not
followed, nor what is imported by a computed name or read as data.
"""

import ast
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

__all__ = ["MODULE", "code_of_agent"]

MODULE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")  # an agent in Python
INSTALLED = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")})
OURS = "tertulia"  # told apart in the manifest


def code_of_agent(spec: str) -> str:
    """A digest of the code of MODULE:NAME, so that an agent that was edited is another one; empty for any other spec,
    and where there is no such file."""
    module = spec.partition(":")[0] if MODULE.fullmatch(spec) else ""
    for home in (Path(home or ".") for home in ("", *sys.path)):
        if module and (file := file_of(home, module)):
            made = sha256()
            for name, code in sorted(local_code(home, module, file)):
                made.update(name.encode() + b"\0" + code + b"\0")
            return made.hexdigest()[:12]
    return ""


def file_of(home: Path, module: str) -> Path | None:
    """The source file of a module under a directory."""
    path = home.joinpath(*module.split("."))
    return next((file for file in (path.with_name(f"{path.name}.py"), path / "__init__.py") if file.is_file()), None)


def local_code(home: Path, module: str, file: Path) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of a module and of all that it imports from the same directory, however far."""
    installed = home.resolve() in INSTALLED  # there, only the agent's own package is followed
    own, open_, seen = module.partition(".")[0], [(module, file)], {module}
    while open_:
        name, path = open_.pop()
        code = path.read_bytes()
        yield name, code
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for other in with_parents(imported(code, package)):
            top = other.partition(".")[0]
            if other in seen or top == OURS or (installed and top != own):
                continue
            seen.add(other)
            if found := file_of(home, other):
                open_.append((other, found))


def imported(code: bytes, package: str) -> Iterator[str]:
    """The modules that a file may import; `from a import b` may mean a module a.b."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):  # it cannot be imported either
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def with_parents(modules: Iterable[str]) -> Iterator[str]:
    """Every module with the packages that are imported on the way to it."""
    for module in modules:
        parts = module.split(".")
        yield from (".".join(parts[: count + 1]) for count in range(len(parts)) if all(parts))
