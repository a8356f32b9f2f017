"""Pages are made once; without the libraries for them there are none to look at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from des.report.charts.extra import missing
from report.page.reading import Page


@pytest.fixture(scope="package", autouse=True)
def _has_the_extra() -> None:
    if words := missing():
        pytest.skip(words)


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], tuple[Path, Page]]:
    """The file of a result's page, and what is in it."""
    from des.report.page import write_report

    made: dict[Path, tuple[Path, Page]] = {}

    def find(result: Path) -> tuple[Path, Page]:
        if result not in made:
            file = tmp_path_factory.mktemp("page") / "report.html"
            write_report(result, out=file)
            made[result] = file, Page(file.read_text(encoding="utf-8"))
        return made[result]

    return find
