"""The files of a table as one, made when they are first asked for."""

import asyncio
from pathlib import Path
from typing import Final

from des.errors import DesError
from des.service.problems import ProblemError
from des.service.runs import Run

_ROWS: Final = 122_880


async def merged(run: Run, table: str, alone: asyncio.Lock) -> Path:
    """A file with the rows of all of them, in the order of their names. Raises ProblemError where there is no room."""
    target = run.directory / f"{table}.parquet"
    async with alone:
        if not target.is_file():
            try:
                await asyncio.to_thread(_merge, run.result / table, target)
            except (OSError, DesError) as error:
                raise ProblemError(503, f"the traces cannot be put together: {error}", retry_after_s=60) from None
    return target


def _merge(folder: Path, target: Path) -> None:
    import pyarrow.parquet as pq

    beside = target.with_suffix(".part")
    files = sorted(folder.glob("*.parquet"))
    with pq.ParquetWriter(beside, pq.read_schema(files[0]), compression="zstd") as writer:
        for file in files:
            with pq.ParquetFile(file) as opened:
                for batch in opened.iter_batches(_ROWS):
                    writer.write_batch(batch)
    beside.replace(target)
