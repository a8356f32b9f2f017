"""Strict YAML: core types of version 1.2, text keys, no duplicates, line and column of every node."""

import re
from dataclasses import dataclass, field
from math import isinf
from typing import Any, Final, Self

import yaml

from des.scenario.text.places import Mark, Path

_MOST_NODES: Final = 100_000
"""A text with more has aliases that multiply, or data that belong in a separate file."""

LONE_SURROGATE: Final = "a lone surrogate (U+D800 to U+DFFF), which is only half a character"

_LONGEST_INTEGER: Final = 300
"""Integers with more digits are read as `TooLarge`, because Python refuses to read thousands of digits."""

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INFINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN: Final = re.compile(r"\.(?:nan|NaN|NAN)")
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))


class TooLarge(float):
    """An infinite float for a number that is larger than any float. As text it is what was written."""

    _text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, "-inf" if text.startswith("-") else "inf")
        number._text = text
        return number

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._text,)

    def __str__(self) -> str:
        return self._text


class YamlError(Exception):
    """The faults of a YAML text: (message, line, column) of each."""

    def __init__(self, faults: list[tuple[str, int, int]]) -> None:
        self.faults = faults
        super().__init__(faults[0][0])


@dataclass(slots=True)
class _Reading:
    """Marks and faults collected while nodes are converted to plain data."""

    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    faults: list[tuple[str, int, int]] = field(default_factory=list)
    open_nodes: set[int] = field(default_factory=set)
    visits: int = 0

    def fault(self, message: str, node: yaml.Node) -> None:
        self.faults.append((message, *_mark(node)))

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.values[path] = _mark(node)
        self._visit(node, 1)
        if node.tag not in _PLAIN_TAGS:
            self.fault(f"tags such as {node.tag.replace('tag:yaml.org,2002:', '!!')} are not supported", node)
            return None
        if isinstance(node, yaml.ScalarNode):
            if has_lone_surrogate(node.value):
                self.fault(LONE_SURROGATE, node)
                return None
            return resolve_plain(node.value) if node.style is None else node.value
        if id(node) in self.open_nodes:
            self.fault("an alias within its own anchor never ends", node)
            return None
        self.open_nodes.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        finally:
            self.open_nodes.discard(id(node))

    def _visit(self, node: yaml.Node, count: int) -> None:
        self.visits += count
        if self.visits > _MOST_NODES:
            message = f"more than {_MOST_NODES} values: aliases that multiply, or data that belong in a separate file"
            raise YamlError([(message, *_mark(node))])

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = {}
        merged: list[yaml.MappingNode] = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.fault("a key must be text", key_node)
                continue
            key = key_node.value
            if has_lone_surrogate(key):
                self.fault(LONE_SURROGATE, key_node)
                continue
            if key == "<<" and key_node.style is None:
                merged += self._merged(value_node)
                continue
            at = (*path, key)
            if key in content:
                line, column = self.keys[at]
                comma = "; a comma ends a value here: write numbers without it" if key.isdigit() else ""
                self.fault(f"duplicate key '{key}' (first at {line}:{column}){comma}", key_node)
                continue
            self.keys[at] = _mark(key_node)
            content[key] = self.value(value_node, at)
        for mapping in merged:
            for key, value in self._mapping_within(mapping, path, taken=content).items():
                content.setdefault(key, value)
        return content

    def _mapping_within(self, node: yaml.MappingNode, path: Path, taken: dict[str, Any]) -> dict[str, Any]:
        """A mapping merged by `<<`, without keys that are set already."""
        if id(node) in self.open_nodes:
            self.fault("an alias within its own anchor never ends", node)
            return {}
        self._visit(node, 1 + len(node.value))
        self.open_nodes.add(id(node))
        try:
            rest = [
                pair for pair in node.value if not (isinstance(pair[0], yaml.ScalarNode) and pair[0].value in taken)
            ]
            return self._mapping(yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark), path)
        finally:
            self.open_nodes.discard(id(node))

    def _merged(self, node: yaml.Node) -> list[yaml.MappingNode]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if all(isinstance(each, yaml.MappingNode) for each in nodes):
            return list(nodes)
        self.fault("<< merges mappings only", node)
        return []


def read_yaml(text: str) -> tuple[Any, dict[Path, Mark], dict[Path, Mark]]:
    """(content, marks of keys, marks of values); lines and columns count from 1. Raises YamlError."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.problem, error.context) if part)
        if "'\\t'" in message:
            message = "a tab where YAML wants spaces"
        elif "got '['" in message:
            message += " (within braces, a key with brackets needs quotes: write chain.0.retries for chain[0].retries)"
        raise YamlError([(f"YAML: {message}", *((mark.line + 1, mark.column + 1) if mark else (1, 1)))]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError([(f"YAML: {error.reason}", line, 1)]) from None
    except RecursionError:
        raise YamlError([("YAML: nested too deeply", 1, 1)]) from None
    if node is None:
        return None, {}, {}
    reading = _Reading()
    try:
        content = reading.value(node, ())
    except RecursionError:
        raise YamlError([("YAML: nested too deeply", 1, 1)]) from None
    if reading.faults:
        raise YamlError(reading.faults)
    return content, reading.keys, reading.values


def resolve_plain(text: str) -> Any:
    """The value of a plain scalar by YAML 1.2's core schema, except that numbers with a leading zero stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return TooLarge(text) if isinf(number) else number
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if _NAN.fullmatch(text):
        return float("nan")
    return text


def has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _mark(node: yaml.Node) -> Mark:
    mark = node.start_mark
    return mark.line + 1, mark.column + 1
