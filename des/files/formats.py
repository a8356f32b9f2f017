"""The one way into a recorded file: its format, the names of its columns, and the columns themselves.

A further format is a module with a `Format`, listed in `FORMATS`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from des.disk import check_regular
from des.files.status_page import STATUS_PAGE
from des.files.table import Format, RecordedFileError, Table, together_with
from des.files.tabular import CSV, JSON_LINES, PARQUET

_FORMATS: Final = (STATUS_PAGE, CSV, JSON_LINES, PARQUET)
"""Where several formats share a suffix, the first one that recognises a file reads it."""


def column_names(path: Path) -> list[str]:
    """The names of the columns of a file, its format told by its suffix. Raises RecordedFileError."""
    with _told_by_file(path):
        return _format(path, None).names(path)


def read_columns(path: Path, wanted: Sequence[str], format: str | None = None) -> Table:  # noqa: A002
    """Like `read_sound_rows`, but broken rows raise a RecordedFileError as well."""
    table = read_sound_rows(path, wanted, format)
    with together_with(table.broken):
        return table


def read_sound_rows(path: Path, wanted: Sequence[str], format: str | None = None) -> Table:  # noqa: A002
    """The columns wanted, of a file in the format given or told by its suffix. Raises RecordedFileError.

    The caller checks the rows that could be read and raises what it finds `together_with` the broken ones.
    """
    with _told_by_file(path):
        table = _format(path, format).read(path, list(dict.fromkeys(wanted)))
    if not len(table.rows):
        raise RecordedFileError(table.broken or f"{path}: has no rows")
    return table


def _format(path: Path, name: str | None) -> Format:
    try:
        check_regular(path)
    except FileNotFoundError:
        raise RecordedFileError(f"{path}: no such file") from None
    except IsADirectoryError as error:
        raise RecordedFileError(f"{path}: {error.strerror}") from None
    suffix = path.suffix.lower()
    known = [each for each in _FORMATS if (suffix in each.suffixes if name is None else each.name == name)]
    if not known and name is not None:
        names = ", ".join(each.name for each in _FORMATS)
        raise RecordedFileError(f"{path}: unknown format {name!r}; it is one of {names}")
    if not known:
        suffixes = ", ".join(dict.fromkeys(suffix for each in _FORMATS for suffix in each.suffixes))
        raise RecordedFileError(
            f"{path}: format unknown by its name, which ends in none of {suffixes} (a scenario may say `format:` too)"
        )
    return known[0] if len(known) == 1 else next(each for each in known if each.recognises(path))


@contextmanager
def _told_by_file(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordedFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RecordedFileError(
            f"{path}: holds bytes that are not UTF-8 text, the first as byte {error.start}"
        ) from error
