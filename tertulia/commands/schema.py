"""`tertulia schema`: the JSON Schema of a file format."""

import json
from importlib.resources import files

from tertulia.errors import UserError, did_you_mean
from tertulia.schemas import SCHEMAS, schema

__all__ = ["perform"]

WRITTEN = "evalset"  # a format that is exported, whose schema lies beside the others as a file


def perform(*, of: str) -> int:
    if of == WRITTEN:
        print((files("tertulia.scenarios") / "schema" / f"{WRITTEN}.json").read_text(encoding="utf-8"), end="")
        return 0
    known = (*SCHEMAS, WRITTEN)
    if of not in known:
        raise UserError(f"no schema is called {of!r}{did_you_mean(of, known)}; known: {', '.join(known)}")
    print(json.dumps(schema(of), indent=2, ensure_ascii=False))
    return 0
