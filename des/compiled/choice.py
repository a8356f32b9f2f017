"""Which engine simulates: the one place where it is chosen. The rows are the same, so nothing else depends on it."""

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from des import engine
from des.compiled import compiling
from des.compiled import whole_runs as fast
from des.compiled.supported import reasons_against
from des.engine.columns import Sink
from des.engine.records import RunWindow
from des.errors import DesError
from des.scenario.plan import Plan

AUTO, SIMPY, COMPILED = ENGINES = ("auto", "simpy", "compiled")

LOADED_FOR: Final = 50_000
COMPILED_FOR: Final = 1_000_000
"""Requests from which on it pays to load the compiled engine, and to compile it first where no cache has it.

Loading takes a second of processor time, compiling half a minute; SimPy takes some 20 to 200 microseconds a request.
"""

_LOG: Final = logging.getLogger("des")

_failures: list[str] = []
"""Why the compiled engine could not be loaded in this process."""

VARIABLE: Final = "DES_ENGINE"
"""Of the environment: the engine where none is asked for."""

_chosen: ContextVar[str | None] = ContextVar("engine", default=None)


@contextmanager
def using(name: str | None) -> Iterator[None]:
    """Have this engine simulate, also in processes that are forked meanwhile; None: the one chosen outside.

    Raises DesError for a name of none, and for `compiled` where Numba is not installed.
    """
    if name is None:
        yield
        return
    _check(name, "--engine")
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


def _check(name: str, asked_by: str) -> None:
    if name not in ENGINES:
        raise DesError(f"{asked_by}: unknown engine {name!r}; there are: auto, simpy, compiled")
    if name == COMPILED and not compiling.is_installed():
        raise DesError(f"{asked_by} compiled needs Numba: pip install 'des-fallback[fast]', or leave it to auto")


def chosen() -> str:
    """The name of the engine that is asked for: by `using`, or else by the environment's `DES_ENGINE`.

    Raises DesError where the environment names none, and for `compiled` where Numba is not installed.
    """
    name = _chosen.get()
    if name is None:
        name = os.environ.get(VARIABLE) or AUTO
        _check(name, VARIABLE)
    return name


def prepare(plans: Collection[Plan], requests: float) -> None:
    """Load the compiled engine before processes are forked, where it will simulate some of the `requests`.

    Raises DesError where `compiled` is asked for and a plan has what only SimPy simulates.
    """
    reasons = {plan.arm: reasons_against(plan) for plan in plans}
    name = chosen()
    if name == COMPILED:
        for arm, why in reasons.items():
            if why:
                raise DesError(f"--engine compiled has no {', '.join(why)} (arm {arm}): leave it to --engine auto")
        fast.load(next(iter(plans)))
    elif name == AUTO and not all(reasons.values()) and _pays(requests):
        _try_to_load(next(plan for plan in plans if not reasons[plan.arm]))


def is_to_be_compiled(plans: Collection[Plan], requests: float) -> bool:
    """Whether `prepare` would compile the engine first, for about half a minute."""
    name = chosen()
    if name == SIMPY or all(map(reasons_against, plans)) or compiling.is_loaded() or not compiling.is_installed():
        return False
    return (name == COMPILED or (requests >= COMPILED_FOR and not _failures)) and not compiling.is_cached()


def load_for(plans: Collection[Plan]) -> None:
    """Load the compiled engine for the first of the plans, if there is one, as the process has that gives the work."""
    for plan in plans:
        if not _failures:
            _try_to_load(plan)
        return


def _try_to_load(plan: Plan) -> None:
    """Load the compiled engine, or leave it to SimPy: Numba fails on some platforms, which is to stop no run."""
    try:
        fast.load(plan)
    except Exception as error:
        _failures.append(" ".join(f"{type(error).__name__}: {error}".split())[:200])
        _LOG.warning("simulating with SimPy, as the compiled engine cannot be loaded: %s", _failures[-1])
        compiling.compiled.cache_clear()


def _pays(requests: float) -> bool:
    """Whether loading takes less than it saves."""
    if compiling.is_loaded():
        return True
    if requests < LOADED_FOR or _failures or not compiling.is_installed():
        return False
    return requests >= COMPILED_FOR or compiling.is_cached()


def engine_for(plan: Plan) -> tuple[str, str]:
    """(engine, why) of a plan in this process."""
    name = chosen()
    if name == SIMPY:
        return SIMPY, "as asked"
    reasons = reasons_against(plan)
    if name == COMPILED:
        if reasons:
            raise DesError(f"--engine compiled has no {', '.join(reasons)}: leave it to --engine auto")
        return COMPILED, "as asked"
    if reasons:
        return SIMPY, f"the compiled engine has no {', '.join(reasons)}"
    if compiling.is_loaded():
        return COMPILED, "it has all of the scenario"
    if _failures:
        return SIMPY, f"the compiled engine cannot be loaded: {_failures[0]}"
    if not compiling.is_installed():
        return SIMPY, "Numba is not installed (pip install 'des-fallback[fast]')"
    return SIMPY, "too few requests to pay for loading the compiled engine"


def simulate(plan: Plan, replication: int, sink: Sink, on_progress: fast.Progress | None = None) -> int:
    """`des.engine.simulate` by the chosen engine."""
    if engine_for(plan)[0] == SIMPY:
        return engine.simulate(plan, replication, sink, on_progress)
    return fast.simulate(plan, replication, sink, on_progress)


def simulate_window(plan: Plan, replication: int, sink: Sink, window: RunWindow) -> range:
    """`des.engine.simulate_window` by the chosen engine."""
    if engine_for(plan)[0] == SIMPY:
        return engine.simulate_window(plan, replication, sink, window)
    return fast.simulate_window(plan, replication, sink, window)
