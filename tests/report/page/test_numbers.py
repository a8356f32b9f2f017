"""Every number in the tables of a page is what the parquet files say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from des.traces import Run
from report.page.reading import Page

PageOf = Callable[[Path], tuple[Path, Page]]
ARMS = ("as_modelled", "primary_only")


def number(text: str) -> float:
    return float(text.replace(",", "").replace("$", "").replace("%", "").removesuffix(" s").strip())


@pytest.fixture(scope="module")
def tables(page_of: PageOf, ran: Run) -> dict[str, list[list[str]]]:
    return page_of(ran.path)[1].tables


@pytest.fixture(scope="module")
def requests(ran: Run) -> pd.DataFrame:
    return pd.read_parquet(ran.path / "requests")


def of(frame: pd.DataFrame, arm: str) -> pd.DataFrame:
    return frame[frame["arm"] == arm]


def test_who_served(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    rows = tables["Requests by who served them"][1:]
    found = {(arm, leg): (int(number(many)), number(share)) for arm, leg, many, share in rows}
    expected: dict[tuple[str, str], int] = {}
    for arm in ARMS:
        mine = of(requests, arm)
        ok = mine[mine["outcome"] == "ok"]
        legs = ok["provider"].astype(str) + "/" + ok["model"].astype(str)
        expected |= {(arm, leg): many for leg, many in legs.value_counts().items()}
        expected |= {(arm, "not served"): len(mine) - len(ok)}
    assert {key: many for key, (many, _) in found.items()} == {key: many for key, many in expected.items() if many}
    for (arm, _), (many, share) in found.items():
        assert share == pytest.approx(100 * many / len(of(requests, arm)), rel=5e-3)


def test_what_a_request_costs(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    caption = "USD per request: the mean, and the cost that a share of requests do not exceed"
    for arm, mean, *quantiles, greatest in tables[caption][1:]:
        costs = np.sort(of(requests, arm)["cost_usd"].to_numpy())
        assert number(mean) == pytest.approx(costs.mean(), rel=6e-3)
        assert number(greatest) == pytest.approx(costs[-1], rel=6e-3)
        for text, share in zip(quantiles, (0.5, 0.9, 0.95, 0.99, 0.999), strict=True):
            exact = costs[int(np.ceil(round(share * len(costs), 9))) - 1]
            assert number(text) == pytest.approx(exact, rel=6e-3)


def test_how_long_a_request_takes(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    rows = tables["Latency that a share of the served requests do not exceed"][1:]
    assert {(row[0], row[1]) for row in rows} >= {(arm, "all served") for arm in ARMS}
    for arm, leg, many, *quantiles in rows:
        mine = of(requests, arm)
        mine = mine[mine["outcome"] == "ok"]
        names = mine["provider"].astype(str) + "/" + mine["model"].astype(str)
        times = np.sort((mine if leg == "all served" else mine[names == leg])["latency_s"].to_numpy())
        assert int(number(many)) == len(times)
        for text, share in zip(quantiles, (0.5, 0.9, 0.95, 0.99, 0.999), strict=True):
            exact = times[int(np.ceil(round(share * len(times), 9))) - 1]
            assert number(text) == pytest.approx(exact, rel=6e-3)


def test_offered_and_served(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    for arm, what, many, a_minute, _ in tables["Offered and served"][1:]:
        mine = of(requests, arm)
        served = (mine["outcome"] == "ok").sum()
        expected = {"offered": len(mine), "served": served, "not served": len(mine) - served}[what]
        assert int(number(many)) == expected
        assert number(a_minute) == pytest.approx(expected / (2 * 12 * 60), rel=6e-3)


def test_refused_calls(tables: dict[str, list[list[str]]], ran: Run) -> None:
    minutes = pd.read_parquet(ran.path / "minutes")
    names = [name for name in minutes.columns if name.startswith("refused_by_")]
    (row,) = [row for row in tables["Calls refused"][1:] if row[0] == "as_modelled"]
    inside = of(minutes, "as_modelled")
    assert int(number(row[2])) == inside.loc[inside["time_s"] < 12 * 3600.0, names].to_numpy().sum()


def test_the_bill(tables: dict[str, list[list[str]]], requests: pd.DataFrame, ran: Run) -> None:
    attempts = pd.read_parquet(ran.path / "attempts")
    rows = tables["The bill"][1:]
    for arm in ARMS:
        mine = [row for row in rows if row[0] == arm]
        calls = of(attempts, arm)
        assert sum(number(row[2]) for row in mine) == pytest.approx(calls["cost_usd"].sum(), rel=6e-3)
        for _, spent_on, usd, share, many in mine:
            outcome = "ok" if spent_on == "calls that served" else spent_on.replace(" ", "_")
            paid = calls[calls["outcome"] == outcome]
            assert number(usd) == pytest.approx(paid["cost_usd"].sum(), rel=6e-3)
            assert number(share) == pytest.approx(100 * paid["cost_usd"].sum() / calls["cost_usd"].sum(), rel=6e-3)
            assert int(number(many)) == len(paid)


def test_what_was_lost(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    errors = {(arm, error): int(number(many)) for arm, error, many in tables["Last failures of lost requests"][1:]}
    for arm in ARMS:
        mine = of(requests, arm)
        expected = mine.loc[mine["outcome"] != "ok", "error_type"].value_counts()
        assert {error: many for (each, error), many in errors.items() if each == arm} == {
            str(error): many for error, many in expected.items() if many
        }
    for arm in ARMS:
        mine = of(requests, arm)
        lost = sum(number(row[2].split()[0]) for row in tables["Requests lost, of a million"][1:] if row[1] == arm)
        assert lost == pytest.approx(1e6 * (mine["outcome"] != "ok").mean(), rel=0.01)


def test_outages_and_what_was_lost_in_them(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    """The table of the last strip, that of primary_only, in the replication that lost most requests."""
    ((endpoint, begin, length, shared, lost),) = tables["Outages of endpoints"][1:]
    assert (endpoint, begin, length, shared) == ("first/a", "1 h", "30 min", "no")
    mine = of(requests, "primary_only")
    mine = mine[(mine["outcome"] != "ok") & mine["arrival_s"].between(3600.0, 5400.0, inclusive="left")]
    assert int(number(lost)) == mine.groupby("replication").size().max()


def test_nines_against_cost(tables: dict[str, list[list[str]]], requests: pd.DataFrame) -> None:
    for arm, availability, _, nines, cost in tables["Nines against cost"][1:]:
        mine = of(requests, arm)
        by_run = mine.assign(ok=mine["outcome"] == "ok").groupby("replication")
        lost = 1 - by_run["ok"].mean().mean()
        assert number(availability.split()[0]) == pytest.approx(100 * (1 - lost), abs=0.5)
        assert float(nines) == pytest.approx(-np.log10(lost), abs=0.006)
        assert number(cost.split()[0]) == pytest.approx(1000 * by_run["cost_usd"].mean().mean(), rel=6e-3)
