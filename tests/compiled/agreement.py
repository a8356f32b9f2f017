"""Both engines on one plan, and the first thing in which their rows differ."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from des import engine
from des.compiled import whole_runs
from des.compiled.compiling import Kernel
from des.engine import RunWindow
from des.faults import Timeline, draw_timeline
from des.scenario.plan import Plan
from tests.engine.traced import TABLES, Collected

Tables = dict[str, dict[str, NDArray[Any]]]


def tables(sink: Collected) -> Tables:
    """The columns of each table, however its rows were cut into blocks."""
    return {table: _joined(sink.blocks[table]) for table in (*TABLES, "refusals")}


def _joined(blocks: list[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else {}


def difference(plan: Plan, replication: int, kernel: Kernel | None, sink: Callable[[], Collected] = Collected) -> str:
    """Where the compiled engine's rows are not SimPy's; empty where they agree in every bit."""
    one, other = sink(), sink()
    arrived = engine.simulate(plan, replication, one)
    if (also := whole_runs.simulate(plan, replication, other, kernel=kernel)) != arrived:
        return f"{arrived} requests against {also}"
    return first_difference(tables(one), tables(other))


def first_difference(one: Tables, other: Tables) -> str:
    """The first table and column that differ, with their rows."""
    for table, columns in one.items():
        if columns.keys() != other[table].keys():
            return f"{table}: columns {sorted(columns)} against {sorted(other[table])}"
        for name, values in columns.items():
            if what := _column_difference(values, other[table][name]):
                return f"{table}.{name}: {what}"
    return ""


def _column_difference(one: NDArray[Any], other: NDArray[Any]) -> str:
    if len(one) != len(other):
        return f"{len(one)} rows against {len(other)}"
    if one.dtype != other.dtype:
        return f"{one.dtype} against {other.dtype}"
    if one.dtype == object:
        return "" if one.tolist() == other.tolist() else "lists differ"
    if one.tobytes() == other.tobytes():
        return ""
    differing = np.flatnonzero((one != other) & ((one == one) | (other == other)))
    if not len(differing):
        return "other bits of NaN"
    row = int(differing[0])
    return f"row {row} of {len(one)}: {one[row]} against {other[row]}"


def window_difference(plan: Plan, kernel: Kernel | None) -> str:
    """As `difference`, for a window in the middle of a run."""
    begin_s, from_s, until_s, cut_s = (share * plan.horizon_s for share in (0.3, 0.4, 0.6, 0.9))
    drawn = draw_timeline(plan, 0, cut_s)
    met = drawn.end_s > begin_s
    timeline = Timeline(
        until_s=inf,
        component=drawn.component[met],
        kind=drawn.kind[met],
        start_s=drawn.start_s[met],
        end_s=drawn.end_s[met],
        effect=drawn.effect[met],
        effects=drawn.effects,
        hits=drawn.hits[met],
        shared=drawn.shared[met],
    )
    window = RunWindow(timeline, begin_s, from_s, until_s, cut_s)
    one, other = Collected(), Collected()
    counted = engine.simulate_window(plan, 0, one, window)
    also = whole_runs.simulate_window(plan, 0, other, window, kernel)
    if counted != also:
        return f"{counted} counted against {also}"
    return first_difference(tables(one), tables(other))
