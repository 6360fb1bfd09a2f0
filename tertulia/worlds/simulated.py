"""Tools with no backend: answers drawn by seed from what is documented, over records that the calls make and change.

An answer is a function of the world's seed, the record it is about and what was done to it before in the same
conversation; so the gold calls of a scenario give the same in every replay. What is asked for comes back: the id, the
filters of a list, the values that were set. A record that was made can be read, listed, changed and deleted; one that
was deleted is not found. Any other id stands for a record that was there before. Answers fit the tool's schema, and
what is wrong with a request is told in the documented way, with the documented status.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from jsonschema import Draft202012Validator

from tertulia.records import Change
from tertulia.scenario import Scenario, ToolSchema
from tertulia.state_paths import changed
from tertulia.streams import stream
from tertulia.world import Outcome, as_text, refusal
from tertulia.worlds.drawing import bare, draw, first_type, pointed
from tertulia.worlds.resources import Resource, listed_in, resource_of
from tertulia.worlds.schema import SchemaWorld
from tertulia.worlds.telling import (
    Known,
    example_of,
    fields_of,
    fits,
    fits_schema,
    id_field,
    id_schema,
    named_by,
    plain,
    plain_known,
    searched,
)

__all__ = ["LiveSimulated", "SimulatedWorld"]

RESIDENTS = 4  # records of a kind that are there before anybody makes one
FOUND = 2  # records drawn for a filter that fits none of them
MOST_LISTED = 50
MOST_DRAWN = 10  # for a list that is asked to be longer
DELETED = "deleted"
LIMITS = ("limit", "perpage", "pagesize", "size", "count", "maxresults", "numberofresults", "per", "n", "top")
PAGES = ("page", "pagenumber", "currentpage")
BESIDES_LIST = """
    token accesstoken apikey key secret password session sort sortby order orderby direction fields include format
    lang language locale cursor offset
"""
BESIDES = frozenset(BESIDES_LIST.split())  # parameters that choose no records
COUNTS = ("total", "count", "totalresults", "totalcount", "totalitems", "resultcount", "size")
MESSAGES = ("message", "error", "detail", "description", "reason", "title", "msg")


@dataclass(frozen=True)
class SimulatedWorld(SchemaWorld):
    """Tools given as JSON Schema that answer as their documents say."""

    seed: int = 0

    @cached_property
    def resources(self) -> dict[str, Resource]:
        return {tool.name: resource_of(tool) for tool in self.schemas}

    @cached_property
    def outputs(self) -> dict[str, Draft202012Validator]:
        return {tool.name: Draft202012Validator(tool.output) for tool in self.schemas}

    def start(self, scenario: Scenario) -> dict[str, Any]:
        """Records by kind and id; nothing but what the scenario puts there."""
        state: dict[str, Any] = {}
        for path, value in scenario.start.items():
            *steps, last = path.split(".")
            place = state
            for step in steps:
                place = place.setdefault(step, {}) if isinstance(place.get(step, {}), dict) else {}
            place[last] = deepcopy(value)
        return state

    def open(self, scenario: Scenario) -> "LiveSimulated":  # type: ignore[override]  # each conversation has its own
        return LiveSimulated(self, self.start(scenario))


@dataclass(slots=True)
class LiveSimulated:
    """The records of one conversation: `state` holds what calls have made, set and deleted, and nothing else."""

    world: SimulatedWorld
    state: dict[str, Any]
    met: dict[str, dict[str, Known]] = field(default_factory=dict)  # records that a filter brought up, by kind and id

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        told = self.world.call(name, args)
        if told.error:
            return self._wrong(name, told) if name in self.world.by_name else told
        if not told.unanswered:
            return told
        tool, resource = self.world.by_name[name], self.world.resources[name]
        given = plain(args)
        before = deepcopy(self.state) if tool.writes else {}
        if missing := self._missing(tool, resource, given):
            return missing
        if resource.deed == "list":
            value: Any = self._list(tool, resource, given)
        else:
            value = self._one(tool, resource, given)
        changes: tuple[Change, ...] = changed(before, self.state) if tool.writes else ()
        return Outcome(as_text(value), changes=changes)

    # --- one record -----------------------------------------------------------------------------------------------

    def _one(self, tool: ToolSchema, resource: Resource, given: dict[str, Any]) -> Any:
        known = {bare(name): value for name, value in given.items()}
        key = given.get(resource.key) if resource.key else None
        if key is None:
            key = self._new_id(tool, resource, known)
            if resource.deed == "read" and known and id_schema(tool, resource.kind):  # one that was looked for
                fitting = searched(pointed(tool.output, tool.output), known, 0)
                self.met.setdefault(resource.kind, {}).setdefault(str(key), fitting)
        record = self.state.get(resource.kind, {}).get(str(key), {})
        if tool.writes:
            values = {name: value for name, value in given.items() if name != resource.key}
            record = {DELETED: True} if resource.deed == "delete" else {**record, **values}
            self.state.setdefault(resource.kind, {})[str(key)] = record
        met = self.met.get(resource.kind, {}).get(str(key), {})
        self_named = named_by(resource, key)
        everything = example_of(tool) | met | {bare(n): v for n, v in record.items()} | known | self_named
        if resource.deed == "delete":
            everything = {DELETED: True, "success": True} | everything
        return self._shaped(tool, everything, (resource.kind, key))

    def _new_id(self, tool: ToolSchema, resource: Resource, known: Known) -> Any:
        """The id of a record that the call does not name: drawn from the answer's schema, and not taken yet."""
        schema = id_schema(tool, resource.kind)
        if resource.deed == "read" and known and schema is not None:
            return draw(schema, self._rng(resource.kind, "id", *sorted(known.items())), resource.kind + "Id")
        if resource.deed != "create":
            return json.dumps(known, sort_keys=True, ensure_ascii=False)[:80] if known else resource.kind
        taken = self.state.get(resource.kind, {})
        for nth in range(len(taken), len(taken) + 100):
            if schema is None:
                key: Any = str(nth + 1)
            else:
                key = draw(schema, self._rng(resource.kind, "id", nth, *sorted(known.items())), resource.kind + "Id")
            if str(key) not in taken:
                return key
        return str(len(taken) + 1)

    def _missing(self, tool: ToolSchema, resource: Resource, given: Mapping[str, Any]) -> Outcome | None:
        """The refusal of a call on a record that was deleted, or that is made a second time."""
        key = given.get(resource.key) if resource.key else None
        for parent in resource.parents:
            kind = bare(parent).removesuffix("id")
            if self.state.get(kind, {}).get(str(given.get(parent)), {}).get(DELETED):
                return documented(tool, ("404", "410", "4XX"), f"There is no {kind} {given.get(parent)!r}.", self.world)
        if key is None:
            return None
        record = self.state.get(resource.kind, {}).get(str(key))
        if resource.deed in ("read", "update", "delete") and record and record.get(DELETED):
            return documented(tool, ("404", "410", "4XX"), f"There is no {resource.kind} {key!r}.", self.world)
        return None

    def _wrong(self, name: str, told: Outcome) -> Outcome:
        """A request that does not fit its schema, refused in the documented way."""
        words = json.loads(told.text)["error"]
        return documented(self.world.by_name[name], ("400", "422", "4XX"), words, self.world)

    # --- many records ---------------------------------------------------------------------------------------------

    def _list(self, tool: ToolSchema, resource: Resource, given: Mapping[str, Any]) -> Any:
        where = listed_in(tool.output)
        schema = pointed(tool.output, tool.output)
        for step in where or ():
            schema = pointed(schema["properties"][step], tool.output)
        item = pointed(schema.get("items", {}), tool.output)
        asked = {bare(name): value for name, value in given.items()}
        parents = {bare(name): given[name] for name in resource.parents if name in given}
        limit = next((asked[name] for name in LIMITS if isinstance(asked.get(name), int)), None)
        page = next((asked[name] for name in PAGES if isinstance(asked.get(name), int)), 1)
        keys = self._found(tool, resource, item, asked, parents)
        if limit is not None and limit > len(keys):
            more = self._more(tool, resource, item, asked, min(limit, MOST_DRAWN))
            keys = [*keys, *self._there(resource, more, keys)][:limit]
        most = min(limit if limit is not None else MOST_LISTED, schema.get("maxItems", MOST_LISTED))
        start = max(page - 1, 0) * most if limit is not None else 0
        shown = keys[start : start + most] or (keys[:most] if page == 1 else [])
        rows = [self._item(tool, resource, item, key, asked | parents) for key in shown]
        if where == ():
            return rows
        totals = {**dict.fromkeys(COUNTS, len(keys)), "page": page, "currentpage": page, "totalpages": 1}
        envelope = self._shaped(tool, asked | totals, (resource.kind, "list"))
        if isinstance(envelope, dict) and where:
            envelope[where[0]] = rows
        return envelope

    def _found(
        self, tool: ToolSchema, resource: Resource, item: Mapping[str, Any], asked: Known, parents: Known
    ) -> list[Any]:
        """The ids of the records that a list holds: those that fit what was asked for, and some drawn to fit it."""
        own = self.state.get(resource.kind, {})
        unlike = {*LIMITS, *PAGES, *BESIDES, *parents} - fields_of(item)
        filters = {name: value for name, value in asked.items() if name not in unlike}
        about = json.dumps(parents, sort_keys=True)
        keys: list[Any] = [] if parents else [key for key, record in own.items() if not record.get(DELETED)]
        keys = [key for key in keys if fits(plain_known(own[key]), filters)]
        if not filters:
            drawn = [self._id(tool, item, resource, ("resident", about, nth)) for nth in range(RESIDENTS)]
            met = [key for key in self.met.get(resource.kind, {}) if not parents]
            return [*keys, *self._there(resource, [*drawn, *met], keys)]
        return [*keys, *self._there(resource, self._more(tool, resource, item, asked, FOUND), keys)]

    def _more(
        self, tool: ToolSchema, resource: Resource, item: Mapping[str, Any], asked: Known, count: int
    ) -> list[Any]:
        """Ids of records drawn so that they fit what was asked for."""
        filters = {name: value for name, value in asked.items() if name not in (*LIMITS, *PAGES)}
        about = json.dumps(filters, sort_keys=True, ensure_ascii=False)
        drawn = [self._id(tool, item, resource, ("found", about, nth)) for nth in range(max(count, 0))]
        for nth, key in enumerate(drawn):
            self.met.setdefault(resource.kind, {}).setdefault(str(key), searched(item, filters, nth))
        return drawn

    def _there(self, resource: Resource, drawn: list[Any], listed: list[Any]) -> Iterator[Any]:
        """Those of the drawn ids that are not deleted, nor among the records of this conversation."""
        own, seen = self.state.get(resource.kind, {}), set(map(str, listed))
        for key in drawn:
            if str(key) not in seen and str(key) not in own:
                seen.add(str(key))
                yield key

    def _id(self, tool: ToolSchema, item: Mapping[str, Any], resource: Resource, names: tuple[object, ...]) -> Any:
        rng = self._rng(resource.kind, *names)
        name, schema = id_field(item, resource.kind, tool.output)
        return draw(schema, rng, name, tool.output) if name else f"{resource.kind}_{rng.getrandbits(24):06x}"

    def _item(self, tool: ToolSchema, resource: Resource, item: Mapping[str, Any], key: Any, asked: Known) -> Any:
        record = plain_known(self.state.get(resource.kind, {}).get(str(key), {}))
        name, schema = id_field(item, resource.kind, tool.output)
        if name and first_type(schema) == "integer" and str(key).isdecimal():
            key = int(key)
        met = self.met.get(resource.kind, {}).get(str(key), {})
        of_parents = {name: value for name, value in asked.items() if name.endswith("id")}
        known = of_parents | met | record | ({bare(name): key} if name else {})
        return self._fitting(item, known, (resource.kind, key), tool.output)

    # --- shaping --------------------------------------------------------------------------------------------------

    def _shaped(self, tool: ToolSchema, known: Known, about: tuple[object, ...]) -> Any:
        """An answer of the tool's schema that tells what is known, and is drawn for the rest."""
        if not tool.output:
            return {"status": "ok"} if tool.writes else {name: value for name, value in known.items()}
        made = self._fitting(tool.output, known, about, tool.output)
        if self.world.outputs[tool.name].is_valid(made):
            return made
        for response in tool.responses:
            if response.status.startswith("2") and response.examples:
                return response.examples[0]
        return made

    def _fitting(
        self, schema: Any, known: Known, about: tuple[object, ...], root: Mapping[str, Any], level: int = 0
    ) -> Any:
        schema = pointed(schema, root)
        if first_type(schema) != "object" or not schema.get("properties") or level > 5:
            return draw(schema, self._rng(*about), str(about[-1]), root)
        made: dict[str, Any] = {}
        properties = schema["properties"]
        wraps = not any(bare(name) in known for name in properties)  # then what is known is said of what is inside
        for name in properties if level < 2 else schema.get("required", ()):
            inner, value = pointed(properties.get(name, {}), root), known.get(bare(name))
            if bare(name) in known and fits_schema(value, inner, root):
                made[name] = value
            elif first_type(inner) == "object":
                inside = plain_known(value) if isinstance(value, Mapping) else {}
                inside = known | inside if wraps else inside
                made[name] = self._fitting(inner, inside, (*about, name), root, level + 1)
            else:
                made[name] = draw(inner, self._rng(*about, bare(name)), name, root)
        return made

    def _rng(self, *names: object) -> Random:
        return stream(self.world.seed, "simulated", *names)


def documented(tool: ToolSchema, statuses: tuple[str, ...], words: str, world: SimulatedWorld) -> Outcome:
    """A refusal with the first of these statuses that the tool documents, in the form it documents."""
    told = {response.status: response for response in tool.responses}
    status = next((one for one in statuses if one in told), "")
    if not status:
        return refusal(words)
    schema = told[status].body
    number = int(status) if status.isdecimal() else int(statuses[0])
    if first_type(schema) != "object" or not schema.get("properties"):
        return refusal(f"{number} {told[status].description}: {words}".replace(" :", ":"))
    known: Known = {"status": number, "code": number, "statuscode": number} | dict.fromkeys(MESSAGES, words)
    live = LiveSimulated(world, {})
    return Outcome(as_text(live._fitting(schema, known, (tool.name, status), schema)), error=True)
