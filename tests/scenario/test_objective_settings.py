"""`objective:` and `value:`: how they are read, and what is refused."""

from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping

REST: dict[str, Any] = {
    "horizon": "1h",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}},
    "providers": {"one": {"models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}},
    "chain": [{"provider": "one"}],
}


def test_a_month_or_a_duration_is_read() -> None:
    found = from_mapping(REST | {"objective": {"availability": "99.95%", "per": "month"}}).scenario.objective
    assert found is not None
    assert (found.availability, found.per) == (0.9995, "month")
    found = from_mapping(REST | {"objective": {"availability": "99.95%", "per": "30d"}}).scenario.objective
    assert found is not None
    assert found.per == 30 * 86_400.0


def test_prices_of_failure_are_read() -> None:
    found = from_mapping(REST | {"value": {"lost_request": "$0.10", "downtime": "$1000/h"}}).scenario.value
    assert found is not None
    assert found.lost_request_usd == pytest.approx(0.1)
    assert found.downtime_usd_per_s == pytest.approx(1000.0 / 3600.0)
    again = from_mapping(REST | {"value": {"downtime": "60 USD/min"}}).scenario.value
    assert again is not None
    assert again.downtime_usd_per_s == pytest.approx(1.0)


def test_what_is_read_can_be_written_and_read_again() -> None:
    said = {"objective": {"availability": "99%", "per": "7d"}, "value": {"downtime": "$1000/h"}}
    scenario = from_mapping(REST | said).scenario
    again = from_mapping(scenario.model_dump(mode="json", exclude_unset=True)).scenario
    assert (again.objective, again.value) == (scenario.objective, scenario.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"objective": {"availability": "99%", "per": "mont"}}, "expected month, or a duration of at least 1h"),
        ({"objective": {"availability": "99%", "per": "1min"}}, "at least 1h such as 30d; got '1min'"),
        ({"objective": {"availabilty": "99%"}}, "did you mean 'availability'"),
        ({"objective": {"availability": "0%"}}, "every month has that"),
        ({"objective": {"per": "month"}}, "availability"),
        ({"value": {"downtime": 1000}}, r"write \$1000/h for an hour"),
        ({"value": {"downtime": "$5/fortnight"}}, r"such as \$1000/h; got '\$5/fortnight'"),
        ({"value": {"lost_request": -1}}, "negative"),
        ({"value": {}}, "failing costs nothing here"),
        (
            {"arms": {"a": {"value.lost_request": "$1"}}, "value": {"downtime": "$1/h"}},
            "'value' must be the same in all arms",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        from_mapping(REST | said)
