"""Figures of one replication, of its losses and of its batches, whatever the blocks its rows come in."""

import numpy as np
import pytest

from des.estimate.sums import RunningMean, integer_sum
from des.estimate.totals import BatchTotals, Totals
from des.vocabulary import ATTEMPT_OUTCOMES, REQUEST_OUTCOMES
from estimate import walks

SERVED_BY = [0, 0, 1, -1, 0, 1, 0, -1, 0, 0]


def totals(requests: walks.Block, attempts: walks.Block, size: int = 1000) -> Totals:
    accumulated = Totals(walks.NAMES, walks.LEGS)
    for block in walks.cut(attempts, size):
        accumulated.attempts(block)
    for block in walks.cut(requests, size):
        accumulated.requests(block)
    return accumulated


def test_the_metrics_of_a_small_run_are_those_counted_by_hand() -> None:
    found = totals(*walks.run(SERVED_BY, probes=3))
    found.check(len(SERVED_BY))
    metrics = found.metrics()
    bill = (10 * 3 + 4 * 1 + 3 * 5) * 1e-3
    wasted = (2 * 3 + 2 * 4) * 1e-3
    assert metrics["requests"] == 10
    assert metrics["availability"] == 0.8
    assert metrics["cost_usd"] == pytest.approx(bill)
    assert metrics["cost_usd_per_request"] == pytest.approx(bill / 10)
    assert metrics["cost_usd_per_success"] == pytest.approx(bill / 8)
    assert metrics["wasted_cost_usd"] == pytest.approx(wasted)
    assert metrics["wasted_cost_share"] == pytest.approx(wasted / bill)
    assert metrics["probe_cost_usd"] == pytest.approx(0.015)
    assert metrics["latency_s_mean"] == pytest.approx((6 * 1.5 + 2 * 2.0) / 8)
    assert metrics["latency_s_p50"] == pytest.approx(1.5, rel=1.1e-3)
    assert metrics["latency_s_p95"] == pytest.approx(2.0, rel=1.1e-3)
    assert metrics["fallback_share"] == 0.25
    assert metrics["served_share"] == dict(zip(walks.LEGS, (0.75, 0.25), strict=True))
    assert metrics["attempts"] == 14
    assert metrics["probes"] == 3
    assert metrics["attempts_per_request"] == 1.4
    assert metrics["rate_limited_share"] == 6 / 14
    assert metrics["lost_by_cause"] == {"cdn": 0, "anthropic": 0, "openai": 2}
    assert metrics["quality_mean"] == pytest.approx((6 * 0.5 + 2 * 0.75) / 8)
    assert metrics["request_outcomes"] == {**dict.fromkeys(REQUEST_OUTCOMES, 0), "ok": 8, "failed": 2}
    assert metrics["attempt_outcomes"] == {**dict.fromkeys(ATTEMPT_OUTCOMES, 0), "ok": 8, "rate_limited": 6}


@pytest.mark.parametrize("size", [1, 3, 7])
def test_no_figure_depends_on_how_rows_are_cut_into_blocks(size: int) -> None:
    served_by = np.random.default_rng(3).integers(-1, 2, 200).tolist()
    whole = totals(*walks.run(served_by, probes=5))
    pieces = totals(*walks.run(served_by, probes=5), size)
    pieces.check(200)
    assert pieces.metrics() == whole.metrics()


def test_a_run_without_requests_has_no_shares_and_breaks_no_rule() -> None:
    nothing = Totals(walks.NAMES, walks.LEGS)
    nothing.check(0)
    metrics = nothing.metrics()
    for metric in ("availability", "cost_usd_per_request", "latency_s_mean", "latency_s_p99", "attempts_per_request"):
        assert metrics[metric] is None
    assert set(metrics["served_share"].values()) == {None}
    assert metrics["requests"] == metrics["cost_usd"] == 0


def test_requests_in_flight_count_neither_for_nor_against_availability() -> None:
    requests, attempts = walks.run([0, 0, -1, -1])
    last = np.flatnonzero(requests["request_id"] == 3)
    for name, value in (("end_s", np.nan), ("latency_s", np.nan), ("outcome", 4), ("lost_to", -1)):
        requests[name][last] = value
    requests = {name: np.concatenate([np.delete(column, last), column[last]]) for name, column in requests.items()}
    open_call = (attempts["request_id"] == 3) & (attempts["attempt"] == 1)
    attempts = {name: column[~open_call] for name, column in attempts.items()}
    requests["attempts"][-1] = 1
    requests["cost_picousd"][-1] = requests["wasted_picousd"][-1] = walks.PRICE[0]
    found = totals(requests, attempts)
    found.check(4)
    metrics = found.metrics()
    assert metrics["availability"] == 2 / 3
    assert metrics["request_outcomes"]["in_flight"] == 1
    assert sum(metrics["lost_by_cause"].values()) == 1


def test_an_answer_out_of_the_cache_is_served_by_no_leg() -> None:
    requests, attempts = walks.run([0, 1, 0])
    hit = requests["request_id"] == 0
    for name, value in (("chain_position", -1), ("served_by", -1), ("attempts", 0), ("cost_picousd", 0)):
        requests[name][hit] = value
    requests["wasted_picousd"][hit] = 0
    requests["response_cache_hit"][hit] = True
    requests["quality"][hit] = np.nan
    attempts = {name: column[attempts["request_id"] != 0] for name, column in attempts.items()}
    found = totals(requests, attempts)
    found.check(3)
    metrics = found.metrics()
    assert metrics["availability"] == 1.0
    assert metrics["response_cache_hit_share"] == 1 / 3
    assert list(metrics["served_share"].values()) == [1 / 3, 1 / 3]
    assert metrics["fallback_share"] == 1 / 3


def test_a_leg_serves_for_itself_and_is_a_fallback_by_its_place_in_the_chain() -> None:
    requests, attempts = walks.run([0, 1, 0])
    requests["chain_position"][:] = 0
    metrics = totals(requests, attempts).metrics()
    assert list(metrics["served_share"].values()) == [2 / 3, 1 / 3]
    assert metrics["fallback_share"] == 0.0


def test_columns_of_any_integer_width_give_the_same_figures() -> None:
    requests, attempts = walks.run(SERVED_BY, probes=2)
    narrow = {
        "outcome": np.int8,
        "chain_position": np.int8,
        "attempts": np.int16,
        "kind": np.int8,
        "request_id": np.int32,
    }

    def narrowed(block: walks.Block) -> walks.Block:
        return {name: column.astype(narrow.get(name, column.dtype)) for name, column in block.items()}

    found = totals(narrowed(requests), narrowed(attempts))
    found.check(len(SERVED_BY))
    assert found.metrics() == totals(requests, attempts).metrics()


def test_sums_of_large_integers_are_exact() -> None:
    values = np.array([2**62, 2**62, 2**62, -1, 7], np.int64)
    assert integer_sum(values) == 3 * 2**62 + 6


def test_a_mean_of_a_year_of_latencies_does_not_overflow() -> None:
    mean = RunningMean()
    for _ in range(10):
        mean.add(np.full(1000, 3.0e7))
    assert mean.value == 3.0e7


SIZE = 4
BATCHED = [0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 1]  # the second batch is hit, the third hit and not complete


def in_batches(requests: walks.Block) -> walks.Block:
    """The same requests, all of a batch having arrived when its first did."""
    arrival_s = (requests["request_id"] // SIZE * SIZE).astype(float)
    return {**requests, "arrival_s": arrival_s, "latency_s": requests["end_s"] - arrival_s}


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize("attempts_first", [True, False])
def test_batches_are_counted_whatever_the_blocks_and_their_order(size: int, attempts_first: bool) -> None:
    requests, attempts = walks.run(BATCHED, probes=3)
    batches = BatchTotals(SIZE)
    steps = [lambda: [batches.attempts(block) for block in walks.cut(attempts, size)]]
    steps.insert(
        len(steps) * attempts_first, lambda: [batches.requests(b) for b in walks.cut(in_batches(requests), size)]
    )
    for step in steps:
        step()
    assert not batches._open
    metrics = batches.metrics()
    assert metrics["batches"] == 3
    assert metrics["batches_hit_by_incident"] == 2
    assert metrics["batches_hit_by_incident_share"] == 2 / 3
    assert metrics["batches_with_lost_requests"] == 1
    assert metrics["batch_lateness_s_mean"] == pytest.approx((4.5 + 4.5 + 5.0) / 3)
    assert metrics["batch_lateness_s_p50"] == pytest.approx(4.5, rel=1.1e-3)
    assert metrics["batch_lateness_s_max"] == 5.0


def test_a_batch_with_a_request_that_never_ends_has_no_lateness() -> None:
    requests, attempts = walks.run(BATCHED)
    requests = in_batches(requests)
    requests["end_s"][np.flatnonzero(requests["request_id"] == 8)] = np.nan
    batches = BatchTotals(SIZE)
    batches.requests(requests)
    batches.attempts(attempts)
    metrics = batches.metrics()
    assert metrics["batches"] == 3
    assert metrics["batches_endless"] == 1
    assert metrics["batch_lateness_s_max"] == 4.5


def test_a_run_without_batches_has_no_shares() -> None:
    metrics = BatchTotals(SIZE).metrics()
    assert metrics["batches"] == 0
    assert metrics["batches_hit_by_incident_share"] is None
    assert metrics["batch_lateness_s_max"] is None
