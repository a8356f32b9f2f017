"""Where the files are that a scenario names: relative to it, with `${NAME}` for environment variables."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path as FilePath
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}/?")
_FOLDER: Final[ContextVar[FilePath]] = ContextVar("folder of the scenario that is read")


@contextmanager
def within_folder(folder: FilePath) -> Iterator[None]:
    """Within it, settings that are read find their files from this folder."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def located_here(text: str) -> FilePath:
    """The file that the scenario which is read means. Raises ValueError as `located`."""
    return located(text, _FOLDER.get(FilePath()))


def located(text: str, folder: FilePath) -> FilePath:
    """The file that a scenario in `folder` means; raises ValueError if a variable or a user is unknown."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        folder_name = os.environ.get(name)
        if not folder_name:
            rest = text[match.end() :]
            raise ValueError(
                f"environment variable {name} is not set: it must name the folder with {rest or 'the file'}"
            )
        return folder_name.rstrip("/") + "/" if match.group().endswith("/") else folder_name

    path = _VARIABLE.sub(value, text)
    if "${" in path:
        raise ValueError(f"'{text}' has a ${{...}} that does not name an environment variable")
    try:
        return folder / FilePath(path).expanduser()
    except RuntimeError:
        raise ValueError(f"'{text}': there is no user {path.partition('/')[0]}") from None
