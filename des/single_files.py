"""Single files: written whole or not at all, and read only if they are regular."""

import errno
import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from des.errors import DesError, OutputError, WriteError
from des.signals import signals_held, terminating_signals_raise
from des.storage import refuse_address


def output_path(out: str | Path) -> Path:
    """Where an output goes: `~` is a home folder, which shells leave to the program in `--out=~/new`.

    Raises OutputError where there is no such user, and for an address such as `s3://bucket/prefix`.
    """
    refuse_address(out)
    try:
        return Path(out).expanduser()
    except RuntimeError:
        raise OutputError(f"{out}: there is no user {Path(out).parts[0]}; write the folder in full") from None


def refuse_existing(out: Path | None) -> None:
    """Raises OutputError if a file exists already, before any work is done for it."""
    if out is not None and os.path.lexists(output_path(out)):
        raise OutputError(f"{out}: exists already; choose another name or remove it")


def write_new(out: Path, text: str) -> None:
    """Write a new file, whole or not at all. Raises OutputError if it exists, WriteError if it cannot be written."""
    try:
        _write(out, text, _give_name, "; nothing was kept")
    except FileExistsError:
        refuse_existing(out)
        raise


def check_writable_file(out: Path) -> None:
    """Raises OutputError where `write_over` could not write: no folder to write into, or a directory in the way."""
    out = output_path(out)
    if out.is_dir():
        raise OutputError(f"{out}: is a directory; name a file")
    if os.path.lexists(out) and not out.is_file():
        raise OutputError(f"{out}: is not a regular file; choose another name")
    if not out.parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}; create it first")
    if not os.access(out.parent, os.W_OK):
        raise OutputError(f"{out}: cannot be written: permission denied")


def write_over(out: Path, text: str) -> None:
    """Write a file whole or not at all, in place of an earlier one. Raises WriteError."""
    _write(out, text, Path.replace, "")


def _write(out: Path, text: str, give_name: Callable[[Path, Path], object], left: str) -> None:
    """Write beside the file's place, flush to the disk and give the name last. `left` says what a failure leaves.

    Raises FileExistsError where `give_name` does, WriteError if it cannot be written.
    """
    out = output_path(out)
    beside = out.with_name(f".des-{os.getpid()}-{os.urandom(3).hex()}")
    with terminating_signals_raise():
        try:
            with beside.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            with signals_held():
                give_name(beside, out)
        except FileExistsError:
            raise
        except (OSError, ValueError) as error:
            why = reason_of(error) if isinstance(error, OSError) else str(error)
            raise WriteError(f"{out}: cannot be written: {why}{left}") from error
        finally:
            with signals_held(), suppress(OSError, ValueError):
                beside.unlink()


def _give_name(beside: Path, out: Path) -> None:
    """Raises FileExistsError where the name is taken."""
    try:
        os.link(beside, out)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this file system
        if os.path.lexists(out):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out)) from None
        beside.rename(out)


def check_regular(path: Path) -> None:
    """Raises an OSError, whose `strerror` says why, for anything but a regular file: devices, pipes, folders."""
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


def json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises FileNotFoundError where there is no such file, and DesError, naming it, where it holds anything else.
    """
    try:
        check_regular(path)
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DesError(f"{path}: cannot be read: {reason_of(error)}") from None
    except (ValueError, RecursionError) as error:
        raise DesError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(found, dict):
        raise DesError(f"{path}: not an object")
    return found


def reason_of(error: OSError) -> str:
    """Why writing failed, in a few words."""
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
