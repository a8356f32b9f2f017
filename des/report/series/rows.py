"""The rows of a trace, a batch at a time."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from des.errors import DesError
from des.traces import Run
from des.traces.schemas import ROWS_PER_GROUP

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def replications(run: Run, table: str, arm: str) -> list[int]:
    """Those of the arm whose rows of the table the run kept."""
    return [replication for replication, _ in _files(run, table, arm)]


def batches(
    run: Run, table: str, arm: str, columns: Sequence[str], replication: int | None = None
) -> Iterator["pa.RecordBatch"]:
    """The columns of an arm's rows, of one replication or of all in order. Raises DesError for a broken file."""
    import pyarrow.parquet as pq

    for number, path in _files(run, table, arm):
        if replication is not None and number != replication:
            continue
        try:
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(batch_size=ROWS_PER_GROUP, columns=list(columns))
        except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among these
            raise DesError(f"{path}: cannot be read ({error}); des verify says whether it has been changed") from None


def floats(batch: "pa.RecordBatch", name: str) -> Floats:
    """A numeric column; nulls are NaN."""
    found: Floats = batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return found


def coded(column: Any, words: dict[str, int]) -> Codes:
    """Each value of a dictionary column as its number in `words`, which grows; null is -1."""
    numbers = np.array([words.setdefault(word, len(words)) for word in column.dictionary.to_pylist()], np.int64)
    codes: Codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(codes < 0, -1, numbers[codes]) if len(numbers) else codes


def _files(run: Run, table: str, arm: str) -> list[tuple[int, Path]]:
    pattern = re.compile(rf"{table}/{re.escape(arm)}-(\d{{4,}})\.parquet")
    found = ((pattern.fullmatch(name), name) for name in run.manifest.get("traces", {}))
    return sorted((int(match[1]), run.path / name) for match, name in found if match)
