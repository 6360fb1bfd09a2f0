"""`tertulia estimate`: calls, tokens and money of a run with models, before it is paid for."""

import asyncio
from typing import Any

from tertulia.commands.printing import as_json, console, note, table
from tertulia.errors import SettingsError
from tertulia.running.estimate import Estimate, estimate
from tertulia.running.items import gathered
from tertulia.running.playing import EACH
from tertulia.running.run_settings import RunSettings

__all__ = ["perform"]


def perform(*, json: bool, **options: Any) -> int:
    settings = RunSettings.of(**options)
    if not settings.models:
        raise SettingsError("nothing of this costs money: no role has a model; name one with --model SPEC")
    scenarios, _ = gathered(settings.scenarios)
    foreseen = asyncio.run(
        estimate(
            scenarios,
            settings.models,
            n=settings.n or EACH * len(scenarios),
            cast=settings.base_cast,
            seed=settings.seed,
            slips=settings.slips,
            prices=settings.price_table,
        )
    )
    if json:
        for text in foreseen.notes:
            note(text)
        as_json(foreseen.model_dump(mode="json", by_alias=True))
    else:
        show(foreseen)
    return 0


def show(foreseen: Estimate) -> None:
    """The sum in words, then each role's share."""
    tokens, usd = foreseen.tokens, foreseen.usd
    money = f"${usd.mid:,.2f} (${usd.low:,.2f} to ${usd.high:,.2f})" if usd else "price unknown"
    print(f"{foreseen.conversations} conversations: {foreseen.calls:,} calls, {money}")
    print(
        f"{tokens.into:,} tokens in, {tokens.cached:,} of them the beginning of an earlier prompt; {tokens.out:,} out"
    )
    rows = table("", "role", "<model", "calls", "in", "out")
    for role, share in foreseen.roles.items():
        rows.add_row(role, share.model, f"{share.calls:,}", f"{share.tokens.into:,}", f"{share.tokens.out:,}")
    console().print(rows)
    for text in foreseen.notes:
        note(text)
