"""Directories for temporary files, which outlive nobody.

Each is in another, which its process locks (`flock`). The system releases the lock of a process that is killed, and
whoever makes the next directory removes those that no process holds. The directory itself is not locked, as a result
that is written there takes its lock.
"""

import atexit
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from des.disk import lock_on
from des.signals import signals_held, terminating_signals_raise

_PREFIX: Final = "des-scratch-"
_NAME: Final = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_ATTEMPTS: Final = 5
"""To make a directory that somebody who clears away does not find before it is locked."""


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory for temporary files. It is removed when the block ends; after SIGKILL, when the next one is made."""
    with terminating_signals_raise():
        made: tuple[Path, int | None] | None = None
        try:
            with signals_held():
                made = _make()
            yield _within(made[0])
        finally:
            with signals_held():
                if made is not None:
                    _remove(*made)


def scratch_until_exit() -> Path:
    """A directory for temporary files that is removed when the process ends."""
    with signals_held():
        made = _make()
        atexit.register(_remove, *made)
    return _within(made[0])


def _within(locked: Path) -> Path:
    directory = locked / "files"
    directory.mkdir()
    return directory


def _make() -> tuple[Path, int | None]:
    """A new directory and the descriptor of its lock; None for the lock where directories cannot be locked."""
    _clear(Path(tempfile.gettempdir()))
    for _ in range(_ATTEMPTS):
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = lock_on(directory)
        if lock is not None and directory.is_dir():
            return directory, lock
        if lock is not None:
            os.close(lock)
        with suppress(OSError):
            directory.rmdir()
    return Path(tempfile.mkdtemp(prefix=_PREFIX)), None


def _remove(directory: Path, lock: int | None) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _clear(folder: Path) -> None:
    """Removes this user's directories whose process is gone. One of anybody else's is never touched."""
    try:
        found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return
    for directory in found:
        with suppress(OSError):
            if _is_ours(directory) and (lock := lock_on(directory)) is not None:
                _remove(directory, lock)


def _is_ours(directory: Path) -> bool:
    """Whether it is a directory, and no link to one, that this user made for itself alone."""
    found = directory.lstat()
    user = getattr(os, "geteuid", lambda: found.st_uid)()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077
