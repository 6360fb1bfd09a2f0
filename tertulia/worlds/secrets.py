"""Secrets that a scenario names by the environment variables that hold them: sent where it says, shown to nobody."""

import json
import os
from collections.abc import Iterable, Mapping

from tertulia.errors import UserError

__all__ = ["named", "redacted", "secrets_of"]

SHORTEST = 4  # characters; what is shorter is no secret, and would be found everywhere


def secrets_of(variables: Mapping[str, str]) -> dict[str, str]:
    """The values of the environment variables, by what they are for.

    Raises:
        UserError: for one that is not set."""
    if absent := [variable for variable in variables.values() if not os.environ.get(variable)]:
        raise UserError(f"the environment variable {absent[0]} is not set")
    return {name: os.environ[variable] for name, variable in variables.items()}


def named(variables: Iterable[str]) -> str:
    """What else is sent, for whoever is asked to allow it."""
    told = ", ".join(dict.fromkeys(variables))
    return f" with {told} from the environment" if told else ""


def redacted(text: str, secrets: Mapping[str, str]) -> str:
    """The text with the name of a secret in the place of each, in whatever form it was sent."""
    for name, secret in secrets.items():
        for form in {secret, json.dumps(secret)[1:-1]} if len(secret) >= SHORTEST else ():
            text = text.replace(form, f"[{name}]")
    return text
