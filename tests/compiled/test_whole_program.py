"""How Numba is made to compile the kernel as one program."""

import subprocess
import sys
from pathlib import Path

import pytest

numba = pytest.importorskip("numba", reason="Numba is not installed")

from des.compiled import compiling, whole_program, whole_runs  # noqa: E402
from des.scenario import load_scenario, plans  # noqa: E402


def test_the_installed_numba_compiles_whole_programs() -> None:
    assert whole_program.working() is whole_program.PIPELINES


def test_without_that_numba_compiles_as_it_does_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, library: object) -> None:
        raise AttributeError("a version of Numba that is made otherwise")

    monkeypatch.setattr(compiling, "is_cached", lambda: False)
    assert compiling._pipelines() is whole_program.PIPELINES
    monkeypatch.setattr(whole_program._WholeProgram, "add_linking_library", broken)
    assert compiling._pipelines() is None


def test_without_what_it_is_made_of_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("numba.core.typed_passes.NativeLowering")
    monkeypatch.delitem(sys.modules, "des.compiled.whole_program")
    monkeypatch.delattr("des.compiled.whole_program")
    assert compiling._pipelines() is None


@pytest.mark.parametrize("pipelines", [whole_program.PIPELINES, None])
def test_functions_call_each_other_either_way(pipelines: whole_program.Pipelines | None) -> None:
    inner = compiling._decorators(pipelines)[0]

    def twice(number: int) -> int:
        return 2 * number

    def thrice(number: int) -> int:
        return number + doubled(number)

    def six_times(number: int) -> int:
        return tripled(doubled(number))

    doubled = inner(twice, True)
    tripled = inner(thrice, False)
    assert numba.njit(pipeline_class=pipelines and pipelines.outer)(six_times)(7) == 42


_MISSES = """
from des.compiled import compiling, whole_runs
from des.scenario import load_scenario, plans

whole_runs.load(next(iter(plans(load_scenario({scenario!r})).values())))
print([name for name, each in compiling.compiled()._asdict().items() if each.stats.cache_misses])
"""


def test_another_process_loads_all_that_has_been_compiled() -> None:
    scenario = str(Path(__file__).parents[2] / "benchmarks" / "reference.yaml")
    whole_runs.load(next(iter(plans(load_scenario(scenario)).values())))
    script = _MISSES.format(scenario=scenario)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
