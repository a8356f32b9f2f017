"""Files and directories that are whole or absent, and the check that a file to be read is a regular one.

The directory of a run is written in `.partial` beside its place, and moved there when complete. A directory under its
own name is therefore whole, and a pattern over runs (`results/*/requests/*.parquet`, of which some tools let the `*`
stand for hidden names too) finds nothing of one under way, a level further down. A run that replaces another changes
places with it in one step, where the system can do that. What a crash left behind stays in `.partial`; the next run
for the same place removes it, and knows by the lock of its writer whether the run is still under way.

The locks are on the directories themselves (`flock`): the system lets go of a dead writer's, and no lock file is left
beside anybody's runs. The library filelock locks files only, and leaves them.
"""

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from des.errors import OutputError, WriteError
from des.signals import signals_held, terminating_signals_raise

try:
    import fcntl
except ImportError:  # no advisory locks here: leftovers then stay until somebody removes them
    fcntl = None  # type: ignore[assignment]

_PARTIAL = ".partial"
_WRITER = r"[0-9]+-[0-9a-f]{6}"  # process and chance
_REPLACED = r"replaced-[0-9a-f]{6}"
_HERE = -100  # AT_FDCWD: relative paths start at the working directory
_ATTEMPTS = 100  # at a directory that others keep removing


class TakenError(OutputError):
    """The place of a run is another's already, perhaps since a moment ago."""


@contextmanager
def written_whole(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A directory to write a run into; it becomes `target` when the block ends well, and is removed otherwise.

    Raises TakenError where `target` exists (unless `replace`), at the latest when the block ends, OutputError where
    nothing can be written beside it, and WriteError where writing stops half-way. SIGTERM and SIGHUP unwind the block
    like Ctrl-C does, and further signals wait until that is done.
    """
    if os.path.lexists(target) and not (replace and target.is_dir()):
        raise TakenError(_why_taken(target))
    with terminating_signals_raise():
        made = _missing(target.parent)
        partial: Path | None = None
        lock: int | None = None
        try:
            with signals_held():
                partial, lock = _fresh_partial(target)
            yield partial
            _sync(partial)
            with signals_held(), _alone_in(target.parent):
                _install(partial, target, replace=replace)
        except OSError as error:
            named = "" if partial is None else _below(partial, error)
            raise WriteError(f"writing to {target} failed: {named}{_reason(error)}; nothing was kept") from error
        finally:
            with signals_held():  # a second Ctrl-C neither stops this half-way nor splits the final renames
                if partial is not None:
                    _discard(partial)
                with _alone_in(target.parent):
                    _remove_if_empty(target.parent / _PARTIAL)
                    for directory in made:
                        _remove_if_empty(directory)
                if lock is not None:
                    os.close(lock)


def obstacle(target: Path) -> str | None:
    """What stands where a directory belongs, if it is none: a file or a link to nowhere."""
    if target.is_dir() or not os.path.lexists(target):
        return None
    if target.is_symlink() and not target.exists():
        return f"a broken link to {target.readlink()}"
    return "a file"


def remove_leftovers(target: Path) -> None:
    """Remove what runs for this place left when they were killed; a replaced run that lost its successor returns."""
    if target.parent.is_dir():
        with _alone_in(target.parent):
            _clear(target)


def put_back(target: Path) -> None:
    """For readers: a replaced run that lost its successor returns, if it stands nowhere but among the leftovers."""
    if not os.path.lexists(target) and _leftovers(target, _REPLACED):
        remove_leftovers(target)


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory for temporary files, which is removed by whatever ends the block but SIGKILL."""
    with terminating_signals_raise():
        directory: Path | None = None
        try:
            with signals_held():
                directory = Path(tempfile.mkdtemp(prefix="des-"))
            yield directory
        finally:
            with signals_held():
                if directory is not None:
                    shutil.rmtree(directory, ignore_errors=True)


def refuse_existing(out: Path | None) -> None:
    """Raises OutputError before any work is done for a file that could not be written anyway."""
    if out is not None and os.path.lexists(out):
        raise OutputError(f"{out}: exists already; choose another name or remove it")


def write_new(out: Path, text: str) -> None:
    """Write a file that does not exist yet, whole or not at all. Raises OutputError if it exists, WriteError if not.

    It is written beside its place, flushed to the disk and given its name last.
    """
    beside = out.with_name(f".des-{os.getpid()}-{secrets.token_hex(3)}")
    with terminating_signals_raise():
        try:
            with beside.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            with signals_held():
                _give_name(beside, out)
        except FileExistsError:
            refuse_existing(out)
            raise
        except (OSError, ValueError) as error:
            why = _reason(error) if isinstance(error, OSError) else str(error)
            raise WriteError(f"{out}: cannot be written: {why}; nothing was kept") from error
        finally:
            with signals_held(), suppress(OSError, ValueError):
                beside.unlink()


def check_writable_file(out: Path) -> None:
    """Raises OutputError where `write_over` could not write: no folder to write into, or a directory in the way."""
    if out.is_dir():
        raise OutputError(f"{out}: is a directory; name a file")
    if os.path.lexists(out) and not out.is_file():
        raise OutputError(f"{out}: is no regular file; choose another name")
    if not out.parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}; make it first")
    if not os.access(out.parent, os.W_OK):
        raise OutputError(f"{out}: cannot be written: permission denied")


def write_over(out: Path, text: str) -> None:
    """Write a file whole or not at all, in place of an earlier one. Raises WriteError.

    It is written beside its place, flushed to the disk and given its name last.
    """
    beside = out.with_name(f".des-{os.getpid()}-{secrets.token_hex(3)}")
    with terminating_signals_raise():
        try:
            with beside.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(out)
        except (OSError, ValueError) as error:
            why = _reason(error) if isinstance(error, OSError) else str(error)
            raise WriteError(f"{out}: cannot be written: {why}") from error
        finally:
            with signals_held(), suppress(OSError, ValueError):
                beside.unlink()


def _give_name(beside: Path, out: Path) -> None:
    """Raises FileExistsError where the name is taken."""
    try:
        os.link(beside, out)
    except FileExistsError:
        raise
    except OSError:  # no second names for files here
        if os.path.lexists(out):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out)) from None
        beside.rename(out)


def check_regular(path: Path) -> None:
    """Raises an OSError, whose `strerror` says why, for what has no end or no content: devices, pipes, folders."""
    try:
        mode = path.stat().st_mode
    except ValueError as error:  # a name with a null character
        raise OSError(errno.EINVAL, str(error), str(path)) from None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", str(path))
    if not stat.S_ISREG(mode):
        kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        what = next((name for holds, name in kinds if holds(mode)), "a device")
        raise OSError(errno.EINVAL, f"is {what}, not a regular file", str(path))


def _clear(target: Path) -> None:
    for leftover in _leftovers(target, _REPLACED):
        if not os.path.lexists(target):
            with suppress(OSError):
                leftover.rename(target)
        elif target.is_dir():
            _discard(leftover)
    for leftover in _leftovers(target, _WRITER):
        lock = _locked(leftover)
        if lock is not None:
            _discard(leftover)
            os.close(lock)
    _remove_if_empty(target.parent / _PARTIAL)


def _discard(directory: Path) -> None:
    """Of a link, the link alone: what it leads to is not ours."""
    if directory.is_symlink():
        with suppress(OSError):
            directory.unlink()
    else:
        shutil.rmtree(directory, ignore_errors=True)


def _missing(directory: Path) -> list[Path]:
    """Directories that have to be made for this one to exist, the innermost first."""
    missing = []
    while not os.path.lexists(directory) and directory != directory.parent:
        missing.append(directory)
        directory = directory.parent
    return missing


def _fresh_partial(target: Path) -> tuple[Path, int | None]:
    name = f"{target.name}-{os.getpid()}-{secrets.token_hex(3)}"
    try:
        for attempt in range(_ATTEMPTS):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _alone_in(target.parent):
                _clear(target)
                try:
                    partial = _make_in_partial(target.parent, name)
                except FileNotFoundError:  # a run that failed took the directory that it had made with it
                    if attempt == _ATTEMPTS - 1:
                        raise
                    continue
                return partial, _locked(partial)
        raise AssertionError("the last attempt returns or raises")
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"cannot write to {target}: {error.filename or target.parent} is not a directory") from error
    except OSError as error:
        kind = WriteError if error.errno in (errno.ENOSPC, errno.EDQUOT) else OutputError
        raise kind(f"cannot write to {target}: {_reason(error)} ({error.filename or target.parent})") from error


def _make_in_partial(parent: Path, name: str) -> Path:
    """A new directory in `.partial`, with the write permissions of its parent."""
    holder = parent / _PARTIAL
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
            path
            for path in (target.parent / _PARTIAL).iterdir()
            if names.fullmatch(path.name) and (path.is_dir() or path.is_symlink())
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
        if _exchange(partial, target):
            return  # the former run is what is partial now
        former = partial.with_name(f"{target.name}-replaced-{partial.name.rpartition('-')[2]}")
        target.rename(former)
        try:
            partial.rename(target)
        except OSError:
            former.rename(target)
            raise
        _discard(former)
        return
    if os.path.lexists(target):  # made by somebody else meanwhile; an empty one would be replaced silently
        raise TakenError(_why_taken(target))
    partial.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Two paths change places in one step; False, and nothing happens, where system or file system cannot do that."""
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return bool(system.renamex_np(first, second, 2) == 0)
        return bool(system.renameat2(_HERE, first, _HERE, second, 2) == 0)
    except (AttributeError, OSError, TypeError):  # another system, or too old a one
        return False


def _below(directory: Path, error: OSError) -> str:
    """The file that an error names, if it is one in the directory."""
    try:
        return f"{Path(os.fsdecode(error.filename or '')).relative_to(directory).as_posix()}: "
    except (TypeError, ValueError):
        return ""


def _why_taken(target: Path) -> str:
    what = obstacle(target)
    nature = "" if what is None else f" and is not a directory but {what}"
    return f"{target} exists already{nature}; name a directory that does not exist"


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
