"""The questions to a run's traces, each answered again here, by other means, from the frames of all rows."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

import des
from des.errors import DesError
from des.study.recorded import Run
from study.small_scenario import small

OUTAGES = [{"kind": "poisson", "rate": "12/d", "duration": {"kind": "exponential", "mean": "45min"}}]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Outages of both providers that overlap at times, two arms, two replications."""
    content = small(replications=2, horizon="25h", objective={"availability": "97%", "per": "5h"})
    for name in ("first", "second"):
        content["providers"][name]["incidents"] = [*OUTAGES, {**OUTAGES[0], "error_rate": "30%"}]
    return des.run(content, out=tmp_path_factory.mktemp("analysis") / "run")


def rows_of(requests: pd.DataFrame, arm: str, replication: int) -> pd.DataFrame:
    return requests[(requests["arm"] == arm) & (requests["replication"] == replication)]


def test_availability_by_hour_counts_each_request_in_the_hour_of_its_arrival(run: Run) -> None:
    found = run.availability(by="1h")
    assert len(found) == 2 * 2 * 25
    assert found["requests"].sum() == len(run.requests)
    of = rows_of(run.requests, "primary_only", 1)
    for start_s in (0.0, 3600.0, 24 * 3600.0):
        there = of[(of["arrival_s"] >= start_s) & (of["arrival_s"] < start_s + 3600.0)]
        row = found.loc[("primary_only", 1, start_s)]
        assert (row["requests"], row["served"]) == (len(there), (there["outcome"] == "ok").sum())
        assert row["availability"] == pytest.approx((there["outcome"] == "ok").mean())


def test_availability_of_the_whole_horizon_is_that_of_the_summary(run: Run) -> None:
    found = run.availability(by=None)
    of_arm = found.loc["primary_only", "availability"]
    assert of_arm.mean() == pytest.approx(run.summary["arms"]["primary_only"]["availability"]["mean"], rel=1e-3)
    assert of_arm.min() < 0.9


def test_a_last_bin_that_is_cut_by_the_horizon_keeps_its_requests(run: Run) -> None:
    found = run.availability(by="10h")
    assert found.loc[("as_modelled", 0), "end_s"].tolist() == [36_000.0, 72_000.0, 90_000.0]
    assert found["requests"].sum() == len(run.requests)


def test_a_bin_without_requests_has_no_availability(run: Run) -> None:
    found = run.availability(by="10s")
    empty = found[found["requests"] == 0]
    assert len(empty) > 100
    assert empty["availability"].isna().all()


def test_the_objective_counts_windows_that_serve_too_little(run: Run) -> None:
    found = run.monthly_objective().loc["primary_only"]
    shares = [
        (window["outcome"] == "ok").mean()
        for replication in (0, 1)
        for _, window in rows_of(run.requests, "primary_only", replication).groupby(
            (run.requests["arrival_s"] // 18_000).clip(upper=4)
        )
    ]
    missed = sum(share < 0.97 for share in shares)
    assert (found["windows"], found["missed"]) == (len(shares), missed) == (10, missed)
    assert missed > 0
    interval = binomtest(missed, 10).proportion_ci(method="exact")
    assert (found["missed_share_low"], found["missed_share_high"]) == pytest.approx((interval.low, interval.high))
    assert found["lowest_availability"] == min(shares)


def test_the_chance_of_a_missed_month_in_a_year_takes_twelve(tmp_path: Path) -> None:
    content = small(horizon="70d", start="2025-01-01T00:00Z", replications=1, arms={})
    content["workload"]["arrivals"] = {"kind": "batch", "every": "6h", "size": 1}
    content["providers"]["first"]["incidents"][0]["windows"] = [{"start": "3d 1min", "duration": "1d"}]
    run = des.run({**content, "chain": [{"provider": "first"}]}, out=tmp_path / "run")
    assert run.months()["end_s"].tolist() == [31 * 86400.0, 59 * 86400.0]
    found = run.monthly_objective("98%").loc["as_modelled"]
    assert (found["windows"], found["objective"]) == (2, 0.98)
    assert found["missed_in_a_year"] == pytest.approx(1.0 - (1.0 - found["missed"] / 2) ** 12)


def test_episodes_are_the_union_of_outages(run: Run) -> None:
    times_s = np.arange(0.0, 90_000.0, 7.0)
    for of, names in (("component", {"first", "second"}), ("endpoint", {"first/a", "second/b"})):
        found = run.episodes(of)
        assert set(found.index.get_level_values(of)) == names
    incidents = run.incidents[run.incidents["error_rate"] == 1.0]
    down = {}
    for component, endpoint in (("first", "first/a"), ("second", "second/b")):
        mine = incidents[(incidents["arm"] == "as_modelled") & (incidents["replication"] == 0)]
        mine = mine[mine["component"] == component]
        down[endpoint] = covered(times_s, mine)
        episodes = run.episodes().loc[("as_modelled", 0, endpoint)]
        assert (covered(times_s, episodes) == down[endpoint]).all()
        assert episodes["incidents"].sum() == len(mine)
        assert len(episodes) < len(mine), "no overlapping incidents, so nothing was merged"
    together = run.episodes("chain").loc[("as_modelled", 0, "every leg")]
    assert (covered(times_s, together) == (down["first/a"] & down["second/b"])).all()
    assert covered(times_s, together).any()


def covered(times_s: np.ndarray, spells: pd.DataFrame) -> np.ndarray:
    inside = [
        (times_s >= start) & (times_s < end) for start, end in zip(spells["start_s"], spells["end_s"], strict=True)
    ]
    return np.logical_or.reduce(inside)


def test_costs_add_up_to_those_of_the_attempts(run: Run) -> None:
    found = run.cost_breakdown(by=["leg", "outcome"])
    whole = run.attempts.groupby(["arm", "leg", "outcome"], observed=True)["cost_usd"].agg(["sum", "size"])
    for key, row in whole.iterrows():
        assert found.loc[key, "cost_usd"] == pytest.approx(row["sum"])
        assert found.loc[key, "calls"] == row["size"]
    assert len(found) == len(whole)
    assert found.groupby("arm")["cost_share"].sum().tolist() == pytest.approx([1.0, 1.0])
    requests = (run.requests["arm"] == "as_modelled").sum()
    cost_usd = run.requests.loc[run.requests["arm"] == "as_modelled", "cost_usd"].sum()
    per_1000 = found.sort_index().loc["as_modelled", "cost_usd_per_1000_requests"].sum()
    assert per_1000 == pytest.approx(1000 * cost_usd / requests)


def test_quantiles_are_those_of_the_latencies_of_served_requests(run: Run) -> None:
    found = run.latency_quantiles(by="provider", quantiles=[0.5, 0.999])
    served = run.requests[run.requests["outcome"] == "ok"]
    for (arm, provider), of in served.groupby(["arm", "provider"], observed=True):
        row = found.loc[(arm, provider)]
        expected = np.quantile(of["latency_s"], [0.5, 0.999], method="inverted_cdf")
        assert row[["latency_s_p50", "latency_s_p99.9"]].tolist() == expected.tolist()
        assert row["requests"] == len(of)
    assert len(found) == 3
    assert run.latency_quantiles(outcome=None).loc["primary_only", "requests"] == (
        run.requests.loc[run.requests["arm"] == "primary_only", "latency_s"].notna().sum()
    )


def test_quantiles_by_leg_are_those_of_the_requests_that_it_answered(run: Run) -> None:
    found = run.latency_quantiles(by="leg", quantiles=[0.5])
    of = rows_of(run.requests, "as_modelled", 0)
    for leg, provider in (("first/a", "first"), ("second/b", "second")):
        row = found.loc[("as_modelled", leg)]
        served = run.requests[(run.requests["arm"] == "as_modelled") & (run.requests["provider"] == provider)]
        assert row["requests"] == len(served)
        assert row["latency_s_p50"] == np.quantile(served["latency_s"], 0.5, method="inverted_cdf")
    every = run.latency_quantiles(by=["replication", "leg"], outcome=None).loc[("as_modelled", 0)]
    assert every["requests"].sum() == of["latency_s"].notna().sum()
    nobody = every[every.index.isna()]["requests"]
    assert nobody.tolist() == [(of["latency_s"].notna() & (of["outcome"] != "ok")).sum()]
    assert nobody.tolist()[0] > 0


def test_quantiles_by_a_length_of_time_are_of_the_requests_that_arrived_in_it(run: Run) -> None:
    found = run.latency_quantiles(by=["replication", "2h"], quantiles=[0.9])
    of = rows_of(run.requests, "as_modelled", 1)
    of = of[of["outcome"] == "ok"]
    for start_s in (0.0, 7200.0, 12 * 7200.0):
        there = of[(of["arrival_s"] >= start_s) & (of["arrival_s"] < start_s + 7200.0)]["latency_s"]
        row = found.loc[("as_modelled", 1, start_s)]
        assert row["requests"] == len(there)
        assert row["latency_s_p90"] == np.quantile(there, 0.9, method="inverted_cdf")
    assert found.index.names == ["arm", "replication", "start_s"]
    assert found.loc["as_modelled", "requests"].sum() == run.latency_quantiles().loc["as_modelled", "requests"]


def test_fallbacks_are_put_down_to_the_last_failure_before_them(run: Run) -> None:
    found = run.fallback_reasons()
    counted: dict[tuple[str, str, str, str, object], int] = {}
    columns = ["arm", "replication", "request_id", "attempt", "leg", "outcome", "cause"]
    calls = sorted(run.attempts[columns].astype(object).itertuples(index=False), key=lambda call: call[:4])
    for before, after in itertools.pairwise(calls):
        if before[:3] == after[:3] and before.leg != after.leg:
            cause = None if pd.isna(before.cause) else before.cause
            key = (before.arm, before.leg, after.leg, before.outcome, cause)
            counted[key] = counted.get(key, 0) + 1
    given = {tuple(None if pd.isna(part) else part for part in key): row for key, row in found["fallbacks"].items()}
    assert given == counted
    assert sum(counted.values()) > 100
    assert ("as_modelled", "first/a", "second/b", "server_error", "incident") in given


def test_two_arms_are_compared_over_the_same_requests(run: Run) -> None:
    found = run.compare("as_modelled", "primary_only")
    shares = {
        (arm, number): (rows_of(run.requests, arm, number)["outcome"] == "ok").mean()
        for arm in ("as_modelled", "primary_only")
        for number in (0, 1)
    }
    row = found.loc["availability"]
    each = [shares["as_modelled", n] - shares["primary_only", n] for n in (0, 1)]
    assert row["difference"] == pytest.approx(row["as_modelled"] - row["primary_only"])
    assert min(each) - 1e-9 <= row["difference"] <= max(each) + 1e-9
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    of = run.requests[run.requests["arm"] == "as_modelled"]
    assert found.loc["cost_usd_per_request", "as_modelled"] == pytest.approx(of["cost_usd"].sum() / len(of))
    assert found.loc["attempts_per_request", "as_modelled"] == pytest.approx(of["attempts"].mean())
    assert found.loc["latency_s_mean", "as_modelled"] == pytest.approx(
        of.loc[of["outcome"] == "ok", "latency_s"].mean()
    )
    assert (run.compare("as_modelled", "as_modelled")["difference"] == 0.0).all()


def test_pieces_of_a_table_are_the_table(run: Run) -> None:
    pieces = pd.concat(run.batches("requests", ["arm", "request_id", "cost_usd"]), ignore_index=True)
    assert pieces["arm"].tolist() == run.requests["arm"].tolist()
    assert pieces["cost_usd"].tolist() == run.requests["cost_usd"].tolist()


def test_a_loaded_run_knows_its_scenario_and_its_table(run: Run) -> None:
    loaded = des.load(run.path)
    assert loaded.scenario.to_dict() == run.manifest["scenario"]
    assert (
        loaded.table.loc["primary_only", "availability"]
        == (run.summary["arms"]["primary_only"]["availability"]["mean"])
    )
    assert "<table" in loaded._repr_html_()


def test_wrong_questions_name_the_nearest_right_one(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DesError, match="did you mean 'outcome'"):
        run.cost_breakdown(by="outcom")
    with pytest.raises(DesError, match="did you mean 'provider'"):
        run.latency_quantiles(by="provder")
    with pytest.raises(DesError, match="by='1 hur'"):
        run.latency_quantiles(by="1 hur")
    with pytest.raises(DesError, match="second length of time"):
        run.latency_quantiles(by=["1h", "1d"])
    with pytest.raises(DesError, match="two arms of this run by name, or another run"):
        run.compare(run, run)  # type: ignore[call-overload]
    with pytest.raises(DesError, match="did you mean 'endpoint'"):
        run.episodes("endpont")
    with pytest.raises(DesError, match="did you mean 'primary_only'"):
        run.compare("as_modelled", "primary_onli")
    with pytest.raises(DesError, match="expected a duration"):
        run.availability(by="hourly")
    with pytest.raises(DesError, match="bins"):
        run.availability(by="1ms")
    with pytest.raises(DesError, match="no whole window"):
        run.monthly_objective("99%", per="month")
    without = des.run(small(horizon="1h"), out=tmp_path / "bare", traces=False)
    with pytest.raises(DesError, match="kept no requests"):
        without.availability()
    with pytest.raises(DesError, match="no objective"):
        without.monthly_objective()
