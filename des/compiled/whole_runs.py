"""One replication of one arm, or a window of a long run, by the compiled kernel."""

import logging
import math
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from des.compiled import tallies
from des.compiled.compiling import Kernel, compiled, forget_cached, is_cached, is_loaded
from des.compiled.replication import Replication
from des.engine.arrivals import arrival_times, marks_of
from des.engine.columns import Block, Sink
from des.engine.incidents import incident_rows
from des.engine.records import RunWindow
from des.errors import DesError
from des.scenario.plan import ClosedArrivals, Plan
from des.signals import signals_held

Progress = Callable[[float], None]

_LOG: Final = logging.getLogger("des")

_loading: list[Future[None]] = []
"""What the loader is at, or has done."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_loading.clear)  # the loader's thread is the parent's
_LOOK_EVERY_S: Final = 0.2
"""A signal that arrives just before the main thread begins to wait is handled when the wait is over."""


def load(plan: Plan) -> None:
    """Compile the kernel, or load it; where what was compiled before cannot be loaded, compile it anew.

    A thread of its own does this. Numba and LLVM do not bear being interrupted, so a signal ends the wait for them and
    not their work, which the next call waits for.
    """
    if is_loaded() and not is_loading():
        return
    if not _loading:
        with signals_held():  # or nobody would know of the work that has begun
            loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compiling")
            _loading.append(loader.submit(_load, plan))
            loader.shutdown(wait=False)
    loading = _loading[0]
    try:
        while not loading.done():
            wait([loading], timeout=_LOOK_EVERY_S)
        loading.result()
    finally:
        if loading.done():
            _loading.clear()


def is_loading() -> bool:
    """Whether the loader is at work, as after a signal that ended the wait for it."""
    return any(not loading.done() for loading in _loading)


def _load(plan: Plan) -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        raise DesError("NUMBA_DISABLE_JIT keeps Numba from compiling: unset it, or leave it to --engine simpy")
    if not is_cached():
        _say_that_it_compiles()
    try:
        _play_nothing(plan)
    except Exception:
        if not forget_cached():
            raise
        _say_that_it_compiles()
        _play_nothing(plan)


def _say_that_it_compiles() -> None:
    """On standard error, unless the program that uses `des` has its own logging."""
    _LOG.warning("compiling the engine, once on this machine: about half a minute (--engine simpy does without)")


def _play_nothing(plan: Plan) -> None:
    """A replication of this plan that is over before it begins."""
    state = Replication(plan, 0, _Nothing())
    state.run["over"] = True
    state.play(compiled())
    state.output.close(state.run, 0.0)
    tallies.load(compiled())


class _Nothing:
    """A sink that keeps nothing."""

    def requests(self, block: Block) -> None: ...
    def attempts(self, block: Block) -> None: ...
    def transitions(self, block: Block) -> None: ...
    def incidents(self, block: Block) -> None: ...
    def refusals(self, block: Block) -> None: ...


def simulate(
    plan: Plan, replication: int, sink: Sink, on_progress: Progress | None = None, kernel: Kernel | None = None
) -> int:
    """As `des.engine.simulate`: the same rows."""
    state = Replication(plan, replication, sink)
    state.on_progress = on_progress
    if not isinstance(plan.workload.arrivals, ClosedArrivals):
        state.arrive(arrival_times(plan, replication), marks_of(plan, replication))
    state.play(kernel or compiled())
    ended_s = float(state.run["now_s"])
    state.output.close(state.run, ended_s)
    sink.incidents(incident_rows(plan, state.ledger, ended_s))
    return int(state.run["arrived"])


def simulate_window(plan: Plan, replication: int, sink: Sink, window: RunWindow, kernel: Kernel | None = None) -> range:
    """As `des.engine.simulate_window`: the same rows."""
    state = Replication(plan, replication, sink, window.timeline, window.begin_s)
    run = state.run
    run["horizon_s"] = run["cut_s"] = window.cut_s
    run["is_window"] = True
    run["count_from_s"], run["count_until_s"] = window.from_s, window.until_s
    arrived = arrival_times(plan, replication, window.begin_s, window.cut_s)
    state.arrive(arrived, marks_of(plan, replication, window.begin_s))
    state.play(kernel or compiled())
    state.output.close(run, math.inf)
    return range(int(run["counted_from"]), int(run["counted_until"]))
