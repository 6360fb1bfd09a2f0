"""JSON Schemas of the files that people write, for their editors: `tertulia schema NAME`."""

from typing import Any

from pydantic import BaseModel

from tertulia.corpus.criteria import Criteria
from tertulia.errors import UserError, did_you_mean
from tertulia.principles import PrincipleFile
from tertulia.recipe import Recipe
from tertulia.scenario import Scenario

__all__ = ["SCHEMAS", "schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: dict[str, type[BaseModel]] = {
    "scenario": Scenario,
    "recipe": Recipe,
    "principles": PrincipleFile,
    "criteria": Criteria,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one kind of file.

    Raises:
        UserError: if there is no such kind."""
    if name not in SCHEMAS:
        raise UserError(f"no schema is called {name!r}{did_you_mean(name, SCHEMAS)}; known: {', '.join(SCHEMAS)}")
    made = SCHEMAS[name].model_json_schema(by_alias=True)
    return {"$schema": DIALECT, "$id": f"urn:tertulia:schema:{name}"} | made
