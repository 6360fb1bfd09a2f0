"""A model that is asked outside of any run: nothing that it says is kept beyond the process."""

import sqlite3

from tertulia.models.budget import Allowance, Budget
from tertulia.models.caller import Caller
from tertulia.models.journal import TABLES, Batch, Journal, write
from tertulia.models.lines import open_lines
from tertulia.models.prices import prices_from
from tertulia.models.records import Ask
from tertulia.models.spec import role_models

__all__ = ["ask_alone"]

AT_ONCE = 8  # calls


def ask_alone(role: str, spec: str, base_url: str = "") -> Ask:
    """The door to a model for one role.

    Raises:
        SettingsError: for a spec that cannot be read, or a key or package that is missing."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(TABLES)

    def keep(batch: Batch) -> None:
        write(database, batch)

    models = role_models(role_model=(f"{role}={spec}",), base_url=base_url)
    return Caller(open_lines(models, prices_from(), AT_ONCE), Journal(database, keep), Budget(Allowance())).ask_for(
        role
    )
