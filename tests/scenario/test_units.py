"""Quantities are read into base units, and anything else is refused in words."""

import math
from datetime import UTC, datetime

import pytest

from des.scenario.text import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("45min", 2700.0),
        ("1.4s", 1.4),
        ("500ms", 0.5),
        ("4h", 14400.0),
        ("90d", 7776000.0),
        ("1y", 31536000.0),
        ("1h 30min", 5400.0),
        ("1h30min", 5400.0),
        ("2 h", 7200.0),
        ("1e-3s", 0.001),
        (".5s", 0.5),
        (0, 0.0),
        ("0", 0.0),
    ],
)
def test_durations_are_seconds(text: object, seconds: float) -> None:
    assert units.read_duration(text) == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (30, "write 30s"),
        ("30", "write 30s"),
        ("5m", "minutes are written 'min'"),
        ("3 months", "write 90d"),
        ("3 fortnights", "the units are ms, s, min"),
        ("3us", "the units are ms, s, min"),
        ("3sec", "write 3s"),
        ("-3s", "negative"),
        (900, "write 900ms or 900s"),
        (30, "write 30s for seconds"),
        (-3, "negative"),
        (math.nan, "finite"),
        (math.inf, "finite"),
        (10**400, "too large"),
        (True, "got true"),
        ("soon", "got 'soon'"),
        ("", "got ''"),
        ("s", "got 's'"),
        ("3s 4", "got '3s 4'"),
        ([1], "got a list"),
        ("1e400s", "too large"),
        ("1e999y", "too large"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_remedy(text: object, words: str) -> None:
    with pytest.raises(ValueError, match=r"30s, 45min or 90d|too large") as error:
        units.read_duration(text)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("50/s", 50.0), ("2/min", 2 / 60), ("12/y", 12 / 31536000), ("20/4h", 20 / 14400), ("1.2 / y", 1.2 / 31536000)],
)
def test_rates_are_per_second(text: str, per_second: float) -> None:
    assert units.read_rate(text) == pytest.approx(per_second, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (2, "write 2/s"),
        ("2/m", "per minute is written '/min'"),
        ("2/month", "write 2/30d"),
        ("-2/min", "negative"),
        ("2/0s", "period is zero"),
        ("fast", "got 'fast'"),
        (math.nan, "finite"),
    ],
)
def test_what_is_no_rate_is_refused_with_the_remedy(text: object, words: str) -> None:
    with pytest.raises(ValueError, match=r"50/s, 2/min or 12/y") as error:
        units.read_rate(text)
    assert words in str(error.value)


def test_shares_are_per_cent_or_of_one() -> None:
    assert units.read_share("99.95%") == 0.9995
    assert units.read_share("0.2 %") == 0.002
    assert units.read_share(0.002) == 0.002
    assert units.read_share("1") == 1.0
    assert units.read_share(0) == 0.0


@pytest.mark.parametrize("value", [1.5, 3, "101%", -0.1, "-3%", math.nan, math.inf, "a third", None, True, "3%%"])
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="share"):
        units.read_share(value)


def test_a_share_above_one_suggests_per_cent() -> None:
    with pytest.raises(ValueError, match="write 3% for per cent"):
        units.read_share(3)
    with pytest.raises(ValueError, match=r"write 99\.9% for per cent"):
        units.read_share("99.9")
    with pytest.raises(ValueError, match=r"got '150%'$"):
        units.read_share("150%")


def test_money_may_carry_its_currency() -> None:
    assert units.read_usd("$0.04") == units.read_usd("0.04 USD") == units.read_usd(0.04) == 0.04
    for wrong in ("0.04 EUR", -1, math.nan):
        with pytest.raises(ValueError, match="USD"):
            units.read_usd(wrong)


@pytest.mark.parametrize("value", [1.5, "3", True, -1, None, "010", 2**63])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="whole number"):
        units.read_count(value)


def test_timestamps_need_a_zone_and_come_out_in_utc() -> None:
    assert units.read_timestamp("2025-01-01T00:00Z") == datetime(2025, 1, 1, tzinfo=UTC)
    assert units.read_timestamp("2025-01-01T02:00:00+02:00") == datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="no zone"):
        units.read_timestamp("2025-01-01T00:00")
    with pytest.raises(ValueError, match="timestamp with its zone"):
        units.read_timestamp("New Year")


def test_a_moment_is_a_duration_or_a_timestamp() -> None:
    assert units.read_moment("2d") == 172800.0
    assert units.read_moment("2025-01-01T00:00Z") == datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="timestamp such as"):
        units.read_moment("whenever")


@pytest.mark.parametrize("text", ["-$0.10", "$-0.10", "- $0.1", "-0.10 USD", "-0.1"])
def test_negative_money_is_called_negative(text: str) -> None:
    with pytest.raises(ValueError, match="which is negative"):
        units.read_usd(text)
