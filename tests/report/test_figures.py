"""Numbers are written with the digits that matter."""

import pytest

from des.estimate.estimate import Estimate
from des.report import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "100 % (none lost)"),
        (0.995, "99.500 %"),
        (0.999975, "99.99750 %"),
        (0.999999875, "99.9999875 %"),
        (0.677, "67.70 %"),
        (0.0, "0.00 %"),
        (None, "-"),
    ],
)
def test_availability_shows_three_digits_of_what_is_missing(value: float | None, text: str) -> None:
    assert figures.availability(Estimate(value)) == text


def test_availability_of_replications_that_lost_nothing_has_no_interval_to_show() -> None:
    assert figures.availability(Estimate(1.0, 1.0, 1.0)) == "100 % (none lost)"


def test_an_interval_of_what_is_missing_is_shown_however_little_is() -> None:
    missing, half = 2.744e-9, 6e-13
    text = figures.availability(Estimate(1.0 - missing, 1.0 - missing - half, 1.0 - missing + half))
    assert text == "99.999999725600 % ± 0.000000000060"


def test_nines_and_minutes_follow_from_availability() -> None:
    assert figures.availability_nines(Estimate(0.999)) == "3.00"
    assert figures.availability_minutes(Estimate(0.999)) == "43.2"
    assert figures.availability_nines(Estimate(1.0)) == "-"
    assert figures.availability_nines(Estimate(0.0)) == "0.00"
    assert figures.availability_minutes(Estimate(1.0)) == "0"


def test_an_interval_of_availability_turns_over_into_one_of_minutes() -> None:
    text = figures.availability_minutes(Estimate(0.999, 0.998, 0.9995))
    assert text == "43.2 [21.6, 86.4]"
    assert figures.availability_nines(Estimate(0.999, 0.99, 1.0)) == "3.00 [2.00, no limit]"


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(0.0409966), "$0.04100"),
        (Estimate(0.0000412345), "$0.00004123"),
        (Estimate(1234.5), "$1,234"),
        (Estimate(0.0409966, 0.0409846, 0.0410086), "$0.040997 ± 0.000012"),
        (Estimate(0.04, 0.04, 0.04), "$0.04000"),
        (Estimate(0.04, 0.04 - 1e-14, 0.04 + 1e-14), "$0.04000"),
        (Estimate(0.04, 0.03, 0.06), "$0.04000 [0.03000, 0.06000]"),
    ],
)
def test_an_interval_decides_how_many_digits_its_figure_shows(figure: Estimate, text: str) -> None:
    assert figures.shown(figure, figures.dollars, digits=4) == text


def test_no_figure_is_written_with_an_exponent_where_zeros_can_be_counted() -> None:
    for exponent in range(-12, 16):
        assert "e" not in figures.shown(Estimate(1.2345 * 10.0**exponent), figures.plain)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(1e-82), "1.00e-80 %"),
        (Estimate(2.719e-17, 2.6e-17, 2.838e-17), "2.72e-15 % ± 1.2e-16"),
        (Estimate(2.719e-17, 0.0, 9e-17), "2.72e-15 % [0, 9.00e-15]"),
        (Estimate(3e-9, 3e-9 - 2e-16, 3e-9 + 2e-16), "0.000000300000000 % ± 2.0e-14"),
    ],
)
def test_what_is_hardly_anything_is_not_written_as_nothing(figure: Estimate, text: str) -> None:
    assert figures.shown(figure, figures.percent, scale=100.0) == text
