"""Bills in picodollars against worked numbers."""

from decimal import Decimal

import pytest

from des.rules.billing import flat_cost, picodollars, token_cost

PRICES = (picodollars(3e-6), picodollars(0.3e-6), picodollars(3.75e-6), picodollars(15e-6))


@pytest.mark.parametrize("usd", ["0", "0.000003", "0.00000375", "0.04", "15", "0.0000001", "1234.56789"])
def test_a_price_is_its_own_number_of_picodollars(usd: str) -> None:
    assert picodollars(float(usd)) == int(Decimal(usd) * 10**12)


@pytest.mark.parametrize(
    ("mode", "usd"),
    [
        ("none", Decimal(0)),
        ("input", Decimal("0.003")),
        ("partial", Decimal("0.003") + Decimal("0.0015")),
        ("full", Decimal("0.003") + Decimal("0.0075")),
    ],
)
def test_each_mode_bills_its_tokens(mode: str, usd: Decimal) -> None:
    """1000 input tokens; 100 of 500 output tokens have come."""
    assert token_cost(mode, 1000, 0, 0, 500, 100, PRICES) == usd * 10**12


def test_input_is_billed_plain_cached_and_written() -> None:
    usd = 600 * Decimal("0.000003") + 300 * Decimal("0.0000003") + 100 * Decimal("0.00000375")
    assert token_cost("input", 600, 300, 100, 0, 0, PRICES) == usd * 10**12


def test_calls_and_units_are_due_for_what_was_delivered() -> None:
    per_request, per_unit = picodollars(0.01), picodollars(0.002)
    assert flat_cost("full", per_request, per_unit, 3.0, 0.5) == picodollars(0.016)
    assert flat_cost("partial", per_request, per_unit, 3.0, 0.5) == picodollars(0.008)
    assert flat_cost("partial", per_request, per_unit, 3.0, 0.0) == 0
    assert flat_cost("input", per_request, per_unit, 3.0, 1.0) == 0
    assert flat_cost("none", per_request, per_unit, 3.0, 1.0) == 0


def test_bills_add_up_exactly_in_any_order() -> None:
    bills = [token_cost("full", n, 0, 0, 2 * n, 0, PRICES) for n in range(1, 2000)]
    calls = sum(range(2000))
    assert sum(bills) == sum(reversed(bills)) == token_cost("full", calls, 0, 0, 2 * calls, 0, PRICES)
