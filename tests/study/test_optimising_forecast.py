"""The forecast of a search grows with the candidates that it ranks and the finalists that it simulates."""

import pytest

from des.scenario import from_mapping
from des.scenario.schema.optimise import Optimise
from des.study.optimising import forecast
from des.study.optimising.space import Space, space_of
from des.study.options import Forecast
from tests.study.small_scenario import small


def _space(**fields: object) -> Space:
    content = small(**fields)
    del content["providers"]["second"]["limits"]
    return space_of(from_mapping(content), Optimise(), {}, None, None, None)


@pytest.fixture(autouse=True)
def _walks_take_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_walking_s", lambda *given: (1.0, 0.1))


def test_few_candidates_have_as_few_finalists() -> None:
    space = _space()
    assert forecast.candidates_of(space) == 4.0
    found = forecast.forecast_of(space, 10_000, 400, 1)
    assert found.seconds == pytest.approx((1.0 + 4 * 0.1) + 15.0 * (1.0 + 4 * 0.1))
    assert not found.at_least


def test_no_more_replications_are_foreseen_than_there_may_be() -> None:
    found = forecast.forecast_of(_space(), 10_000, 1, 1)
    assert found.seconds == pytest.approx((1.0 + 4 * 0.1) + 10.0 * (1.0 + 4 * 0.1))


def test_finalists_that_take_every_request_take_at_least_their_replications(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "of_replications", lambda *given: Forecast(seconds=2.0))
    guarded = {"breaker": {"kind": "consecutive", "failures": 5, "open": "1min"}}
    found = forecast.forecast_of(_space(policy=guarded), 10_000, 400, 1)
    assert found.seconds == pytest.approx((1.0 + 4 * 0.1) + 15.0 * (1.0 + 4 * 0.1) + 15.0 * 4 * 2.0)
    assert found.at_least
