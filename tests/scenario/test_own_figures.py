"""The figures that its author gives stand in a new scenario in place of its placeholders."""

import math
from typing import Any

import pytest

from des.catalogue.failures import failure_figures
from des.errors import DesError
from des.scenario import from_mapping, plans
from des.scenario.checks.consistency import MOST_REQUESTS
from des.scenario.plan import Plan
from des.scenario.shared_outages import shared_outages
from des.scenario.starter import QUESTIONS, starter
from des.scenario.text.strict_yaml import read_yaml
from des.scenario.text.units import YEAR_S, read_duration, read_rate

OF_ALL: dict[str, Any] = {"rate": "3/s", "limit": ["4000/min"], "lost_request": "$0.25"}
OF_FAILING: dict[str, Any] = {**OF_ALL, "shared": "10%", "objective": "99.95%"}


def read(**given: Any) -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(starter(**given))[0]
    return content


def planned(**given: Any) -> dict[str, Plan]:
    return dict(plans(from_mapping(read(**given))))


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("client", [None, "openai-python"])
@pytest.mark.parametrize("models", [("claude-sonnet-4-6", "gpt-5-mini"), ("gpt-5", "gemini-2.5-pro", "gpt-5-mini")])
def test_it_is_valid_with_all_figures(models: tuple[str, ...], client: str | None, question: str) -> None:
    given = OF_FAILING if question in ("nines", "cost") else OF_ALL
    text = starter(models, client, question, **given)
    assert max(map(len, text.splitlines())) <= 120
    plan = next(iter(plans(from_mapping(read_yaml(text)[0])).values()))
    assert plan.workload.arrivals.expected_requests(60.0) == pytest.approx(180.0)


def test_every_figure_stands_in_its_place_and_is_not_assumed() -> None:
    content = read(**OF_FAILING)
    assert content["workload"]["arrivals"]["rate"] == "3/s"
    assert [each["limits"] for each in content["providers"].values()] == [{"requests": "4000/min"}] * 2
    assert content["objective"] == {"availability": "99.95%", "per": "month"}
    assert content["value"] == {"lost_request": "$0.25"}
    lines = starter(**OF_FAILING).splitlines()
    given = [
        line for line in lines if any(word in line for word in ("rate: 3/s", "4000/min", "99.95%", "$0.25", "10%"))
    ]
    assert len(given) == 6
    assert not any("assumed" in line for line in given)
    assert not any("Your rate limit" in line for line in lines)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_not_given_stays_as_it_was(question: str) -> None:
    plain, with_value = (
        starter(question=question).splitlines(),
        starter(question=question, lost_request="$9").splitlines(),
    )
    assert [line for line in plain if line not in with_value] == [
        line for line in plain if "lost_request" in line or "With a price" in line
    ]
    assert [line for line in with_value if line and line not in plain] == [
        "value: {lost_request: $9}  # what a request without an answer costs"
    ]


def test_a_limit_of_one_provider_leaves_the_others_and_their_placeholder() -> None:
    one = read(question="limits", limit=["openai=500/min"])["providers"]
    assert [one[name]["limits"]["requests"] for name in ("anthropic", "openai")] == ["180/min", "500/min"]
    both = read(limit=["openai=500/min", "1000/min"])["providers"]
    assert [both[name]["limits"]["requests"] for name in ("anthropic", "openai")] == ["1000/min", "500/min"]
    text = starter(limit=["openai=500/min"])
    assert "# Your rate limit goes beside models:" in text
    assert "limits" not in read(limit=["openai=500/min"])["providers"]["anthropic"]


@pytest.mark.parametrize(
    ("rate", "twice"), [("300/min", "600/min"), ("20/4h", "40/4h"), ("2.5/s", "5/s"), ("1e3/d", "2000/d")]
)
def test_twice_the_load_is_twice_the_rate(rate: str, twice: str) -> None:
    assert read(question="limits", rate=rate)["arms"]["twice_the_load"] == {"workload.arrivals.rate": twice}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("rate", ["1/100y", "5/d", "3/s", "40/s", "1000/s", "138000/s"])
def test_no_rate_fills_the_horizon_with_more_requests_than_can_be_simulated(question: str, rate: str) -> None:
    content = read(question=question, rate=rate)
    usual = read(question=question)["horizon"]
    horizon_s = read_duration(content["horizon"])
    assert horizon_s <= read_duration(usual)
    assert read_rate(rate) * horizon_s <= MOST_REQUESTS
    plans(from_mapping(content))


def test_a_rate_that_leaves_room_keeps_the_horizon() -> None:
    assert read(rate="10/h")["horizon"] == "10y"
    assert read(rate="3/s")["horizon"] == "1y"


def test_shared_outages_leave_every_provider_as_available_as_before() -> None:
    """The availability that is written counts the shared outages too."""
    found = planned(shared="10%")
    shared, twin = found["as_modelled"], found["nothing_shared"]
    assert (shared.shared, twin.shared) == (1.0, 0.0)
    assert list(found) == ["as_modelled", "without_fallback", "nothing_shared"]
    cause = next(each for each in shared.components if each.name == "shared_cause")
    rate_per_s = sum(each.rate_per_s for each in cause.incidents)  # type: ignore[union-attr]
    fewest = min(failure_figures(name).episodes_per_year for name in ("anthropic", "openai"))
    assert rate_per_s * YEAR_S == pytest.approx(0.1 * fewest)
    for name in ("anthropic", "openai"):
        own = next(each for each in shared.components if each.name == name)
        down_share = sum(each.rate_per_s * each.duration.mean for each in (*cause.incidents, *own.incidents))  # type: ignore[union-attr]
        assert math.exp(-down_share) == pytest.approx(failure_figures(name).availability, abs=1e-6)


def test_shared_outages_are_as_many_as_said_of_the_fewest_and_as_long_as_the_shortest() -> None:
    found = shared_outages([(0.999, 10.0), (0.99, 20.0)], 0.25)
    assert found["rate"] == "2.5/y"
    mean_s = read_duration(found["duration"]["median"]) * math.exp(found["duration"]["sigma"] ** 2 / 2.0)
    assert mean_s == pytest.approx(-math.log(0.999) * 0.999 * YEAR_S / 10.0, rel=1e-5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rate": "4,000/min"}, "--rate expected a rate such as 50/s, 2/min or 12/y; got '4,000/min': write 4000/min"),
        ({"rate": "0/s"}, "--rate expected a rate above zero, such as 5/s or 100/d; got '0/s'"),
        ({"rate": "1e6/s"}, "--rate expected a rate of at most 138,889/s; got '1e6/s'"),
        (
            {"limit": ["100"]},
            "--limit expected a rate such as 50/s, 2/min or 12/y; got '100', which has no unit: write "
            "100/s, 100/min or 100/y",
        ),
        ({"limit": ["0/s"]}, "--limit expected a rate above zero, such as 4000/min; got '0/s'"),
        ({"limit": ["opnai=1/s"]}, "--limit unknown provider 'opnai'; did you mean 'openai'?"),
        ({"shared": "10"}, "--shared expected a share between 0 and 1 (0% to 100%); got '10': write 10% for per cent"),
        ({"shared": "0%"}, "--shared expected a share above zero, such as 10%; got '0%'"),
        ({"shared": "10%", "models": ["gpt-5"]}, "--shared needs two providers: name models of several in --models"),
        (
            {"shared": "10%", "question": "limits"},
            "--shared belongs to --question nines or cost: limits has one outage, at a fixed time",
        ),
        (
            {"objective": "99%", "question": "outage"},
            "--objective belongs to --question nines or cost: outage has one outage, at a fixed time",
        ),
        (
            {"objective": "99.95"},
            "--objective expected a share between 0 and 1 (0% to 100%); got '99.95': write 99.95% for per cent",
        ),
        ({"objective": "0%"}, "--objective expected an availability above zero, such as 99.95%; got '0%'"),
        (
            {"lost_request": "10c"},
            "--lost-request expected an amount in USD such as 0.04 or $0.04; got '10c': write $0.10",
        ),
        ({"lost_request": "0"}, "--lost-request expected an amount above zero, such as $0.10; got '0'"),
    ],
)
def test_a_wrong_figure_is_told_with_the_right_form(given: dict[str, Any], told: str) -> None:
    with pytest.raises(DesError) as refused:
        starter(**given)
    assert str(refused.value) == told


def test_every_wrong_figure_is_told_at_once() -> None:
    with pytest.raises(DesError) as refused:
        starter(["gpt5"], rate="x", limit=["x"], shared="x", objective="x", lost_request="x")
    told = [line.split()[0] for line in str(refused.value).splitlines()]
    assert sorted({*told}) == ["--limit", "--lost-request", "--models", "--objective", "--rate", "--shared"]
