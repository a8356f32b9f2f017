"""Replications go on until the intervals are narrow enough, and no further than is allowed."""

import math
from pathlib import Path

import pytest

import des
from des.errors import DesError
from des.estimate.estimate import Estimate
from des.study.precision import LEAST_REPLICATIONS, Precision, relative_half_width
from study.small_scenario import small, write_small


def _figure(mean: float | None, low: float | None, high: float | None) -> Estimate:
    return Estimate(mean, low, high)


def test_replications_go_on_until_every_interval_is_narrow_enough(tmp_path: Path) -> None:
    path = write_small(tmp_path, horizon="2h")
    run = des.run(path, out=tmp_path / "run", traces=False, precision={"latency_s_mean": 0.05})
    found = run.summary["precision"]
    assert found["reached"]
    assert found["replications"] == run.manifest["replications"] == run.summary["arms"]["as_modelled"]["requests"]["n"]
    for arm in ("as_modelled", "primary_only"):
        figure = run.summary["arms"][arm]["latency_s_mean"]
        assert relative_half_width("latency_s_mean", Estimate.from_json(figure)) <= 0.05
        assert found["half_widths"][f"{arm}.latency_s_mean"] <= 0.05


def test_a_bound_on_replications_ends_what_would_take_too_long(tmp_path: Path) -> None:
    path = write_small(tmp_path, horizon="1h")
    run = des.run(path, out=tmp_path / "run", precision=["as_modelled.cost_usd=0.1%"], max_replications=12)
    assert run.manifest["replications"] == 12
    assert run.summary["precision"]["reached"] is False
    assert len(list((run.path / "requests").iterdir())) == 24


def test_the_number_of_replications_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    path = write_small(tmp_path, horizon="1h")
    for workers in (1, 2):
        des.run(
            path,
            out=tmp_path / str(workers),
            traces=False,
            workers=workers,
            precision={"as_modelled.latency_s_mean": 0.06},
        )
    summaries = [(tmp_path / str(workers) / "summary.json").read_bytes() for workers in (1, 2)]
    assert summaries[0] == summaries[1]


def test_more_is_asked_for_as_the_half_width_demands_and_never_more_than_twice() -> None:
    precision = Precision.of({"cost_usd": 0.1}, 500)
    assert precision is not None
    assert precision.first(1) == LEAST_REPLICATIONS
    assert precision.first(40) == 40
    assert precision.further(100, {"arms": {"a": {"cost_usd": _figure(1.0, 0.91, 1.09)}}}) == 100
    assert precision.further(100, {"arms": {"a": {"cost_usd": _figure(1.0, 0.89, 1.11)}}}) == math.ceil(
        100 * 1.21 * 1.1
    )
    assert precision.further(100, {"arms": {"a": {"cost_usd": _figure(1.0, 0.1, 1.9)}}}) == 200
    assert precision.further(400, {"arms": {"a": {"cost_usd": _figure(None, None, None)}}}) == 500
    assert precision.further(500, {"arms": {"a": {"cost_usd": _figure(1.0, 0.1, 1.9)}}}) == 500


def test_availability_counts_by_what_it_lacks() -> None:
    assert relative_half_width("availability", _figure(0.999, 0.9985, 0.9995)) == pytest.approx(0.5)
    assert relative_half_width("availability", _figure(1.0, 1.0, 1.0)) == math.inf
    assert relative_half_width("wasted_cost_share", _figure(0.0, 0.0, 0.0)) == 0.0


def test_what_is_the_same_each_time_is_precise_but_where_nothing_was_lost() -> None:
    same = Estimate(1.0, interval="none: the same throughout")
    assert relative_half_width("cost_usd", same) == 0.0
    for metric in ("availability", "failure_share", "all_down"):
        assert relative_half_width(metric, same) == math.inf


def test_shares_of_lost_requests_and_of_total_outages_can_be_asked_for(tmp_path: Path) -> None:
    content = small(horizon="2h", replications=2)
    for provider in content["providers"].values():
        provider["incidents"] = [{"kind": "poisson", "rate": "10/h", "duration": "2min"}]
    asked = {"as_modelled.failure_share": 0.4, "as_modelled.all_down": 0.35}
    run = des.run(content, out=tmp_path / "run", traces=False, precision=asked)
    found = run.summary["precision"]
    assert found["reached"]
    for group, name in (("arms", "availability"), ("chain", "every leg")):
        figure = run.summary[group]["as_modelled"][name]
        figure = figure if group == "arms" else figure["availability"]
        assert max(figure["high"] - figure["mean"], figure["mean"] - figure["low"]) <= 0.4 * (1.0 - figure["mean"])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["availability"], "expected metric=share"),
        (["availability=narrow"], "expected metric=share"),
        (["availabilty=0.1"], "did you mean 'availability'"),
        (["lost=0.1"], "can be asked for: requests, availability, .*failure_share, all_down"),
        ({"availability": 0.0}, "between 0 and 1"),
        ({"availability": math.nan}, "between 0 and 1"),
        ({"nobody.availability": 0.1}, "no arm 'nobody'"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(asked: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(DesError, match=words):
        des.run(write_small(tmp_path), out=tmp_path / "out", precision=asked)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_bound_without_a_precision_bounds_nothing() -> None:
    assert Precision.of(()) is None
    with pytest.raises(DesError, match="--max-replications 5: bounds a --precision"):
        Precision.of((), 5)
