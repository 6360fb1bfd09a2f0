"""A scenario as the text of its file: strict YAML that people can read and go on editing."""

import re
from typing import Any

import yaml

from tertulia.scenario import Scenario
from tertulia.strict_yaml import FLOAT, INTEGER, NOT_FINITE, WORDS

__all__ = ["printable", "scenario_text"]

WIDTH = 116
SHORT = 96  # characters of a list or mapping that stands in one line
OTHER_BREAK = re.compile("[\r\x85\u2028\u2029]")  # a line's end to some readers of YAML and not to others
SURROGATE = re.compile("[\ud800-\udfff]")


def scenario_text(scenario: Scenario, schema: str) -> str:
    """The YAML of a scenario, defaults left out, with `schema` named in the comment that editors read.

    Reading it gives the same scenario back; lone surrogates, which no file can hold, must be gone (see `printable`)."""
    value = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    body: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return f"# yaml-language-server: $schema={schema}\n{body}"


def printable(value: Any) -> Any:
    """A JSON value with U+FFFD in place of every lone surrogate."""
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {printable(key): printable(inner) for key, inner in value.items()}
    return [printable(inner) for inner in value] if isinstance(value, list | tuple) else value


class _Dumper(yaml.SafeDumper):
    """Block style; what is short and flat stands in one line; texts of several lines stand as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def check_simple_key(self) -> bool:
        """Keys of any length stand before their colon, since a `?` would puzzle readers."""
        return True if isinstance(self.event, yaml.ScalarEvent) else super().check_simple_key()


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    meant_otherwise = text in WORDS or any(p.fullmatch(text) for p in (INTEGER, FLOAT, NOT_FINITE))
    style = '"' if meant_otherwise or OTHER_BREAK.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _number(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(number))


def _mapping(dumper: yaml.SafeDumper, value: dict[str, Any]) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=_stands_in_a_line(value))


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=_stands_in_a_line(value))


def _stands_in_a_line(value: dict[str, Any] | list[Any]) -> bool:
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    flat = all(not isinstance(part, dict | list) or not part for part in parts)
    return flat and sum(len(str(part)) + 4 for part in parts) <= SHORT and not any("\n" in str(part) for part in parts)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _list)
