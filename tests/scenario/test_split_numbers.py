"""A number that YAML splits at its comma is told as one mistake, with the number to write."""

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]

LIMITS = "{requests: 4000/min, burst: 50}"


@pytest.mark.parametrize(
    ("limits", "key", "column", "said", "written"),
    [
        ("{requests: 4,000/min, burst: 50}", "requests", 24, "4,000/min", "4000/min"),
        ("{requests: 1,000,000/min}", "requests", 24, "1,000,000/min", "1000000/min"),
        ("{burst: 50, tokens: 2,000,001 tpm}", "tokens", 33, "2,000,001 tpm", "2000001/min"),
        ("{requests: 60/min, burst: 1,000}", "burst", 39, "1,000", "1000"),
    ],
)
def test_thousands_are_written_without_their_comma(
    two_providers: str, problems: Problems, limits: str, key: str, column: int, said: str, written: str
) -> None:
    told = f"the comma of {said} ends the value here: write {written}"
    assert problems(two_providers.replace(LIMITS, limits)) == [
        f"s.yaml:19:{column}: providers.anthropic.limits.{key}: {told}"
    ]


@pytest.mark.parametrize(("amount", "written"), [("0,10", "0.10"), ("$1,000", "$1000"), ("1,5", "1.5")])
def test_a_comma_for_a_point_is_one_problem_too(
    two_providers: str, problems: Problems, amount: str, written: str
) -> None:
    assert problems(f"value: {{lost_request: {amount}}}\n{two_providers}") == [
        f"s.yaml:1:23: value.lost_request: the comma of {amount} ends the value here: write {written}"
    ]


def test_the_same_digits_twice_are_told_to_be_of_a_number(two_providers: str, problems: Problems) -> None:
    assert problems(two_providers.replace(LIMITS, "{tokens: 1,000,000}")) == [
        "s.yaml:19:28: duplicate key '000' (first at 19:24); a comma ends a value here: write numbers without it"
    ]


@pytest.mark.parametrize("limits", ["{requests: 60/min, 60: 3}", "{requests: 60/min, fast:}", "{burst: x, 000:}"])
def test_other_unknown_keys_are_told_as_such(two_providers: str, problems: Problems, limits: str) -> None:
    told = problems(two_providers.replace(LIMITS, limits))
    assert any("unknown key" in each for each in told)
    assert not any("comma" in each for each in told)
