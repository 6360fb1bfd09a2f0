"""Strict YAML: the value of one document, where every part of it stands, and everything that is wrong with it.

What is read is YAML 1.2's core: `null`, `true`, `false`, whole numbers and decimals, texts, lists and mappings
with texts as keys. `no`, `on`, `1:30` and dates stay texts. https://yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tertulia.errors import Fault, did_you_mean

__all__ = ["Bounds", "Document", "document_of", "read_document"]

Path_ = tuple[str | int, ...]
Place = tuple[int, int]

MOST_DIGITS = 100

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CORE_TAG = "tag:yaml.org,2002:"
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)
JSON_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")

# What the YAML parser says -> what we say, and whether we point at where the broken thing began.
SYNTAX: dict[str, tuple[str, bool]] = {
    "mapping values are not allowed": ("a second ': ' in one line; put the text in quotes, or mend the indent", False),
    "could not find expected ':'": ("expected 'key: value'", True),
    "did not find expected key": ("the indentation does not fit the lines above", False),
    "did not find expected '-' indicator": ("the indentation does not fit the list above", False),
    "did not find expected ',' or ']'": ("this [ is not closed, or a comma is missing in it", True),
    "did not find expected ',' or '}'": ("this { is not closed, or a comma is missing in it", True),
    "found unexpected end of stream": ("this quotation mark is not closed", True),
    "found unexpected document indicator": ("this quotation mark is not closed", True),
    "block sequence entries are not allowed": ("a list item ('- ') may not begin here", False),
    "cannot start any token": ("a text may not begin with this character; put it in quotes", False),
    "did not find expected node content": ("expected a value", False),
    "did not find expected <document start>": ("the indentation does not fit the lines above", False),
    "found unknown escape character": ("unknown escape in double quotes; write \\\\ for a backslash", False),
    "did not find expected alphabetic or numeric": ("a text may not begin with & or *; put it in quotes", False),
    "found undefined tag handle": ("unknown tag; put a text that begins with ! in quotes", False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. The value is None where nothing of it can be used; then there is at least one fault."""

    value: Any
    places: dict[Path_, Place]
    keys: dict[Path_, Place]  # where the key of a mapping's entry stands
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a file may be at most, and whether `200:` is the key "200", as documents of others have it."""

    size: int = 1 << 20  # bytes
    values: int = 50_000  # with every alias written out
    levels: int = 50
    number_keys: bool = False


OURS = Bounds()


def read_document(path: Path, bounds: Bounds = OURS) -> Document:
    """Parse a YAML or JSON file as far as it goes."""
    text, faults = _text(path, bounds.size)
    if faults:
        return Document(None, {}, {}, tuple(faults))
    return document_of(str(path), text, bounds)


def document_of(file: str, text: str, bounds: Bounds = OURS) -> Document:
    """Parse the text of a YAML or JSON file as far as it goes; `file` is its name."""
    if file.endswith(".json"):
        text = JSON_PAIR.sub(lambda m: m[1] + _joined(m[2], m[3]), text)
    return _Reader(file, text, bounds).document()


def _joined(high: str, low: str) -> str:
    return (int(high, 16).to_bytes(2) + int(low, 16).to_bytes(2)).decode("utf-16-be")


def _text(path: Path, most: int) -> tuple[str, list[Fault]]:
    """The file's text, or why it cannot be read."""
    file = str(path)
    try:
        if not path.is_file():
            return "", [Fault(file, 1, 1, "is not a file" if path.exists() else "there is no such file", rule="yaml")]
        with path.open("rb") as stream:
            raw = stream.read(most + 1)
    except (OSError, ValueError) as error:
        return "", [Fault(file, 1, 1, f"cannot be read: {getattr(error, 'strerror', None) or error}", rule="yaml")]
    if len(raw) > most:
        return "", [Fault(file, 1, 1, f"the file is larger than {most >> 20} MiB", rule="yaml")]
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace")
        return "", [_text_fault(file, before, len(before), f"byte 0x{raw[error.start]:02x} is not UTF-8")]
    bad = [_text_fault(file, text, m.start(), f"control character {m[0]!r}") for m in UNPRINTABLE.finditer(text)]
    return text, bad[:20]


def _text_fault(file: str, text: str, at: int, message: str) -> Fault:
    start = text.rfind("\n", 0, at) + 1
    return Fault(file, text.count("\n", 0, at) + 1, at - start + 1, message, rule="yaml")


class _Stopped(Exception):
    """The rest of the file cannot be read; the reason is among the faults."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A value that aliases repeat."""

    value: Any
    at: Path_
    marks: Sequence[tuple[Path_, Place, bool]]
    size: int


class _Reader:
    """Builds the value of one document from the parser's events."""

    def __init__(self, file: str, text: str, bounds: Bounds) -> None:
        self.file, self.text, self.bounds = file, text, bounds
        self.events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
        self.marks: list[tuple[Path_, Place, bool]] = []  # path, place, whether it is a key's
        self.faults: list[Fault] = []
        self.anchors: dict[str, _Anchor] = {}
        self.open: list[str] = []  # anchors whose value is being read
        self.count = 0
        self.muted = 0  # inside a value that does not count

    def document(self) -> Document:
        value = None
        try:
            value = self._root()
        except _Stopped:
            pass
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError as error:
            self.faults.append(Fault(self.file, 1, 1, f"not valid YAML: {error}", rule="yaml"))
        places = {path: place for path, place, is_key in self.marks if not is_key}
        keys = {path: place for path, place, is_key in self.marks if is_key}
        return Document(value, places, keys, tuple(self.faults))

    def _root(self) -> Any:
        next(self.events)  # the stream's start
        if isinstance(event := next(self.events), yaml.StreamEndEvent):
            self._fault(event, "the file is empty", stop=True)
        value = self._value(start := next(self.events), ())
        if value is None and not self.faults:
            self._fault(start, "the file is empty")
        next(self.events)  # the document's end
        if isinstance(event := next(self.events), yaml.DocumentStartEvent):
            self._fault(event, "a second document begins here; a file holds one")
        return value

    def _fault(self, event: Any, message: str, suggestion: str = "", *, stop: bool = False) -> None:
        """Note a fault, and read on unless it says to stop."""
        line, column = _start(event)
        self.faults.append(Fault(self.file, line, column, message, rule="yaml", suggestion=suggestion))
        if stop:
            raise _Stopped

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        problem = error.problem or "unreadable"
        known = [said for phrase, said in SYNTAX.items() if phrase in problem]
        message, from_start = known[0] if known else (f"not valid YAML: {problem}", False)
        mark = (from_start and error.context_mark) or error.problem_mark or error.context_mark
        if mark is None:
            self.faults.append(Fault(self.file, 1, 1, message, rule="yaml"))
        elif not self._tabs(mark.line):
            self.faults.append(Fault(self.file, mark.line + 1, mark.column + 1, message, rule="yaml"))

    def _tabs(self, line: int) -> bool:
        """Whether a tab in the indentation is what broke this line; then every such line is named."""
        lines = self.text.split("\n")
        if line >= len(lines) or not TAB_INDENT.match(lines[line]):
            return False
        for number, text in enumerate(lines, start=1):
            if found := TAB_INDENT.match(text):
                self.faults.append(Fault(self.file, number, found.end(), "tab in the indentation; use spaces", "yaml"))
        return True

    def _mark(self, at: Path_, place: Place, *, is_key: bool = False) -> None:
        if not self.muted:
            self.marks.append((at, place, is_key))

    def _grow(self, event: Any, size: int) -> None:
        self.count += size
        if self.count > self.bounds.values:
            what = "aliases repeat too much: " if isinstance(event, yaml.AliasEvent) else ""
            self._fault(event, f"{what}more than {self.bounds.values} values", stop=True)

    def _value(self, event: Any, at: Path_) -> Any:
        self._mark(at, _start(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, at)
        self._grow(event, 1)
        if len(at) > self.bounds.levels:
            self._fault(event, f"nested more than {self.bounds.levels} levels deep", stop=True)
        if event.anchor is None:
            return self._content(event, at)
        first, before = len(self.marks), self.count
        self.open.append(event.anchor)
        value = self._content(event, at)
        self.open.remove(event.anchor)
        self.anchors[event.anchor] = _Anchor(value, at, self.marks[first:], self.count - before + 1)
        return value

    def _alias(self, event: Any, at: Path_) -> Any:
        if event.anchor in self.open:
            return self._fault(event, f"alias '*{event.anchor}' repeats itself without end")
        if event.anchor not in self.anchors:
            near = did_you_mean(event.anchor, self.anchors)
            return self._fault(event, f"alias '*{event.anchor}' repeats nothing: there is no '&{event.anchor}'", near)
        anchor = self.anchors[event.anchor]
        self._grow(event, anchor.size)
        for path, place, is_key in anchor.marks:
            self._mark((*at, *path[len(anchor.at) :]), place, is_key=is_key)
        return anchor.value

    def _content(self, event: Any, at: Path_) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!", CORE_TAG + ("seq" if is_list else "map")):
            self._fault(event, f"unknown tag {_tag(event)!r}")
        return self._list(at) if is_list else self._mapping(at)

    def _list(self, at: Path_) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*at, len(items))))
        return items

    def _mapping(self, at: Path_) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        seen: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, at)
            if key is None or key in seen:
                if key is not None:
                    self._fault(event, f"key {key!r} is given twice (first in line {seen[key]})")
                self.muted += 1
                self._value(next(self.events), at)
                self.muted -= 1
                continue
            seen[key] = _start(event)[0]
            self._mark((*at, key), _start(event), is_key=True)
            entries[key] = self._value(next(self.events), (*at, key))
        return entries

    def _key(self, event: Any, at: Path_) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self._fault(event, "a key must be a text")
            self.muted += 1
            self._value(event, at)
            self.muted -= 1
            return None
        before = len(self.faults)
        value = self._scalar(event)
        if not isinstance(value, str) and len(self.faults) == before and not self.bounds.number_keys:
            kind = "nothing" if value is None else f"{event.value}, not a text"
            self._fault(event, f"the key is {kind}", f' (put it in quotes: "{event.value}")')
        return str(event.value)

    def _scalar(self, event: Any) -> Any:
        text, tag = str(event.value), event.tag
        if tag in ("!", CORE_TAG + "str") or (tag is None and not event.implicit[0]):
            return text
        if tag is not None and tag not in (CORE_TAG + kind for kind in ("null", "bool", "int", "float")):
            self._fault(event, f"unknown tag {_tag(event)!r}")
            return text
        return self._plain(event, text)

    def _plain(self, event: Any, text: str) -> Any:
        if text in WORDS:
            return WORDS[text]
        if LEADING_ZERO.fullmatch(text):
            self._fault(event, f"{text} begins with a zero", f' (put it in quotes: "{text}")')
            return text
        if INTEGER.fullmatch(text):
            if len(text) > MOST_DIGITS:
                return self._fault(event, f"a number of more than {MOST_DIGITS} digits")
            return int(text, 0)
        if NOT_FINITE.fullmatch(text) or (FLOAT.fullmatch(text) and abs(float(text)) == float("inf")):
            return self._fault(event, f"{text!r} is not a finite number", " (put a text in quotes)")
        return float(text) if FLOAT.fullmatch(text) else text


def _start(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _tag(event: Any) -> str:
    return str(event.tag).replace(CORE_TAG, "!!")
