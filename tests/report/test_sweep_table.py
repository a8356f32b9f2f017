"""The table of a sweep: values stand in it at any width, figures are left out by importance and named."""

from pathlib import Path
from typing import Any

import pytest

from des.report.sweep_table import sweep_text
from des.study.sweep_record import Sweep

LONG = "providers.anthropic.models.claude-sonnet-4-6.errors.server_error"
FIGURES = {
    "availability": 0.9999,
    "cost_usd_per_request": 0.0123,
    "latency_s_p95": 7.5,
    "fallback_share": 0.01,
    "all_down": 1e-6,
    "quality_mean": 0.75,
}


def _figure(mean: float) -> dict[str, Any]:
    return {"mean": mean, "low": mean * 0.99, "high": min(1.0, mean * 1.01), "n": 8, "estimator": "windows"}


def _sweep(values: list[dict[str, str]], arms: tuple[str, ...] = ("as_modelled",), **more: Any) -> Sweep:
    figures: dict[str, Any] = {"joint": {"all_down": 1e-6, "k_eff": 1.5}}
    figures |= {metric: _figure(mean) for metric, mean in FIGURES.items()}
    points = [{"values": point, "replications": None, "arms": dict.fromkeys(arms, figures)} | more for point in values]
    content = {"name": "s-sweep-0", "title": "Swept", "seed": 1, "estimator": "best", "rounds": 1}
    return Sweep(Path("results/s"), content | {"over": list(values[0]), "points": points})


def _verdict(metric: str, result: str) -> dict[str, Any]:
    return {"arm": "as_modelled", "metric": metric, "expected": "> 1", "result": result} | _figure(0.5)


WIDTHS = (200, 120, 80, 60, 40, 20)


@pytest.mark.parametrize("width", WIDTHS)
def test_values_are_never_left_out(width: int) -> None:
    values = [{LONG: f"0.{number}11%", "policy.rounds": str(number)} for number in (2, 3)]
    text = sweep_text(_sweep(values, ("as_modelled", "primary_only")), width=width)
    whole = "".join(text.split())
    for number in (2, 3):
        assert f"0.{number}11%" in whole
    assert "…" not in text
    assert max(map(len, text.splitlines()[:-1])) <= width
    assert "99.99" in text
    assert "as_mode" in text
    assert "primary_only" in whole or "primary_" in whole


@pytest.mark.parametrize("width", WIDTHS)
def test_long_values_are_folded_and_whole(width: int) -> None:
    chain = "[{provider: anthropic, timeout: 30s}, {provider: openai, timeout: 60s, retries: 2}]"
    text = sweep_text(_sweep([{"chain": chain}, {"chain": "[x]"}]), width=width)
    if width == 200:
        assert chain in text
    folded = "".join(line[: width // 2].split(" 99.")[0] for line in text.splitlines()).replace(" ", "")
    assert "retries:2}]" in folded or width < 200
    assert "…" not in text


def test_what_does_not_fit_is_left_out_by_importance_and_named() -> None:
    sweep = _sweep([{"shared": "0"}, {"shared": "1"}], ("as_modelled", "independent"))
    wide, narrow = sweep_text(sweep, width=160), sweep_text(sweep, width=80)
    assert "k_eff" in wide
    assert "left out" not in wide
    said = " ".join(narrow.split())
    assert "left out, as 80 columns are too few: fallback_share, all_down, k_eff; sweep.csv" in said


def test_the_verdicts_stand_in_the_narrowest_table() -> None:
    expectations = [_verdict("availability", "met"), _verdict("latency_s_p95", "missed")]
    sweep = _sweep([{"shared": "0"}], expectations=expectations)
    assert "missed:" in sweep_text(sweep, width=160)
    assert "  latency_s_p95" in sweep_text(sweep, width=160)
    for width in (80, 50, 30):
        text = sweep_text(sweep, width=width)
        assert "expected" in text
        assert "missed" in text
    one = _sweep([{"shared": "0"}], expectations=expectations[:1])
    assert "> 1" in sweep_text(one, width=160)
    assert "met" in sweep_text(one, width=60)


def test_the_metrics_asked_for_stand_in_their_order_and_alone() -> None:
    text = sweep_text(_sweep([{"shared": "0"}]), ("fallback_share", "quality_mean", "objective"))
    row = next(line for line in text.splitlines() if line.startswith("0 "))
    assert row.split()[1:] == ["1.0000", "%", "±", "0.0100", "0.7500", "±", "0.0075", "-"]
    assert "availability" not in text.splitlines()[3]


def test_points_without_figures_say_why() -> None:
    refused = {"as_modelled": "the queue remembers"}
    text = sweep_text(_sweep([{"shared": "0"}, {"shared": "1"}], refused=refused))
    assert "every point: as_modelled has no figures of requests: the queue remembers" in text
