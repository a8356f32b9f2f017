"""Standard output as a stream that tells its own failures from those of other files."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from des.errors import WriteError, say_what_is_left


class PrintError(WriteError):
    """Standard output cannot be written, such as one that goes to a full disk."""


class ReaderLeftError(PrintError):
    """Nobody reads standard output any more, such as a pager that was closed. That is no error of the command's."""


class _Printed:
    """A stream whose failures are `PrintError`, which neither Rich nor the parser takes for something else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _told():
            return self._stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        with _told():
            self._stream.writelines(lines)

    def flush(self) -> None:
        with _told():
            self._stream.flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderLeftError("nobody reads standard output any more") from error
    except OSError as error:
        raise PrintError(f"cannot write to standard output: {error.strerror or error}") from error


@contextmanager
def failures_of_output() -> Iterator[None]:
    """Makes every failure to print in the block a `PrintError`, whoever prints: `print`, Rich, or the parser's help."""
    stream = sys.stdout
    sys.stdout = cast(TextIO, _Printed(stream))
    try:
        yield
    finally:
        sys.stdout = stream


@contextmanager
def after_it_is_kept(text: str) -> Iterator[None]:
    """Prints what is kept on disk already. If that fails, the message says where it is: `text`."""
    try:
        yield
        sys.stdout.flush()
    except PrintError as error:
        say_what_is_left(error, text)
        raise


def abandon_output() -> None:
    """Sends the interpreter's last flush to the null device, so that it does not fail again."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
