"""Where the mean downtime is known, request-level means are control-variate adjusted by it."""

from pathlib import Path

import des
from study.test_compare import shared_cdn


def test_known_downtime_makes_availability_more_precise_and_keeps_it_true(tmp_path: Path) -> None:
    content = shared_cdn(replications=30, arms={"primary_only": {"chain": ["first"]}})
    content["policy"] = {"billing": "per_attempt"}
    run = des.run(content, out=tmp_path / "run", traces=False)
    plain = run.summary["arms"]["primary_only"]["availability"]
    better = plain["controlled"]
    assert better["estimator"] == "request level, controlled"
    assert better["variance_reduction"] > 2.0
    assert better["high"] - better["low"] < plain["high"] - plain["low"]
    # calls that meet no outage fail at random 5 % of the time, of the first leg's two attempts
    half = (better["high"] - better["low"]) / 2.0
    assert abs(better["mean"] - 0.99 * (1.0 - 0.05**2)) < 2.5 * half


def test_without_several_replications_or_a_closed_form_nothing_is_adjusted(tmp_path: Path) -> None:
    one = des.run(shared_cdn(replications=1), out=tmp_path / "one", traces=False)
    assert "controlled" not in one.summary["arms"]["as_modelled"]["availability"]
    up = des.run(shared_cdn(replications=12, start_state="up"), out=tmp_path / "up", traces=False)
    assert "controlled" not in up.summary["arms"]["as_modelled"]["availability"]
