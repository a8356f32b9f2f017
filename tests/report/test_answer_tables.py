"""What an answer prints: one sentence, a table that fits 80 columns, what it rests on, what was not seen."""

import math
from dataclasses import replace
from typing import Any

import pytest

import des
from des.digits import money
from des.estimate.binding import Binding
from des.estimate.estimate import Estimate
from des.report.answer_tables import _money_ends, answer_text
from des.study.answer_sentence import availability_ends, chance_words, minutes, sentence, step_words, window_said
from des.study.answered import Answer
from des.study.not_seen import Missed, NotSeen
from des.study.uncertain import NO_LIMIT
from des.study.value import Cheapest, Step

MODEL = {"latency": {"kind": "lognormal", "median": "2s", "p99": "9s"}, "price": {"per_request": 0.01}}
SCENARIO: dict[str, Any] = {
    "title": "Two small peers",
    "question": "How many nines?",
    "horizon": "1y",
    "seed": 3,
    "workload": {"arrivals": {"kind": "poisson", "rate": "2/d"}},
    "providers": {
        name: {"availability": "99%", "episodes_per_year": 40, "models": {"m": MODEL}}
        for name in ("one", "two", "three")
    },
    "chain": [{"provider": "one"}, {"provider": "two"}, {"provider": "three"}],
    "arms": {"three_stages": {}, "two_stages": {"chain": ["one", "two"]}, "primary_only": {"chain": ["one"]}},
    "objective": {"availability": "99.9%"},
    "value": {"downtime": "$100/h"},
    "expect": {"three_stages.availability": ">= 99%"},
}


@pytest.fixture(scope="module")
def found() -> Answer:
    return des.answer(SCENARIO, rounds=3, workers=1)


def said(answer: Answer) -> str:
    return sentence(answer)


def test_it_fits_a_terminal_of_eighty_columns_with_three_arms_side_by_side(found: Answer) -> None:
    lines = answer_text(found).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("three_stages" in line and "primary_only" in line for line in lines)


def test_it_is_one_sentence_with_each_arm_the_chance_and_the_cheapest(found: Answer) -> None:
    text = said(found)
    assert text.endswith(".")
    assert text.count(". ") == 0
    for words in (
        "With three_stages, 99.999900 % of the requests are answered",
        "with primary_only, 99.0",
        " minutes down in 30 days",
        "per 1,000 requests",
        "a month of 30 days reaches 99.9 % with a chance of",
        "counting what failing costs, three_stages is the cheapest at $",
    ):
        assert words in text


def test_rows_have_what_is_asked_of_an_answer(found: Answer) -> None:
    text = answer_text(found)
    for label in (
        "availability",
        "nines",
        "minutes down in 30 days",
        "chance of 99.9 % a month",
        "cost per 1,000 requests",
        "per 1,000 answered",
        "of failing",
        "in all",
        "p99",
        "lost to, of a million requests",
    ):
        assert label in text


def test_it_says_what_it_rests_on_and_how_many_rounds(found: Answer) -> None:
    text = " ".join(answer_text(found).split())
    assert "availability: exact; all else: request level, 5 simulated runs of 1 year" in text
    assert "requests simulated in 3 rounds, seed 3" in text


def test_it_says_what_was_not_seen(found: Answer) -> None:
    missed = Missed(
        component="cdn", words="0 of 0.002 expected outages of cdn met", open_share=4e-4, of_unavailability=0.9
    )
    only = replace(found.arms["primary_only"], not_seen=NotSeen(incidents=(missed,), uncalled=("two/m",), between=True))
    only = replace(only, not_seen=replace(only.not_seen, few_losses="the availability rests on few losses: 3"))
    unlucky = replace(found, arms={"primary_only": only}, same={})
    text = " ".join(answer_text(unlucky).split())
    assert (
        "0 of 0.002 expected outages of cdn met: open 0.040 % of the time, at most 90 % of the unavailability" in text
    )
    assert "- the availability rests on few losses: 3 " in text
    assert "no simulated request called two/m" in text
    assert "between outages, and leaves out those that no request met" in said(unlucky)


def test_without_a_figure_it_says_why(found: Answer) -> None:
    of = replace(found.arms["primary_only"], figures={}, lost=None, money=None, refused="the cache remembers 7 days")
    refused = replace(found, arms={"primary_only": of}, same={}, steps=())
    assert said(refused) == "No answer for primary_only: the cache remembers 7 days."


def test_markup_and_escapes_in_names_are_plain_text() -> None:
    changed = SCENARIO | {"title": "[red]\x1b[31mTitle", "question": "[b]Why?[/b]", "arms": {}, "expect": {}}
    text = answer_text(des.answer(changed, rounds=1, workers=1))
    assert "[red]" in text
    assert "[b]Why?[/b]" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("lost", "words"),
    [(0.5, "21,600"), (0.01, "432"), (5e-4, "21.6"), (2.4e-5, "1.04"), (1e-6, "0.0432")],
)
def test_time_down_is_said_in_minutes_of_thirty_days(lost: float, words: str) -> None:
    assert minutes(lost) == words


def test_money_chances_and_ends_have_the_digits_that_matter() -> None:
    assert [money(usd) for usd in (574_932.0, 42_180.0, 99.4, 0.000631)] == [
        "$575,000",
        "$42,200",
        "$99.40",
        "$0.000631",
    ]
    assert [chance_words(Estimate(x)) for x in (0.8559, 0.9993, 0.004, 0.0)] == ["85.6 %", "99.93 %", "0.4 %", "0 %"]
    assert availability_ends(Estimate(4e-4, 3.8e-4, 5.7e-4)) == ("99.9430", "99.9620")


def test_an_availability_below_one_never_looks_like_it_and_no_end_has_useless_digits() -> None:
    assert availability_ends(Estimate(1e-4, 1.5e-5, 9.2e-3)) == ("99.080", "99.999")
    assert availability_ends(Estimate(1e-4, 0.0, 9.2e-3)) == ("99.080", "100")
    assert availability_ends(Estimate(5.6515e-6, 5.6477e-6, 5.6554e-6)) == ("99.99943446", "99.99943523")


def test_a_figure_of_a_column_that_adds_up_lies_within_its_rounded_interval() -> None:
    wide = Estimate(1_813.0, 1_656.0, 25_313.0)
    assert _money_ends(-1, (1_810.0, wide)) == "1,660–25,310"
    assert _money_ends(-1, (2_000.0, wide)) == "2,000–25,000"
    assert _money_ends(-1, None) == "-"


KNOWN = Step(
    arm="two",
    next="three",
    spends=Estimate(100.0),
    saves=Estimate(300.0),
    worth=Estimate(200.0),
    from_lost_request=Estimate(0.5),
    from_downtime_per_h=Estimate(40.0),
    per_lost_request=True,
)


def test_a_step_says_when_the_next_arm_pays() -> None:
    assert step_words(KNOWN) == "three saves $200 a year compared with two, and pays from $0.500 a lost request"
    by_time = replace(KNOWN, per_lost_request=False)
    assert step_words(by_time) == "three saves $200 a year compared with two, and pays from $40.00 an hour of downtime"
    dear = replace(KNOWN, worth=Estimate(-50.0))
    assert "three does not pay compared with two: it costs $50.00 a year more, and would pay from" in step_words(dear)
    free = replace(KNOWN, from_lost_request=Estimate(0.0), from_downtime_per_h=Estimate(0.0))
    assert step_words(free).endswith("it pays if keeping it costs less than that")
    as_bad = replace(KNOWN, saves=Estimate(0.0), worth=Estimate(-100.0), from_lost_request=None)
    assert step_words(as_bad) == "three loses no less than two"


def test_a_step_has_its_intervals_with_the_digits_that_they_decide() -> None:
    measured = replace(KNOWN, worth=Estimate(201.4, 180.2, 222.6, 5), from_lost_request=Estimate(0.5, 0.452, 0.561, 5))
    assert step_words(measured) == (
        "three saves $201 a year (between $180 and $223) compared with two, "
        "and pays from $0.500 a lost request (between $0.452 and $0.561)"
    )
    dear = replace(measured, worth=Estimate(-5_000.0, -5_420.0, -4_580.0, 5))
    assert "it costs $5,000 a year (between $4,580 and $5,420) more, and would pay from" in step_words(dear)


def test_a_difference_that_cannot_be_told_from_none_is_said_to_be_unresolved() -> None:
    unsure = replace(KNOWN, worth=Estimate(200.0, -100.0, 500.0, 5))
    assert step_words(unsure) == (
        "whether three pays compared with two is not resolved: it saves $200 a year (between -$100 and $500)"
    )
    unseen = replace(KNOWN, worth=Estimate(200.0, n=5, interval="none: 0 of 0.002 expected outages of cdn met"))
    assert step_words(unseen) == (
        "whether three pays compared with two is not resolved: 0 of 0.002 expected outages of cdn met"
    )
    no_limit = replace(
        KNOWN, worth=Estimate(200.0, 10.0, 390.0, 5), from_lost_request=Estimate(0.5, 0.2, None, 5, interval=NO_LIMIT)
    )
    assert step_words(no_limit).endswith("$0.500 a lost request (at least $0.200; there may be no such price)")


def test_the_cheapest_arm_is_named_only_where_it_is_told_from_the_others(found: Answer) -> None:
    rivals = replace(found, cheapest=Cheapest(arm="three_stages", rivals=("two_stages",)))
    assert "it is not resolved which is the cheapest: three_stages ($" in said(rivals)
    assert "is the cheapest at $" in said(found)


def test_where_none_was_lost_the_table_shows_the_bound_and_the_sentence_says_it() -> None:
    short = SCENARIO | {
        "horizon": "6h",
        "start_state": "up",
        "workload": {"arrivals": {"kind": "closed", "users": 3, "think": "1min"}},
        "providers": {name: {"models": {"m": MODEL}} for name in ("one", "two", "three")},
        "objective": None,
        "value": None,
        "expect": {},
        "arms": {},
    }
    answer = des.answer({key: value for key, value in short.items() if value is not None}, rounds=1, workers=1)
    of = answer.arms["as_modelled"]
    assert of.lost is not None
    assert (of.lost.mean, of.lost.low) == (0.0, 0.0)
    assert of.lost.high == pytest.approx(3.689 / of.basis.simulated, rel=1e-3)
    assert of.lost.interval == "Poisson, none lost"
    bound = f"more than {math.floor(10_000.0 * (1.0 - of.lost.high)) / 100.0:.2f} %"
    assert said(answer).startswith(f"{bound.capitalize()} of the requests are answered")
    rows = {line.split("  ")[0].strip(): line for line in answer_text(answer).splitlines()}
    assert rows["availability"].endswith(bound)
    assert "none lost" not in answer_text(answer)


def test_unknown_causes_of_loss_are_said_to_be_unknown(found: Answer) -> None:
    one, two = found.arms["primary_only"], found.arms["three_stages"]
    assert one.why_no_causes == ""
    unknown = replace(two, why_no_causes="none of the 3,650 simulated requests was lost")
    of_both = replace(found, arms={"primary_only": one, "three_stages": unknown}, same={})
    lines = answer_text(of_both).splitlines()
    assert next(line for line in lines if line.startswith("lost to")).endswith("not known")
    text = " ".join(answer_text(of_both).split())
    assert "three_stages: what requests are lost to is not known: none of the 3,650 simulated requests was lost" in text
    alone = replace(found, arms={"three_stages": unknown}, same={})
    rows = [line.split() for line in answer_text(alone).splitlines()]
    assert ["lost", "to,", "of", "a", "million", "requests", "not", "known"] in rows


def test_limits_that_never_bind_are_told_with_their_load_by_the_minute(found: Answer) -> None:
    limits = (
        Binding(name="limit one", chance=2e-13, why="at most 13.9 calls/s against 66.67 requests/s, burst 66.67"),
        Binding(name="limit two", chance=1e-20, why="at most 13.9 calls/s against 66.67 requests/s, burst 66.67"),
        Binding(name="capacity one", chance=0.0, why="at most 3.2 calls at once on average against 90"),
    )
    one = found.arms["primary_only"]
    only = replace(one, basis=replace(one.basis, limits_left_out=limits))
    text = " ".join(answer_text(replace(found, arms={"primary_only": only}, same={})).split())
    assert "limit one, limit two never bind: at most 834 calls a minute against 4,000 requests a minute" in text
    assert "capacity one never binds: at most 3.2 calls at once on average against 90, whatever is down" in text
    assert "1e-" not in text


@pytest.mark.parametrize(
    ("per", "window", "words"),
    [
        ("month", "calendar month", "a calendar month"),
        ("month", "30 days", "a month of 30 days"),
        (604_800.0, "7 days", "a span of 7 days"),
    ],
)
def test_the_window_of_the_objective_is_named_as_it_was_asked_for(per: Any, window: str, words: str) -> None:
    assert window_said(per, window) == words
