"""A comparison first shows each endpoint alone, then what failing together changes."""

import math
from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import DesError, ScenarioError
from des.estimate.comparison import match
from des.estimate.estimate import Estimate
from des.estimate.joint_figures import Marginal
from des.report.comparison_tables import comparison_text
from des.study.compare import Comparison
from des.theory.availability import effective_redundancy
from study.small_scenario import small

MEAN_H = 1.0


def shared_cdn(**changes: Any) -> dict[str, Any]:
    """Two peers of 99 %, half of whose outages are those of a CDN they share."""
    peer: dict[str, Any] = {"depends_on": ["cdn"], "availability": "99%", "episodes_per_year": 80}
    content = small(
        horizon="30d",
        replications=3,
        workload=small()["workload"] | {"arrivals": {"kind": "poisson", "rate": "2/h"}},
        components={"cdn": {"incidents": [{"kind": "poisson", "rate": "40/y", "duration": "1h"}]}},
    )
    del content["arms"]
    for provider in content["providers"].values():
        provider.pop("incidents", None)
        provider.pop("limits", None)
        provider |= peer
    return content | changes


@pytest.fixture(scope="module")
def told() -> list[tuple[float, str]]:
    """The progress of the comparison `made`."""
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, told: list[tuple[float, str]]) -> Comparison:
    return des.compare(
        shared_cdn(),
        out=tmp_path_factory.mktemp("made") / "run",
        traces=False,
        progress=lambda share, what: told.append((share, what)),
    )


def test_the_built_in_arms_are_compared_where_a_scenario_has_none(made: Comparison) -> None:
    assert made.baseline == "as_modelled"
    assert list(made.figures["joint"]) == ["as_modelled", "independent"]
    assert made.run.manifest["arms"] == ["as_modelled", "independent"]
    assert made.run.summary["comparison"] == made.figures


def test_endpoints_fare_alike_by_themselves_in_both_arms(made: Comparison) -> None:
    assert made.figures["match"]["independent"]["verdict"] == "equal"
    for endpoint in ("first/a", "second/b"):
        of = made.marginals.loc[endpoint]
        assert of.unavailability.to_list() == pytest.approx([0.01, 0.01])
        assert of.episodes_per_year.to_list() == pytest.approx([80.0, 80.0])
        assert of.p95_duration_s_low.iloc[0] < of.p95_duration_s.iloc[1] < of.p95_duration_s_high.iloc[0]


def test_together_they_fail_as_the_closed_forms_say(made: Comparison) -> None:
    together, twin = made.joint.loc["as_modelled"], made.joint.loc["independent"]
    assert twin.all_down == pytest.approx(1e-4)
    common = 40.0 / 8760.0 * MEAN_H
    expected = 1.0 - 2.0 * 0.99 + 0.99**2 * math.exp(common)
    assert together.all_down == pytest.approx(expected)
    assert (twin.k_eff, together.k_eff) == pytest.approx((2.0, effective_redundancy(expected, [0.01, 0.01])))
    for arm in (together, twin):
        assert arm.frechet_low <= arm.all_down <= arm.frechet_high == pytest.approx(0.01)
        rate = arm.episodes_per_year
        assert arm.all_down == pytest.approx(rate * arm.mean_duration_s / (365 * 86_400))
        assert arm.any_in_a_year == pytest.approx(1.0 - (1.0 - arm.all_down) * math.exp(-rate / (1.0 - arm.all_down)))
        assert arm.estimator == "exact"
    assert made.figures["joint_ratios"]["independent"]["all_down"] == pytest.approx(1e-4 / expected)


def test_arms_are_paired_replication_by_replication(made: Comparison) -> None:
    found = made.differences.loc[("independent", "cost_usd_per_request")]
    assert found.n == 3
    assert found.difference_low < found.difference < found.difference_high
    assert 0.0 <= found.p_value <= found.p_holm <= 1.0


def test_its_text_has_the_tables_of_the_command(made: Comparison) -> None:
    text = comparison_text(made.run)
    words = ("Each endpoint by itself", "fails exactly as in as_modelled", "k_eff", "Fréchet", "Holm", "exact")
    for word in words:
        assert word in text
    assert max(map(len, text.splitlines()[:-1])) <= 120


def test_brownouts_alone_are_compared_by_how_often_all_are_impaired(tmp_path: Path) -> None:
    brownouts = {"cdn": {"incidents": [{"kind": "poisson", "rate": "40/y", "duration": "1h", "error_rate": 0.3}]}}
    content = shared_cdn(components=brownouts)
    for provider in content["providers"].values():
        del provider["availability"], provider["episodes_per_year"]
    found = des.compare(content, out=tmp_path / "run", traces=False)
    joint = found.figures["joint"]
    share = 1.0 - math.exp(-40.0 / 8760.0)
    assert joint["as_modelled"]["all_impaired"]["low"] < share < joint["as_modelled"]["all_impaired"]["high"]
    assert joint["independent"]["all_impaired"]["high"] < 0.1 * share
    low, high = found.figures["joint_ratios"]["independent"]["all_impaired_ends"]
    assert low < share < high
    text = comparison_text(found.run)
    assert "all impaired, share of the time" in text
    assert "k_eff" not in text
    assert "outages" not in text


def test_a_component_whose_copies_are_nobodys_is_left_out_of_the_twin(made: Comparison) -> None:
    assert "cdn" in made.run.summary["components"]["as_modelled"]
    assert "cdn" not in made.run.summary["components"]["independent"]
    assert "first/a" in made.run.summary["endpoints"]["independent"]


@pytest.mark.parametrize(("arm", "n"), [("independent", 3)])
def test_p_values_and_intervals_of_the_requests_say_the_same(made: Comparison, arm: str, n: int) -> None:
    found = made.figures["differences"][arm].values()
    assert any(figures["difference"]["low"] is not None for figures in found)
    for figures in found:
        assert figures["n"] == n
        low, high = figures["difference"]["low"], figures["difference"]["high"]
        if low is None:
            assert figures["p_value"] in (None, 1.0)
        else:
            assert low < high
            assert (figures["p_value"] < 0.05) == (not low <= 0.0 <= high)


def test_a_comparison_is_not_the_run_of_the_same_arms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = small(horizon="1h", arms={"as_modelled": {}, "independent": {"shared": 0}})
    content["providers"]["first"]["incidents"] = []
    compared = des.compare(content, traces=False)
    ran = des.run(content, traces=False)
    assert compared.run.path != ran.path
    assert compared.run.summary["arms"] == ran.summary["arms"]
    assert des.compare(content, traces=False).run.path == compared.run.path


def test_arms_are_chosen_by_name_and_the_first_is_compared_with(tmp_path: Path) -> None:
    content = small(horizon="1h", arms={"primary_only": {"chain": ["first"]}})
    found = des.compare(content, arms=["primary_only", "as_modelled"], out=tmp_path / "a", traces=False)
    assert found.baseline == "as_modelled"
    assert "one replication: no interval" in comparison_text(found.run)
    assert repr(found) == f"<Comparison {tmp_path / 'a'}: arms primary_only, as_modelled; baseline as_modelled>"
    with pytest.raises(ScenarioError, match="primary_onyl"):
        des.compare(content, arms=["primary_onyl"], out=tmp_path / "c")


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        (["independent", "as_modelled", "independent"], "'independent' is named twice"),
        (["primary_only"], "'primary_only' alone compares nothing; add another arm .as_modelled, independent"),
    ],
)
def test_an_arm_twice_or_alone_is_no_comparison(arms: list[str], words: str, tmp_path: Path) -> None:
    content = small(horizon="1h", arms={"primary_only": {"chain": ["first"]}})
    with pytest.raises(DesError, match=words):
        des.compare(content, arms=arms, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_recorded_windows_too_short_to_set_apart_are_refused(tmp_path: Path) -> None:
    content = small(components={"cdn": {"incidents": small()["providers"]["first"]["incidents"]}})
    for provider in content["providers"].values():
        provider["depends_on"] = ["cdn"]
    with pytest.raises(DesError, match="week"):
        des.compare(content, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _figure(mean: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(mean, low, high, estimator="exact" if low is None else "timeline")


def _endpoint(unavailability: Estimate) -> dict[str, Marginal]:
    rest = ("episodes_per_year", "mean_duration_s", "p95_duration_s", "impaired_share")
    return {"p/m": Marginal(unavailability=unavailability, **dict.fromkeys(rest, _figure(1.0)))}


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        (_figure(0.01), _figure(0.01 * (1 + 1e-12)), "equal"),
        (_figure(0.01), _figure(0.0101), "differ"),
        (_figure(0.01), _figure(0.0101, 0.0098, 0.0104), "equal"),
        (_figure(0.01), _figure(0.02, 0.0197, 0.0203), "differ"),
    ],
)
def test_marginals_match_exactly_or_within_four_standard_errors(one: Estimate, other: Estimate, verdict: str) -> None:
    assert match(_endpoint(one), _endpoint(other)).verdict == verdict
    assert match(_endpoint(one), {}).verdict == "none"


def test_a_comparison_is_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    content = small(horizon="2h", replications=2)
    runs = [
        des.compare(content, arms=["as_modelled", "independent"], out=tmp_path / str(workers), workers=workers).run
        for workers in (1, 2)
    ]
    assert (runs[0].path / "summary.json").read_bytes() == (runs[1].path / "summary.json").read_bytes()
    assert runs[0].manifest["traces"] == runs[1].manifest["traces"]


@pytest.mark.usefixtures("made")
def test_figures_of_the_long_run_are_steps_of_the_progress(told: list[tuple[float, str]]) -> None:
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    long_run = [share for share, what in told if what == "long run of independent"]
    assert 0.5 < min(long_run) < max(long_run) <= 1.0
    assert max(share for share, what in told if what.startswith("as_modelled")) <= 0.5
