"""The directory of a run: written in `.partial` beside its place, and renamed when complete.

A directory under its own name is therefore whole, and a pattern over runs (`results/*/requests/*.parquet`, of which
some tools let the `*` stand for hidden names too) finds nothing of one under way, a level further down. What a crash
left behind stays in `.partial`; the next run for the same place removes it, which the lock its writer held tells
apart from a run still under way.
"""

import errno
import os
import re
import secrets
import shutil
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from des.errors import OutputError

try:
    import fcntl
except ImportError:  # no advisory locks here: leftovers then stay until somebody removes them
    fcntl = None  # type: ignore[assignment]

PARTIAL = ".partial"
_WRITER = r"[0-9]+-[0-9a-f]{6}"  # process and chance
_REPLACED = r"replaced-[0-9a-f]{6}"


class WriteError(OutputError):
    """Writing broke off while the run was under way, because the disk filled up or the like."""


@contextmanager
def written_whole(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A directory to write a run into; it becomes `target` when the block ends well, and is removed otherwise.

    Raises OutputError where `target` exists (unless `replace`) or nothing can be written beside it, and
    WriteError where writing stops half-way. SIGTERM and SIGHUP unwind the block like Ctrl-C does.
    """
    if os.path.lexists(target) and not (replace and target.is_dir()):
        raise OutputError(_why_taken(target))
    with _terminating_signals_raise():
        partial, lock = _fresh_partial(target)
        try:
            yield partial
            _sync(partial)
            with _signals_held(), _alone_in(target.parent):
                _install(partial, target, replace=replace)
        except OSError as error:
            raise WriteError(f"writing to {target} failed: {_reason(error)}; nothing was kept") from error
        finally:
            with _signals_held():
                shutil.rmtree(partial, ignore_errors=True)
                with _alone_in(target.parent):
                    _remove_if_empty(partial.parent)
            if lock is not None:
                os.close(lock)


def remove_leftovers(target: Path) -> None:
    """Remove what runs for this place left when they were killed; a replaced run that lost its successor returns."""
    if target.parent.is_dir():
        with _alone_in(target.parent):
            _clear(target)


def _clear(target: Path) -> None:
    for leftover in _leftovers(target, _REPLACED):
        if not target.exists():
            with suppress(OSError):
                leftover.rename(target)
        else:
            shutil.rmtree(leftover, ignore_errors=True)
    for leftover in _leftovers(target, _WRITER):
        lock = _locked(leftover)
        if lock is not None:
            shutil.rmtree(leftover, ignore_errors=True)
            os.close(lock)
    _remove_if_empty(target.parent / PARTIAL)


def _fresh_partial(target: Path) -> tuple[Path, int | None]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(target.parent):
            _clear(target)
            partial = _make_in_partial(target.parent, f"{target.name}-{os.getpid()}-{secrets.token_hex(3)}")
            return partial, _locked(partial)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"cannot write to {target}: {error.filename or target.parent} is not a directory") from error
    except OSError as error:
        kind = WriteError if error.errno in (errno.ENOSPC, errno.EDQUOT) else OutputError
        raise kind(f"cannot write to {target}: {_reason(error)} ({error.filename or target.parent})") from error


def _make_in_partial(parent: Path, name: str) -> Path:
    """A new directory in `.partial`, which whoever may write to the parent may write to as well."""
    holder = parent / PARTIAL
    while True:
        try:
            if not holder.is_dir():
                holder.mkdir(exist_ok=True)
                with suppress(PermissionError):  # somebody else's already
                    holder.chmod(stat.S_IMODE(parent.stat().st_mode))
            (holder / name).mkdir()
        except FileNotFoundError:  # removed as empty meanwhile, where directories cannot be locked
            if parent.is_dir():
                continue
            raise
        return holder / name


def _remove_if_empty(holder: Path) -> None:
    with suppress(OSError):
        holder.rmdir()


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """One run at a time creates, removes or renames directories here: none takes another's for a leftover."""
    lock = _locked(directory, wait=True)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _leftovers(target: Path, pattern: str) -> list[Path]:
    names = re.compile(f"{re.escape(target.name)}-{pattern}")
    try:
        return sorted(
            path for path in (target.parent / PARTIAL).iterdir() if names.fullmatch(path.name) and path.is_dir()
        )
    except OSError:
        return []


def _locked(directory: Path, *, wait: bool = False) -> int | None:
    """A descriptor that holds the directory's lock until it is closed; None where another process holds it."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sync(directory: Path) -> None:
    """Flush files and directories to the disk, which is where a delayed lack of room shows."""
    for folder, _, names in os.walk(directory):
        for path in [*(Path(folder) / name for name in names), Path(folder)]:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _install(partial: Path, target: Path, *, replace: bool) -> None:
    if replace and target.is_dir():
        former = partial.with_name(f"{target.name}-replaced-{partial.name.rpartition('-')[2]}")
        target.rename(former)
        try:
            partial.rename(target)
        except OSError:
            former.rename(target)
            raise
        shutil.rmtree(former, ignore_errors=True)
        return
    if os.path.lexists(target):  # made by somebody else meanwhile; an empty one would be replaced silently
        raise OutputError(_why_taken(target))
    partial.rename(target)


def _why_taken(target: Path) -> str:
    if target.is_dir():
        return f"{target} exists already; name a directory that does not exist"
    return f"{target} exists already and is not a directory; name a directory that does not exist"


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "no space left on the disk"
    if error.errno == errno.EDQUOT:
        return "the disk quota is used up"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    if error.errno == errno.EROFS:
        return "the file system is read-only"
    if error.errno == errno.EFBIG:
        return "a file grew larger than is allowed here"
    return (error.strerror or str(error)).lower()


@contextmanager
def _terminating_signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit in the main thread, where nobody else handles them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    ours = []
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)
            ours.append(number)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _signals_held() -> Iterator[None]:
    """A second Ctrl-C neither stops the clean-up half-way nor splits the final renames: it acts afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    former = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
