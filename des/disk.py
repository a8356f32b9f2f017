"""Directories that are whole or absent.

The directory of a run is written in `.partial` beside its place, and moved there when complete. A directory under its
own name is therefore whole. An unfinished run is a level further down, so a pattern over runs
(`results/*/requests/*.parquet`) does not match it, even with tools whose `*` matches hidden names. A run that replaces
another is exchanged with it in one step, if the system can do that. What a crash leaves behind stays in `.partial`. The
next run for the same place removes it; the lock of the writer tells whether that run is still in progress.

Beside it stands, under a name that the same run finds again, a directory of what is finished of the run (`claimed`).
It outlives a process that is stopped or killed, and is removed when the run is complete.

The locks are on the directories themselves (`flock`). The system releases the lock of a dead writer, and no lock file
is left beside the runs. The library filelock locks only files, and leaves them.
"""

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from des.errors import OutputError, WriteError, say_what_is_left
from des.signals import signals_held, terminating_signals_raise
from des.single_files import reason_of

try:
    import fcntl
except ImportError:  # no advisory locks on this system: leftovers stay until a user removes them
    fcntl = None  # type: ignore[assignment]

PARTIAL = ".partial"
WRITING = "writing-"
"""How the name of a directory begins that holds files half written, in a directory that outlives its process."""
WRITER = r"[0-9]+-[0-9a-f]{6}"  # process id and random digits
REPLACED = r"replaced-[0-9a-f]{6}"
_HERE = -100  # AT_FDCWD: relative paths start at the working directory
_ATTEMPTS = 100  # to create a directory that other processes keep removing

_Made = TypeVar("_Made")


class TakenError(OutputError):
    """The place of a run is already taken, perhaps since a moment ago."""


@contextmanager
def written_whole(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A directory to write a run into; it becomes `target` when the block ends well, and is removed otherwise.

    Raises TakenError if `target` exists (unless `replace`), at the latest when the block ends; OutputError if nothing
    can be written beside it; and WriteError if writing fails half-way. SIGTERM and SIGHUP unwind the block like Ctrl-C
    does, and further signals are held back until that is done.
    """
    if not (replace and target.is_dir()):
        refuse_existing_directory(target)
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
            failure = WriteError(f"writing to {target} failed: {_below(target, error)}{reason_of(error)}")
            say_what_is_left(failure, "nothing was kept")
            raise failure from error
        finally:
            with signals_held():  # a second Ctrl-C neither stops this half-way nor splits the final renames
                if partial is not None:
                    _discard(partial)
                with _alone_in(target.parent):
                    _remove_if_empty(target.parent / PARTIAL)
                    for directory in made:
                        _remove_if_empty(directory)
                if lock is not None:
                    os.close(lock)


@contextmanager
def claimed(target: Path, suffix: str, worth_keeping: Callable[[Path], bool]) -> Iterator[Path | None]:
    """A directory in `.partial` for what is finished of `target`, which outlives this process: the same one each time.

    Its name is that of the target with the suffix. It is this process's alone until the block ends, and None where
    another process has it or directories cannot be locked. When the block ends well it is removed; when the block
    raises, it stays if it is `worth_keeping`. Raises OutputError where nothing can be written beside the target.
    """
    with terminating_signals_raise():
        made = _missing(target.parent)
        claim: tuple[Path, int] | None = None
        is_done = False
        try:
            with signals_held():
                claim = _written_beside(target, lambda: _claim(target, suffix))
            yield None if claim is None else claim[0]
            is_done = True
        finally:
            with signals_held(), _alone_in(target.parent):
                if claim is not None:
                    if is_done or not worth_keeping(claim[0]):
                        _discard(claim[0])
                    os.close(claim[1])
                _remove_if_empty(target.parent / PARTIAL)
                for directory in made:
                    _remove_if_empty(directory)


def is_locked(directory: Path) -> bool:
    """Whether a process is at work in a directory in `.partial`, or may be as nothing can be locked here."""
    with _alone_in(directory.parent.parent):  # nobody claims it while this looks
        lock = lock_on(directory)
    if lock is not None:
        os.close(lock)
    return lock is None


def removed(directory: Path, *, unless_locked: bool = False) -> bool:
    """Remove a directory in one step, then what was in it; False where another process is at work in it.

    What is killed half-way leaves a rest in `.partial`, never half of a directory under its own name. Raises WriteError
    where the directory cannot be removed.
    """
    parent = directory.parent.parent if directory.parent.name == PARTIAL else directory.parent
    try:
        with signals_held(), _alone_in(parent):
            lock = lock_on(directory) if unless_locked else None
            if unless_locked and lock is None:
                return False
            if directory.is_symlink() or directory.parent.name == PARTIAL:
                gone = directory
            else:
                gone = _make_in_partial(parent, f"{directory.name}-{os.getpid()}-{secrets.token_hex(3)}")
                directory.rename(gone)
            _discard(gone)
            if lock is not None:
                os.close(lock)
            _remove_if_empty(parent / PARTIAL)
    except OSError as error:
        raise WriteError(f"{directory}: cannot be removed: {reason_of(error)}") from error
    return True


def link_file(source: Path, target: Path) -> None:
    """A second name for a file; where there are none here, the file moves."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        source.rename(target)


def refuse_existing_directory(target: Path) -> None:
    """Raises TakenError for a directory that is to be made, before any work is done for it."""
    if os.path.lexists(target):
        raise TakenError(_why_taken(target))


def obstacle(target: Path) -> str | None:
    """What is in the place of a directory, if it is not a directory: a file or a broken link."""
    if target.is_dir() or not os.path.lexists(target):
        return None
    if target.is_symlink() and not target.exists():
        return f"a broken link to {target.readlink()}"
    return "a file"


def remove_leftovers(target: Path) -> None:
    """Remove what killed runs for this place left. A replaced run whose successor was lost is put back."""
    if target.parent.is_dir():
        with _alone_in(target.parent):
            _clear(target)


def put_back(target: Path) -> None:
    """For readers: put back a replaced run whose successor was lost, if it exists only among the leftovers."""
    if not os.path.lexists(target) and _leftovers(target, REPLACED):
        remove_leftovers(target)


def free_bytes(target: Path) -> int | None:
    """How many bytes may be written below a directory that need not exist yet; None where the system does not say."""
    target = target.absolute()
    for place in (target, *target.parents):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None


def _clear(target: Path) -> None:
    for leftover in _leftovers(target, REPLACED):
        if not os.path.lexists(target):
            with suppress(OSError):
                leftover.rename(target)
        elif target.is_dir():
            _discard(leftover)
    for leftover in _leftovers(target, WRITER):
        lock = lock_on(leftover)
        if lock is not None:
            _discard(leftover)
            os.close(lock)
    _remove_if_empty(target.parent / PARTIAL)


def _discard(directory: Path) -> None:
    """Removes a directory. Of a link, only the link is removed, because its target is not ours."""
    if directory.is_symlink():
        with suppress(OSError):
            directory.unlink()
    else:
        shutil.rmtree(directory, ignore_errors=True)


def _missing(directory: Path) -> list[Path]:
    """Directories that must be created for this one to exist, the innermost first."""
    missing = []
    while not os.path.lexists(directory) and directory != directory.parent:
        missing.append(directory)
        directory = directory.parent
    return missing


def _fresh_partial(target: Path) -> tuple[Path, int | None]:
    name = f"{target.name}-{os.getpid()}-{secrets.token_hex(3)}"

    def make() -> tuple[Path, int | None]:
        _clear(target)
        partial = _make_in_partial(target.parent, name)
        return partial, lock_on(partial)

    return _written_beside(target, make)


def _claim(target: Path, suffix: str) -> tuple[Path, int] | None:
    if fcntl is None:
        return None
    place = target.parent / PARTIAL / f"{target.name}{suffix}"
    if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
        return None  # not made by us
    is_new = not place.is_dir()
    if is_new:
        _make_in_partial(target.parent, place.name)
    lock = lock_on(place)
    if lock is None and is_new:
        _remove_if_empty(place)
    return None if lock is None else (place, lock)


def _written_beside(target: Path, make: Callable[[], _Made]) -> _Made:
    """What `make` makes in the target's parent, alone there. Raises OutputError or WriteError, saying why not."""
    try:
        for attempt in range(_ATTEMPTS):
            try:
                _make_directory(target.parent)
                with _alone_in(target.parent):
                    return make()
            except FileNotFoundError:  # a failed run has removed the directory that it had created
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"cannot write to {target}: {error.filename or target.parent} is not a directory") from error
    except OSError as error:
        kind = WriteError if error.errno in (errno.ENOSPC, errno.EDQUOT) else OutputError
        raise kind(f"cannot write to {target}: {reason_of(error)} ({error.filename or target.parent})") from error


def _make_in_partial(parent: Path, name: str) -> Path:
    """A new directory in `.partial`, with the write permissions of its parent."""
    holder = parent / PARTIAL
    for attempt in range(_ATTEMPTS):
        try:
            if _make_directory(holder):
                holder.chmod(stat.S_IMODE(parent.stat().st_mode))
            (holder / name).mkdir()
        except FileNotFoundError:  # meanwhile removed because it was empty, where directories cannot be locked
            if attempt == _ATTEMPTS - 1 or not parent.is_dir():
                raise
        else:
            return holder / name
    raise AssertionError("the last attempt returns or raises")


def _make_directory(directory: Path) -> bool:
    """Makes a directory and its parents. Returns whether it is new; it may be gone again, where others remove it.

    `Path.mkdir(exist_ok=True)` takes a directory that is removed at that moment for a file in its place.
    """
    is_new = False
    for missing in [*reversed(_missing(directory)[1:]), directory]:
        try:
            missing.mkdir()
            is_new = True
        except FileExistsError:
            if not _is_directory_or_missing(missing):
                raise
            is_new = False
    return is_new


def _is_directory_or_missing(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return not path.is_symlink()


def _remove_if_empty(holder: Path) -> None:
    with suppress(OSError):
        holder.rmdir()


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """One run at a time creates, removes or renames directories here, so that none removes another's."""
    lock = lock_on(directory, wait=True)
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
            for path in (target.parent / PARTIAL).iterdir()
            if names.fullmatch(path.name) and (path.is_dir() or path.is_symlink())
        )
    except OSError:
        return []


def lock_on(directory: Path, *, wait: bool = False) -> int | None:
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
    """Flush files and directories to the disk, because a full disk may show only then."""
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
            return  # the former run is now the partial one
        former = partial.with_name(f"{target.name}-replaced-{partial.name.rpartition('-')[2]}")
        target.rename(former)
        try:
            partial.rename(target)
        except OSError:
            former.rename(target)
            raise
        _discard(former)
        return
    if os.path.lexists(target):  # meanwhile created by another process; an empty one would be replaced silently
        raise TakenError(_why_taken(target))
    partial.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step. Returns False and does nothing if system or file system cannot do that."""
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return bool(system.renamex_np(first, second, 2) == 0)
        return bool(system.renameat2(_HERE, first, _HERE, second, 2) == 0)
    except (AttributeError, OSError, TypeError):  # another system, or one that is too old
        return False


def _below(target: Path, error: OSError) -> str:
    """The file that an error names, by its path in the run, if it is one of the run's."""
    try:
        inside = Path(os.fsdecode(error.filename or "")).relative_to(target.parent / PARTIAL).parts[1:]
    except (TypeError, ValueError):
        return ""
    if inside and inside[0].startswith(WRITING):
        inside = inside[1:]
    return f"{'/'.join(inside)}: " if inside else ""


def _why_taken(target: Path) -> str:
    what = obstacle(target)
    nature = "" if what is None else f" and is not a directory but {what}"
    return f"{target} exists already{nature}; name a directory that does not exist"
