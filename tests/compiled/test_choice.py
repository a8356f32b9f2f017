"""The choice of the engine: what is refused, what is loaded, and what is said of it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from des.compiled import choice, compiling, reasons_against, whole_runs
from des.errors import DesError
from des.scenario.plan import Plan
from tests.engine.traced import Collected, plan_of, provider
from tests.engine.traced import scenario as small


@pytest.fixture(autouse=True)
def _nothing_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DES_ENGINE")


def test_the_environment_asks_where_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choice.chosen() == "auto"
    monkeypatch.setenv("DES_ENGINE", "simpy")
    assert choice.chosen() == "simpy"
    with choice.using("auto"):
        assert choice.chosen() == "auto"
    monkeypatch.setenv("DES_ENGINE", "fast")
    with pytest.raises(DesError, match="DES_ENGINE: unknown engine 'fast'; there are: auto, simpy, compiled"):
        choice.chosen()


def _plan() -> Plan:
    return plan_of(small({"a": provider()}))


def _with_many_legs() -> Plan:
    return plan_of(small({"a": provider()}, chain=[{"provider": "a"}] * 61))


def test_an_engine_of_no_name_is_refused() -> None:
    with pytest.raises(DesError, match="unknown engine 'fast'; there are: auto, simpy, compiled"), choice.using("fast"):
        pass


def test_the_compiled_engine_without_numba_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_installed", lambda: False)
    with pytest.raises(DesError, match=r"pip install 'des-fallback\[fast\]'"), choice.using("compiled"):
        pass


def test_auto_without_numba_is_simpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_installed", lambda: False)
    monkeypatch.setattr(compiling, "is_loaded", lambda: False)
    choice.prepare([_plan()], 1e9)
    name, why = choice.engine_for(_plan())
    assert name == "simpy"
    assert "Numba is not installed" in why


def test_what_the_compiled_engine_lacks_is_refused_by_name_if_it_is_asked_for() -> None:
    plan = _with_many_legs()
    assert reasons_against(plan) == ["more than 60 legs"]
    with choice.using("compiled"), pytest.raises(DesError, match="more than 60 legs"):
        choice.prepare([plan], 1.0)


def test_auto_leaves_to_simpy_what_the_compiled_engine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_loaded", lambda: True)
    name, why = choice.engine_for(_with_many_legs())
    assert name == "simpy"
    assert "more than 60 legs" in why


def test_simpy_simulates_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_loaded", lambda: True)
    monkeypatch.setattr(choice.fast, "simulate", lambda *_: pytest.fail("the compiled engine was taken"))
    with choice.using("simpy"):
        assert choice.simulate(replace(_plan(), seed=2), 0, Collected()) == 10


@pytest.mark.parametrize(
    ("requests", "cached", "loads"), [(1e3, True, False), (1e5, True, True), (1e5, False, False), (1e7, False, True)]
)
def test_auto_loads_where_it_pays(monkeypatch: pytest.MonkeyPatch, requests: float, cached: bool, loads: bool) -> None:
    loaded = []
    monkeypatch.setattr(choice, "LOADED_FOR", 50_000)
    monkeypatch.setattr(choice, "COMPILED_FOR", 2_000_000)
    monkeypatch.setattr(compiling, "is_loaded", lambda: False)
    monkeypatch.setattr(compiling, "is_installed", lambda: True)
    monkeypatch.setattr(compiling, "is_cached", lambda: cached)
    monkeypatch.setattr(choice.fast, "load", loaded.append)
    choice.prepare([_plan()], requests)
    assert bool(loaded) == loads


def test_auto_leaves_it_to_simpy_where_numba_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_failures", [])
    monkeypatch.setattr(choice, "LOADED_FOR", 0)
    monkeypatch.setattr(compiling, "is_installed", lambda: True)
    monkeypatch.setattr(compiling, "is_cached", lambda: True)

    def fails(_: Plan) -> None:
        raise ValueError("no such processor")

    monkeypatch.setattr(choice.fast, "load", fails)
    choice.prepare([_plan()], 1.0)
    assert choice.engine_for(_plan()) == (
        "simpy",
        "the compiled engine cannot be loaded: ValueError: no such processor",
    )


def _cached(folder: Path) -> None:
    folder.mkdir()
    (folder / "play.play-47.py311.1.nbc").write_bytes(b"")


def test_what_another_checkout_compiled_is_not_cached_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be compiled where it was only to be loaded: in the midst of a request of the service, for example."""
    caching = pytest.importorskip("numba.core.caching")
    monkeypatch.setattr(compiling, "_cache_directory", lambda modules: tmp_path)
    _cached(tmp_path / caching._CacheLocator.get_suitable_cache_subpath("/elsewhere/des/compiled/kernel/play.py"))
    assert not compiling.is_cached()
    _cached(tmp_path / caching._CacheLocator.get_suitable_cache_subpath(compiling.play.__file__))
    assert compiling.is_cached()


def test_a_damaged_cache_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cached(tmp_path / compiling._folder_of_this_path())
    tries: list[bool] = []

    def play(plan: Plan) -> None:
        tries.append(compiling.is_cached())
        if tries[-1]:
            raise EOFError("Ran out of input")

    monkeypatch.setattr(compiling, "_cache_directory", lambda modules: tmp_path)
    monkeypatch.setattr(whole_runs, "is_loaded", lambda: False)
    monkeypatch.setattr(whole_runs, "_play_nothing", play)
    whole_runs.load(_plan())
    assert tries == [True, False]
    monkeypatch.setattr(whole_runs, "_play_nothing", lambda plan: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        whole_runs.load(_plan())


def test_a_user_without_a_home_has_a_cache_where_nobody_else_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(of: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(nowhere))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = compiling._folder("compiled-0")
    assert found == tmp_path / f"des-fallback-{os.getuid()}" / "compiled-0"
    assert found.parent.stat().st_mode & 0o777 == 0o700
    found.parent.chmod(0o777)
    elsewhere = compiling._folder("compiled-0")
    assert elsewhere != found
    assert elsewhere == compiling._folder("compiled-0")


@pytest.mark.parametrize(("cached", "said"), [(False, 1), (True, 0)])
def test_a_line_says_that_the_engine_is_compiled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, cached: bool, said: int
) -> None:
    """Whoever loads it: all commands do by this one way."""
    monkeypatch.setattr(whole_runs, "is_loaded", lambda: False)
    monkeypatch.setattr(whole_runs, "is_cached", lambda: cached)
    monkeypatch.setattr(whole_runs, "_play_nothing", lambda _: None)
    whole_runs.load(_plan())
    assert [record.getMessage() for record in caplog.records].count(_COMPILES) == said


_COMPILES = "compiling the engine, once on this machine: about half a minute (--engine simpy does without)"


def test_a_numba_that_may_not_compile_leaves_the_cache_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setattr(whole_runs, "is_loaded", lambda: False)
    monkeypatch.setattr(whole_runs, "forget_cached", lambda: pytest.fail("the cache was removed"))
    monkeypatch.setattr(choice, "_failures", [])
    with pytest.raises(DesError, match="NUMBA_DISABLE_JIT"):
        whole_runs.load(_plan())
    choice.load_for([_plan()])
    assert "simulating with SimPy, as the compiled engine cannot be loaded: DesError: NUMBA_DISABLE_JIT" in caplog.text
