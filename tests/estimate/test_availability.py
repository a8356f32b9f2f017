"""The estimator that suits is chosen, named and explained."""

from typing import Any

import pytest

from des.errors import DesError
from des.estimate.availability import availability, choose
from des.estimate.estimate import EXACT, RARE, REQUEST_LEVEL, TIMELINE, Inapplicable, as_json
from des.report import figures
from estimate.exact_plans import outages, plan_of, provider

RARELY = {"incidents": [outages("2/y", "30min")]}
OFTEN = {"incidents": [outages("20/y", "30h")]}
RETRIES = {"chain": [{"provider": "a", "retries": 1}, {"provider": "b"}]}


@pytest.mark.parametrize(
    ("failing", "rest", "expected", "because"),
    [
        (OFTEN, {}, EXACT, "calls each leg once"),
        (OFTEN, RETRIES, TIMELINE, "retries"),
        (RARELY, RETRIES, RARE, "total outages to be expected in 1,000 years"),
        ({**OFTEN, "limits": {"requests": "1/h"}}, {}, REQUEST_LEVEL, "limit a: requests share its tokens"),
        (OFTEN, {"start_state": "up"}, TIMELINE, "start_state: up"),
    ],
)
def test_what_suits_is_chosen(failing: dict[str, Any], rest: dict[str, Any], expected: str, because: str) -> None:
    plan = plan_of(providers={"a": provider(**failing), "b": provider(**failing)}, **rest)
    choice = choose(plan, 1_000.0)
    assert choice.estimator == expected
    assert because in choice.reason


def test_where_requests_interact_what_is_down_is_known_nevertheless() -> None:
    answer = availability(plan_of(providers={"a": provider(**OFTEN, limits={"requests": "1/h"})}))
    assert answer.availability is None
    assert answer.all_down is not None
    assert answer.all_down.estimator == EXACT


def test_all_estimators_that_apply_agree() -> None:
    plan = plan_of(providers={"a": provider(**OFTEN), "b": provider(**OFTEN)})
    closed, drawn, tilted = (availability(plan, 200.0, estimator=name) for name in (EXACT, TIMELINE, RARE))
    assert closed.availability is not None
    for one in (drawn, tilted):
        figure = one.availability
        assert figure is not None
        half = figure.high - figure.mean
        assert abs(figure.mean - closed.availability.mean) <= 2.0 * half + 1e-12  # no retries: the control is all


def test_an_estimator_that_does_not_apply_is_refused_when_asked_for() -> None:
    plan = plan_of(providers={"a": provider(**OFTEN)}, start_state="up")
    with pytest.raises(Inapplicable, match="start_state: up"):
        availability(plan, 1.0, estimator=EXACT)
    with pytest.raises(DesError, match="unknown estimator 'guess': expected exact, timeline or rare events"):
        availability(plan, 1.0, estimator="guess")
    for years in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(DesError, match=r"expected 0\.01 to"):
            availability(plan, years)


@pytest.mark.parametrize(
    ("rest", "because"),
    [
        (RETRIES, "without retries:"),
        ({"policy": {"rounds": 2}}, "without rounds:"),
        ({**RETRIES, "policy": {"rounds": 2, "deadline": "1min"}}, "without retries, rounds, the deadline:"),
    ],
)
def test_the_closed_form_is_refused_where_a_request_does_more_than_call_each_leg_once(
    rest: dict[str, Any], because: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("des.estimate.timeline.SAMPLES", 500)
    plan = plan_of(providers={"a": provider(**OFTEN), "b": provider(**OFTEN)}, **rest)
    with pytest.raises(Inapplicable, match=because):
        availability(plan, 1.0, estimator=EXACT)
    down = availability(plan, 1.0).all_down
    assert down is not None
    assert down.estimator == EXACT


def test_answers_are_plain_data() -> None:
    import json

    plan = plan_of(providers={"a": provider(**OFTEN)})
    content = json.loads(json.dumps(as_json(availability(plan)), allow_nan=False))
    assert content["choice"]["estimator"] == EXACT
    assert content["choice"]["exact"]["endpoints"][0]["name"] == "a/model"


def test_what_forty_independent_providers_lose_is_known_though_availability_rounds_to_one() -> None:
    failing = {"availability": "99%", "episodes_per_year": 24}
    plan = plan_of(providers={f"p{number:02d}": provider(**failing) for number in range(40)})
    answer = availability(plan)
    assert answer.availability is not None
    assert answer.lost is not None
    assert answer.availability.mean == 1.0
    assert answer.lost.mean == pytest.approx(1e-80, rel=1e-9)
    assert figures.availability(answer.availability, answer.lost) == "100 % less 1.00e-78 %"
    assert figures.availability_nines(answer.availability, answer.lost) == "80.00"
