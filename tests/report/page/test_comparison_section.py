"""Nines leg by leg: they add up to what the comparison found."""

from itertools import pairwise
from pathlib import Path

import pytest

from des.digits import nines_of_lost
from des.report.page.blocks import Figure
from des.report.page.findings import read_result
from des.report.page.sections.arms import arms_section
from des.report.page.sections.comparison import waterfall_steps
from des.study.answer_file import load_answer


def test_legs_add_nines_and_sharing_takes_some_back() -> None:
    steps = waterfall_steps({"one": 1e-3, "two": 1e-3}, 1e-4, 1e-4)
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
    steps = waterfall_steps({"one": 1e-2}, 1e-2, None)
    assert steps[-1]["step"] == "all down at once"
    assert steps[-1]["end"] == pytest.approx(2.0)


@pytest.mark.parametrize("together", [None, 0.0])
def test_unknown_or_endless_nines_are_not_drawn(together: float | None) -> None:
    assert waterfall_steps({"one": 1e-3}, together, None) == []
    assert waterfall_steps({"one": 0.0}, 1e-3, None) == []
    assert waterfall_steps({}, 1e-3, None) == []


def test_an_answer_has_the_nines_of_its_arms_leg_by_leg(answered: Path) -> None:
    section = arms_section(read_result(answered))
    assert section is not None
    found = [block for block in section.blocks if isinstance(block, Figure) and block.name.startswith("waterfall")]
    assert [figure.title for figure in found] == [
        "The nines of as_modelled, leg by leg",
        "The nines of independent, leg by leg",
    ]
    shared, apart = (
        dict(zip((row.cells[0] for row in each.table.rows), each.table.rows, strict=True)) for each in found
    )
    assert float(shared["shared causes"].cells[1]) < -1.0
    assert float(apart["shared causes"].cells[1]) == pytest.approx(0.0, abs=1e-3)
    answer = load_answer(answered).arms["as_modelled"]
    assert answer.lost is not None
    assert float(shared["availability of requests"].cells[2]) == pytest.approx(
        nines_of_lost(answer.lost.known), abs=1e-3
    )
