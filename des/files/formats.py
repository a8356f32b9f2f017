"""The entry point for recorded files: their format, the names of their columns, and the columns themselves.

To add a format, write a module with a `Format`, list it in `_FORMATS` and name it in `des.scenario.schema.recorded`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from des.files.feed import FEED
from des.files.gateway_logs import LITELLM_SPEND, OTEL_GENAI
from des.files.google_cloud import GOOGLE_CLOUD
from des.files.issue_tracker import ISSUE_TRACKER
from des.files.json_records import JSON, JSON_LINES, LINES, json_document, json_lines, record_list
from des.files.status_page import STATUS_PAGE
from des.files.table import Format, Opening, RecordedFileError, Table, together_with
from des.files.tabular import CSV, PARQUET
from des.single_files import check_regular
from des.words import meant

_FORMATS: Final = (
    STATUS_PAGE,
    GOOGLE_CLOUD,
    ISSUE_TRACKER,
    OTEL_GENAI,
    LITELLM_SPEND,
    FEED,
    CSV,
    JSON,
    JSON_LINES,
    PARQUET,
)
"""Where several formats share a suffix, the first one that recognises a file reads it."""
FORMAT_NAMES: Final = tuple(each.name for each in _FORMATS)


def column_names(path: Path, format: str | None = None) -> list[str]:  # noqa: A002
    """The names of the columns of a file, in the given format or the recognised one. Raises RecordedFileError."""
    with _told_by_file(path):
        return _format(path, format).names(path)


def arrival_roles(path: Path, format: str | None = None) -> Mapping[str, str]:  # noqa: A002
    """The columns of time and tokens that the format defines; empty for formats of arbitrary tables."""
    with _told_by_file(path):
        return _format(path, format).roles


def read_columns(path: Path, wanted: Sequence[str], format: str | None = None) -> Table:  # noqa: A002
    """Like `read_sound_rows`, but broken rows also raise RecordedFileError."""
    table = read_sound_rows(path, wanted, format)
    with together_with(table.broken):
        return table


def read_sound_rows(path: Path, wanted: Sequence[str], format: str | None = None) -> Table:  # noqa: A002
    """The wanted columns of a file, in the given format or the one recognised by suffix and content.

    Raises RecordedFileError. The caller checks the rows that could be read and reports its findings `together_with`
    the broken rows.
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
    if name is not None:
        named = next((each for each in _FORMATS if each.name == name), None)
        if named is None:
            listed = meant(name, FORMAT_NAMES)
            raise RecordedFileError(f"{path}: unknown format {name!r}{listed}")
        return named
    suffix = path.suffix.lower()
    known = [each for each in _FORMATS if suffix in each.suffixes]
    if not known:
        suffixes = ", ".join(dict.fromkeys(suffix for each in _FORMATS for suffix in each.suffixes))
        raise RecordedFileError(
            f"{path}: unknown format: the name ends in none of {suffixes} "
            "(give it by --format, or by `format:` in a scenario)"
        )
    if len(known) == 1:
        return known[0]
    opening = _opening(path, suffix)
    return next(each for each in known if each.recognises(opening))


def _opening(path: Path, suffix: str) -> Opening:
    if suffix == ".csv":
        return Opening(first=dict.fromkeys(CSV.names(path)))
    if suffix == ".parquet":
        return Opening(first=dict.fromkeys(PARQUET.names(path)))
    document = None if suffix in LINES else json_document(path)
    if document is None:
        _, first = next(json_lines(path), (0, None))
    else:
        listed = record_list(document)
        first = listed[1][0] if listed is not None and listed[1] else document
    return Opening(document, first if isinstance(first, dict) else {})


@contextmanager
def _told_by_file(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordedFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RecordedFileError(
            f"{path}: contains bytes that are not UTF-8 text, the first at byte {error.start}"
        ) from error
