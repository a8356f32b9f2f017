"""The sentence above the table of a run says how many requests each arm answers, and at what cost."""

from typing import Any

import pytest

from des.report.run_sentence import run_sentence


def summary(**arms: tuple[float, float]) -> dict[str, Any]:
    """Of arms with an availability and a cost per request."""
    return {
        "arms": {
            arm: {
                "availability": {"mean": availability, "low": None, "high": None, "n": 1, "estimator": "request level"},
                "cost_usd_per_request": {"mean": cost, "low": None, "high": None, "n": 1, "estimator": ""},
            }
            for arm, (availability, cost) in arms.items()
        }
    }


ONE = summary(as_modelled=(0.99955, 0.00412))
TWO = summary(as_modelled=(0.99955, 0.00412), alone=(0.5, 0.002))
MANY = summary(a=(0.99, 0.001), b=(0.999, 0.002), c=(0.9, 0.003), d=(1.0, 0.004))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ONE, "99.9550 % (3.35 nines) of the requests are answered, at $4.12 per 1,000 requests."),
        (
            TWO,
            "With as_modelled, 99.9550 % (3.35 nines) of the requests are answered, at $4.12 per 1,000 requests; "
            "with alone, 50.00 %, at $2.00.",
        ),
        (
            MANY,
            "Of 4 arms, d answers most, all of the requests, at $4.00 per 1,000 requests, "
            "and c least, 90.00 % (1.00 nines), at $3.00.",
        ),
        (TWO | {"unseen": {"alone": {}}}, None),
        (
            ONE | {"unseen": {"as_modelled": {"classes": [1]}}},
            "99.9550 % (3.35 nines) of the requests are answered between outages, at $4.12 per 1,000 requests.",
        ),
        (
            TWO | {"comparison": {"same": {"alone": "as_modelled"}}},
            "99.9550 % (3.35 nines) of the requests are answered, at $4.12 per 1,000 requests.",
        ),
        ({"arms": {"as_modelled": {}}}, ""),
    ],
)
def test_it_says_what_each_arm_answers(found: dict[str, Any], said: str | None) -> None:
    text = run_sentence(found, list(found["arms"]))
    assert text == (run_sentence(TWO, list(TWO["arms"])) if said is None else said)
