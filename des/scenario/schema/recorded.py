"""What settings say of recorded files, and the measured values that they name."""

from functools import lru_cache
from pathlib import Path as FilePath
from typing import Annotated, Final, Literal

from pydantic import Field

from des.scenario.schema.setting import list_of_one
from des.scenario.text.quantities import Word

FileFormat = Literal[
    "status_page",
    "google_cloud",
    "issues",
    "otel_genai",
    "litellm_spend",
    "feed",
    "csv",
    "json",
    "jsonl",
    "parquet",
]
"""The formats of `des.files`, which is imported when a file is read."""
Unit = Literal["ns", "us", "ms", "s", "min", "h", "d"]


Words = Annotated[tuple[Word, ...], Field(min_length=1), list_of_one({"type": ["string", "number", "boolean"]})]
"""One value or a list of values."""

_MOST_VALUES: Final = 1_000_000
_Where = tuple[tuple[str, tuple[str, ...]], ...]


def measured(
    file: FilePath,
    column: str | None,
    unit: str,
    where: _Where,
    format: str | None,  # noqa: A002
) -> tuple[float, ...]:
    """The numbers of a file's column; times in seconds. Raises ValueError with the file, the row and the fault.

    All arms read the same file, so it is read once as long as it does not change.
    """
    try:
        state = file.stat()
        version = (state.st_mtime_ns, state.st_size)
    except OSError:
        version = (0, 0)  # the reader says what is wrong with it
    return _measured(file, column, unit, where, format, version)


@lru_cache(maxsize=16)
def _measured(
    file: FilePath,
    column: str | None,
    unit: str,
    where: _Where,
    format: str | None,  # noqa: A002
    version: tuple[int, int],
) -> tuple[float, ...]:
    from des.files.values import read_values

    values = read_values(file, column=column, unit=unit, where=dict(where), format=format)
    if len(values) > _MOST_VALUES:
        raise ValueError(
            f"{file}: {len(values):,} values: at most {_MOST_VALUES:,} are possible, such as a sample of them"
        )
    return tuple(values.tolist())
