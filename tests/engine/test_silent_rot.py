"""Legs that break unnoticed until a use or a probe fails, and are then repaired."""

from typing import Any

import pytest

from engine.traced import Traced, provider, run, scenario, tokens

ROT = {"time_to_rot": "25s", "repair": "10s"}


def traced(rot: dict[str, Any], *, horizon: str = "100s", policy: dict[str, Any] | None = None, **rest: Any) -> Traced:
    chain = [{"provider": "a", "silent_rot": rot}]
    return run(
        scenario({"a": provider(**rest)}, horizon=horizon, chain=chain, workload=tokens(10, 20), policy=policy or {})
    )


def turns(of: Traced) -> list[tuple[float, str]]:
    return [(round(row.time_s, 9), row.to) for row in of.transitions.itertuples()]


def test_a_broken_leg_fails_from_its_rot_until_it_is_repaired_after_the_first_failed_use() -> None:
    """Rots at 25 s, fails at 30 s and is seen to at 30.2 s, works again at 40.2 s; then rots at 65.2 s."""
    of = traced(ROT, horizon="95s")
    outcomes = [of.outcomes(number)[0] for number in range(10)]
    ok, bad = "ok", "server_error"
    assert outcomes == [ok, ok, ok, bad, bad, ok, ok, bad, bad, ok]
    assert {call.cause for call in of.calls(3) + of.calls(8)} == {"silent_rot"}
    assert turns(of) == [
        (25.0, "broken"),
        (30.2, "in_repair"),
        (40.2, "working"),
        (65.2, "broken"),
        (70.2, "in_repair"),
        (80.2, "working"),
    ]
    assert set(of.transitions.kind) == {"leg"}
    assert of.request(3).lost_to == "silent_rot"


def test_a_leg_that_nobody_uses_stays_broken() -> None:
    of = run(
        scenario(
            {"a": provider(), "b": provider()},
            chain=[{"provider": "a"}, {"provider": "b", "silent_rot": ROT}],
        )
    )
    assert turns(of) == [(25.0, "broken")]


def test_a_probe_notices_a_broken_leg_before_a_request_does() -> None:
    """Rots at 25 s; the probe at 28 s fails, so the leg works again at 38.2 s, before the request at 40 s."""
    of = traced({**ROT, "probe_every": "7s"}, horizon="60s")
    assert [of.outcomes(number)[0] for number in range(6)] == ["ok", "ok", "ok", "server_error", "ok", "ok"]
    assert turns(of)[:3] == [(25.0, "broken"), (28.2, "in_repair"), (38.2, "working")]


def test_probes_are_rows_of_their_own_at_fixed_times() -> None:
    price = {"input_per_mtok": 1, "output_per_mtok": 2}
    of = traced({**ROT, "probe_every": "7s"}, horizon="60s", price=price)
    probes = of.attempts[of.attempts.kind == "probe"]
    assert list(probes.start_s) == [7.0, 14.0, 21.0, 28.0, 35.0, 42.0, 49.0, 56.0]
    assert set(zip(probes.request_id, probes.attempt, probes["round"], strict=True)) == {(-1, 0, 0)}
    answered = probes[probes.outcome == "ok"]
    assert set(answered.cost_picousd) == {10 * 1_000_000 + 20 * 2_000_000}
    assert (of.attempts.request_id[of.attempts.kind == "call"] >= 0).all()
    assert of.requests.cost_picousd.sum() == of.attempts[of.attempts.kind == "call"].cost_picousd.sum()


def test_probes_take_tokens_from_the_limit() -> None:
    limits = {"requests": "1/d", "burst": 3}
    of = traced({"time_to_rot": "30d", "repair": "1d", "probe_every": "4s"}, horizon="25s", limits=limits)
    in_order = of.attempts.sort_values("start_s")
    assert list(in_order.kind)[:4] == ["call", "probe", "probe", "call"]
    assert list(in_order.outcome)[:4] == ["ok", "ok", "ok", "rate_limited"]
    assert set(in_order.outcome[4:]) <= {"rate_limited"} | {"ok"}
    assert (in_order.outcome == "ok").sum() == 3


def test_a_probe_under_way_lets_the_ones_due_meanwhile_go() -> None:
    of = traced({"time_to_rot": "30d", "repair": "1d", "probe_every": "4s"}, horizon="25s", latency="9s")
    probes = of.attempts[of.attempts.kind == "probe"].sort_values("start_s")
    assert list(probes.start_s) == [4.0, 16.0]


def test_rot_comes_before_incidents_and_answers_with_its_own_outcome_and_latency() -> None:
    rot = {**ROT, "outcome": "connection_error", "error_latency": "500ms"}
    outage = [{"kind": "schedule", "windows": [{"start": "20s", "end": "1h"}]}]
    of = traced(rot, horizon="35s", incidents=outage)
    assert [(call.outcome, call.cause) for call in of.calls(2)] == [("server_error", "incident")]
    (rotten,) = of.calls(3)
    assert (rotten.outcome, rotten.cause, rotten.cause_id, rotten.duration_s) == (
        "connection_error",
        "silent_rot",
        -1,
        0.5,
    )


def test_a_deadline_that_hides_the_failure_leaves_the_leg_unnoticed() -> None:
    of = traced({**ROT, "error_latency": "5s"}, horizon="45s", policy={"deadline": "3s"})
    assert of.outcomes(3) == ["cancelled"]
    assert turns(of) == [(25.0, "broken")]


def test_repair_begins_once_however_many_calls_fail() -> None:
    chain = [{"provider": "a", "silent_rot": ROT}]
    of = run(
        scenario({"a": provider()}, arrivals={"kind": "batch", "every": "26s", "size": 5}, horizon="30s", chain=chain)
    )
    assert turns(of)[:2] == [(25.0, "broken"), (26.2, "in_repair")]
    assert (of.attempts.cause == "silent_rot").sum() == 5


@pytest.mark.parametrize("probe_every", [None, "13s"])
def test_calls_fail_for_rot_exactly_while_the_leg_is_not_working(probe_every: str | None) -> None:
    exponential = {"kind": "exponential", "mean": "60s"}
    rot = {"time_to_rot": exponential, "repair": exponential} | ({"probe_every": probe_every} if probe_every else {})
    chain = [{"provider": "a", "silent_rot": rot}]
    of = run(scenario({"a": provider()}, arrivals={"kind": "poisson", "rate": "1/s"}, horizon="1000s", chain=chain))
    times = of.transitions.time_s.to_numpy()
    works = [True, *(of.transitions.to == "working")]
    for call in of.attempts.itertuples():
        assert (call.cause == "silent_rot") != works[int((times <= call.start_s).sum())]
