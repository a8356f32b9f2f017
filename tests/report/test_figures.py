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
    assert text == "43 [22, 86]"
    assert figures.availability_nines(Estimate(0.999, 0.99, 1.0)) == "3.00 [2.00, no limit]"


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(0.0409966), "$0.0410"),
        (Estimate(0.0000412345), "$0.0000412"),
        (Estimate(123.45), "$123"),
        (Estimate(1234.5), "$1,230"),
        (Estimate(43_110.0, 42_610.0, 43_610.0), "$43,100 ± 500"),
        (Estimate(117.0, -61.0, 322.0), "$120 [-60, 320]"),
        (Estimate(5.99834, 5.99801, 5.99867), "$6.00"),
        (Estimate(6.0354, 6.0001, 6.0705), "$6.04 ± 0.04"),
        (Estimate(9.98451, 9.97999, 9.98903), "$9.98"),
        (Estimate(-0.0001, -0.0022, 0.0020), "-$0.0001 ± 0.0021"),
        (Estimate(10.0004), "$10.00"),
        (Estimate(9.944, 9.77, 10.16), "$9.94 [9.77, 10.16]"),
        (Estimate(76.09, 74.8, 77.7), "$76.09 [74.80, 77.70]"),
        (Estimate(0.0409966, 0.0409846, 0.0410086), "$0.0410"),
        (Estimate(0.04, 0.04, 0.04), "$0.0400"),
        (Estimate(0.04, 0.04 - 1e-14, 0.04 + 1e-14), "$0.0400"),
        (Estimate(0.04, 0.03, 0.06), "$0.040 [0.030, 0.060]"),
    ],
)
def test_an_interval_decides_how_many_digits_its_figure_shows(figure: Estimate, text: str) -> None:
    assert figures.shown(figure, figures.dollars) == text


def test_no_figure_is_written_with_an_exponent_where_zeros_can_be_counted() -> None:
    for exponent in range(-12, 16):
        assert "e" not in figures.shown(Estimate(1.2345 * 10.0**exponent), figures.plain)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(1e-82), "1.00e-80 %"),
        (Estimate(2.719e-17, 2.6e-17, 2.838e-17), "2.72e-15 % ± 1.2e-16"),
        (Estimate(2.719e-17, 0.0, 9e-17), "2.7e-15 % [0, 9.0e-15]"),
        (Estimate(3e-9, 3e-9 - 2e-16, 3e-9 + 2e-16), "0.000000300000000 % ± 2.0e-14"),
    ],
)
def test_what_is_hardly_anything_is_not_written_as_nothing(figure: Estimate, text: str) -> None:
    assert figures.shown(figure, figures.percent, scale=100.0) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(0.00564, 0.0019, 0.03779), "0.56 % [0.19, 3.78]"),
        (Estimate(0.00493, 0.0039, 0.00596), "0.49 % ± 0.10"),
        (Estimate(0.5, 0.49999, 0.7), "50.0 % [50.0, 70.0]"),
        (Estimate(0.0, 0.0, 0.0004), "0.000 % [0.000, 0.040]"),
    ],
)
def test_the_shorter_side_of_an_interval_decides_the_digits_within_one_of_its_half(figure: Estimate, text: str) -> None:
    assert figures.shown(figure, figures.percent, scale=100.0) == text


def test_an_availability_has_the_same_digits_beside_its_interval_as_with_it() -> None:
    lost = Estimate(1e-3, 0.8e-3, 1.2e-3)
    available = lost.complement()
    assert figures.availability(available, lost) == "99.900 % ± 0.020"
    assert figures.availability_alone(available, lost) == "99.900 %"
    assert figures.availability_alone(Estimate(0.999), Estimate(1e-3)) == "99.900 %"


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(0.592), "59.2 %"),
        (Estimate(0.99958), "99.96 %"),
        (Estimate(0.0004), "0.04 %"),
        (Estimate(0.75, 0.13, 1.0), "75 %"),
        (Estimate(0.8559, 0.8536, 0.8582), "85.59 %"),
        (Estimate(1.0), "100 %"),
        (Estimate(0.0), "0 %"),
        (Estimate(6e-221), "6e-219 %"),
    ],
)
def test_a_chance_is_told_from_nothing_and_from_certainty(figure: Estimate, text: str) -> None:
    assert figures.chance(figure.known, figure.low, figure.high) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(0.8559, 0.8536, 0.8582), "85.59 %"),
        (Estimate(0.0), "0 %"),
        (Estimate(1.0), "100 %"),
        (Estimate(2e-8), "0.000002 %"),
        (Estimate(9.9e-9), "< 0.000001 %"),
        (Estimate(6e-221, 0.0, 9.7e-236), "< 0.000001 %"),
        (Estimate(0.0, 0.0, 1.1e-158), "< 0.000001 %"),
        (Estimate(1.0 - 1e-10), "> 99.999999 %"),
    ],
)
def test_a_chance_of_an_objective_is_not_told_from_nothing_below_a_floor(figure: Estimate, text: str) -> None:
    assert figures.chance_met(figure.known, figure.low, figure.high) == text


def test_a_chance_that_is_hardly_anything_has_no_interval() -> None:
    assert figures.shown_chance(Estimate(0.0, 0.0, 1.1e-158)) == "< 0.000001 %"
    assert figures.shown_chance(Estimate(1e-9, 0.0, 0.1)) == "0 % [0, 10]"
    assert figures.shown_chance(Estimate(0.0)) == "0 %"
    assert figures.shown(Estimate(1e-9), figures.percent, scale=100.0) == "0.000000100 %"  # a share of losses


def test_calls_of_a_request_have_four_digits_however_narrow_the_interval() -> None:
    assert figures.shown(Estimate(1.01951, 1.01865, 1.02037), figures.plain, digits=4, most=4) == "1.020 ± 0.001"
    assert figures.shown(Estimate(14.1, 13.5, 14.7), figures.plain, digits=4, most=4) == "14.10 ± 0.60"
    assert figures.shown(Estimate(1.02), figures.plain, digits=4, most=4) == "1.020"
