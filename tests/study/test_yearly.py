"""Sums of money a year that add up as they are written."""

import pytest

from des.estimate.estimate import Estimate
from des.study.value import Money
from des.study.yearly import places_of, rounded, written


def money(answers: float, failing: float, half: float = 0.0, of_failing: float = 0.0) -> Money:
    def known(usd: float, around: float) -> Estimate:
        return Estimate(usd, usd - around, usd + around, 9) if around else Estimate(usd)

    return Money(
        answers=known(answers, half),
        failing=known(failing, of_failing),
        total=known(answers + failing, half),
        lost_requests=Estimate(1.0),
        hours_down=Estimate(1.0),
    )


def test_the_most_exact_sum_decides_the_digits_of_all() -> None:
    arms = {"three": money(1_024_731.0, 2_774.0, 20_000.0, 50.0), "two": money(1_024_698.0, 2_981.0, 20_000.0, 90.0)}
    places = places_of(arms)
    sums = rounded(arms["three"], places)
    cells = [
        written(getattr(sums, key), getattr(arms["three"], key), places) for key in ("answers", "failing", "total")
    ]
    assert cells == ["$1,024,730 ± 20,000", "$2,770 ± 50", "$1,027,500 ± 20,000"]


def test_totals_that_differ_are_written_differently() -> None:
    arms = {
        "one": money(1_000_000.0, 50_000.0, 20_000.0, 9_000.0),
        "two": money(1_000_040.0, 50_000.0, 20_000.0, 9_000.0),
    }
    assert places_of(arms) == -1
    assert places_of({"one": money(0.0, 0.0)}) == 2
    assert places_of({"one": money(120.0, 0.004)}) == 0
    assert places_of({"one": money(12.0, 0.5)}) == 2


@pytest.mark.parametrize("failing", [1.4, 3.5, 77.77, 140_000.4])
@pytest.mark.parametrize("answers", [0.4, 99.5, 1_400.4, 123_456.5])
def test_the_parts_add_up_to_the_total(answers: float, failing: float) -> None:
    arms = {"one": money(answers, failing)}
    places = places_of(arms)
    sums = rounded(arms["one"], places)
    assert round(sums.answers + sums.failing, 6) == round(sums.total, 6) == round(answers + failing, places)
    assert abs(sums.answers - answers) <= 1.5 * 10.0**-places
    assert abs(sums.failing - failing) <= 1.5 * 10.0**-places
