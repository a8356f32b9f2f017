"""What is said and asked before work that takes long or writes much."""

from pathlib import Path

import pytest

from des.cli import asking
from des.cli.application import DeclinedError
from des.disk import free_bytes
from des.study.options import Forecast

SCENARIO = Path("mine.yaml")
TOO_LARGE = Forecast(seconds=3.0, size=5.2e9, free=1_300_000_000)


def _asked(monkeypatch: pytest.MonkeyPatch, *, there: bool) -> list[str]:
    questions: list[str] = []
    monkeypatch.setattr(asking, "somebody_is_there", lambda: there)
    monkeypatch.setattr(asking, "confirm", lambda question, declined: questions.append(question))
    return questions


def test_the_size_is_said_beside_the_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    questions = _asked(monkeypatch, there=True)
    asking.before("run", SCENARIO, yes=False)(Forecast(seconds=40.0, processes=2, size=5.2e9, free=10**12))
    assert capsys.readouterr().err == "des run will take about 40 s here, on 2 processes, and write about 5.2 GB\n"
    assert questions == []


def test_more_than_is_free_is_asked_about_however_little_time_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = _asked(monkeypatch, there=True)
    asking.before("run", SCENARIO, yes=False)(TOO_LARGE)
    said = capsys.readouterr().err
    assert "and write about 5.2 GB" in said
    assert "only 1.3 GB are free there" in said
    assert "des answer" not in said
    assert questions == ["go on?"]


def test_more_than_is_free_is_refused_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    _asked(monkeypatch, there=False)
    with pytest.raises(DeclinedError, match="nothing was run; --yes goes on all the same"):
        asking.before("run", SCENARIO, yes=False)(TOO_LARGE)


def test_yes_goes_on_all_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    questions = _asked(monkeypatch, there=False)
    asking.before("run", SCENARIO, yes=True)(TOO_LARGE)
    assert "only 1.3 GB are free" in capsys.readouterr().err
    assert questions == []


def test_what_is_accepted_before_the_engine_is_compiled_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = _asked(monkeypatch, there=True)
    before = asking.before("run", SCENARIO, yes=False)
    before(Forecast(seconds=0.0, untimed=True, size=5.2e9, free=1_300_000_000, finished=1, replications=4))
    assert capsys.readouterr().err == (
        "continuing: 1 of 4 replications are finished already\n"
        "des run will write about 5.2 GB here\n"
        "only 1.3 GB are free there: fewer rows take less room (--traces requests, --no-traces)\n"
    )
    assert questions == ["go on?"]
    before(Forecast(seconds=40.0, size=5.4e9, free=1_300_000_000, finished=1, replications=4))
    assert capsys.readouterr().err == "des run will take about 40 s here, on 1 process, and write about 5.4 GB\n"
    assert questions == ["go on?"]
    before(Forecast(seconds=4_000.0, size=5.4e9, free=1_300_000_000))
    assert questions == ["go on?", "go on?"]


def test_what_is_declined_before_the_engine_is_compiled_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    _asked(monkeypatch, there=False)
    with pytest.raises(DeclinedError, match="nothing was run; --yes goes on all the same"):
        asking.before("run", SCENARIO, yes=False)(Forecast(seconds=0.0, untimed=True, size=5.2e9, free=1_300_000_000))


def test_a_place_of_unknown_room_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = _asked(monkeypatch, there=False)
    asking.before("run", SCENARIO, yes=False)(Forecast(seconds=3.0, size=5.2e9))
    assert questions == []


def test_room_is_that_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    free = free_bytes(tmp_path / "not" / "yet")
    assert free is not None
    assert free > 0
