"""The engine that was chosen is that of the worker processes too."""

import pytest

from des.compiled import carried, choice, chosen, compiling, engine_for, using
from des.pool import Report, Workers
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan
from tests.study.small_scenario import small


def _engine_there(plan: Plan, report: Report | None = None) -> tuple[str, str]:
    return chosen(), engine_for(plan)[0]


@pytest.fixture
def plan() -> Plan:
    return plans(from_mapping(small(horizon="1h", arms={})))["as_modelled"]


@pytest.mark.parametrize("name", ["simpy", "compiled"])
def test_worker_processes_have_the_engine_that_was_asked_for(plan: Plan, name: str) -> None:
    if name == "compiled":
        pytest.importorskip("numba")
    with using(name), Workers(carried(_engine_there), 2) as pool:
        assert list(pool.map([plan, plan])) == [(name, name)] * 2


def test_worker_processes_load_the_engine_that_is_loaded_here(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Plan] = []
    monkeypatch.setattr(choice.fast, "load", loaded.append)
    with using("auto"):
        carried(_engine_there, [plan])(plan)
        assert loaded == []
        monkeypatch.setattr(compiling, "is_loaded", lambda: True)
        job = carried(_engine_there, [plan])
        assert job(plan) == ("auto", "compiled")
        assert loaded == [plan]
    with using("simpy"):
        assert carried(_engine_there, [plan])(plan) == ("simpy", "simpy")
    assert loaded == [plan]


def test_a_plan_that_is_left_to_simpy_loads_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_loaded", lambda: True)
    monkeypatch.setattr("des.compiled.carrying.reasons_against", lambda plan: ["something"])
    with using("auto"):
        assert carried(_engine_there, [plan]).loaded_for == ()
