"""Nines leg by leg: they add up to what the comparison found."""

from itertools import pairwise
from typing import Any

import pytest

from des.report.page.sections.comparison import waterfall_steps


def figure(mean: float | None) -> dict[str, Any]:
    return {"mean": mean, "low": None, "high": None}


def marginals(**shares: float) -> dict[str, Any]:
    return {name: {"unavailability": figure(share)} for name, share in shares.items()}


def test_legs_add_nines_and_sharing_takes_some_back() -> None:
    joint = {"all_down": figure(1e-4), "failure_share": figure(1e-4)}
    steps = waterfall_steps(marginals(one=1e-3, two=1e-3), joint)
    assert [step["step"] for step in steps] == [
        "one",
        "two",
        "shared causes",
        "lost otherwise",
        "availability of requests",
    ]
    assert [step["nines"] for step in steps] == pytest.approx([3.0, 3.0, -2.0, 0.0, 4.0])
    assert [step["kind"] for step in steps][2] == "loss"
    for before, after in pairwise(steps[:-1]):
        assert after["begin"] == before["end"]
    assert steps[-1]["begin"] == 0.0
    assert steps[-1]["end"] == steps[-2]["end"]


def test_without_the_loss_of_requests_it_ends_with_all_down() -> None:
    steps = waterfall_steps(marginals(one=1e-2), {"all_down": figure(1e-2), "failure_share": None})
    assert steps[-1]["step"] == "all down at once"
    assert steps[-1]["end"] == pytest.approx(2.0)


@pytest.mark.parametrize("joint", [{"all_down": None}, {"all_down": figure(0.0)}, {}])
def test_unknown_or_endless_nines_are_not_drawn(joint: dict[str, Any]) -> None:
    assert waterfall_steps(marginals(one=1e-3), joint) == []
    assert waterfall_steps(marginals(one=0.0), {"all_down": figure(1e-3)}) == []
