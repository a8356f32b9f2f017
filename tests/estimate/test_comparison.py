"""Arms whose replications are a mixture are compared by replications, and not at all by a few of them."""

from collections.abc import Mapping
from typing import Any

import pytest

from des.estimate.comparison import METRICS, TOO_FEW_MET, differences
from des.estimate.estimate import Estimate, as_json
from des.estimate.heterogeneous import Heterogeneous
from des.estimate.summary import Pool
from des.estimate.totals import Losses
from des.estimate.unsampled import Unsampled

REQUESTS = 1_000
HALF = Heterogeneous("mixture", 20)


def pool(lost: list[int]) -> Pool:
    found = Pool()
    for count in lost:
        found.metrics.append(
            {
                "availability": 1.0 - count / REQUESTS,
                "cost_usd_per_request": 0.001 * (1.0 - count / REQUESTS),
                "latency_s_p95": 1.0 + count / REQUESTS,
                "requests": REQUESTS,
                "request_outcomes": {"in_flight": 0},
            }
        )
        found.losses.append(Losses((1,) * count, 0, tuple((1e5 * n, 1e5 * n + 1.0) for n in range(count))))
    return found


def compared(lost: list[int], mixtures: Mapping[str, Heterogeneous]) -> Any:
    observed = {"as_modelled": pool([1 + (n % 2) for n in range(len(lost))]), "part": pool(lost)}
    return as_json(differences(observed, "as_modelled", mixtures)["part"])


@pytest.mark.parametrize("mixed", ["part", "as_modelled"])
def test_few_replications_of_a_mixture_have_no_interval(mixed: str) -> None:
    found = compared([9, 0, 0, 8], {mixed: HALF})
    for metric in METRICS:
        assert found[metric]["interval"] == "none: mixture: fewer than 20 replications"
        assert (found[metric]["p_value"], found[metric]["p_holm"]) == (None, None)
        assert {found[metric][key][end] for key in ("difference", "ratio") for end in ("low", "high")} == {None}
    assert found["failure_share"]["difference"]["mean"] == pytest.approx(11 / 4 / REQUESTS)


def test_enough_are_compared_by_replication_not_by_incident() -> None:
    lost = [9, 0, 0, 8, 0, 0, 9, 0, 0, 7] * 2
    assert "incidents that differ" in compared(lost, {})["failure_share"]["interval"]
    found = compared(lost, {"part": HALF})
    for metric in METRICS:
        assert found[metric]["interval"] == "Student's t, paired"
        assert found[metric]["difference"]["low"] < found[metric]["difference"]["high"]


@pytest.mark.parametrize("arm", ["part", "as_modelled"])
@pytest.mark.parametrize(("moves", "claimed"), [(1e-6, True), (0.01, False), (float("inf"), False)])
def test_a_difference_that_unseen_incidents_could_change_has_no_interval(arm: str, moves: float, claimed: bool) -> None:
    lost = [9, 1, 2, 8, 0, 3, 9, 1, 0, 7]
    observed = {"as_modelled": pool([1 + (n % 2) for n in range(len(lost))]), "part": pool(lost)}
    told = Unsampled(
        incidents=(),
        between=Estimate(0.99),
        long_run=None,
        reason="",
        ends={},
        moves={"availability": moves, "cost_usd_per_request": 1e-9},
    )
    found = as_json(differences(observed, "as_modelled", None, {arm: told})["part"])
    assert (found["failure_share"]["interval"] != TOO_FEW_MET) == claimed
    assert (found["failure_share"]["difference"]["low"] is not None) == claimed
    assert (found["failure_share"]["p_holm"] is not None) == claimed
    assert found["cost_usd_per_request"]["difference"]["low"] is not None
    assert found["latency_s_p95"]["difference"]["low"] is not None


def test_that_the_same_are_lost_in_both_is_no_evidence_without_outages() -> None:
    observed = {"as_modelled": pool([1, 2, 1]), "part": pool([1, 2, 1])}
    told = Unsampled(
        incidents=(), between=Estimate(0.99), long_run=None, reason="", ends={}, moves={"availability": 1e-4}
    )
    plain = as_json(differences(observed, "as_modelled")["part"]["failure_share"])
    found = as_json(differences(observed, "as_modelled", None, {"part": told})["part"]["failure_share"])
    assert plain["interval"] == "none: the same are lost in both"
    assert (found["interval"], found["p_value"]) == (TOO_FEW_MET, None)
