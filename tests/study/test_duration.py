"""The time a command will take is told soon, and is about right."""

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest

from des.errors import DesError
from des.scenario import Loaded, from_mapping
from des.study import duration
from des.study.options import Forecast, RunOptions
from des.study.run import ensure
from des.study.study import Study
from des.study.sweep import sweep_with
from study.small_scenario import ENDLESS, SMALL, small


def _study(**changes: Any) -> Study:
    return Study.of(from_mapping(small(**changes)), traces=True)


def test_little_work_is_not_measured() -> None:
    found = duration.of_run(_study(), 1)
    assert (found.seconds, found.replications, found.finished) == (0.0, 2, 0)


def test_time_that_is_linear_in_the_size_is_extrapolated(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, done = [0.0], []

    def work(size: float) -> None:
        done.append(size)
        now_s[0] += 0.01 + 0.001 * size

    monkeypatch.setattr(time, "process_time", lambda: now_s[0])
    assert duration._extrapolated(work, (1, 10, 100, 1_000), 100_000.0) == pytest.approx(100.01)
    assert max(done) == 100  # a thousand would take 1.01 s
    assert duration._extrapolated(work, (1, 10, 100), 50.0) == pytest.approx(0.06)


def test_a_long_run_is_told_to_be_long_and_twice_as_long_with_twice_the_replications(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duration, "_taken_s", lambda work, size: 0.01 + 1e-4 * size)  # whatever else the machine does
    once = duration.of_run(_study(**ENDLESS), 1)
    twice = duration.of_run(_study(**ENDLESS, replications=2), 1)
    assert once.seconds > 3600.0
    assert twice.seconds == pytest.approx(2.0 * once.seconds)
    assert duration.of_run(_study(**ENDLESS, replications=4), 1, finished=7).seconds < once.seconds


def test_a_horizon_of_rare_requests_and_many_incidents_is_measured_soon() -> None:
    providers = copy.deepcopy(SMALL["providers"])
    providers["first"]["incidents"] = [{"kind": "poisson", "rate": "2/h", "duration": "1min"}]
    study = _study(horizon="60y", providers=providers, workload={"arrivals": {"kind": "poisson", "rate": "1/30d"}})
    started_s = time.process_time()
    assert duration.of_run(study, 1).seconds > 1.0
    assert time.process_time() - started_s < 20.0  # a minute and more for the whole


def _brownouts(**changes: Any) -> Loaded:
    incidents = [{"kind": "poisson", "rate": "2/d", "duration": "2h", "error_rate": "30%"}]
    providers = {
        name: {"latency": "1s", "incidents": incidents, "models": {"model": {"price": {"per_request": 0}}}}
        for name in ("a", "b")
    }
    content = {"title": "b", "horizon": "90d", "workload": {"arrivals": {"kind": "poisson", "rate": "2/h"}}}
    chain = [{"provider": "a", "retries": 2}, {"provider": "b", "retries": 2}]
    return from_mapping({**content, "providers": providers, "chain": chain, **changes})


def test_years_of_brownouts_are_told_to_be_long() -> None:
    few, many = (duration.of_availability(_brownouts(), years, "timeline", 1).seconds for years in (1_000.0, 1e6))
    assert many > 20.0 * few > 0.0


def test_what_is_exact_takes_no_time() -> None:
    limits = {"horizon": "1d", "chain": [{"provider": "a"}, {"provider": "b"}]}
    exact = _brownouts(**limits)
    assert duration.of_availability(exact, 1e6, "exact", 1).seconds == 0.0


class _NotNowError(Exception):
    pass


def test_before_is_called_once_with_the_forecast_and_may_end_the_run(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[Forecast] = []

    def refuse(forecast: Forecast) -> None:
        told.append(forecast)
        raise _NotNowError

    with pytest.raises(_NotNowError):
        ensure(small(horizon="1h"), RunOptions(before=refuse))
    with pytest.raises(_NotNowError):
        sweep_with(small(horizon="1h"), ["policy.rounds=1,2"], RunOptions(before=refuse), estimator="request level")
    assert [one.replications for one in told] == [2, 4]
    assert not list(tmp_path.iterdir())


def test_nothing_is_asked_where_the_result_is_there(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[Forecast] = []
    options = RunOptions(before=told.append)
    for _ in range(2):
        ensure(small(horizon="1h"), options)
        sweep_with(small(horizon="1h"), ["policy.rounds=1,2"], options, estimator="request level")
    assert len(told) == 2


def test_a_wrong_precision_is_said_before_anything_is_measured() -> None:
    with pytest.raises(DesError, match="unknown metric"):
        ensure(small(), RunOptions(precision="nonsense=0.1", before=_must_not_ask))


def _must_not_ask(forecast: Forecast) -> None:
    raise AssertionError("asked")


def test_the_bytes_of_traces_are_those_of_every_arm_and_replication_that_is_missing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_s(work: Callable[[float], object], size: float) -> float:  # so that a busy machine measures as much
        work(size)
        return 0.01 + 1e-6 * size

    monkeypatch.setattr(duration, "_taken_s", taken_s)
    long = {"horizon": "10d", "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}}, "replications": 2}
    found = duration.of_run(_study(**long), 1, target=tmp_path / "results")
    run = ensure(small(**long), RunOptions(out=tmp_path / "run")).run
    written = sum(path.stat().st_size for path in run.path.rglob("*.parquet"))
    assert found.size == pytest.approx(written, rel=0.3)
    assert found.free is not None
    assert duration.of_run(_study(**long), 1, finished=3).size == pytest.approx(found.size / 4.0, rel=0.1)
    assert duration.of_run(_study(**long, traces="none"), 1).size == 0.0


def test_the_engine_of_the_run_is_loaded_before_it_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(Study, "prepare", lambda study: done.append("prepared"))
    monkeypatch.setattr(duration, "_taken_s", lambda work, size: done.append("timed") or 0.01)
    duration.of_runs([_study(**ENDLESS), _study(**ENDLESS)], 1)
    assert done[0] == "prepared"
    assert done.count("prepared") == 2


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No engine has been compiled, and compiling it is only noted."""
    done: list[str] = []
    monkeypatch.setattr(Study, "compiles_first", True)
    monkeypatch.setattr(Study, "prepare", lambda study: done.append("compiled"))
    return done


def test_runs_that_will_not_fit_are_refused_before_the_engine_is_compiled(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, uncompiled: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(duration, "free_bytes", lambda target: 1_000_000)
    told: list[Forecast] = []

    def refuse(forecast: Forecast) -> None:
        told.append(forecast)
        raise _NotNowError

    with pytest.raises(_NotNowError):
        ensure(small(**ENDLESS), RunOptions(before=refuse))
    with pytest.raises(_NotNowError):
        sweep_with(
            small(**ENDLESS),
            ["policy.rounds=1,2"],
            RunOptions(before=refuse, traces="full"),
            estimator="request level",
        )
    assert not uncompiled
    assert [one.untimed for one in told] == [True, True]
    assert all(one.free == 1_000_000 < one.size for one in told)
    assert not list(tmp_path.iterdir())


def test_runs_that_fit_are_told_once_and_with_their_time(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, uncompiled: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(duration, "free_bytes", lambda target: 10**12)
    told: list[Forecast] = []
    ensure(small(horizon="1h"), RunOptions(before=told.append))
    assert uncompiled
    assert [one.untimed for one in told] == [False]


def test_the_size_of_runs_is_known_without_the_engine(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, uncompiled: list[str]
) -> None:
    long = {"horizon": "30d", "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}}, "replications": 2}
    monkeypatch.setattr(duration, "free_bytes", lambda target: 1_000)
    found = duration.too_large([_study(**long)], 1, tmp_path)
    run = ensure(small(**long), RunOptions(out=tmp_path / "run")).run
    written = sum(path.stat().st_size for path in run.path.rglob("*.parquet"))
    assert found is not None
    assert found.size == pytest.approx(written, rel=0.3)
    three_of_four = duration.too_large([_study(**long)], 1, tmp_path, finished=3)
    assert three_of_four is not None
    assert three_of_four.size == pytest.approx(found.size / 4.0, rel=0.1)


def test_nothing_is_measured_twice_where_the_engine_is_there(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Study, "compiles_first", False)
    monkeypatch.setattr(duration, "free_bytes", lambda target: 0)
    assert duration.too_large([_study(**ENDLESS)], 1, tmp_path) is None


def test_a_size_near_what_is_free_waits_for_the_engine(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, uncompiled: list[str]
) -> None:
    monkeypatch.setattr(duration, "free_bytes", lambda target: 0)
    clear = duration.too_large([_study(**ENDLESS)], 1, tmp_path)
    assert clear is not None
    monkeypatch.setattr(duration, "free_bytes", lambda target: round(0.7 * clear.size))
    assert duration.too_large([_study(**ENDLESS)], 1, tmp_path) is None
