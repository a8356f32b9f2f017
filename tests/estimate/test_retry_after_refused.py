"""The fast estimators know of back-offs alone: a Retry-After that is waited for is for simulated requests."""

from typing import Any

import pytest
from engine.traced import plan_of, poisson, provider, scenario

from des.estimate.interaction import interactions

TOLD = {"errors": {"overloaded": {"rate": "10%", "retry_after": "5s"}}}
UNTOLD = {"errors": {"overloaded": {"rate": "10%"}}}
INCIDENT = {"kind": "poisson", "rate": "1/d", "duration": "1h", "retry_after": "5s"}


@pytest.mark.parametrize(
    ("of", "policy", "interacts"),
    [
        ({"model": TOLD}, {"retries": 1, "retry_after": "honour"}, True),
        ({"model": TOLD}, {"retries": 1}, False),
        ({"model": UNTOLD}, {"retries": 1, "retry_after": "honour"}, False),
        ({"incidents": [INCIDENT]}, {"retries": 1, "retry_after": "honour"}, True),
        ({"incidents": [INCIDENT]}, {"retries": 1}, False),
    ],
)
def test_a_retry_after_that_is_waited_for_needs_simulated_requests(
    of: dict[str, Any], policy: dict[str, Any], interacts: bool
) -> None:
    plan = plan_of(scenario({"a": provider("1s", **of)}, arrivals=poisson("1/h"), policy=policy))
    assert any("Retry-After" in each for each in interactions(plan)) is interacts
