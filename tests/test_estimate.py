"""What a run will cost, against what a run does cost."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tertulia.errors import SettingsError
from tertulia.models import tokens
from tertulia.models.prices import prices_from
from tertulia.models.spec import role_models
from tertulia.recipe import bundled_recipe
from tertulia.running.estimate import Estimate, estimate
from tertulia.running.items import gathered, plan_items
from tertulia.running.playing import play
from tertulia.running.rehearsal import Rehearsal
from tertulia.running.run_settings import RunSettings
from tertulia.scenario import Scenario
from tertulia.testing import FaultServer

ROLES = ("planner", "user", "assistant", "colleague", "critic")
WORLDS = ("parcels", "clinic")
N = 20
TABLE = """
id: table
kind: single_call
tools:
  - name: book_table
    description: Book a table for a day.
    writes: true
    parameters: {type: object, properties: {day: {type: string, description: the day}}, required: [day]}
cast:
  guest: {role: user, knows: {day: friday}}
  agent: {role: assistant}
script:
  opening: Please book a table for friday.
  wants:
    - {call: book_table, with: {day: friday}}
"""


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return list(gathered(WORLDS)[0])


async def test_calls_tokens_and_money_come_near_those_of_the_run_that_follows(
    scenarios: list[Scenario], tmp_path: Path
) -> None:
    with FaultServer() as server:
        file = tmp_path / "prices.yaml"
        file.write_text(f'"127.0.0.1:{server.port}": {{m: {{in: 2, cached: 0.5, out: 8}}}}')
        roles = role_models(f"openai:m@{server.url}")
        told = await estimate(scenarios, roles, n=N, prices=prices_from(file))
        asked = RunSettings.of(
            scenarios=WORLDS, n=N, out=str(tmp_path / "run"), model="openai:m", base_url=server.url, prices=str(file)
        )
        await play(asked, lambda standing: None)
        tally = server.tally
    assert told.calls == pytest.approx(tally.asked.total(), rel=0.1)
    assert told.tokens.into == pytest.approx(tally.tokens_in, rel=0.15)
    assert told.tokens.out == pytest.approx(tally.tokens_out, rel=0.25)
    spent = ((tally.tokens_in - tally.cached_in) * 2 + tally.cached_in * 0.5 + tally.tokens_out * 8) / 1e6
    assert told.usd is not None
    assert told.usd.mid == pytest.approx(spent, rel=0.25)
    assert told.usd.low < told.usd.mid < told.usd.high


async def told_of(scenarios: list[Scenario], *models: str, n: int = 12, **more: str) -> Estimate:
    roles = role_models(more.get("model", ""), models, role_setting=[more["setting"]] if "setting" in more else [])
    return await estimate(scenarios, roles, n=n, cast=more.get("cast", "rules"))


async def test_only_roles_that_a_model_plays_cost(scenarios: list[Scenario]) -> None:
    told = await told_of(scenarios, "critic=openai:gpt-4.1-mini")
    assert set(told.roles) == {"critic"}
    assert told.calls == told.roles["critic"].calls > 12
    nothing = await told_of(scenarios)
    assert nothing.calls == 0
    assert nothing.usd is not None
    assert nothing.usd.high == 0


async def test_a_larger_run_is_scaled_up_and_says_so(scenarios: list[Scenario]) -> None:
    small = await told_of(scenarios[:6], "user=openai:gpt-4.1-mini", n=60)
    large = await told_of(scenarios[:6], "user=openai:gpt-4.1-mini", n=6000)
    assert large.rehearsed == small.rehearsed < 60
    assert large.calls == pytest.approx(100 * small.calls, rel=0.01)
    assert any("of 6000 conversations" in note for note in large.notes)
    assert large.usd is not None
    assert small.usd is not None
    assert large.usd.mid == pytest.approx(100 * small.usd.mid)


async def test_a_price_that_nobody_knows_leaves_the_money_open_and_is_named(scenarios: list[Scenario]) -> None:
    told = await told_of(scenarios, "user=openai:gpt-4.1-mini", "critic=openai:mystery", n=6)
    assert told.usd is None
    assert any("price of openai:mystery is unknown" in note for note in told.notes)


async def test_bounded_replies_and_tools_in_the_prompt_change_the_tokens(scenarios: list[Scenario]) -> None:
    model = "assistant=openai:gpt-4.1-mini"
    plain = await told_of(scenarios, model)
    bounded = await told_of(scenarios, model, setting="assistant.max_tokens=2")
    in_prompt = await told_of(scenarios, model, setting="assistant.tool_form=prompt")
    assert bounded.tokens.out <= 2 * bounded.calls < plain.tokens.out
    assert bounded.tokens.into == plain.tokens.into
    assert in_prompt.tokens.into != plain.tokens.into


async def test_the_same_is_told_twice(scenarios: list[Scenario]) -> None:
    assert await told_of(scenarios, model="openai:gpt-4.1") == await told_of(scenarios, model="openai:gpt-4.1")


async def test_a_cast_without_a_model_for_its_parts_is_refused(scenarios: list[Scenario]) -> None:
    with pytest.raises(SettingsError, match="--role-model"):
        await told_of(scenarios, "critic=openai:gpt-4.1", cast="models")


async def test_a_rehearsal_asks_what_the_parts_ask(scenarios: list[Scenario]) -> None:
    forms: Mapping[str, str] = dict.fromkeys(ROLES, "native")
    rehearsal = Rehearsal(bundled_recipe("user_script"), "models", forms)  # type: ignore[arg-type]
    item = next(plan_items(scenarios, 1, 0, 0.0))
    calls = await rehearsal.play(item)
    assert {call.role for call in calls} >= {"planner", "user", "assistant", "critic"}
    assert all(call.request.role == call.role for call in calls)
    assert all(call.request.conversation == item.id for call in calls)
    assert calls == await rehearsal.play(item)


async def test_calls_of_simulated_tools_are_foreseen(tmp_path: Path) -> None:
    (tmp_path / "table.yaml").write_text(TABLE)
    scenarios, _ = gathered((str(tmp_path / "table.yaml"),))
    simulated = await told_of(scenarios, model="openai:gpt-4.1-mini", n=5)
    assert simulated.roles["tool"].calls == 5
    without = await told_of(scenarios, "user=openai:gpt-4.1-mini", n=5)
    assert "tool" not in without.roles


# --- counting tokens ---------------------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens.counter.cache_clear()
    monkeypatch.setattr(tokens, "get_encoding", lambda name: pytest.fail("tiktoken would have downloaded"))


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("content", [None, b"half a file"])
def test_without_a_whole_encoding_file_tokens_are_estimated_and_the_label_says_so(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    if content:
        (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").write_bytes(content)
    count, how = tokens.counter()
    assert count("12345") == 2
    assert "estimated" in how
    tokens.counter.cache_clear()


@pytest.mark.usefixtures("no_network")
def test_a_cache_that_is_switched_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert not tokens.in_cache()


def test_a_cached_encoding_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Words:
        def encode_ordinary(self, text: str) -> list[str]:
            return text.split()

    tokens.counter.cache_clear()
    monkeypatch.setattr(tokens, "in_cache", lambda: True)
    monkeypatch.setattr(tokens, "get_encoding", lambda name: Words())
    count, how = tokens.counter()
    assert (count("one two three"), how) == (3, "counted with o200k_base")
    tokens.counter.cache_clear()
