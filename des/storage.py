"""Places that fsspec knows, such as `s3://bucket/prefix`: where a result is kept whose workers share no disk.

An object is whole or absent, because a store takes it in one piece. A directory is not, so what says that it is whole
is written last.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

from des.errors import DesError, OutputError, WriteError

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_CUT: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")
"""What `Path` makes of one."""
_WITH_FOLDERS: Final = frozenset({"file", "local", "sftp", "ssh", "smb"})
_AT_ONCE: Final = 128
"""Small objects that are read together."""


def is_url(place: str | Path | None) -> bool:
    """Whether this is no path here. Raises DesError for a `Path` of one, which has lost a slash."""
    if isinstance(place, Path) and _CUT.match(str(place)):
        raise DesError(f"{place}: is no path here; give the address as text, such as 's3://bucket/prefix'")
    return not isinstance(place, Path) and place is not None and _URL.match(str(place)) is not None


def refuse_address(out: str | Path) -> None:
    """Raises OutputError for an output that must be a file or a directory here."""
    if _URL.match(str(out)) or _CUT.match(str(out)):
        raise OutputError(f"{out}: only runs and sweeps can be kept at an address; name a place on disk")


def place_of(place: str | Path) -> Path:
    """A path here, or what reads like one at an address: `/`, `name`, `read_text`, `open`, `is_dir`, `glob`.

    Raises DesError where a library for the address is missing.
    """
    if not is_url(place):
        return Path(place)
    _require("upath")
    return cast(Path, import_module("upath").UPath(str(place), use_listings_cache=False))


def readable(file: Path) -> Path | BinaryIO:
    """What Arrow reads: a path here, or the open object at an address."""
    return file if isinstance(file, Path) else file.open("rb")


@dataclass(frozen=True, slots=True)
class Storage:
    """The objects below an address, by their names relative to it. Raises WriteError where the store refuses."""

    url: str

    def sizes(self) -> dict[str, int]:
        """Bytes of every object there is now."""
        with self._told("listed"):
            files, root = self._at()
            try:
                found = files.find(root, detail=True)
            except FileNotFoundError:
                return {}
        start = len(root.lstrip("/")) + 1
        return {path.lstrip("/")[start:]: int(of["size"]) for path, of in sorted(found.items())}

    def text(self, name: str) -> str | None:
        """None where there is no such object."""
        return self.texts([name]).get(name)

    def texts(self, names: Sequence[str]) -> dict[str, str]:
        """Of those that are there, read together."""
        found: dict[str, str] = {}
        with self._told("read"):
            files, root = self._at()
            for first in range(0, len(names), _AT_ONCE):
                some = names[first : first + _AT_ONCE]
                read = files.cat_ranges([f"{root}/{name}" for name in some], None, None, on_error="return")
                for name, content in zip(some, read, strict=True):
                    if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                        raise content
                    if isinstance(content, bytes):
                        found[name] = content.decode()
        return found

    def put_text(self, name: str, text: str) -> None:
        """In one piece, in place of what was there."""
        with self._told(f"written ({name})"):
            files, root = self._at()
            _below_a_folder(files, f"{root}/{name}", lambda place: files.pipe_file(place, text.encode()))

    def put(self, name: str, file: Path) -> None:
        """A file as one object, in place of what was there."""
        with self._told(f"written ({name})"):
            files, root = self._at()
            _below_a_folder(files, f"{root}/{name}", lambda place: files.put_file(str(file), place))

    def remove(self, names: Iterable[str]) -> None:
        """Those of them that are there, with the folders that are empty then."""
        names = list(names)
        with self._told("removed from"):
            files, root = self._at()
            for name in names:
                with suppress(FileNotFoundError):
                    files.rm_file(f"{root}/{name}")
            if _has_folders(files):
                below = {str(folder) for name in names for folder in PurePosixPath(name).parents} - {"."}
                for folder in sorted(below, key=len, reverse=True):
                    with suppress(OSError):  # it is not empty
                        files.rmdir(f"{root}/{folder}")

    def _at(self) -> tuple[Any, str]:
        """The file system and the root below it. What other machines write must not hide behind an old listing."""
        _require("fsspec")
        files, root = import_module("fsspec.core").url_to_fs(self.url, use_listings_cache=False)
        return files, str(root).rstrip("/")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Every library of a store has errors of its own."""
        try:
            yield
        except DesError:
            raise
        except Exception as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise WriteError(f"{self.url}: cannot be {what}: {said}") from error


def _has_folders(files: Any) -> bool:
    protocols = {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)
    return not protocols.isdisjoint(_WITH_FOLDERS)


def _below_a_folder(files: Any, place: str, write: Callable[[str], object]) -> None:
    """Writes an object, and makes its folder first where the store has folders and lacks this one."""
    try:
        write(place)
    except FileNotFoundError:
        if not _has_folders(files):
            raise  # a bucket that a typing error names is not to be made
        files.makedirs(place.rpartition("/")[0], exist_ok=True)
        write(place)


def _require(library: str) -> None:
    if find_spec(library) is None:
        raise DesError(f"an address needs {library}: pip install 'des-fallback[cluster]'")
