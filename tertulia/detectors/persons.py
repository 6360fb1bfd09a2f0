"""Whose record is whose in the results of tools: what belongs to people other than the one who is being served."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tertulia.detectors.scene import Done, Scene
from tertulia.language.wording import KEPT, forms, humanize, leaves, normal, stem, words

__all__ = ["Entry", "entries", "others_values", "private_leaves"]

PERSON_LIST = """
    customer client patient account user member subscriber recipient resident tenant passenger guest owner holder
    addressee person people neighbour neighbor student employee contact household caller payer
"""
PERSONS = frozenset(map(stem, PERSON_LIST.split()))
WHO = frozenset(
    map(stem, ["email", "customer", "client", "patient", "account", "user", "member", "subscriber", "caller"])
)
OWN_NAME = frozenset(map(stem, ["name", "phone", "id", "mobile"]))  # say who it is in a person's own record
THIRD = frozenset(map(stem, ["neighbour", "neighbor", "flatmate", "roommate", "other", "previous", "third"]))


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in a result: whom it names, its scalar fields, and the record that it stands in (-1: none)."""

    who: frozenset[str]
    fields: tuple[tuple[str, str], ...]
    parent: int
    person: bool  # whether it is about a person at all
    third: bool  # whether it is a third party's by its name, such as `neighbour`
    listed: bool  # whether it is one of several in a list


@lru_cache(maxsize=4096)
def entries(tool: str, text: str) -> tuple[Entry, ...]:
    """The records in a tool's result, outer ones first."""
    try:
        value = json.loads(text)
    except ValueError:
        return ()
    found: list[Entry] = []
    _walk(value, tool, -1, False, found)
    return tuple(found)


@lru_cache(maxsize=4096)
def private_leaves(tool: str, text: str, fields: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The values of a result under these fields (none: any), whoever they belong to: in lower case, and normal."""
    wanted = [_named(field) for field in fields]
    values = {v for e in entries(tool, text) for k, v in e.fields if not wanted or any(w <= _named(k) for w in wanted)}
    return tuple((" ".join(value.lower().split()), normal(value)) for value in sorted(values))


@lru_cache(maxsize=KEPT)
def _named(name: str) -> frozenset[str]:
    return frozenset(map(stem, words(humanize(name))))


def _walk(value: Any, name: str, parent: int, listed: bool, found: list[Entry]) -> None:
    """Collect the records of a value that stands under this name."""
    if isinstance(value, list):
        for inner in value:
            _walk(inner, name, parent, len(value) > 1, found)
    elif isinstance(value, dict):
        fields = tuple(_fields(value))
        person = bool(_named(name) & PERSONS)
        who = frozenset(normal(said) for key, said in fields if _tells_who(key, person))
        about = person or any(_named(key) & PERSONS for key, _ in fields)
        found.append(Entry(who, fields, parent, about, bool(_named(name) & THIRD), listed))
        here = len(found) - 1
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                _walk(inner, str(key), here, False, found)


def _fields(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The scalars of a record, those of its plain lists and dictionaries without an owner of their own included."""
    for key, value in record.items():
        for leaf in value if isinstance(value, list) else [value]:
            if not isinstance(leaf, dict | list | bool) and leaf not in (None, ""):
                yield str(key), str(leaf)


def _tells_who(key: str, person: bool) -> bool:
    """Whether a field says whom its record is about."""
    named = _named(key)
    return bool(named & WHO or (person and named & OWN_NAME))


def _counterpart(scene: Scene) -> frozenset[str]:
    """Who the users are: what they know about themselves, or, where that says nothing, all they know and have said."""
    hearing = scene.hearing
    users = {n: p for n, p in hearing.scenario.cast.items() if p.role == "user" and n != hearing.speaker}
    known = [
        (key, str(leaf)) for party in users.values() for key, value in party.knows.items() for leaf in leaves(value)
    ]
    who = frozenset(normal(value) for key, value in known if _tells_who(key, True) and not _named(key) & THIRD)
    if who:
        return who
    said = (forms(message.text) for message in hearing.seen if message.speaker in users)
    return frozenset(normal(value) for _, value in known).union(*said)


def _asked_for(done: Done | None, own: frozenset[str]) -> bool:
    """Whether a call looked somebody up by a value that is the counterpart's own."""
    return done is not None and any(normal(str(leaf)) in own for leaf in leaves(done.call.args))


def others_values(scene: Scene, fields: tuple[str, ...]) -> dict[str, str]:
    """Values under these fields (none: any) of other people's records that the speaker has read, with their fields."""
    calls = {done.result.answers: done for done in scene.done}
    results = [
        (calls.get(message.answers), entries(message.speaker, message.text))
        for message in scene.hearing.seen
        if message.role == "tool" and not message.error
    ]
    if not any(entry.person for _, read in results for entry in read):
        return {}
    own = _counterpart(scene)
    mine = [_own(done, read, own) for done, read in results]
    for _ in results:
        wider = own.union(
            *(
                e.who
                for (_, read), keep in zip(results, mine, strict=True)
                for e, k in zip(read, keep, strict=True)
                if k
            )
        )
        if wider == own:
            break
        own = wider
        mine = [_own(done, read, own) for done, read in results]
    wanted = [_named(field) for field in fields]
    public: set[str] = set()
    private: dict[str, str] = {}
    for (_, read), keep in zip(results, mine, strict=True):
        for entry, kept in zip(read, keep, strict=True):
            theirs = not kept and _about_person(entry, read)
            for key, value in entry.fields:
                if not theirs:
                    public.add(value.lower())
                elif len(value) > 2 and (not wanted or any(name <= _named(key) for name in wanted)):
                    private[value] = key
    return {value: key for value, key in private.items() if value.lower() not in public and normal(value) not in own}


def _about_person(entry: Entry, read: tuple[Entry, ...]) -> bool:
    """Whether a record, or one that it stands in, is about a person."""
    while not entry.person and entry.parent >= 0:
        entry = read[entry.parent]
    return entry.person


def _own(done: Done | None, read: tuple[Entry, ...], own: frozenset[str]) -> list[bool]:
    """For each record of a result, whether it is the counterpart's own."""
    asked = _asked_for(done, own)
    told_apart = any(entry.listed and _holds(entry, own) for entry in read)
    found: list[bool] = []
    for entry in read:
        if _holds(entry, own):
            found.append(True)
        elif entry.third:
            found.append(False)
        elif entry.listed and entry.who:
            found.append(asked and not told_apart)
        elif entry.parent >= 0:
            found.append(found[entry.parent])
        else:
            found.append(asked)
    return found


def _holds(entry: Entry, own: frozenset[str]) -> bool:
    """Whether a record names the counterpart, or something of the counterpart's."""
    return not entry.third and not own.isdisjoint(entry.who or {normal(value) for _, value in entry.fields})
