"""The names of the streams that clients draw from are part of every trace, so they stay as they are."""

from math import nan
from types import SimpleNamespace
from typing import Any

import pytest

from des.engine.codes import Kinds
from des.engine.draws import ClientDraws
from des.engine.records import Result
from des.engine.retries import APPLICATION, ENTRY, RetryRule
from des.scenario import plan
from des.vocabulary import SERVER_ERROR
from engine.clients import with_legs, with_rule
from engine.serving import one_endpoint
from engine.traced import plan_of, provider, scenario, trace


@pytest.mark.parametrize(
    ("place", "purpose", "expected"),
    [
        (ENTRY, "backoff", "of the second call"),
        (ENTRY, "spread", ("leg", "a/m", 1, "spread")),
        (0, "backoff", ("leg", "a/m", 1, "backoff", 0)),
        (0, "spread", ("leg", "a/m", 1, "spread", 0)),
        (APPLICATION, "backoff", ("application", "backoff", 4)),
    ],
)
def test_a_wait_is_drawn_by_its_leg_call_purpose_and_layer(place: int, purpose: str, expected: Any) -> None:
    calls: Any = [[SimpleNamespace(backoff="of the first call"), SimpleNamespace(backoff="of the second call")]]
    named: Any = SimpleNamespace(stream=lambda *names: names)
    settings = plan.RetryRule(retries=5, retry_on=("server_error",))
    rule = RetryRule(settings, Kinds(one_endpoint()), named, calls, ["a/m"], place, is_budgeted=False)
    assert rule._stream(purpose, Result(SERVER_ERROR, nan, 0, 1), 4) == expected


def test_decisions_of_adaptive_throttling_are_counted_from_0_in_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str | int, ...]] = []
    stream = ClientDraws.stream

    def told(self: ClientDraws, *names: Any) -> Any:
        drawn.append(names)
        return stream(self, *names)

    monkeypatch.setattr(ClientDraws, "stream", told)
    failing = provider("0s", errors={"server_error": "100%"})
    arrivals = {"kind": "batch", "every": "1s", "size": 1}
    of = with_rule(plan_of(scenario({"a": failing}, arrivals=arrivals, horizon="3s")), retries=2)
    trace(with_legs(of, throttle=plan.AdaptiveThrottling(k=1e9, window_s=60.0)))
    assert {names for names in drawn if "throttle" in names} == {("leg", "a/m", "throttle", n) for n in (0, 1, 2)}
