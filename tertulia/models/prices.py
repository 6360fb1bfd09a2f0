"""What tokens cost, from a table that the user can override. A price that nobody knows is None, never a guess."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import Field, RootModel
from yarl import URL

from tertulia.models.endpoint import OPENAI
from tertulia.models.spec import ModelSpec
from tertulia.records import Record
from tertulia.source import read_records

__all__ = ["Price", "Prices", "bundled_prices", "prices_from"]

DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")  # gpt-4o-2024-11-20, claude-sonnet-4-5-20250929
ANY = "*"
MILLION = 1_000_000


class Price(Record):
    """US dollars for a million tokens."""

    into: float = Field(alias="in", ge=0, description="tokens of the prompt")
    cached: float | None = Field(None, ge=0, description="those that a prefix cache serves; left out: as others")
    out: float = Field(ge=0, description="tokens of the reply")

    def __call__(self, tokens_in: int, tokens_out: int, cached_in: int = 0) -> float:
        """US dollars for a call. `cached_in` of `tokens_in` were served from the prefix cache."""
        cached = self.into if self.cached is None else self.cached
        return ((tokens_in - cached_in) * self.into + cached_in * cached + tokens_out * self.out) / MILLION


class PriceList(RootModel[dict[str, dict[str, Price]]]):
    """A file of prices: provider or HOST:PORT -> model, or `*` for all that are not named -> price."""


class Prices:
    """The prices that are known."""

    def __init__(self, *tables: Mapping[str, Mapping[str, Price]]) -> None:
        self.tables = tables  # the first that knows a model is believed

    def of(self, spec: ModelSpec) -> Price | None:
        """A model's price, or None. A dated name falls back to the name without its date.

        An OpenAI-compatible endpoint elsewhere is looked up by its host, since another seller has other prices."""
        seller = spec.provider
        if spec.provider == "openai" and spec.base_url not in ("", OPENAI):
            url = URL(spec.base_url)
            seller = f"{url.host}:{url.port}"
        for table in self.tables:
            listed = table.get(seller, {})
            for name in (spec.name, DATED.sub("", spec.name), ANY):
                if name in listed:
                    return listed[name]
        return None


def prices_from(path: Path | None = None) -> Prices:
    """The bundled prices, overridden by those of a file.

    Raises:
        ScenarioError: with every fault of the file, at its line."""
    own = (read_records(path, PriceList)[1].root,) if path else ()
    return Prices(*own, bundled_prices())


@cache
def bundled_prices() -> dict[str, dict[str, Price]]:
    """The prices that came with tertulia, as of the date in the file."""
    return read_records(Path(str(files("tertulia.models") / "prices.yaml")), PriceList)[1].root
