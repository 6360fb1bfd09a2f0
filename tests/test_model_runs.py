"""Runs with models: which roles they play, what a run may cost, how it goes on, and that processes change nothing."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import tertulia
from tertulia.cli import main
from tertulia.errors import RunStopped, SettingsError, UserError
from tertulia.models.limits import Patience
from tertulia.models.records import Reply
from tertulia.records import Conversation, EndReason
from tertulia.running.run_folder import read_manifest
from tertulia.running.runs import Run
from tertulia.testing import FaultServer
from tertulia.testing.players import played as by_rules

KEY = "sk-never-to-be-written-down"
SHORT = "another-day"
N = 4

Body = dict[str, Any]


class Listening:
    """Plays every role by rules, and keeps what was asked. `instead` may answer for a role."""

    def __init__(self) -> None:
        self.asked: list[Body] = []
        self.instead: dict[str, str] = {}

    def __call__(self, body: Body) -> Reply:
        self.asked.append(body)
        role = self.role(body)
        return Reply(text=self.instead[role]) if role in self.instead else by_rules(body)

    @staticmethod
    def role(body: Body) -> str:
        found = re.search(r"you are the (\w+)", body["messages"][0]["content"], re.IGNORECASE)
        assert found
        return found[1]

    @property
    def roles(self) -> set[str]:
        return {self.role(body) for body in self.asked}


@pytest.fixture(autouse=True)
def key_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("tertulia.running.playing.Patience", partial(Patience, first=0.002))


@pytest.fixture
def model() -> Iterator[tuple[Listening, Callable[..., Run]]]:
    """What the endpoint hears, and a run against it."""
    heard = Listening()
    with FaultServer(player=heard) as server:

        def go(out: Path, *scenarios: str, price: float = 0.0, **options: Any) -> Run:
            if price:
                known = {f"127.0.0.1:{server.port}": {"*": {"in": price, "out": 2 * price}}}
                options["prices"] = str(out.with_name("prices.yaml"))
                Path(options["prices"]).write_text(json.dumps(known))
            usual = {"n": N, "slips": 0.0, "base_url": server.url, "deadline": 30.0, "retries": 1}
            if "role_models" not in options:
                usual["model"] = "openai:m"
            return tertulia.run(scenarios or (SHORT,), out=out, **usual | options)

        yield heard, go


def exports(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run.folder / "exports").iterdir())}


def talks(folder: Path) -> list[Conversation]:
    return list(Run(folder).conversations())


# --- who plays what ----------------------------------------------------------------------------------------------


def test_one_model_plays_every_role(model, tmp_path):
    heard, go = model
    run = go(tmp_path / "r")

    assert run.summary.accepted == N
    assert heard.roles >= {"planner", "user", "assistant"}
    assert run.summary.as_json()["model_calls"] == len(heard.asked)


def test_a_role_may_be_played_by_rules_among_models(model, tmp_path):
    heard, go = model
    go(tmp_path / "r", role_models=("user=rules", "critic=rules"), model="openai:m")

    assert heard.roles >= {"planner", "assistant"}
    assert heard.roles.isdisjoint({"user", "critic"})


def test_without_a_model_for_all_only_the_named_roles_are_played_by_one(model, tmp_path):
    heard, go = model
    go(tmp_path / "r", role_models=("user=openai:small",), role_settings=("user.temperature=0.9",))

    assert heard.roles == {"user"}
    assert {body["model"] for body in heard.asked} == {"small"}
    assert {body["temperature"] for body in heard.asked} == {0.9}


def test_a_cast_of_models_without_a_model_says_what_is_missing(tmp_path):
    with pytest.raises(SettingsError, match="needs a model: name one with --model SPEC"):
        tertulia.run(SHORT, n=1, out=tmp_path / "r", cast="models")


# --- costs -------------------------------------------------------------------------------------------------------


def test_what_conversations_cost_adds_up_to_what_the_run_paid(model, tmp_path):
    run = model[1](tmp_path / "r", price=1.0)
    summary = run.summary.as_json()
    usages = [talk.usage for talk in run.conversations()]

    assert sum(usage.calls for usage in usages) == summary["model_calls"]
    assert sum(usage.tokens_in for usage in usages) == summary["tokens"]["in"]
    assert sum(usage.usd or 0 for usage in usages) == pytest.approx(summary["usd"], abs=1e-5)
    assert summary["usd"] > 0


def test_a_bound_in_money_stops_before_it_is_passed(model, tmp_path):
    go = model[1]
    whole = go(tmp_path / "whole", price=1.0).summary.as_json()["usd"]
    with pytest.raises(RunStopped, match="--max-usd"):
        go(tmp_path / "cut", price=1.0, max_usd=whole / 2)

    assert 0 < Run(tmp_path / "cut").summary.as_json()["usd"] <= whole / 2


def test_a_bound_in_calls_is_exact_and_a_larger_one_goes_on_to_the_same_end(model, tmp_path):
    heard, go = model
    whole = go(tmp_path / "whole")
    total = len(heard.asked)
    heard.asked.clear()

    for most in (0, 7, 20):
        with pytest.raises(RunStopped, match=rf"--max-calls {most} is spent; .* a larger one goes on"):
            go(tmp_path / "cut", max_calls=most)
        assert len(heard.asked) == most
    rest = go(tmp_path / "cut", max_calls=total)

    assert len(heard.asked) == total
    assert exports(rest) == exports(whole)
    assert list(rest.conversations()) == list(whole.conversations())
    assert rest.summary.as_json()["journal_hits"] >= 20


def test_a_bound_in_money_needs_a_known_price(model, tmp_path):
    with pytest.raises(SettingsError, match=r"--max-usd needs the price of openai:m@http://.*--prices FILE"):
        model[1](tmp_path / "r", max_usd=1.0)
    assert not (tmp_path / "r").exists()


# --- failures ----------------------------------------------------------------------------------------------------


def test_a_reply_of_no_use_ends_its_conversation_under_the_name_of_the_trouble(model, tmp_path):
    heard, go = model
    heard.instead["planner"] = "Today I would rather talk about the weather."
    run = go(tmp_path / "r")

    assert run.summary.rejected == {"not_json": N}
    assert {talk.end_reason for talk in run.conversations()} == {EndReason.PARSE_FAILURE}
    assert all("rather talk about the weather" in talk.error for talk in run.conversations())
    assert run.summary.as_json()["troubles"]["not_json"] == 2 * N


def test_what_an_endpoint_failed_to_answer_is_played_again_later_with_the_replies_it_gave(tmp_path, monkeypatch):
    heard = Listening()
    with FaultServer(player=heard) as server:
        asked = {"n": 1, "slips": 0.0, "model": "openai:m", "deadline": 30.0, "retries": 0}
        good = heard.__call__

        def breaks(body: Body) -> Any:
            if len(heard.asked) >= 3:
                raise RuntimeError("the endpoint breaks")
            return good(body)

        server.endpoint.player = breaks
        run = tertulia.run(SHORT, out=tmp_path / "r", base_url=server.url, **asked)
        (talk,) = run.conversations()
        assert talk.end_reason is EndReason.MODEL_FAILURE
        assert talk.rejected_by in ("connection", "server_error", "malformed")
        assert run.summary.as_json()["http"] == {talk.rejected_by: 1}

        server.endpoint.player = good
        run = tertulia.run(SHORT, out=tmp_path / "r", base_url=server.url, **asked)

    assert run.summary.accepted == 1
    assert run.summary.as_json()["journal_hits"] == 3
    assert run.summary.as_json()["model_calls"] == len(heard.asked)


def test_an_endpoint_that_denies_everything_is_one_line_and_no_key(tmp_path):
    with (
        FaultServer(key="another key") as server,
        pytest.raises(UserError, match="denies every call: status 401") as caught,
    ):
        tertulia.run(SHORT, n=40, out=tmp_path / "r", model="openai:m", base_url=server.url)

    assert KEY not in str(caught.value)


# --- going on ----------------------------------------------------------------------------------------------------


def test_the_key_is_nowhere_in_the_folder_and_the_model_is_in_the_manifest(model, tmp_path):
    run = model[1](tmp_path / "r", role_settings=("temperature=0.5",))

    assert all(KEY.encode() not in path.read_bytes() for path in run.folder.rglob("*") if path.is_file())
    models = read_manifest(run.folder)["settings"]["models"]
    assert models["critic"]["spec"] == {"provider": "openai", "name": "m"}
    assert models["critic"]["settings"] == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "openai:other"}, "name was"),
        ({"role_settings": ("temperature=1",)}, "temperature was absent, is 1"),
        ({"role_models": ("critic=rules",), "model": "openai:m"}, "critic was"),
        ({"seed": 5}, "seed was 0, is 5"),
    ],
)
def test_a_run_is_not_continued_with_another_model(model, tmp_path, change, words):
    go = model[1]
    go(tmp_path / "r", n=1)

    with pytest.raises(SettingsError, match=words):
        go(tmp_path / "r", n=1, **change)


def test_where_a_model_is_served_changes_nothing(tmp_path):
    heard = Listening()
    for _ in range(2):
        with FaultServer(player=heard) as server:
            run = tertulia.run(SHORT, n=1, out=tmp_path / "r", slips=0.0, model="openai:m", base_url=server.url)

    assert run.summary.as_json()["model_calls"] == len(heard.asked)
    assert read_manifest(run.folder)["endpoints"]["user"]["base_url"] == server.url


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Path:
    """Two scenario files of one's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "other"):
        monkeypatch.setattr(sys, "argv", ["tertulia", "new", "scenario", name])
        with pytest.raises(SystemExit):
            main()
    return tmp_path / "mine.yaml"


def test_a_changed_scenario_is_played_again_and_pays_for_what_is_asked_otherwise_only(model, mine, tmp_path):
    heard, go = model
    files = (str(mine), str(tmp_path / "other.yaml"))
    go(tmp_path / "r", *files)
    before, paid = talks(tmp_path / "r"), len(heard.asked)

    changed = mine.read_text().replace("title: ", "title: Changed, ", 1)
    assert changed != mine.read_text()
    mine.write_text(changed)
    run = go(tmp_path / "r", *files)

    assert [talk.turns for talk in run.conversations()] == [talk.turns for talk in before]
    again = run.summary.as_json()
    assert again["journal_hits"] > 0
    assert len(heard.asked) - paid < paid / 2
    assert again["model_calls"] == len(heard.asked)


def test_a_newer_tertulia_replays_and_pays_nothing(model, tmp_path, monkeypatch):
    heard, go = model
    whole = go(tmp_path / "r")
    before, paid = exports(whole), len(heard.asked)
    monkeypatch.setattr("tertulia.running.run_settings.code_digest", lambda: "0" * 64)
    run = go(tmp_path / "r")

    assert len(heard.asked) == paid
    assert exports(run) == before
    assert run.summary.as_json()["journal_hits"] == paid


def test_fresh_pays_again(model, tmp_path):
    heard, go = model
    go(tmp_path / "r")
    paid = len(heard.asked)
    go(tmp_path / "r", fresh=True)

    assert len(heard.asked) == 2 * paid


def test_judging_again_pays_nothing_and_keeps_the_costs(model, tmp_path):
    heard, go = model
    run = go(tmp_path / "r")
    usages, paid = [talk.usage for talk in run.conversations()], len(heard.asked)
    summary = run.judge()

    assert summary.accepted == N
    assert len(heard.asked) == paid
    assert [talk.usage for talk in run.conversations()] == usages


# --- processes ---------------------------------------------------------------------------------------------------


def test_several_processes_share_one_budget_to_the_call_and_give_the_bytes_of_one(model, tmp_path):
    heard, go = model
    one = go(tmp_path / "one", n=9)
    paid = len(heard.asked)
    most = 4 * paid // 5
    heard.asked.clear()
    with pytest.raises(RunStopped, match=f"--max-calls {most} is spent"):
        go(tmp_path / "two", n=9, workers=2, max_calls=most)
    assert len(heard.asked) == most
    assert len(talks(tmp_path / "two")) < 9

    two = go(tmp_path / "two", n=9)
    assert len(heard.asked) == paid
    assert exports(two) == exports(one)
    assert list(two.conversations()) == list(one.conversations())


def test_what_a_worker_cannot_mend_is_told_by_the_driver(tmp_path):
    with (
        FaultServer(key="another key") as server,
        pytest.raises(UserError, match="denies every call: status 401"),
    ):
        tertulia.run(SHORT, n=60, out=tmp_path / "r", model="openai:m", base_url=server.url, workers=2)


# --- the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys) -> Callable[..., tuple[int, Any, str]]:
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["tertulia", *map(str, words), "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), json.loads(said.out or "null"), said.err

    return call


def test_a_spent_budget_is_status_1_one_line_and_the_summary(shell):
    with FaultServer() as server:
        words = ("run", SHORT, "-n", 2, "--model", "openai:m", "--base-url", server.url, "--max-calls", 3, "-q")
        status, summary, told = shell(*words)

    assert status == 1
    assert told.count("\n") == 1
    assert "the budget of --max-calls 3 is spent; 0 of 2 conversations are kept in runs/another-day-" in told
    assert summary["model_calls"] == 3


def test_an_estimate_sends_nothing_and_needs_a_model(shell):
    with FaultServer() as server:
        words = ("estimate", SHORT, "-n", 2, "--model", "openai:gpt-4o-mini", "--role-model", "critic=rules")
        status, foreseen, _ = shell(*words)
        assert server.tally.asked == {}

    assert status == 0
    assert foreseen["calls"] > 0
    assert {"in", "out"} <= set(foreseen["tokens"])
    assert foreseen["usd"]["low"] <= foreseen["usd"]["mid"] <= foreseen["usd"]["high"]
    assert "critic" not in foreseen["roles"]
    assert shell("estimate", SHORT)[0] == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--model", "m"), "write PROVIDER:NAME"),
        (("--role-model", "critc=openai:m"), "did you mean 'critic'?"),
        (("--role-model", "critc=rules"), "did you mean 'critic'?"),
        (("--role-setting", "critic.temperature=0"), "--role-model critic=SPEC"),
        (("--model", "openai:m", "--role-setting", "user.api_key=x"), "environment only"),
        (("--model", "openai:m", "--prices", "nowhere.yaml", "--max-usd", "1"), "there is no such file"),
    ],
)
def test_a_wrong_option_is_one_line(shell, words, line):
    status, _, told = shell("run", SHORT, "-n", 1, *words)

    assert status == 2
    assert line in told
    assert told.count("\n") == 1
