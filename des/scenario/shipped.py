"""The shipped scenarios by name: `two_stage` is `scenarios/two_stage.yaml`, also in an installed package."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from des.words import did_you_mean

_FOLDER: Final = "shipped"
"""In the repository a link to `scenarios/`; a distribution has its files."""


@cache
def shipped() -> Mapping[str, Path]:
    """The file of each shipped scenario by its name, sorted. Empty where the package lacks them."""
    folder = Path(str(files("des"))) / _FOLDER
    return {path.stem: path for path in sorted(folder.resolve().glob("*.yaml"))}


def scenario_file(path: str | os.PathLike[str]) -> Path:
    """The path itself, or the file of the shipped scenario of that name where there is no such file."""
    given = Path(path)
    if _is_a_name(given) and not os.path.lexists(given):
        return shipped().get(str(given), given)
    return given


def nearest_shipped(path: Path) -> str:
    """`; did you mean 'two_stage'?` for a file that is missing, if a shipped scenario has a similar name."""
    return did_you_mean(path.stem, shipped())


def _is_a_name(path: Path) -> bool:
    return path.name == str(path) and not path.suffix
