"""Row groups written by a thread: the same bytes, errors at the next call, no more than two groups in memory."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from des.traces.schemas import ROWS_PER_GROUP
from des.traces.writer import TraceWriter

sys.path.insert(0, str(Path(__file__).parent))
import rows

BLOCK = rows.attempts(ROWS_PER_GROUP)
PATIENCE_S = 60.0


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


class Disk:
    """Stands in for the parquet writer: each row group waits until it is let go, and may find the disk full."""

    def __init__(self, writer: TraceWriter, *, full: bool = False) -> None:
        self.at_work, self.go_on = Event(), Event()
        self._full = full
        self._real = writer._parquet
        writer._parquet = self

    def write_batch(self, batch: Any, **options: Any) -> None:
        self.at_work.set()
        assert self.go_on.wait(PATIENCE_S)
        if self._full:
            raise OSError(28, "No space left on device")
        self._real.write_batch(batch, **options)

    def close(self) -> None:
        self._real.close()


def threaded(folder: Path, thread: ThreadPoolExecutor) -> TraceWriter:
    return TraceWriter(folder, "attempts", "as_modelled", 0, rows.NAMES["attempts"], "{}", thread=thread)


def test_a_thread_writes_the_bytes_that_the_caller_would(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    written = []
    for name, executor in (("with", thread), ("without", None)):
        trace = TraceWriter(
            tmp_path / name, "attempts", "as_modelled", 0, rows.NAMES["attempts"], "{}", thread=executor
        )
        block = {column: values.copy() for column, values in BLOCK.items()}
        for first in (0, 1, 2):
            block["input_tokens"][:] = first
            trace.append(block)  # which copies: the next one changes the same arrays
        trace.append({column: values[:100] for column, values in block.items()})
        written.append(trace.close())
    assert written[0] == written[1]
    assert written[0].rows == 3 * ROWS_PER_GROUP + 100


def test_the_caller_goes_on_while_a_row_group_is_written(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trace = threaded(tmp_path, thread)
    disk = Disk(trace)
    trace.append(BLOCK)
    assert disk.at_work.wait(PATIENCE_S)
    trace.append({column: values[:-1] for column, values in BLOCK.items()})  # returns though the first is not written
    assert not disk.go_on.is_set()
    disk.go_on.set()
    assert trace.close().rows == 2 * ROWS_PER_GROUP - 1


def test_no_third_row_group_is_held_in_memory(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trace = threaded(tmp_path, thread)
    disk = Disk(trace)
    trace.append(BLOCK)
    with ThreadPoolExecutor(max_workers=1) as caller:
        second = caller.submit(trace.append, BLOCK)
        assert disk.at_work.wait(PATIENCE_S)
        assert not second.done()
        disk.go_on.set()
        second.result(PATIENCE_S)
    trace.abort()


def test_a_full_disk_ends_the_next_block(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trace = threaded(tmp_path, thread)
    disk = Disk(trace, full=True)
    trace.append(BLOCK)
    disk.go_on.set()
    thread.submit(int).result(PATIENCE_S)  # after the row group
    with pytest.raises(OSError, match="No space left"):
        trace.append({column: values[:1] for column, values in BLOCK.items()})
    trace.abort()
    assert list((tmp_path / "attempts").iterdir()) == []


def test_a_full_disk_ends_the_closing(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trace = threaded(tmp_path, thread)
    disk = Disk(trace, full=True)
    trace.append(BLOCK)
    disk.go_on.set()
    with pytest.raises(OSError, match="No space left"):
        trace.close()
    trace.abort()
    assert list((tmp_path / "attempts").iterdir()) == []


def test_an_aborted_trace_waits_for_its_thread(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trace = threaded(tmp_path, thread)
    disk = Disk(trace)
    trace.append(BLOCK)
    assert disk.at_work.wait(PATIENCE_S)
    with ThreadPoolExecutor(max_workers=1) as caller:
        aborted = caller.submit(trace.abort)
        assert not aborted.done()
        disk.go_on.set()
        aborted.result(PATIENCE_S)
    assert list((tmp_path / "attempts").iterdir()) == []
