"""What `make test-lowest` installs is what pyproject.toml allows at the least."""

import tomllib
from pathlib import Path

from benchmarks.lowest_versions import constraints


def test_each_dependency_has_one_lowest_version() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for dependency, constraint in zip(project["dependencies"], constraints(), strict=True):
        name, lowest = constraint.split("==")
        assert dependency.startswith(f"{name}>={lowest}")
