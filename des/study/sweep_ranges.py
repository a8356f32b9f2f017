"""What a sweep goes over: lists, ranges and logarithmic ranges of values, of one path or of several in step.

`policy.rounds=1,2,3`, `shared=0:1:0.1` (the end included), `workload.arrivals.rate=log:1/min:1000/min:7` (7 values),
`chain[0].timeout=10s,20s; chain[1].timeout=20s,40s` (both change together). Values are the texts that `--set` takes.
"""

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException
from typing import Any, Final

from des.errors import DesError

MOST_POINTS: Final = 10_000_000
_MOST_TOGETHER: Final = 100_000
"""Values of a range that stands beside others in a list, and of a logarithmic one."""
_EXAMPLE: Final = "policy.rounds=1,2,3 or shared=0:1:0.1"
_BRACKETS: Final = {"[": "]", "{": "}", "(": ")"}
_NUMBER: Final = re.compile(
    r"\s*(?P<sign>[+-]?)(?P<dollar>\$?)\s*(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"\s*(?P<unit>%|/\s*\d*\s*[a-zA-Z]+|[a-zA-Z]+|)\s*",
    re.ASCII,
)
_LIKE_A_NUMBER: Final = re.compile(r"\s*[$.]?\d[\w.%/ ]*", re.ASCII)
"""Such as `1h30min`, which no range can begin with, but shows that one is meant."""
_DASHED: Final = re.compile(r"\s*([0-9.]+)(%|[a-z]*)\s*(?:-|\.{2,3}|\bto\b)\s*([0-9.]+)(%|[a-z]*)\s*")
"""Such as `1-3` and `1..3`, which are no ranges here and no value of anything else."""
_LOG: Final = "log:"
_QUOTED: Final = " (a single value of that form stands in quotes)"
_EXACT: Final = Context(prec=60)
_DIGITS: Final = (6, 9, 12, 15)
"""Of the values of a logarithmic range: the first that tell them apart."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Paths that change together, and the values that they have in step: one sequence for each path, all as long."""

    paths: tuple[str, ...]
    values: tuple[Sequence[str], ...]

    def __len__(self) -> int:
        return len(self.values[0])

    def at(self, number: int) -> dict[str, str]:
        """The value of each path at one place."""
        return {path: values[number] for path, values in zip(self.paths, self.values, strict=True)}


@dataclass(frozen=True, slots=True)
class Grid:
    """Every combination of places on the axes; the last axis changes fastest."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(map(len, self.axes))

    def __iter__(self) -> Iterator[dict[str, str]]:
        return map(self.at, range(len(self)))

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for axis in self.axes for path in axis.paths)

    def at(self, number: int) -> dict[str, str]:
        """The value of each path at a point, by its number."""
        places = []
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis))
            places.append(axis.at(place))
        return {path: value for place in reversed(places) for path, value in place.items()}


@dataclass(frozen=True, slots=True)
class _Steps(Sequence[str]):
    """`first + number * step`, exact, with what stands before and after the number; never listed as a whole."""

    first: Decimal
    step: Decimal
    many: int
    before: str
    after: str

    def __len__(self) -> int:
        return self.many

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(self.many))]
        if not -self.many <= number < self.many:
            raise IndexError(number)
        value = _EXACT.add(self.first, _EXACT.multiply(self.step, Decimal(number % self.many)))
        return _quantity(value, self.before, self.after)


def grid(over: Mapping[str | tuple[str, ...], Sequence[Any]] | Sequence[str]) -> Grid:
    """The points of `{"policy.rounds": [1, 2]}`, of `{("a", "b"): [(1, 2), (3, 4)]}`, or of texts as the command takes.

    Raises DesError, quoting the text and saying what to write instead.
    """
    if isinstance(over, Mapping):
        axes = [_axis_of(paths, values) for paths, values in over.items()]
    else:
        axes = [_axis(text) for text in ([over] if isinstance(over, str) else over)]
    if not axes:
        raise DesError(f"nothing to sweep over: name a path and its values, such as --over {_EXAMPLE}")
    found = Grid(tuple(axes))
    for path in found.paths:
        if found.paths.count(path) > 1:
            raise DesError(f"--over {path}: given twice; write all its values at once")
    if len(found) > MOST_POINTS:
        raise DesError(f"--over: {len(found):,} points, more than {MOST_POINTS:,}; widen the steps")
    return found


def _axis_of(paths: str | tuple[str, ...], values: Sequence[Any]) -> Axis:
    """From Python: texts may be ranges where they stand alone, as in `{"shared": "0:1:0.1"}`."""
    if isinstance(paths, str):
        if isinstance(values, str):
            return Axis((paths,), (_values(paths, values),))
        return _checked(Axis((paths,), (tuple(dict.fromkeys(map(_written, values))),)))
    rows = [tuple(row) for row in values]
    if any(len(row) != len(paths) for row in rows):
        raise DesError(f"--over {', '.join(paths)}: each value has to be a tuple of {len(paths)}")
    return _checked(Axis(tuple(paths), tuple(tuple(map(_written, column)) for column in zip(*rows, strict=True))))


def _checked(axis: Axis) -> Axis:
    if not axis.values or not len(axis) or any("" in values for values in axis.values):
        raise DesError(f"--over {'; '.join(axis.paths)}: expected values separated by commas, such as 1,2,3")
    return axis


def _axis(text: str) -> Axis:
    """Of one `--over`. Duplicate values are dropped, but where several paths change together."""
    pairs = [_pair(part, text) for part in _split(text, ";")]
    together = len(pairs) > 1
    columns = tuple(_values(path, values, keep=together) for path, values in pairs)
    lengths = dict(zip((path for path, _ in pairs), map(len, columns), strict=True))
    if len(set(lengths.values())) > 1:
        each = ", ".join(f"{path} has {count:,}" for path, count in lengths.items())
        raise DesError(f"--over {text}: paths that change together need as many values each; {each}")
    return Axis(tuple(path for path, _ in pairs), columns)


def _pair(text: str, whole: str) -> tuple[str, str]:
    path, equals, values = text.partition("=")
    if not equals or not path.strip():
        raise DesError(f"--over {whole}: expected path=value,value, such as {_EXAMPLE}")
    return path.strip(), values


def _values(path: str, text: str, *, keep: bool = False) -> Sequence[str]:
    pieces = _split(text, ",")
    if "" in pieces:
        raise DesError(f"--over {path}: expected values separated by commas, such as 1,2,3")
    found = [_range(path, piece) for piece in pieces]
    if len(found) == 1:
        return found[0]
    if sum(map(len, found)) > _MOST_TOGETHER:
        raise DesError(f"--over {path}: a list of more than {_MOST_TOGETHER:,} values; give a range alone")
    listed = list(itertools.chain.from_iterable(found))
    return tuple(listed if keep else dict.fromkeys(listed))


def _range(path: str, piece: str) -> Sequence[str]:
    """The values of a range; the piece itself where it is none."""
    if piece.startswith(_LOG):
        return _geometric(path, piece)
    if dashed := _DASHED.fullmatch(piece):
        begin, own, end, unit = dashed.groups()
        written = f"{begin}{own or unit}:{end}{unit}:1{unit}"
        raise DesError(f"--over {path}={piece}: a range is written {written}, where the last is the step{_QUOTED}")
    parts = piece.split(":")
    if len(parts) not in (2, 3) or not (_NUMBER.fullmatch(parts[0]) or _LIKE_A_NUMBER.fullmatch(parts[0])):
        return (piece,)
    if len(parts) == 2:
        number = _NUMBER.fullmatch(parts[0])
        tenth = _quantity(Decimal("0.1"), number["dollar"], number["unit"]) if number else "0.1"
        raise DesError(f"--over {path}={piece}: a range needs its step, such as {piece}:{tenth}{_QUOTED}")
    low, high, step = (_read(path, piece, part, "0:1:0.1 or 10s:60s:10s") for part in parts)
    before, after = _common_unit(path, piece, [low, high, step])
    first, last, by = low[1], high[1], step[1]
    if by == 0:
        raise DesError(f"--over {path}={piece}: the step is 0; expected a range such as 0:1:0.1{_QUOTED}")
    if (last - first) * by < 0:
        turned = f"{low[0]}:{high[0]}:{_quantity(-by, before, after)}"
        raise DesError(f"--over {path}={piece}: an empty range; write {turned} or {high[0]}:{low[0]}:{step[0]}")
    return _Steps(first, by, _many(path, piece, last - first, by), before, after)


def _many(path: str, piece: str, length: Decimal, step: Decimal) -> int:
    try:
        many = int(_EXACT.divide_int(length, step)) + 1
    except DecimalException:  # more digits than numbers have here
        many = MOST_POINTS + 1
    if many > MOST_POINTS:
        raise DesError(f"--over {path}={piece}: more than {MOST_POINTS:,} values; widen the step")
    return many


def _geometric(path: str, piece: str) -> Sequence[str]:
    parts = piece.removeprefix(_LOG).split(":")
    example = "log:1/min:1000/min:7, its first and last value and their number"
    if len(parts) != 3:
        raise DesError(f"--over {path}={piece}: expected {example}")
    ends = [_read(path, piece, part, example) for part in parts[:2]]
    before, after = _common_unit(path, piece, ends, zero_may_be_bare=False)
    low, high = ends[0][1], ends[1][1]
    if low <= 0 or high <= 0:
        raise DesError(f"--over {path}={piece}: both ends of a logarithmic range have to be above 0")
    many = parts[2].strip()
    if not (many.isascii() and many.isdigit()) or not 2 <= int(many[:9]) <= _MOST_TOGETHER:
        raise DesError(
            f"--over {path}={piece}: '{many}' is not a number of values from 2 to {_MOST_TOGETHER:,}; "
            f"expected {example}"
        )
    for digits in _DIGITS:
        values = [_quantity(value, before, after) for value in _spread(low, high, int(many), digits)]
        if len(set(values)) == len(values):
            return tuple(values)
    raise DesError(f"--over {path}={piece}: an empty range; its {many} values would not differ")


def _spread(low: Decimal, high: Decimal, many: int, digits: int) -> Iterator[Decimal]:
    """Equal ratios between the ends, which are exact; in decimal arithmetic, so the same on every processor."""
    ratio = _EXACT.subtract(_EXACT.ln(high), _EXACT.ln(low))
    rounded = Context(prec=digits)
    yield low
    for number in range(1, many - 1):
        share = _EXACT.divide(Decimal(number), Decimal(many - 1))
        yield rounded.plus(_EXACT.multiply(low, _EXACT.exp(_EXACT.multiply(ratio, share))))
    yield high


_Quantity = tuple[str, Decimal, str, str]
"""As written, the number, and what stands before and after it."""


def _read(path: str, piece: str, text: str, example: str) -> _Quantity:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise DesError(
            f"--over {path}={piece}: '{text.strip()}' is not a number with a unit or none; expected a range such as "
            f"{example}{_QUOTED}"
        )
    unit = re.sub(r"\s+", "", match["unit"])
    return text.strip(), Decimal(match["sign"] + match["number"]), match["dollar"], unit


def _common_unit(
    path: str, piece: str, quantities: Sequence[_Quantity], *, zero_may_be_bare: bool = True
) -> tuple[str, str]:
    """What stands before and after each number; a zero may lack it."""
    units = {
        (before, after)
        for _, number, before, after in quantities
        if (before, after) != ("", "") or number != 0 or not zero_may_be_bare
    }
    if len(units) > 1:
        before, after = next(unit for unit in ((q[2], q[3]) for q in quantities) if unit != ("", ""))
        said = " and ".join(f"'{text}'" for text in dict.fromkeys(text for text, *_ in quantities))
        raise DesError(
            f"--over {path}={piece}: {said} differ in their units; write all in one, such as {before}10{after}"
        )
    return units.pop() if units else ("", "")


def _quantity(number: Decimal, before: str, after: str) -> str:
    """Without exponent and without zeros after the last digit of a fraction."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return f"{'' if digits == '0' else sign}{before}{digits}{after}"


def _split(text: str, at: str) -> list[str]:
    """At each such sign outside brackets and quotes."""
    parts, closers, quote = [""], [], ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _BRACKETS:
            closers.append(_BRACKETS[letter])
        elif closers and letter == closers[-1]:
            closers.pop()
        elif letter == at and not closers:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
