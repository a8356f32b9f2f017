"""Property tests draw the same examples on every run; what else they find is found by exploring, see examples.py."""

import gc
import math
from collections.abc import Iterator
from typing import Any

import pytest
from examples import EXPLORES, TIMES
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def draw_no_constants_of_the_code() -> None:
    """Hypothesis mixes the numbers and words of all imported modules of the project into what it draws.

    Even with its seed fixed, examples then change with every edit, and with the tests that ran before.
    """
    assert callable(providers._get_local_constants)
    providers._get_local_constants = providers.Constants


settings.register_profile("same", max_examples=50, derandomize=True, deadline=None, suppress_health_check=SLOW_TO_DRAW)
settings.register_profile(
    "explore", max_examples=100 * TIMES, deadline=None, print_blob=True, suppress_health_check=SLOW_TO_DRAW
)
settings.load_profile("explore" if EXPLORES else "same")
if not EXPLORES:
    draw_no_constants_of_the_code()


@pytest.fixture(scope="session", autouse=True)
def _compiled_engine_when_asked_for() -> Iterator[None]:
    """No test loads or compiles that engine by the way: what a test takes does not depend on which ran before it.

    The variable is for the processes that tests start.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DES_ENGINE", "simpy")
        patch.setattr("des.compiled.choice.LOADED_FOR", math.inf)
        patch.setattr("des.compiled.choice.COMPILED_FOR", math.inf)
        yield


@pytest.fixture(scope="module")
def rough_estimators() -> Iterator[None]:
    """Estimators sample little, for tests of what is made of their figures; tests/estimate holds their precision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("des.estimate.timeline.SAMPLES", 1_000)
        patch.setattr("des.estimate.rare.SAMPLES", 30_000)
        yield


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the tests do: all modules and all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In several processes with `--dist loadfile`, tests of a file stay together, and so do those of some folders."""
    if config.getvalue("dist") != "loadfile":
        return None
    from grouping import ByFileOrFolder

    return ByFileOrFolder(config, log)
