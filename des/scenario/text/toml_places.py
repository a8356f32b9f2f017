"""Lines and columns of the keys and values of a TOML text that tomllib has accepted.

tomllib reports no places, and tomlkit does not keep the places of values.
"""

import tomllib
from dataclasses import dataclass, field

from des.scenario.text.places import Mark, Path

_BARE_END = frozenset(" \t=.]\n\r#")
_SCALAR_END = frozenset(",]}\n\r#")


def toml_places(text: str) -> tuple[dict[Path, Mark], dict[Path, Mark]]:
    """(marks of keys, marks of values) by path; lines and columns count from 1."""
    scan = _Scan(text)
    scan.document()
    return scan.keys, scan.values


@dataclass(slots=True)
class _Scan:
    """A cursor over text whose syntax is known to be valid. It only finds places."""

    text: str
    at: int = 0
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    sizes: dict[Path, int] = field(default_factory=dict)  # tables so far of each array of tables
    counted: int = 0  # characters whose lines are counted
    line: int = 1

    def document(self) -> None:
        self.values[()] = (1, 1)
        table: Path = ()
        while self._skip(" \t\r\n"):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        start = self.at
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        self._skip(" \t")
        path = self._within_arrays(self._key())
        self.at += 2 if array else 1
        if array:
            position = self.sizes.get(path, 0)
            self.sizes[path] = position + 1
            self.keys.setdefault(path, self._mark(start))
            self.values.setdefault(path, self._mark(start))
            path = (*path, position)
        self.keys[path] = self.values[path] = self._mark(start)
        for length in range(1, len(path)):
            self.values.setdefault(path[:length], self._mark(start))
            self.keys.setdefault(path[:length], self._mark(start))
        return path

    def _within_arrays(self, key: tuple[str, ...]) -> Path:
        """The path of a header's key, which refers to the latest table of each array on the way."""
        path: Path = ()
        for position, part in enumerate(key):
            path = (*path, part)
            if position + 1 < len(key) and path in self.sizes:
                path = (*path, self.sizes[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        start = self.at
        key = self._key()
        path = (*table, *key)
        for length in range(len(table) + 1, len(path) + 1):
            self.keys.setdefault(path[:length], self._mark(start))
            self.values.setdefault(path[:length], self._mark(start))
        self._skip(" \t")
        self.at += 1  # the equals sign
        self._skip(" \t")
        self._value(path)

    def _key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self._skip(" \t")
            parts.append(self._key_part())
            self._skip(" \t")
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def _key_part(self) -> str:
        start = self.at
        if self.text[start] in "\"'":
            self._string()
            return next(iter(tomllib.loads(f"{self.text[start : self.at]} = 0")))
        while self.at < len(self.text) and self.text[self.at] not in _BARE_END:
            self.at += 1
        return self.text[start : self.at]

    def _value(self, path: Path) -> None:
        self.values[path] = self._mark(self.at)
        opening = self.text[self.at]
        if opening in "\"'":
            self._string()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in _SCALAR_END:
                self.at += 1

    def _array(self, path: Path) -> None:
        self.at += 1
        position = 0
        while self._skip(" \t\r\n,") and self.text[self.at] != "]":
            self._value((*path, position))
            position += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._skip(" \t\r\n,") and self.text[self.at] != "}":
            self._pair(path)
        self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        closing = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(closing)
        while not self.text.startswith(closing, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(closing)
        if len(closing) == 3:
            # Up to two quotes may stand directly before the closing three.
            while self.text.startswith(quote, self.at):
                self.at += 1

    def _skip(self, characters: str) -> bool:
        """Skips these characters and comments. Returns False at the end of the text."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] not in characters:
                break
            else:
                self.at += 1
        return self.at < len(self.text)

    def _mark(self, at: int) -> Mark:
        first, last = sorted((self.counted, at))
        lines = self.text.count("\n", first, last)
        self.line += lines if at >= self.counted else -lines
        self.counted = at
        return self.line, at - self.text.rfind("\n", 0, at)
