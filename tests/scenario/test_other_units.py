"""Quantities in the words of people and of other programs are answered with ours, and never read in silence."""

from collections.abc import Callable

import pytest

from des.scenario.schema.objective import read_usd_per_s
from des.scenario.text import units
from des.scenario.text.other_units import in_our_units

Read = Callable[[object], object]

MEANT = [
    (units.read_rate, "4,000/min", "4000/min"),
    (units.read_rate, "4 000/min", "4000/min"),
    (units.read_rate, "4000 rpm", "4000/min"),
    (units.read_rate, "10qps", "10/s"),
    (units.read_rate, "2M/min", "2000000/min"),
    (units.read_rate, "2.5M tokens per minute", "2500000/min"),
    (units.read_rate, "300k tpm", "300000/min"),
    (units.read_rate, "120/hour", "120/h"),
    (units.read_rate, "2 per minute", "2/min"),
    (units.read_rate, "50 requests a day", "50/d"),
    (units.read_rate, "12 / year", "12/y"),
    (units.read_rate, "2/month", "2/30d"),
    (units.read_duration, "30 seconds", "30s"),
    (units.read_duration, "30sec", "30s"),
    (units.read_duration, "5 mins", "5min"),
    (units.read_duration, "1 hour 30 minutes", "1h 30min"),
    (units.read_duration, "200 milliseconds", "200ms"),
    (units.read_duration, "one year", "1y"),
    (units.read_duration, "3 months", "90d"),
    (units.read_duration, "1,5h", "1.5h"),
    (units.read_share, "99,95%", "99.95%"),
    (units.read_share, "99.5 percent", "99.5%"),
    (units.read_share, "0.2 per cent", "0.2%"),
    (units.read_share, ">= 99.95%", "99.95%"),
    (units.read_usd, "$1,000", "$1000"),
    (units.read_usd, "10 cents", "$0.10"),
    (units.read_usd, "5 dollars", "5 USD"),
    (units.read_usd, "$3/MTok", "$3"),
    (units.read_usd, "$3 per million tokens", "$3"),
    (read_usd_per_s, "$1,000/h", "$1000/h"),
    (read_usd_per_s, "$1000/hour", "$1000/h"),
    (read_usd_per_s, "1000 dollars an hour", "1000 USD/h"),
    (units.read_amount, "1,020", "1020"),
    (units.read_amount, "1k", "1000"),
    (units.read_amount, "1000 tokens", "1000"),
    (units.read_count, "1,000,000", "1000000"),
    (units.read_count, "three", "3"),
    (units.read_count, "=3", "3"),
    (units.read_count, "2", "2"),
]


@pytest.mark.parametrize(("read", "text", "ours"), MEANT)
def test_a_quantity_in_other_words_is_refused_with_ours(read: Read, text: str, ours: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        read(text)
    assert str(refused.value).endswith(f"got '{text}': write {ours}")


@pytest.mark.parametrize(("read", "text", "ours"), MEANT)
def test_what_is_told_instead_can_be_read(read: Read, text: str, ours: str) -> None:
    read(int(ours) if read is units.read_count else ours)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (units.read_rate, "4000"),
        (units.read_rate, "fast"),
        (units.read_rate, "30 seconds"),
        (units.read_duration, "thirty"),
        (units.read_duration, "0:30"),
        (units.read_duration, "4000 rpm"),
        (units.read_share, "three nines"),
        (units.read_usd, "0.10 EUR"),
        (units.read_usd, "$1,000/h"),
        (units.read_amount, "500-1500"),
        (units.read_count, "010"),
        (units.read_count, "1.5"),
        (units.read_count, "10/s"),
    ],
)
def test_what_means_no_quantity_of_the_kind_gets_no_guess(read: Read, text: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        read(text)
    assert not str(refused.value).endswith(f": write {in_our_units(text)}")


@pytest.mark.parametrize(("text", "words"), [("30m", "minutes are written 'min', a month 30d"), ("5M", "a month 30d")])
def test_a_unit_of_two_meanings_is_told_both(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        units.read_duration(text)


@pytest.mark.parametrize(
    "text", ["30s", "45min", "1h 30min", "12/y", "20/4h", "99.95%", "$0.04", "0.04 USD", "1e6/min"]
)
def test_what_is_written_as_we_do_stays_as_it_is(text: str) -> None:
    assert in_our_units(text).casefold() == text.casefold()
