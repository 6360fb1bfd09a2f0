"""The lines of a run: each role's model opened, with its price and a limiter that models at one address share."""

from collections.abc import Mapping

import orjson

from tertulia.errors import SettingsError
from tertulia.models.caller import Line
from tertulia.models.limits import Limiter
from tertulia.models.prices import Prices
from tertulia.models.records import ChatEndpoint
from tertulia.models.spec import ModelSpec, RoleModel, open_endpoint

__all__ = ["open_lines", "unpriced"]


def open_lines(models: Mapping[str, RoleModel], prices: Prices, most: int) -> dict[str, Line]:
    """A line for each role; at most `most` calls are open at once at any address.

    Raises:
        SettingsError: if a key or a package is missing."""
    limiters: dict[str, Limiter] = {}
    endpoints: dict[bytes, ChatEndpoint] = {}

    def line(model: RoleModel) -> Line:
        same = model.model_dump_json(exclude={"others"}).encode()
        if same not in endpoints:
            endpoints[same] = open_endpoint(model)
        return Line(
            name=str(model.spec),
            mark=mark(model),
            endpoint=endpoints[same],
            limiter=limiters.setdefault(address(model.spec), Limiter(most)),
            pricing=prices.of(model.spec),
            most_out=model.most_out,
            tool_form=model.tool_form,
            model=f"{model.spec.provider}:{model.spec.name}",
            others=tuple(map(line, model.others)),
        )

    return {role: line(model) for role, model in models.items()}


def unpriced(models: Mapping[str, RoleModel], prices: Prices) -> list[str]:
    """The models whose price is unknown."""
    every = (one for model in models.values() for one in model.candidates)
    return sorted({str(model.spec) for model in every if prices.of(model.spec) is None})


def mark(model: RoleModel) -> bytes:
    """What decides a model's replies besides the request. Where it is served is not part of it."""
    try:
        return orjson.dumps((model.spec.provider, model.spec.name, model.settings), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise SettingsError(f"the settings of {model.spec} are not JSON: {error}") from None


def address(spec: ModelSpec) -> str:
    """What shares one allowance of calls."""
    return spec.base_url or f"{spec.provider}:{spec.name}"
