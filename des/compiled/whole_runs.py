"""One replication of one arm, or a window of a long run, by the compiled kernel."""

import math
from collections.abc import Callable

from des.compiled import tallies
from des.compiled.compiling import Kernel, compiled, forget_cached, is_loaded
from des.compiled.replication import Replication
from des.engine.arrivals import arrival_times, marks_of
from des.engine.columns import Block, Sink
from des.engine.incidents import incident_rows
from des.faults import Timeline
from des.scenario.plan import ClosedArrivals, Plan

Progress = Callable[[float], None]


def load(plan: Plan) -> None:
    """Compile the kernel, or load it; where what was compiled before cannot be loaded, compile it anew."""
    if is_loaded():
        return
    try:
        _play_nothing(plan)
    except Exception:
        if not forget_cached():
            raise
        _play_nothing(plan)


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


def simulate_window(
    plan: Plan,
    replication: int,
    sink: Sink,
    timeline: Timeline,
    *,
    begin_s: float,
    counted_s: tuple[float, float],
    cut_s: float,
    kernel: Kernel | None = None,
) -> range:
    """As `des.engine.simulate_window`: the same rows."""
    if timeline.until_s != math.inf:
        raise ValueError("the timeline of a window must end at infinity, as nothing is drawn after it")
    state = Replication(plan, replication, sink, timeline, begin_s)
    run = state.run
    run["horizon_s"] = run["cut_s"] = cut_s
    run["is_window"] = True
    run["count_from_s"], run["count_until_s"] = counted_s
    state.arrive(arrival_times(plan, replication, begin_s, cut_s), marks_of(plan, replication, begin_s))
    state.play(kernel or compiled())
    state.output.close(run, math.inf)
    return range(int(run["counted_from"]), int(run["counted_until"]))
