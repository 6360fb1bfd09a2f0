"""Exports read by the very libraries that they are made for, where those are installed.

Each reads what its users would give it, a file, a folder or its rows, and what it refuses is a fault in one line.
"""

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["LIBRARIES", "Library", "installed"]

Row = Mapping[str, Any]
REFUSED = (ValueError, TypeError, KeyError, AttributeError)  # what constructors raise; pydantic's errors among them
TAU2 = "https://github.com/sierra-research/tau2-bench"  # PyPI's tau2 is about magnetism
QUIET = {"DEEPEVAL_TELEMETRY_OPT_OUT": "YES", "ARGILLA_ENABLE_TELEMETRY": "0"}  # nothing is sent while we verify


@dataclass(frozen=True, slots=True)
class Library:
    """A consumer's own code. `read` gives the row, or 0 for the whole, and what is refused."""

    module: str
    package: str
    read: Callable[[Path], Iterator[tuple[int, str]]]
    source: str = ""  # what pip installs, where the index has another package of that name, or none

    @property
    def wanted(self) -> str:
        return self.source or self.package

    @property
    def here(self) -> bool:
        return installed(self.module)

    def faults(self, path: Path) -> Iterator[tuple[int, str]]:
        """What the library refuses of an export."""
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those libraries warn of what is theirs
            try:
                for number, fault in self.read(path):
                    yield number, f"{self.package}: {fault}"
            except REFUSED as error:
                yield 0, f"{self.package}: {in_a_line(error)}"


def installed(*modules: str) -> bool:
    """Whether all modules can be imported; none is."""
    try:
        return all(find_spec(module) for module in modules)
    except ModuleNotFoundError:  # the package that a module is in
        return False


def in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def rows_in(path: Path) -> list[Any]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def each(rows: Sequence[Any], take: Callable[[Any], object]) -> Iterator[tuple[int, str]]:
    """Which rows a library's own code refuses."""
    for number, row in enumerate(rows, start=1):
        try:
            take(row)
        except REFUSED as error:
            yield number, in_a_line(error)


# --- the libraries -----------------------------------------------------------------------------------------------


def by_tau2(folder: Path) -> Iterator[tuple[int, str]]:
    task = import_module("tau2.data_model.tasks").Task
    for file in sorted(folder.glob("*/tasks.json")):
        for number, fault in each(json.loads(file.read_text(encoding="utf-8")), task.model_validate):
            yield 0, f"{file.relative_to(folder)}:{number}: {fault}"


def by_adk(folder: Path) -> Iterator[tuple[int, str]]:
    eval_set = import_module("google.adk.evaluation.eval_set").EvalSet
    for file in sorted(folder.glob("*.evalset.json")):
        eval_set.model_validate_json(file.read_text(encoding="utf-8"))
    yield from ()


def by_inspect(path: Path) -> Iterator[tuple[int, str]]:
    samples = list(import_module("inspect_ai.dataset").json_dataset(str(path)))
    yield from counted(path, len(samples), "samples")


def by_deepeval(path: Path) -> Iterator[tuple[int, str]]:
    dataset = import_module("deepeval.dataset").EvaluationDataset()
    dataset.add_goldens_from_jsonl_file(str(path))
    yield from counted(path, len(dataset.goldens), "goldens")


def counted(path: Path, found: int, what: str) -> Iterator[tuple[int, str]]:
    if (rows := len(rows_in(path))) != found:
        yield 0, f"it reads {found} {what} from {rows} rows"


def by_openevals(path: Path) -> Iterator[tuple[int, str]]:
    match = import_module("openevals.trajectory.match")
    evaluate = match.create_trajectory_match_evaluator(trajectory_match_mode="strict")

    def take(row: Row) -> None:
        same = evaluate(outputs=row["trajectory"], reference_outputs=row["trajectory"])
        evaluate(outputs=row["trajectory"], reference_outputs=row["reference_trajectory"])
        if same["score"] is not True:
            raise ValueError("the trajectory does not match itself")

    yield from each(rows_in(path), take)


def by_bfcl(path: Path) -> Iterator[tuple[int, str]]:
    """The checker plays the answers of entries whose classes are BFCL's own; the others it cannot play."""
    home = "bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker"
    own = import_module("bfcl_eval.constants.executable_backend_config").CLASS_FILE_PATH_MAPPING
    check = import_module(home).multi_turn_checker
    answers = rows_in(path.with_name(f"{path.stem}.sidecar.jsonl"))

    def take(both: tuple[Row, Row]) -> None:
        entry, truth = both[0], both[1]["ground_truth"]
        if set(entry["involved_classes"]) <= set(own):
            said = check([[calls] for calls in truth], truth, entry, "multi_turn_base", "verified")
            if not said["valid"]:
                raise ValueError(f"its answer is found wrong: {said.get('error_message', '')}")

    yield from each(list(zip(rows_in(path), answers, strict=True)), take)


def by_argilla(path: Path) -> Iterator[tuple[int, str]]:
    rg, rows = import_module("argilla"), rows_in(path)

    def take(row: Row) -> None:
        suggestions = [rg.Suggestion(**suggestion) for suggestion in row["suggestions"]]
        record = rg.Record(
            id=row["external_id"],
            fields=row["fields"],
            metadata=row["metadata"],
            vectors=row["vectors"],
            suggestions=suggestions,
        )
        record.api_model()

    yield from each(rows, take)


LIBRARIES: dict[str, Library] = {
    "tasks": Library("tau2.data_model", "tau2", by_tau2, f"tau2 @ git+{TAU2}"),
    "cases": Library("google.adk", "google-adk", by_adk),
    "samples": Library("inspect_ai", "inspect-ai", by_inspect),
    "goldens": Library("deepeval", "deepeval", by_deepeval),
    "trajectories": Library("openevals", "openevals", by_openevals),
    "entries": Library("bfcl_eval", "bfcl-eval", by_bfcl),
    "records": Library("argilla", "argilla", by_argilla),
}
