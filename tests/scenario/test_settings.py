"""A setting is one class: read from a document by its written names, made by code in base units, dumped as written."""

import os
from pathlib import Path

import pytest

from des.distributions import Constant, Exponential
from des.scenario import from_mapping, load_scenario, plans
from des.scenario.plan import Effect, Latency, PoissonIncidents, Price, RandomError
from des.scenario.schema.workload import PoissonArrivals
from des.study.arms import same_arms

SHIPPED = {path: path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "scenarios").glob("*.yaml")}
WITHOUT_PRESETS = sorted(path for path, text in SHIPPED.items() if "preset" not in text and "clients" not in text)
"""A preset is dumped as the settings that it stands for."""


def test_what_is_written_with_units_is_held_in_base_units() -> None:
    read = PoissonIncidents.model_validate({"kind": "poisson", "rate": "2/min", "duration": "1h", "error_rate": "30%"})
    made = PoissonIncidents(rate_per_s=2.0 / 60.0, duration=Constant(3600.0), effect=Effect(error_rate=0.3))
    assert read == made
    assert read.effect == Effect(error_rate=0.3)


def test_code_names_attributes_and_no_others() -> None:
    with pytest.raises(TypeError, match=r"unknown \['rate'\]"):
        PoissonArrivals(rate=1.0)
    with pytest.raises(TypeError, match=r"missing \['rate_per_s'\]"):
        PoissonArrivals()


def test_a_setting_is_not_changed_once_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Effect().error_rate = 0.5


def test_prices_are_read_per_million_and_cached_input_costs_as_input() -> None:
    price = Price.model_validate({"input_per_mtok": "$3", "output_per_mtok": 15})
    assert price == Price(
        input_per_token=3e-6, cached_input_per_token=3e-6, cache_write_per_token=3e-6, output_per_token=15e-6
    )
    assert price.model_dump(exclude_unset=True) == {"input_per_mtok": 3.0, "output_per_mtok": 15.0}


@pytest.mark.parametrize("usd_per_mtok", [0.075, 0.1, 1 / 3, 2.5, 3.0, 123.456789])
def test_a_dumped_price_reads_as_the_same(usd_per_mtok: float) -> None:
    price = Price.model_validate({"input_per_mtok": usd_per_mtok})
    assert Price.model_validate(price.model_dump(exclude_unset=True)) == price


@pytest.mark.parametrize("setting", [Latency(whole=Exponential(1.0)), RandomError(outcome="hang", rate=0.1)])
def test_what_is_worked_out_is_no_key_to_write(setting: Latency | RandomError) -> None:
    unwritten = {"whole", "outcome"} & set(type(setting).model_fields)
    assert not unwritten & set(setting.model_dump())
    for name in unwritten:
        with pytest.raises(ValueError, match="Extra inputs"):
            type(setting).model_validate({"rate": 0.1, "first_token": "1s", name: "3s"})


@pytest.mark.parametrize("path", WITHOUT_PRESETS, ids=lambda path: path.name)
def test_what_a_scenario_without_presets_dumps_is_the_same_scenario(path: Path) -> None:
    if "${DES_DATA}" in SHIPPED[path] and "DES_DATA" not in os.environ:
        pytest.skip("DES_DATA is not set: the files that it replays are not here")
    loaded = load_scenario(path)
    for name, plan in plans(loaded).items():
        dumped = loaded.arms[name].scenario.model_dump(mode="json", exclude_unset=True, exclude={"arms", "expect"})
        (again,) = plans(from_mapping(dumped, path.parent)).values()
        assert same_arms({"written": plan, "dumped": again}) == {"dumped": "written"}
