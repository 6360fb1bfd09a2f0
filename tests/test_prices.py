"""The price table."""

import re
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest

from tertulia.errors import ScenarioError
from tertulia.models.prices import Price, bundled_prices, prices_from
from tertulia.models.spec import parse_spec

TABLE = """
openai:
  gpt-4o: {in: 1, out: 2}
"localhost:8000":
  "*": {in: 0, cached: 0, out: 0}
  big: {in: 3, out: 3}
"""


def price(text: str, path: Path | None = None) -> Price | None:
    return prices_from(path).of(parse_spec(text))


def test_a_call_costs_its_prompt_its_cached_prompt_and_its_reply() -> None:
    dear = Price(**{"in": 2.0}, cached=0.5, out=8.0)
    assert dear(1_000_000, 0) == 2.0
    assert dear(1_000_000, 500_000, 400_000) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.5 * 8)
    assert Price(**{"in": 2.0}, out=8.0)(1_000_000, 0, 1_000_000) == 2.0


def test_every_bundled_price_is_plausible_and_dated() -> None:
    for listed in bundled_prices().values():
        for cost in listed.values():
            assert 0 < (cost.cached or cost.into) <= cost.into < cost.out < 200
    text = (files("tertulia.models") / "prices.yaml").read_text(encoding="utf-8")
    assert datetime.strptime(re.findall(r"As of (\w+ \d{4})", text)[0], "%B %Y").year >= 2026


def test_a_dated_name_falls_back_to_the_name_without_its_date() -> None:
    assert price("openai:gpt-4.1-mini-2025-04-14") == price("openai:gpt-4.1-mini") is not None
    assert price("anthropic:claude-sonnet-4-5-20250929") == price("anthropic:claude-sonnet-4-5") is not None
    assert price("openai:gpt-4o-2024-05-13") != price("openai:gpt-4o")


def test_an_unknown_price_is_none_and_never_that_of_another_seller() -> None:
    assert price("openai:gpt-999") is None
    assert price("anthropic:gpt-4o") is None
    assert price("openai:gpt-4o@https://gateway.example/v1") is None


def test_a_file_of_prices_goes_before_the_bundled_ones(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(TABLE)
    assert price("openai:gpt-4o", file) == Price(**{"in": 1}, out=2)
    assert price("openai:gpt-4o-2024-11-20", file) == Price(**{"in": 1}, out=2)
    assert price("openai:gpt-4.1", file) == price("openai:gpt-4.1")
    free = price("openai:anything@http://localhost:8000/v1", file)
    assert free is not None
    assert free(10**6, 10**6, 5) == 0.0
    assert price("openai:big@http://localhost:8000/v1", file) == Price(**{"in": 3}, out=3)


@pytest.mark.parametrize("line", ["{in: -1, out: 2}", "{in: 1}", "{in: 1, out: 2, per: 3}"])
def test_a_fault_in_a_file_of_prices_is_named_at_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(f"openai:\n  gpt-4o: {line}\n")
    with pytest.raises(ScenarioError, match=r"prices\.yaml:2:"):
        price("openai:gpt-4o", file)
