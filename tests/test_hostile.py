"""Scenario files that mean harm: each is refused in one line, or what it holds stays what it is, a text."""

import json
import os
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_examples import PETS

from tertulia.__main__ import main
from tertulia.files import load_scenario, read_scenario
from tertulia.graph import Stage
from tertulia.models.prompts import fill_prompt
from tertulia.permissions import allowed, allowing
from tertulia.recipe import bundled_recipe
from tertulia.table import Item
from tertulia.variation import settle

BASE: dict[str, Any] = {
    "id": "visit",
    "kind": "single_call",
    "cast": {"visitor": {"role": "user", "knows": {"name": "Rex"}}, "desk": {"role": "assistant"}},
    "script": {
        "opening": "Hello, please create a pet for me, the name is Rex.",
        "wants": [{"call": "createPet", "with": {"name": "Rex"}}],
    },
}


KEYS = (
    "openapi",
    "mcp",
    "python",
    "answers",
    "seed",
    "hosts",
    "auth",
    "command",
    "url",
    "tool",
    "kind",
    "rate",
    "calls",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a document in it, and a secret beside it."""
    (tmp_path / "secret.yaml").write_text(PETS)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pets.yaml").write_text(PETS)
    (tmp_path / "mine" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    return tmp_path / "mine"


def written(folder: Path, **more: Any) -> Path:
    path = folder / "visit.yaml"
    path.write_text(yaml.safe_dump(BASE | more))
    return path


def faults(folder: Path, **more: Any) -> list[str]:
    return [str(fault) for fault in read_scenario(written(folder, **more))[1]]


@pytest.mark.parametrize("name", ["../secret.yaml", "/etc/passwd", "link.yaml", "a/../../secret.yaml", "C:\\x.yaml"])
def test_no_path_leads_out_of_the_scenarios_folder(folder: Path, name: str) -> None:
    for more in ({"world": {"openapi": name}}, {"tools_file": name}, {"recipe": name.replace("passwd", "x.yaml")}):
        found = faults(folder, **more)
        assert any("leaves the scenario's folder" in fault for fault in found), found


@pytest.mark.parametrize(
    ("world", "flag"),
    [
        ({"python": "os:getcwd"}, "--allow-code"),
        ({"python": "tertulia.testing:Scripted()"}, "--allow-code"),
        ({"mcp": {"command": ["touch", "harm"]}}, "--allow-code"),
        ({"mcp": {"url": "http://127.0.0.1:9/mcp"}}, "--allow-net"),
        ({"openapi": "http://127.0.0.1:9/pets.yaml"}, "--allow-net"),
        ({"openapi": "pets.yaml", "answers": "http"}, "--allow-net"),
        ({"openapi": "pets.yaml", "answers": "http", "server": "http://169.254.169.254"}, "--allow-net"),
    ],
)
def test_code_and_network_need_their_flag(
    folder: Path, world: dict[str, Any], flag: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    path = written(folder, world=world)
    for command in (f"check {path.name}", f"run {path.name} -n 1 -q", f"estimate {path.name} --model openai:none"):
        monkeypatch.setattr("sys.argv", ["tertulia", *shlex.split(command)])
        with pytest.raises(SystemExit) as left:
            main()
        told = [line for line in "".join(capsys.readouterr()).splitlines() if "to let it, give" in line]
        assert left.value.code in (1, 2), command
        assert len(told) == 1, command
        assert told[0].endswith(f"to let it, give {flag}"), told
    assert not (folder / "harm").exists()


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({"openapi": "http://127.0.0.1:9/pets.yaml"}, "private address"),
        ({"openapi": "http://[::1]:9/pets.yaml"}, "private address"),
        ({"mcp": {"url": "http://localhost:9/mcp"}}, "private address"),
        ({"openapi": "pets.yaml", "answers": "http", "auth": {"key": "NO_SUCH_KEY"}}, "NO_SUCH_KEY is not set"),
    ],
)
def test_the_flag_alone_reaches_no_private_address(folder: Path, world: dict[str, Any], said: str) -> None:
    with allowing(net=True):
        found = faults(folder, world=world)

    assert any(said in fault for fault in found), found


def test_whoever_is_asked_to_allow_it_reads_which_variables_are_sent(folder: Path) -> None:
    [found] = faults(
        folder, world={"openapi": "pets.yaml", "answers": "http", "auth": {"X-A": "AWS_SECRET_ACCESS_KEY"}}
    )

    assert "at eu.pets.example with AWS_SECRET_ACCESS_KEY from the environment: to let it, give --allow-net" in found


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["pets.yaml", "../x", "http://[", "${word}", "a:b", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=int(os.environ.get("TERTULIA_FUZZ", "60")), deadline=None)
@given(more=st.dictionaries(st.sampled_from(["world", "faults", "answers", "tools", "slots"]), JUNK, max_size=3))
def test_any_value_for_where_tools_come_from_is_read_or_refused_in_words(more: dict[str, Any]) -> None:
    with TemporaryDirectory() as name:
        Path(name, "pets.yaml").write_text(PETS)
        scenario, found = read_scenario(written(Path(name), **more))

    assert scenario is not None or found
    assert all(fault.message and "Traceback" not in fault.message for fault in found)


def test_what_is_allowed_ends_with_its_block() -> None:
    with allowing(code=True):
        with allowing(net=True):
            assert (allowed().code, allowed().net) == (True, True)
        assert (allowed().code, allowed().net) == (True, False)
    assert (allowed().code, allowed().net) == (False, False)


def test_a_text_of_50_megabytes_is_refused_unread(folder: Path) -> None:
    path = folder / "visit.yaml"
    path.write_text("id: visit\ntitle: " + "x" * (50 << 20))

    assert [str(fault) for fault in read_scenario(path)[1]] == [f"{path}:1:1: the file is larger than 1 MiB"]


def test_a_bomb_of_aliases_is_refused_in_a_scenario_and_in_its_document(folder: Path) -> None:
    bomb = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))])
    (folder / "pets.yaml").write_text(bomb)
    (folder / "bomb.yaml").write_text(bomb)

    assert "aliases repeat too much" in str(read_scenario(folder / "bomb.yaml")[1])
    assert any("aliases repeat too much" in fault for fault in faults(folder, world={"openapi": "pets.yaml"}))


def test_a_document_of_python_tags_makes_no_objects(folder: Path) -> None:
    (folder / "pets.yaml").write_text("paths: !!python/object/apply:os.system ['touch harm']\n")

    assert any(
        "unknown tag" in fault or "has no `paths`" in fault for fault in faults(folder, world={"openapi": "pets.yaml"})
    )
    assert not (folder / "harm").exists()


INJECTION = "{{tools}} {tools} {0.__class__} <<policy>> $policy %(policy)s [[persona]]"


async def test_braces_in_a_persona_or_in_what_a_tool_says_stay_what_they_are(folder: Path) -> None:
    tool = {"name": "createPet", "writes": True, "returns": {"note": INJECTION}}
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    cast = {
        "visitor": {"role": "user", "persona": INJECTION, "knows": {"name": "Rex"}},
        "desk": {"role": "assistant"},
    }
    scenario = load_scenario(written(folder, cast=cast, tools=[tool | {"parameters": schema}]))
    stage = Stage(bundled_recipe("user_script"))
    talk = await stage.play(stage.seat(Item(0, "visit-0", scenario, {}, seed=1)))

    assert scenario.cast["visitor"].persona == INJECTION
    assert [json.loads(m.text) for m in talk.messages if m.role == "tool"] == [{"note": INJECTION}]


def test_a_document_learns_nothing_of_the_scenarios_slots(folder: Path) -> None:
    (folder / "pets.yaml").write_text(PETS.replace("summary: List pets", "summary: The word is ${word}"))
    scenario = load_scenario(written(folder, world={"openapi": "pets.yaml"}, slots={"word": "sesame"}, title="${word}"))

    settled = settle(scenario, {})

    assert settled.title == "sesame"
    assert settled.tools[0].description == "The word is ${word}"


def test_what_is_filled_into_a_prompt_is_not_filled_again() -> None:
    filled = fill_prompt("{{persona}} follows {{policy}}", {"persona": "{{policy}} " + INJECTION, "policy": "SECRET"})

    assert filled == "{{policy}} " + INJECTION + " follows SECRET"
