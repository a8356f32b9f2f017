"""Keys of one mapping replaced in the text of a YAML file. Every other line, comments included, stays as it is."""

from collections.abc import Collection, Iterator, Sequence

from des.errors import Problem, ScenarioError
from des.scenario.text.document import Document
from des.scenario.text.places import Path, Place, path_text

_STEP = 2


def with_keys_replaced(text: str, document: Document, path: Path, old: Collection[str], new: Sequence[str]) -> str:
    """The text without the `old` keys of the mapping at `path`, and with the `new` lines in their place.

    `document` is what was read from the text. The new lines are indented as the mapping's keys are; without any old key
    they come first. Raises ScenarioError for a mapping that is not written as a block with a line for each key.
    """
    lines = text.split("\n")
    keys = {str(each[-1]): place for each, place in document.keys.items() if each[:-1] == path}
    _check_block(document, path, keys)
    row, column = _position(document.keys[path])
    indent = min((_position(place)[1] for place in keys.values()), default=column + _STEP)
    spans = sorted(_span(lines, *_position(place)) for key, place in keys.items() if key in old)
    first = spans[0][0] if spans else row + 1
    removed = {line for start, end in spans for line in range(start, end)}
    written = [f"{' ' * indent}{line}" if line else "" for line in new]
    return "\n".join(_merged(lines, removed, first, written))


def _merged(lines: Sequence[str], removed: Collection[int], first: int, written: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == first:
            yield from written
        if number not in removed:
            yield line
    if first >= len(lines):
        yield from written


def _position(place: Place) -> tuple[int, int]:
    """Line and column, from 0."""
    assert place.line is not None
    assert place.column is not None
    return place.line - 1, place.column - 1


def _check_block(document: Document, path: Path, keys: dict[str, Place]) -> None:
    place = document.keys.get(path)
    if place is None:
        raise ScenarioError([Problem("is not written in this file", path_text(path), document.file)])
    rows = [place.line, *(each.line for each in keys.values())]
    columns = {each.column for each in keys.values()}
    if len(set(rows)) < len(rows) or len(columns) > 1:
        message = "is written in braces: write it as a block, with a line for each key"
        raise ScenarioError([Problem(message, path_text(path), place.file, place.line, place.column)])


def _span(lines: Sequence[str], row: int, column: int) -> tuple[int, int]:
    """The lines of a key and its value, without blank lines and comments at the end."""
    end = row + 1
    for number in range(row + 1, len(lines)):
        line = lines[number].rstrip()
        inside = len(line) - len(line.lstrip())
        if not line or line.lstrip().startswith("#"):
            continue
        if inside < column or (inside == column and not line.lstrip().startswith("- ")):
            break
        end = number + 1
    return row, end
