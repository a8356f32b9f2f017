"""Results that several tests look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import des
from des.report.page.findings import Findings, read_result
from des.traces import Run
from report.results import HOSTILE, comparison_scenario, hostile_scenario, run_scenario


@contextmanager
def few_samples() -> Iterator[None]:
    """Only while a result is made: the session goes on with tests of other files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("des.estimate.timeline.SAMPLES", 1_000)
        yield


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two replications of two arms with an outage, a limit, retries and lost requests."""
    return des.run(run_scenario(), out=tmp_path_factory.mktemp("ran") / "small")


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A comparison of two peers behind one CDN with their independent twin."""
    with few_samples():
        return des.compare(comparison_scenario(), out=tmp_path_factory.mktemp("compared") / "peers").run


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an answer, with an objective and prices of failing."""
    place = tmp_path_factory.mktemp("answered") / "peers"
    with few_samples():
        des.answer(
            comparison_scenario(),
            rounds=2,
            workers=1,
            out=place,
            overrides=["value={lost_request: $0.10}", "objective={availability: 99%, per: 7d}"],
        )
    return place


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a sweep over three timeouts."""
    place = tmp_path_factory.mktemp("swept") / "sweep"
    overrides = ["horizon=2h", "arms={}", "expect={}"]
    return des.sweep(run_scenario(), {"chain[0].timeout": ["1s", "2s", "5s"]}, out=place, overrides=overrides).path


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose names and title are markup and direction marks."""
    assert "<script>" in HOSTILE
    return des.run(hostile_scenario(), out=tmp_path_factory.mktemp("hostile") / "hostile")


@pytest.fixture(scope="session")
def findings(ran: Run) -> Findings:
    return read_result(ran.path)
