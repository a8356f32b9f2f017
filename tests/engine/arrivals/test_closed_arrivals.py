import numpy as np
import pytest

from des.distributions import Constant, Exponential, Gamma
from des.engine.arrivals import think_time
from des.scenario.plan import ClosedArrivals, PoissonArrivals


def test_think_times_follow_their_distribution(plan_of):
    think = think_time(plan_of(ClosedArrivals(users=20, think=Gamma(4.0, 2.5))), 0)
    drawn = np.array([think.at(index) for index in range(20_000)])
    assert drawn.mean() == pytest.approx(10.0, abs=4 * 5.0 / np.sqrt(drawn.size))
    assert drawn.std() == pytest.approx(5.0, rel=0.05)


def test_think_times_do_not_depend_on_the_order_in_which_users_come(plan_of):
    plan = plan_of(ClosedArrivals(users=20, think=Exponential(3.0)))
    forward, backward = think_time(plan, 1), think_time(plan, 1)
    assert [forward.at(index) for index in range(3000)] == [backward.at(index) for index in reversed(range(3000))][::-1]


def test_a_constant_think_time_is_itself(plan_of):
    assert think_time(plan_of(ClosedArrivals(users=1, think=Constant(2.5))), 0).at(12_345) == 2.5


def test_only_a_closed_workload_thinks(plan_of):
    with pytest.raises(TypeError, match="PoissonArrivals"):
        think_time(plan_of(PoissonArrivals(rate_per_s=1.0)), 0)
