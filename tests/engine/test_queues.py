"""The client's own queues: shaping, bulkheads, ramps and throttles, whom they hold up and whom they refuse."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from des import vocabulary
from des.engine import recorder
from des.scenario import plan
from engine.clients import timeline, with_client, with_legs, with_rule
from engine.traced import Traced, at, plan_of, poisson, provider, scenario, trace, window


def shaped(shaping: plan.Shaping, *, size: int, answering: Any = None, **rest: Any) -> Traced:
    of = plan_of(scenario({"a": answering or provider("1s")}, arrivals=at("0s", size=size), **rest))
    return trace(with_legs(with_client(of, shapings=(shaping,)), shaping=0))


def test_a_shaper_spaces_calls_after_its_burst() -> None:
    traced = shaped(plan.Shaping(rate_per_s=2.0, burst=2.0), size=5)
    assert sorted(traced.attempts.start_s) == [0.0, 0.0, 0.5, 1.0, 1.5]
    assert traced.requests.queued_s.tolist() == [0.0, 0.0, 0.5, 1.0, 1.5]


def test_a_full_queue_and_too_long_a_wait_are_refused_at_once() -> None:
    for shaping in (plan.Shaping(rate_per_s=1.0, queue=2), plan.Shaping(rate_per_s=1.0, max_wait_s=2.5)):
        traced = shaped(shaping, size=6)
        assert (traced.requests.outcome == "ok").sum() == 3
        refused = traced.requests[traced.requests.outcome == "rejected"]
        assert set(refused.error_type) == {"client_limit"}
        assert set(refused.lost_to) == {"client_limit"}
        assert (refused.end_s == 0.0).all()


def test_a_deadline_holds_in_the_queue_and_its_turn_goes_to_the_next() -> None:
    of = plan_of(
        scenario(
            {"a": provider("100ms")},
            arrivals={"kind": "batch", "every": "1s", "size": 3},
            horizon="2s",
            policy={"deadline": "1500ms"},
        )
    )
    traced = trace(with_legs(with_client(of, shapings=(plan.Shaping(rate_per_s=1.0),)), shaping=0))
    assert sorted(traced.attempts.start_s) == [0.0, 1.0, 2.0]
    late = traced.requests[traced.requests.outcome == "deadline"]
    assert len(late) == 3
    assert (late.queued_s == 1.5).all()
    assert (late.attempts == 0).all()


def test_a_turn_that_comes_at_the_deadline_comes_too_late() -> None:
    traced = shaped(plan.Shaping(rate_per_s=1.0), size=2, answering=provider("100ms"), policy={"deadline": "1s"})
    assert traced.attempts.start_s.tolist() == [0.0]
    assert traced.requests.sort_values("request_id").outcome.tolist() == ["ok", "deadline"]
    assert traced.requests.queued_s.max() == 1.0


def behind(bulkhead: plan.Bulkhead, *, size: int, **rest: Any) -> Traced:
    of = plan_of(scenario({"a": provider("1s")}, arrivals=at("0s", size=size), **rest))
    return trace(with_legs(of, bulkhead=bulkhead))


def test_a_bulkhead_lets_so_many_through_and_the_next_when_one_ends() -> None:
    traced = behind(plan.Bulkhead(concurrent=2, queue=10), size=5)
    assert [timeline(traced, number)[0][1] for number in range(5)] == [0.0, 0.0, 1.0, 1.0, 2.0]
    assert traced.requests.sort_values("request_id").queued_s.tolist() == [0.0, 0.0, 1.0, 1.0, 2.0]


def test_a_bulkhead_refuses_beyond_its_queue_and_after_its_longest_wait() -> None:
    traced = behind(plan.Bulkhead(concurrent=2, queue=1), size=5)
    assert (traced.requests.outcome == "rejected").sum() == 2
    waited = behind(plan.Bulkhead(concurrent=1, queue=10, max_wait_s=0.5), size=3)
    refused = waited.requests[waited.requests.outcome == "rejected"]
    assert refused.end_s.tolist() == [0.5, 0.5]
    assert refused.queued_s.tolist() == [0.5, 0.5]


def test_a_deadline_holds_before_a_bulkhead() -> None:
    traced = behind(plan.Bulkhead(concurrent=1, queue=10), size=3, policy={"deadline": "500ms"})
    assert (traced.requests.outcome == "deadline").all()
    assert len(traced.attempts) == 1


def test_a_refused_request_goes_on_to_the_next_leg() -> None:
    of = plan_of(scenario({"a": provider("1s"), "b": provider("1s")}, arrivals=at("0s", size=2)))
    of = with_client(of, legs=(plan.LegClient(leg=0, bulkhead=plan.Bulkhead(concurrent=1)), plan.LegClient(leg=1)))
    assert [trace(of).legs(number) for number in range(2)] == [["a/m"], ["b/m"]]


def test_the_place_behind_a_bulkhead_is_held_by_all_of_a_call_s_layers() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": "1s"}})
    of = with_rule(plan_of(scenario({"a": failing}, arrivals=at("0s", size=2))), retries=0)
    inner = (plan.RetryRule(retries=1, retry_on=("server_error",)),)
    traced = trace(with_legs(of, bulkhead=plan.Bulkhead(concurrent=1, queue=1), inner=inner))
    assert [start for _, start, _ in timeline(traced, 1)] == [2.0, 3.0]


def test_who_waits_for_the_place_of_a_call_that_never_ends_waits_for_ever() -> None:
    hanging = provider("1s", errors={"hang": 1.0})
    twice = {"kind": "batch", "every": "5s", "size": 2}
    of = plan_of(scenario({"a": hanging}, arrivals=twice, horizon="8s"))
    for queue, ending in ((10, ["failed"] * 4), (1, ["failed", "failed", "rejected", "rejected"])):
        traced = trace(with_legs(of, bulkhead=plan.Bulkhead(concurrent=1, queue=queue)))
        requests = traced.requests.sort_values("request_id")
        assert requests.outcome.tolist() == ending
        failed = requests[requests.outcome == "failed"]
        assert failed.end_s.isna().all()
        assert (failed.error_type == "hang").all()
        assert failed.lost_to.tolist() == ["hang"] * len(failed)
        assert len(traced.attempts) == 1


def test_who_waits_so_long_at_most_gives_up_where_every_place_is_lost() -> None:
    hanging = provider("1s", errors={"hang": 1.0})
    of = plan_of(scenario({"a": hanging}, arrivals=at("0s", size=2), horizon="20s"))
    traced = trace(with_legs(of, bulkhead=plan.Bulkhead(concurrent=1, queue=5, max_wait_s=3.0)))
    assert traced.request(1).outcome == "rejected"
    assert traced.request(1).end_s == 3.0


def test_a_run_that_is_cut_counts_the_time_in_queues_so_far() -> None:
    traced = behind(plan.Bulkhead(concurrent=1, queue=10), size=2, horizon="100ms", drain="400ms")
    waiting = traced.request(1)
    assert (waiting.outcome, waiting.queued_s, waiting.attempts) == ("in_flight", 0.5, 0)


def test_a_ramp_admits_a_growing_share_of_a_failover_and_begins_anew_after_a_pause() -> None:
    down = provider(
        "10ms",
        incidents=[window("0s", "1000s", error_latency="0s"), window("2000s", "2100s", error_latency="0s")],
    )
    of = plan_of(scenario({"a": down, "b": provider("10ms")}, arrivals=poisson("20/s"), horizon="2100s"))
    ramp = plan.Ramp(start=0.1, over_s=600.0, reset_after_s=60.0)
    traced = trace(with_client(of, legs=(plan.LegClient(leg=0), plan.LegClient(leg=1, ramp=ramp))))
    calls = traced.attempts[traced.attempts.leg == "b/m"].start_s

    def share(start_s: float, end_s: float) -> float:
        arrived = traced.requests.arrival_s.between(start_s, end_s).sum()
        return calls.between(start_s, end_s).sum() / arrived

    assert abs(share(0.0, 60.0) - (0.1 + 0.9 * 0.05)) < 0.04
    assert abs(share(270.0, 330.0) - 0.55) < 0.06
    assert share(600.0, 1000.0) == 1.0
    assert abs(share(2000.0, 2060.0) - (0.1 + 0.9 * 0.05)) < 0.04
    refused = traced.requests[traced.requests.outcome == "failed"]
    assert (refused.attempts == 1).all()  # by the first leg: the second was not called


def test_adaptive_throttling_refuses_what_the_backend_would() -> None:
    """At requests R and accepts A in the window, R in equilibrium with what is let through: a share of calls served
    of 1/4 leaves calls let through at K x accepts, so that half of them fail."""
    quarter = provider("10ms", limits={"requests": "5/s", "burst": 5, "refusal_latency": 0})
    of = plan_of(scenario({"a": quarter}, arrivals=poisson("20/s"), horizon="20min"))
    traced = trace(with_legs(of, throttle=plan.AdaptiveThrottling(k=2.0, window_s=120.0)))
    steady = traced.attempts[traced.attempts.start_s > 240.0]
    served = (steady.outcome == "ok").sum()
    assert abs(len(steady) / served - 2.0) < 0.1
    assert np.isclose(served / 960.0, 5.0, rtol=0.05)


def test_what_the_client_refuses_is_counted_by_minute_leg_and_reason() -> None:
    traced = behind(plan.Bulkhead(concurrent=2), size=5)
    (refused,) = traced.blocks["refusals"]
    assert {name: column.tolist() for name, column in refused.items()} == {
        "minute": [0],
        "leg": [0],
        "reason": [vocabulary.ERROR_TYPES.index("client_limit")],
        "count": [3],
    }


def test_refusals_of_a_long_run_come_in_pieces_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    of = plan_of(scenario({"a": provider("1s")}, arrivals=poisson("5/s"), horizon="1h"))
    of = with_legs(with_client(of, shapings=(plan.Shaping(rate_per_s=1.0, queue=2),)), shaping=0)
    (whole,) = trace(of).blocks["refusals"]
    monkeypatch.setattr(recorder, "_ENOUGH_ROWS", 10)
    pieces = trace(of).blocks["refusals"]
    assert max(len(piece["minute"]) for piece in pieces) < len(whole["minute"])
    added: Counter[tuple[int, int, int]] = Counter()
    for piece in pieces:
        keys = zip(piece["minute"].tolist(), piece["leg"].tolist(), piece["reason"].tolist(), strict=True)
        for key, count in zip(keys, piece["count"].tolist(), strict=True):
            added[key] += count
    keys = zip(whole["minute"].tolist(), whole["leg"].tolist(), whole["reason"].tolist(), strict=True)
    assert added == dict(zip(keys, whole["count"].tolist(), strict=True))
