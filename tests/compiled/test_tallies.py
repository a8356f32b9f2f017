"""The compiled engine's passes over rows find what NumPy finds, and leave to it what breaks a rule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from des import engine
from des.compiled.compiling import interpreted
from des.compiled.kernel.tallies import KEY_SHIFT, spread
from des.compiled.tallies import CompiledPasses, _keyed
from des.engine.columns import MadeBlock
from des.errors import RunError
from des.estimate.cascades import budgets
from des.estimate.minutes import Minutes
from des.estimate.sums import bin_edges
from des.estimate.totals import Totals
from des.scenario import load_scenario, plans
from des.scenario.plan import Plan
from des.spread import spread as spread_of_many
from tests.engine.traced import Collected

ROOT = Path(__file__).parents[2]
PASSES = CompiledPasses(interpreted())

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
"""Fingerprints are modulo 2^64, of which NumPy warns where its scalars are used."""


def blocks_of(file: str, *settings: str) -> tuple[Plan, list[tuple[str, dict[str, NDArray[Any]]]]]:
    """A plan, and its blocks of rows that end, as SimPy's engine sends them."""
    plan = next(iter(plans(load_scenario(ROOT / file, [*settings, "expect={}"])).values()))
    sink = Collected()
    engine.simulate(plan, 0, sink)
    found = []
    for table in ("attempts", "requests"):
        for block in sink.blocks[table]:
            ended = ~np.isnan(block["end_s"])
            found.append((table, {name: np.ascontiguousarray(column[ended]) for name, column in block.items()}))
    return plan, found


def figures(plan: Plan, blocks: list[tuple[str, dict[str, NDArray[Any]]]], passes: Any) -> tuple[Any, ...]:
    """All that is added up from blocks, with passes or without."""
    totals = Totals(engine.names(plan), [leg.name for leg in plan.chain])
    minutes = Minutes(plan.horizon_s, budgets(plan))
    for table, columns in blocks:
        if len(columns["end_s"]):
            block = MadeBlock(dict(columns), passes)
            getattr(totals, table)(block)
            getattr(minutes, table)(block)
    totals.check(sum(len(columns["end_s"]) for table, columns in blocks if table == "requests"))
    bins = minutes.bins()
    return totals.metrics(), totals.latency.as_json(), bins.bin_s, {name: of.tolist() for name, of in bins.of.items()}


@pytest.mark.parametrize(
    ("file", "settings"),
    [
        ("benchmarks/reference.yaml", ("horizon=40s",)),
        ("scenarios/backoff_zoo.yaml", ("horizon=20s", "arms={}")),
        ("scenarios/two_stage.yaml", ("horizon=90d", "arms={}")),
    ],
)
def test_passes_add_up_what_numpy_adds_up(file: str, settings: tuple[str, ...]) -> None:
    plan, blocks = blocks_of(file, *settings)
    assert sum(len(columns["end_s"]) for _, columns in blocks) > 500
    assert figures(plan, blocks, PASSES) == figures(plan, blocks, None)


def _set(name: str, row: int, value: Any) -> Callable[[dict[str, NDArray[Any]]], None]:
    def change(columns: dict[str, NDArray[Any]]) -> None:
        columns[name][row] = value

    return change


def _swap(columns: dict[str, NDArray[Any]]) -> None:
    for column in columns.values():
        column[[3, 4]] = column[[4, 3]]


@pytest.mark.parametrize(
    ("table", "change", "rule"),
    [
        ("attempts", _set("outcome", 5, 99), "known outcome"),
        ("attempts", _set("outcome", 5, -1), "known outcome"),
        ("attempts", _set("start_s", 5, 1e9), "ends before it starts"),
        ("attempts", _set("duration_s", 5, 1.0), "duration is end less start"),
        ("attempts", _set("kind", 5, 2), "unless it is a probe"),
        ("attempts", _swap, "attempts come in order"),
        ("requests", _set("outcome", 5, 99), "one known outcome"),
        ("requests", _set("outcome", 5, 4), "one in flight has none"),
        ("requests", _set("arrival_s", 5, 1e9), "ends before it arrives"),
        ("requests", _set("latency_s", 5, 1.0), "latency is end less arrival"),
        ("requests", _set("wasted_picousd", 5, 1 << 60), "wastes more than it costs"),
        ("requests", _set("quality", 5, 1e12), "beyond what can be averaged"),
        ("requests", _swap, "requests come in order"),
    ],
)
def test_rows_that_break_a_rule_are_named_as_without_passes(
    table: str, change: Callable[[dict[str, NDArray[Any]]], None], rule: str
) -> None:
    plan, blocks = blocks_of("benchmarks/reference.yaml", "horizon=10s")
    columns = next(columns for of, columns in blocks if of == table)
    columns["outcome"][5] = 0
    change(columns)
    said = set()
    for passes in (PASSES, None):
        totals = Totals(engine.names(plan), [leg.name for leg in plan.chain])
        with pytest.raises(RunError, match=rule) as raised:
            getattr(totals, table)(MadeBlock(dict(columns), passes))
        said.add(str(raised.value))
    assert len(said) == 1


def test_a_lost_request_without_a_cause_is_left_to_numpy() -> None:
    plan, blocks = blocks_of("benchmarks/reference.yaml", "horizon=10s")
    columns = next(columns for table, columns in blocks if table == "requests")
    columns["outcome"][5], columns["lost_to"][5] = 1, -1
    with pytest.raises(RunError, match="names what it was lost to"):
        Totals(engine.names(plan), [leg.name for leg in plan.chain]).requests(MadeBlock(dict(columns), PASSES))


def test_a_block_that_breaks_a_rule_adds_nothing() -> None:
    _, blocks = blocks_of("benchmarks/reference.yaml", "horizon=10s")
    columns = next(columns for table, columns in blocks if table == "attempts")
    columns["outcome"][-1] = 99
    outcomes = np.zeros(9, np.int64)
    assert PASSES.attempts(dict(columns), (-np.inf, -1, -1), outcomes) is None
    assert not outcomes.any()


def test_the_mix_of_one_number_is_that_of_many() -> None:
    numbers = np.array([0, 1, 2, 12_345, 1 << 40, (1 << 63) - 1])
    assert [int(spread(number)) for number in numbers] == spread_of_many(numbers).tolist()


def test_the_first_bin_of_a_key_is_no_later_than_that_of_any_value_with_it() -> None:
    edges, bin_of_key, first_key = _keyed(bin_edges())
    values = np.exp(np.random.default_rng(1).uniform(np.log(1e-9), np.log(1e9), 10_000))
    bins = np.searchsorted(edges, values, side="right") - 1
    first = bin_of_key[(values.view(np.int64) >> KEY_SHIFT) - first_key]
    assert (first <= bins).all()
    assert (bins - first).max() <= 2
