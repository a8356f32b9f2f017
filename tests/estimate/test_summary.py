import json
import math

import numpy as np
import pytest
from scipy import stats

from des.estimate.estimate import Estimate, as_json
from des.estimate.intervals import count_of, mean_of, share_up
from des.estimate.summary import Observed, Pool, availability_of, summarise, summary
from des.estimate.totals import Losses, Totals
from estimate import walks


def test_the_interval_is_students_t_over_replications() -> None:
    values = [3.0, 5.0, 4.0, 8.0]
    found = mean_of(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert found.mean == 5.0
    assert found.low == pytest.approx(max(0.0, low), rel=1e-12)
    assert found.high == pytest.approx(high, rel=1e-12)
    assert (found.n, found.estimator) == (4, "request level")


def test_one_replication_has_no_interval() -> None:
    assert mean_of([0.5]) == Estimate(0.5, n=1)


def test_replications_without_a_value_do_not_count() -> None:
    assert mean_of([None, 0.5, None]).n == 1
    assert mean_of([None, None]) == Estimate(None)


def test_an_interval_stays_where_the_metric_can_be() -> None:
    assert mean_of([0.0, 0.4]).low == 0.0
    assert mean_of([0.8, 1.0], share=True).high == 1.0
    assert mean_of([0.8, 1.0]).high > 1.0


def test_a_students_interval_covers_a_normal_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for values in generator.normal(10.0, 1.0, (2000, 5)):
        found = mean_of(values.tolist())
        covered += found.low <= 10.0 <= found.high
    assert abs(covered / 2000 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


def _pool(*walked: list[int]) -> Pool:
    pool = Pool()
    for served_by in walked:
        requests, attempts = walks.run(served_by)
        totals = Totals(walks.NAMES, walks.LEGS)
        totals.requests(requests)
        totals.attempts(attempts)
        pool.add(Observed(totals.metrics(), Losses(), totals.latency))
    return pool


def test_a_summary_has_an_entry_for_each_metric_and_name_of_each_arm() -> None:
    both, single = _pool([0, 0, 1, -1], [0, 1, 1, 1]), _pool([0, 0, 1, -1])
    content = json.loads(json.dumps(as_json(summary({"as_modelled": both, "single": single})), allow_nan=False))
    assert content["quantiles"] == {"method": "log histogram", "relative_error": 0.001}
    found = content["arms"]["as_modelled"]
    assert found["availability"]["mean"] == 0.875
    assert found["availability"]["high"] == 1.0
    assert found["served_share"][walks.LEGS[1]]["mean"] == pytest.approx((1 / 3 + 3 / 4) / 2)
    assert found["lost_by_cause"]["openai"]["mean"] == 0.5
    assert found["latency_s_p99"]["mean"] == pytest.approx(2.0, rel=1.1e-3)
    assert content["arms"]["single"]["availability"]["low"] is None
    assert list(found) == list(summarise(both))


def test_a_quantile_is_of_all_replications_together_and_its_interval_is_by_sectioning() -> None:
    pool = _pool([0] * 30 + [1] * 10, [0] * 30)
    found = summarise(pool)["latency_s_p95"]
    assert found.mean == pool.latency.quantile(0.95) == pytest.approx(2.0, rel=1.1e-3)
    assert (found.n, found.interval) == (2, "sectioning")
    about = math.sqrt(((2.0 - 2.0) ** 2 + (1.5 - 2.0) ** 2) / 2)
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 1) * about, rel=0.01)


def test_few_outages_give_availability_an_interval_over_outages() -> None:
    losses = [Losses((40, 10), 1), Losses((), 0), Losses((25,), 0)]
    found = availability_of([0.949, 1.0, 0.975], losses)
    assert found.interval == "bootstrap-t over 3 episodes"
    assert found.mean - found.low > found.high - found.mean > 0.0
    assert found.low < mean_of([0.949, 1.0, 0.975], share=True).mean < found.high


@pytest.mark.parametrize(
    ("values", "losses"),
    [
        ([0.9], [Losses((10,))]),
        ([0.9, 0.9], [Losses((10,)), Losses((10,))]),
        ([0.9, 0.95], [Losses((3,), 97), Losses((), 50)]),
        ([0.9, 0.95], [Losses((1,) * 100), Losses((1,) * 100)]),
    ],
    ids=["one replication", "the same each time", "mostly lost outside", "many outages"],
)
def test_otherwise_availability_keeps_students_interval(values: list[float], losses: list[Losses]) -> None:
    assert availability_of(values, losses) == mean_of(values, share=True)


def test_counts_below_twenty_have_exact_poisson_bounds() -> None:
    found = count_of([2.0, 0.0, 1.0, 0.0], estimator="incident timeline")
    low, high = stats.chi2.ppf(0.025, 6) / 2, stats.chi2.ppf(0.975, 8) / 2
    assert (found.mean, found.interval) == (0.75, "poisson")
    assert found.low == pytest.approx(low / 4)
    assert found.high == pytest.approx(high / 4)
    assert count_of([10.0, 12.0], estimator="incident timeline").interval is None
    by_chance = count_of([1.0, 1.0], estimator="incident timeline")
    assert by_chance.low < 1.0 < by_chance.high


def test_windows_on_record_are_exact_and_say_so() -> None:
    for found in (
        count_of([1.0, 1.0], estimator="incident timeline", recorded=True),
        share_up([0.9, 0.9], [(360.0,), (360.0,)], estimator="incident timeline", recorded=True),
    ):
        assert (found.low, found.high) == (None, None)
        assert "on record" in found.interval


def test_replications_that_agree_by_chance_have_no_interval_of_width_zero() -> None:
    found = summarise(_pool([0, 0, 1, -1], [0, 0, -1, 1], [0, -1, 0, 1]))
    for figure in (found["cost_usd_per_request"], found["availability"], found["request_outcomes"]["deadline"]):
        assert (figure.low, figure.high) == (None, None)
        assert figure.interval == "none: the same throughout"
    lost = found["request_outcomes"]["failed"]
    bounds = stats.chi2.ppf(0.025, 6) / 6, stats.chi2.ppf(0.975, 8) / 6
    assert (lost.mean, lost.low, lost.high) == pytest.approx((1.0, *bounds))


def test_requests_lost_at_once_count_once() -> None:
    alone = _pool([0, *[-1] * 5], [0, *[-1] * 4])
    together = _pool([0, *[-1] * 5], [0, *[-1] * 4])
    together.losses = [Losses((1, 4)), Losses((4,))]
    wide, narrow = (summarise(pool)["request_outcomes"]["failed"] for pool in (together, alone))
    assert wide.low <= narrow.low < narrow.high < wide.high


def test_no_more_requests_are_lost_at_once_to_a_cause_than_a_replication_lost_to_it() -> None:
    pool = _pool(*([0] * 60 + [-1] * lost for lost in (30, 51, 46)))
    pool.losses = [Losses((900,)), Losses((1100,)), Losses((1000,))]
    found = summarise(pool)["request_outcomes"]["failed"]
    at_once = (30**2 + 51**2 + 46**2) / 127
    events = 127 / at_once
    low, high = (at_once * stats.gamma.ppf(p, events + more) / 3 for p, more in ((0.025, 0), (0.975, 1)))
    assert (found.mean, found.low, found.high) == pytest.approx((127 / 3, low, high))


def test_what_incidents_on_record_lost_has_students_interval() -> None:
    pool = _pool(*([0] * 60 + [-1] * lost for lost in (30, 51, 46)))
    pool.losses = [Losses((), lost) for lost in (30, 51, 46)]
    found = summarise(pool)
    assert found["request_outcomes"]["failed"] == mean_of([30, 51, 46])
    assert found["availability"] == mean_of([60 / 90, 60 / 111, 60 / 106], share=True)
    assert 15.0 < found["request_outcomes"]["failed"].low < found["request_outcomes"]["failed"].high < 70.0


def test_no_episode_says_nothing_about_how_long_one_is() -> None:
    found = share_up([1.0, 1.0], [(), ()], estimator="incident timeline")
    assert (found.mean, found.low, found.high) == (1.0, None, None)
