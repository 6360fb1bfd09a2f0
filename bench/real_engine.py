"""Conversations with a real serving engine: `transformers serve` and a tiny model that is made on the spot.

The model has random weights, so it says nothing of sense: what is shown is that requests are understood by an engine
that is not ours, that whatever comes back is read or refused under a counted cause, and that nothing is lost. First a
model plays every role, then each role alone among the rules, so that requests of every form are sent.

    pip install torch 'transformers[serving]'
    python bench/real_engine.py                    with these beside tertulia
    python bench/real_engine.py --engine PYTHON    with these where PYTHON is
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OWN = Path(__file__).resolve().parent
ROLES = ("planner", "user", "assistant", "critic")
STARTS = 180.0  # seconds that the engine may take to start
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OPENAI_API_KEY": "none"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(engine: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The engine with the tiny model; gives the model's name and the base URL."""
    model, port = folder / "tiny", free_port()
    subprocess.run([engine, OWN / "tiny_model.py", model], check=True, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    command = [engine.with_name("transformers"), "serve", str(model), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "engine.log").open("wb") as log:
        child = subprocess.Popen([*command, "--device", "cpu"], stdout=log, stderr=log, env=ENVIRONMENT)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(child, f"{url}/health", folder / "engine.log")
            yield str(model), f"{url}/v1"
        finally:
            child.terminate()
            child.wait()


def wait_for(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return once the engine answers."""
    until = time.monotonic() + STARTS
    while child.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"the engine did not start:\n{log.read_text(errors='replace')[-2000:]}")


def played(url: str, folder: Path, n: int, longest: int, models: Sequence[str]) -> dict[str, Any]:
    """The summary of a run."""
    command = [sys.executable, "-m", "tertulia", "run", "another-day", "--out", str(folder), "-n", str(n)]
    command += [*models, "--base-url", url, "--role-setting", f"max_tokens={longest}", "--deadline", "120"]
    done = subprocess.run([*command, "--json", "--quiet"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", type=Path, default=Path(sys.executable), help="a Python with torch, transformers")
    parser.add_argument("-n", type=int, default=20, help="conversations with a model in every role")
    parser.add_argument("--each", type=int, default=3, help="conversations with a model in one role alone")
    parser.add_argument("--longest", type=int, default=24, help="tokens of a reply at most")
    options = parser.parse_args(arguments)
    good = True
    with tempfile.TemporaryDirectory(prefix="tertulia-engine-") as name, serving(options.engine, Path(name)) as served:
        model, url = served
        plays = [("every role", options.n, ["--model", f"openai:{model}"])]
        plays += [(role, options.each, ["--role-model", f"{role}=openai:{model}"]) for role in ROLES]
        for who, n, models in plays:
            told = played(url, Path(name) / who.replace(" ", "-"), n, options.longest, models)
            counted = told["accepted"] + sum(told["rejected"].values())
            good = good and counted == n == told["conversations"] and "failed" not in told["rejected"]
            print(
                f"{who}: {told['conversations']} conversations, {told['model_calls']} replies, {told['tokens']['in']} "
                f"tokens in, {told['tokens']['out']} out; accepted {told['accepted']}, rejected {told['rejected']}, "
                f"troubles {told['troubles']}, on the wire {told['http']}",
                flush=True,
            )
    print("nothing lost, nothing crashed" if good else "something was lost or crashed")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
