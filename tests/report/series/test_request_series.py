"""Aggregates of traces are what the traces say, row by row."""

import numpy as np
import pandas as pd
import pytest

from des.errors import DesError
from des.estimate.shape import equal_bins, weighed
from des.estimate.sums import LogHistogram
from des.report.page.sections.traffic import cumulative_points
from des.report.series.attempts import billed
from des.report.series.flow import even_edges, refused_calls
from des.report.series.requests import RequestSeries, request_series
from des.report.series.rows import batches, replications
from des.traces import Run

EDGES_S = even_edges(12 * 3600.0, 50, 60.0)
ARMS = ("as_modelled", "primary_only")


def rows(run: Run, table: str, arm: str) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(run, table)
    return frame[frame["arm"] == arm]


@pytest.fixture(scope="module")
def series(ran: Run) -> dict[str, RequestSeries]:
    return {arm: request_series(ran, arm, EDGES_S) for arm in ARMS}


@pytest.mark.parametrize("arm", ARMS)
def test_outcomes_errors_and_costs_are_those_of_the_rows(ran: Run, series: dict[str, RequestSeries], arm: str) -> None:
    requests, found = rows(ran, "requests", arm), series[arm]
    assert found.requests == len(requests)
    assert found.outcomes == {k: v for k, v in requests["outcome"].value_counts().items() if v}
    assert found.errors == {k: v for k, v in requests["error_type"].value_counts().items() if v}
    assert found.cost_usd == pytest.approx(requests["cost_usd"].sum())
    assert found.wasted_usd == pytest.approx(requests["wasted_cost_usd"].sum())


@pytest.mark.parametrize("arm", ARMS)
def test_legs_are_counted_by_who_served_in_the_order_of_the_chain(
    ran: Run, series: dict[str, RequestSeries], arm: str
) -> None:
    requests = rows(ran, "requests", arm)
    served = requests[requests["outcome"] == "ok"]
    names = served["provider"].astype(str) + "/" + served["model"].astype(str)
    assert series[arm].served == dict(names.value_counts())
    assert list(series[arm].served) == ["first/a", "second/b"][: len(series[arm].served)]
    for name, histogram in series[arm].latency.items():
        ordered = np.sort(served.loc[names == name, "latency_s"].to_numpy())
        for share in (0.5, 0.95):
            exact = ordered[int(np.ceil(share * len(ordered))) - 1]
            assert histogram.quantile(share) == pytest.approx(exact, rel=1.1e-3)


@pytest.mark.parametrize("arm", ARMS)
def test_flow_counts_each_request_once_when_it_arrived(ran: Run, series: dict[str, RequestSeries], arm: str) -> None:
    requests, flow = rows(ran, "requests", arm), series[arm].flow
    assert flow.offered.sum() == len(requests)
    expected = np.histogram(requests["arrival_s"], flow.edges_s)[0]
    assert flow.offered.tolist() == expected.tolist()
    ok = requests.loc[requests["outcome"] == "ok", "arrival_s"]
    assert flow.served.tolist() == np.histogram(ok, flow.edges_s)[0].tolist()


def test_refused_calls_are_those_of_the_minutes(ran: Run) -> None:
    minutes = rows(ran, "minutes", "as_modelled")
    names = [name for name in minutes.columns if name.startswith("refused_by_")]
    within = minutes[minutes["time_s"] < EDGES_S[-1]]
    found = refused_calls(ran, "as_modelled", EDGES_S)
    assert found is not None
    assert found.sum() == within[names].to_numpy().sum() > 0


def test_bills_are_those_of_the_attempts(ran: Run) -> None:
    attempts = rows(ran, "attempts", "as_modelled")
    grouped = attempts.groupby(["leg", "outcome"], observed=True)["cost_usd"].agg(["count", "sum"])
    found = {(each.leg, each.outcome): each for each in billed(ran, "as_modelled")}
    assert set(found) == set(grouped.index)
    for key, each in found.items():
        assert each.calls == grouped.loc[key, "count"]
        assert each.cost_usd == pytest.approx(grouped.loc[key, "sum"])


def test_a_leg_that_repeats_has_its_place_in_its_name(ran: Run) -> None:
    """Both places of one provider and model are kept apart."""
    from des.report.series.requests import _Counter

    counter = _Counter(EDGES_S)
    counter.providers, counter.models = {"p": 0}, {"m": 0}
    one = np.zeros(3, np.int64)
    legs = counter.leg_codes(np.array([0, 1, -1]), np.array([0, 0, -1]), np.array([0, 0, -1]))
    values = {name: np.array([1.0, 2.0, 3.0]) for name in ("arrival_s", "latency_s", "cost_usd", "wasted_cost_usd")}
    counter.add(one, one - 1, legs, values)
    assert counter.series().served == {"p/m (place 1)": 1, "p/m (place 2)": 1, "response cache": 1}


def test_arms_whose_names_begin_alike_are_kept_apart(ran: Run) -> None:
    assert replications(ran, "requests", "as_modelled") == [0, 1]
    assert replications(ran, "requests", "as") == []


def test_a_broken_file_is_an_error_with_its_name(ran: Run) -> None:
    broken = Run(ran.path, {"traces": {"requests/none-0000.parquet": {"rows": 1, "sha256": ""}}}, ran.summary)
    with pytest.raises(DesError, match=r"none-0000\.parquet: cannot be read"):
        list(batches(broken, "requests", "none", ("outcome",)))


def test_cumulative_points_rise_from_nothing_to_all() -> None:
    histogram = LogHistogram()
    histogram.add(np.array([0.5, 1.0, 1.0, 4.0]))
    points = list(cumulative_points(histogram))
    assert points[0] == (pytest.approx(0.5, rel=2e-3), 0.0)
    assert points[-1] == (4.0, 1.0)
    values, shares = zip(*points, strict=True)
    assert list(values) == sorted(values)
    assert list(shares) == sorted(shares)
    assert max(value for value, share in points if share <= 0.75) == pytest.approx(1.0, rel=2e-3)


def test_bins_of_a_histogram_hold_every_value() -> None:
    histogram = LogHistogram()
    histogram.add(np.array([0.0, 0.01, 0.01, 0.1]))
    bins = list(equal_bins(*weighed(histogram)))
    assert sum(share for _, _, share in bins) == pytest.approx(1.0)
    assert bins[0][0] == 0.0
    assert bins[-1][1] == 0.1
    assert len(bins) == 3


def test_one_price_is_one_bin_around_it() -> None:
    histogram = LogHistogram()
    histogram.add(np.full(5, 0.01))
    ((low, high, share),) = equal_bins(*weighed(histogram))
    assert low < 0.01 < high
    assert share == 1.0
