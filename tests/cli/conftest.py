"""A run that several tests look at, and no test at all where the command is not installed."""

from pathlib import Path

import pytest
from study.small_scenario import write_small

from tests.command import DES, Done, des


@pytest.fixture(scope="package", autouse=True)
def installed() -> None:
    if not Path(DES).exists():
        pytest.skip("the des command is not installed beside this Python")


@pytest.fixture(scope="module", autouse=True)
def _rough(rough_estimators: None) -> None:
    """Commands print figures, however rough these are."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A folder with a scenario, and its first run there."""
    folder = tmp_path_factory.mktemp("ran")
    write_small(folder)
    return folder, des("run", "small.yaml", folder=folder)
