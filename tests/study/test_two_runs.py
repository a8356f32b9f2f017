"""Two runs compared with each other: what is paired, what is not, and the intervals of both."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats

import des
from des.errors import DesError
from des.study.recorded import Run
from study.small_scenario import small


def made(folder: Path, name: str, **changes: Any) -> Run:
    content = small(**{"replications": 3, "horizon": "10h"} | changes)
    return des.load(des.run(content, out=folder / name).path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two_runs")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return made(folder, "run")


@pytest.fixture(scope="module")
def patient(folder: Path) -> Run:
    """The same requests, with another time-out of the first leg."""
    chain = [{"provider": "first", "timeout": "1s", "retries": 1}, {"provider": "second", "timeout": "10s"}]
    return made(folder, "patient", chain=chain)


def share(requests: pd.DataFrame) -> float:
    return float((requests["outcome"] == "ok").mean())


def of(run: Run, number: int, arm: str = "as_modelled") -> pd.DataFrame:
    rows = run.requests
    return rows[(rows["arm"] == arm) & (rows["replication"] == number)].sort_values("request_id")


def test_the_same_requests_are_paired_and_the_interval_is_of_their_differences(run: Run, patient: Run) -> None:
    found = run.compare(patient)
    assert found.index.get_level_values("arm").unique().tolist() == ["as_modelled", "primary_only"]
    assert set(found["pairing"]) == {"by request"}
    row = found.loc[("as_modelled", "attempts_per_request")]
    assert row["run_requests"] == row["other_requests"] == (run.requests["arm"] == "as_modelled").sum()
    apart = [of(run, n)["attempts"].mean() - of(patient, n)["attempts"].mean() for n in range(3)]
    error = math.sqrt(sum((each - row["difference"]) ** 2 for each in apart) / 6)
    half = stats.t.ppf(0.975, 2) * error
    assert row["difference"] < 0.0
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(
        (row["difference"] - half, row["difference"] + half)
    )


def test_of_a_longer_run_and_one_of_more_replications_what_both_have_is_compared(run: Run, folder: Path) -> None:
    longer = made(folder, "longer", horizon="14h", replications=2)
    row = run.compare(longer).loc[("as_modelled", "availability")]
    both = [(of(run, n), of(longer, n)) for n in (0, 1)]
    assert row["pairing"] == "by request"
    assert row["run_requests"] == row["other_requests"] == sum(len(one) for one, _ in both)
    assert all(len(two) > len(one) for one, two in both)
    whole = pd.concat([one for one, _ in both])
    assert row["run"] == pytest.approx(share(whole))


def test_runs_of_other_seeds_are_not_paired_and_have_an_interval_by_welch(run: Run, folder: Path) -> None:
    other = made(folder, "seed", seed=8, replications=4)
    row = run.compare(other).loc[("as_modelled", "latency_s_mean")]
    assert row["pairing"] == "none: other seeds"
    means = []
    for each, n in ((run, 3), (other, 4)):
        served = each.requests[(each.requests["arm"] == "as_modelled") & (each.requests["outcome"] == "ok")]
        means.append((served["latency_s"].mean(), served.groupby("replication")["latency_s"].mean().tolist(), n))
    (one, ours, _), (two, theirs, _) = means
    assert row["difference"] == pytest.approx(one - two)
    errors = [
        sum((each - mean) ** 2 for each in values) / (len(values) * (len(values) - 1)) for mean, values, _ in means
    ]
    degrees = math.floor(sum(errors) ** 2 / (errors[0] ** 2 / 2 + errors[1] ** 2 / 3))
    half = stats.t.ppf(0.975, degrees) * math.sqrt(sum(errors))
    assert row["difference_high"] - row["difference"] == pytest.approx(half)
    assert len(ours) + len(theirs) == 7


def test_other_arrivals_of_the_same_seed_are_not_paired(run: Run, folder: Path) -> None:
    content = small()["workload"] | {"arrivals": {"kind": "poisson", "rate": "2/min"}}
    busier = made(folder, "busier", workload=content)
    found = run.compare(busier)
    assert set(found["pairing"]) == {"none: other arrivals"}
    row = found.loc[("as_modelled", "availability")]
    assert row["other_requests"] == (busier.requests["arm"] == "as_modelled").sum() > row["run_requests"]


def test_one_replication_has_no_interval(run: Run, folder: Path) -> None:
    for seed, pairing in ((7, "by request"), (8, "none: other seeds")):
        other = made(folder, f"single{seed}", seed=seed, replications=1)
        row = run.compare(other).loc[("as_modelled", "cost_usd_per_request")]
        assert row["pairing"] == pairing
        assert pd.isna(row["difference_low"])
        assert pd.isna(row["difference_high"])


def test_arms_of_other_names_are_compared_where_both_are_named(run: Run, folder: Path) -> None:
    named = made(folder, "named", arms={"mine": {}})
    with pytest.raises(DesError, match=r"no arm in common.*arms=\('as_modelled', 'mine'\)"):
        run.compare(named)
    with pytest.raises(DesError, match="did you mean 'mine'"):
        run.compare(named, arms=("as_modelled", "mnie"))
    found = run.compare(named, arms=("primary_only", "mine"))
    assert found.index.get_level_values("arm").unique().tolist() == ["primary_only less mine"]
    within = run.compare("primary_only", "as_modelled")
    assert found["difference"].tolist() == within["difference"].tolist()


def test_a_run_that_kept_no_requests_says_at_which_level_to_run(run: Run, folder: Path) -> None:
    bare = des.load(des.run(small(horizon="1h"), out=folder / "bare", traces=False).path)
    with pytest.raises(DesError, match="--traces"):
        run.compare(bare)
