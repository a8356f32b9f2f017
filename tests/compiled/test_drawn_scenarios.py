"""The compiled engine makes the rows of the SimPy engine in drawn scenarios, each with features of its own."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from study import small_scenario

from des.compiled import compiling, whole_runs
from des.engine.columns import Block
from des.scenario import from_mapping, plans
from des.scenario.plan import ClosedArrivals
from tests.compiled.agreement import window_difference
from tests.compiled.differential import compared, scenario_of
from tests.engine.traced import Collected, plan_of
from tests.guard.drawn import FILE
from tests.guard.shipped import GUARD

pytest.importorskip("numba")

SCENARIOS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
EVERY = 3
"""Of the drawn scenarios of the guard; `python -m tests.compiled.differential` compares on others."""


@pytest.fixture(scope="module", autouse=True)
def _leave_it_unloaded() -> Iterator[None]:
    """Other tests take the engine that they would take alone."""
    yield
    compiling.compiled.cache_clear()


@pytest.mark.timeout(900)  # the first of them may compile the kernel
@pytest.mark.parametrize("part", range(4))
def test_both_engines_make_the_same_rows(part: int) -> None:
    with contextlib.chdir(GUARD / "replayed"):
        for number in range(part * EVERY, len(SCENARIOS), 4 * EVERY):
            for arm, difference in compared(from_mapping(SCENARIOS[number]), None):
                assert difference == "", f"drawn scenario {number}, arm {arm}"


def test_a_drawn_scenario_depends_on_its_number_alone() -> None:
    assert scenario_of(1, 5) == scenario_of(1, 5)
    assert scenario_of(1, 5) != scenario_of(1, 6)


def test_both_engines_make_the_same_rows_of_windows() -> None:
    with contextlib.chdir(GUARD / "replayed"):
        for number in range(1, len(SCENARIOS), 20):
            for arm, plan in plans(from_mapping(SCENARIOS[number])).items():
                if not isinstance(plan.workload.arrivals, ClosedArrivals):
                    assert window_difference(plan, None) == "", f"drawn scenario {number}, arm {arm}"


class _Begun(Collected):
    """A sink that keeps nothing, and says when the first rows come."""

    def __init__(self) -> None:
        self.rows = threading.Event()

    def requests(self, block: Block) -> None:
        self.rows.set()

    attempts = transitions = incidents = refusals = requests


@pytest.mark.timeout(900)
def test_compiled_code_bears_a_signal() -> None:
    plan = plan_of(small_scenario.small(**small_scenario.ENDLESS))
    whole_runs.load(plan)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for number in range(5):
            sink = _Begun()
            sender = threading.Thread(target=_interrupt, args=(sink.rows, 0.007 * number))
            sender.start()
            with pytest.raises(KeyboardInterrupt):
                whole_runs.simulate(plan, 0, sink)
            sender.join()
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(when: threading.Event, later_s: float) -> None:
    when.wait()
    time.sleep(later_s)
    os.kill(os.getpid(), signal.SIGINT)
