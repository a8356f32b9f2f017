import numpy as np
import pytest

from des.distributions import Constant, Empirical, Exponential, Gamma, Lognormal
from des.engine.arrivals import open_arrivals
from des.engine.marks import KEPT_BLOCKS, RequestMarks, requirement_edges
from des.scenario.plan import BatchArrivals, BurstyArrivals, ClosedArrivals, PoissonArrivals, Requirement

POISSON = PoissonArrivals(rate_per_s=10.0)
EU = Requirement(share=0.3, tags={"region": "eu"})
US = Requirement(share=0.2, tags={"region": "us"})
DISTRIBUTIONS = {
    "input_tokens": Lognormal(7.0, 0.8),
    "output_tokens": Gamma(2.0, 80.0),
    "units": Exponential(3.0),
    "requirements": (EU, US),
}


def marks_of(blocks):
    return [
        mark
        for block in blocks
        for mark in zip(block.input_tokens, block.output_tokens, block.units, block.requirement, strict=True)
    ]


def test_marks_belong_to_the_request_and_not_to_its_arrival(plan_of):
    others = (
        PoissonArrivals(rate_per_s=60.0),
        BurstyArrivals(rate_per_s=10.0, cv=2.0, clients=3),
        BatchArrivals(every_s=1.0, size=12),
    )
    found = marks_of(open_arrivals(plan_of(POISSON, **DISTRIBUTIONS), 0))
    assert len(found) > 9000
    for arrivals in others:
        other = marks_of(open_arrivals(plan_of(arrivals, **DISTRIBUTIONS), 0))
        shared = min(len(found), len(other))
        assert other[:shared] == found[:shared]


def test_marks_by_luck_are_those_of_the_blocks_in_any_order(plan_of):
    plan = plan_of(POISSON, **DISTRIBUTIONS)
    blocks = marks_of(open_arrivals(plan, 2))
    marks = RequestMarks(plan, 2)
    for index in (9000, 0, 4096, 4095, 17, 8191):
        assert marks(index) == blocks[index]
        assert [type(value) for value in marks(index)] == [int, int, float, int]


def test_marks_that_were_forgotten_are_drawn_again(plan_of):
    marks = RequestMarks(plan_of(ClosedArrivals(users=3, think=Constant(1.0)), **DISTRIBUTIONS), 0)
    first = marks(5)
    for block in range(1, KEPT_BLOCKS + 2):
        marks(block * 4096)
    assert marks(5) == first


def test_another_distribution_of_one_mark_moves_no_other(plan_of):
    found = marks_of(open_arrivals(plan_of(POISSON, **DISTRIBUTIONS), 0))
    changed = marks_of(open_arrivals(plan_of(POISSON, **{**DISTRIBUTIONS, "input_tokens": Constant(9.0)}), 0))
    assert {mark[0] for mark in changed} == {9}
    assert [mark[1:] for mark in changed] == [mark[1:] for mark in found]


def test_another_requirement_at_the_end_leaves_the_earlier_ones_alone(plan_of):
    one, two = (
        [mark[3] for mark in marks_of(open_arrivals(plan_of(POISSON, **{**DISTRIBUTIONS, "requirements": chosen}), 0))]
        for chosen in ((EU,), (EU, US))
    )
    assert [min(index, 0) if index == 0 else -1 for index in two] == one


def test_requirements_fall_to_their_shares(plan_of):
    found = np.array([mark[3] for mark in marks_of(open_arrivals(plan_of(POISSON, 5000.0, **DISTRIBUTIONS), 0))])
    for index, share in ((0, 0.3), (1, 0.2), (-1, 0.5)):
        standard_error = np.sqrt(share * (1.0 - share) / found.size)
        assert np.mean(found == index) == pytest.approx(share, abs=4 * standard_error)


def test_shares_that_add_up_to_one_leave_nobody_out(plan_of):
    tenths = tuple(Requirement(share=0.1, tags={"region": str(number)}) for number in range(10))
    edges = requirement_edges(tenths)
    assert edges is not None
    assert edges[-1] == 1.0 > sum(requirement.share for requirement in tenths)
    found = marks_of(open_arrivals(plan_of(POISSON, 5000.0, requirements=tenths), 0))
    assert {mark[3] for mark in found} == set(range(10))


def test_without_requirements_nobody_has_one(plan_of):
    assert {mark[3] for mark in marks_of(open_arrivals(plan_of(POISSON), 0))} == {-1}


def test_tokens_have_the_mean_of_their_distribution(plan_of):
    found = marks_of(open_arrivals(plan_of(POISSON, 5000.0, output_tokens=Gamma(2.0, 80.0), units=Exponential(3.0)), 0))
    tokens, units = np.array([mark[1] for mark in found]), np.array([mark[2] for mark in found])
    assert tokens.mean() == pytest.approx(160.0, abs=4 * 80.0 * np.sqrt(2.0 / tokens.size))
    assert units.mean() == pytest.approx(3.0, abs=4 * 3.0 / np.sqrt(units.size))


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (Constant(0.0), {0}),
        (Constant(0.2), {1}),
        (Constant(7.6), {8}),
        (Constant(1e15), {2**31 - 1}),
        (Empirical((0.0, 3.0)), {1, 3}),
    ],
)
def test_tokens_are_whole_and_at_least_one_unless_the_distribution_is_zero(distribution, expected, plan_of):
    found = marks_of(open_arrivals(plan_of(POISSON, input_tokens=distribution, output_tokens=distribution), 0))
    assert {mark[0] for mark in found} == expected
    assert {mark[1] for mark in found} == expected
