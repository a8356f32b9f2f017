import sys
from pathlib import Path

import numpy as np
import pytest

from des.estimate.totals import BatchTotals

sys.path.insert(0, str(Path(__file__).parent))
import walks

SIZE = 4
SERVED_BY = [0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 1]  # the second batch is hit, the third hit and not complete


def in_batches(requests: walks.Block) -> walks.Block:
    """The same requests, all of a batch having arrived when its first did."""
    arrival_s = (requests["request_id"] // SIZE * SIZE).astype(float)
    return {**requests, "arrival_s": arrival_s, "latency_s": requests["end_s"] - arrival_s}


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize("attempts_first", [True, False])
def test_batches_are_counted_whatever_the_blocks_and_their_order(size: int, attempts_first: bool) -> None:
    requests, attempts = walks.run(SERVED_BY, probes=3)
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
    requests, attempts = walks.run(SERVED_BY)
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
