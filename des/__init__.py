"""Discrete-event simulation of AI requests over several providers with fallback chains.

import des
found = des.answer("scenarios/two_stage.yaml")  # availability, cost and latency in the long run, in a minute
run = des.run("scenarios/two_stage.yaml")     # simulate every request, write traces and a summary
des.compare("scenarios/shared_cdn.yaml")      # with the twin in which nothing is shared
des.optimise("scenarios/two_stage.yaml", maximise="availability")   # the best chain, by an aim and under bounds
des.sweep("scenarios/two_stage.yaml", {"policy.rounds": [1, 2, 3]})
run = des.load("results/two_stage-0123456789ab")
des.results()                                 # what is in results/: whole, unfinished or damaged
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from des.scenario import Scenario
    from des.study.answer import answer
    from des.study.compare import compare
    from des.study.optimise import optimise
    from des.study.run import run
    from des.study.store import results
    from des.study.sweep import sweep
    from des.traces import load

__all__ = ["Scenario", "__version__", "answer", "compare", "load", "optimise", "results", "run", "sweep"]

__version__: str

_MODULES = {
    "Scenario": "des.scenario",
    "answer": "des.study.answer",
    "results": "des.study.store",
    "optimise": "des.study.optimise",
    "run": "des.study.run",
    "compare": "des.study.compare",
    "sweep": "des.study.sweep",
    "load": "des.traces",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that `import des` and `des --help` are fast."""
    if name == "__version__":
        from des.study.identity import package_version

        value: Any = package_version()
    elif name in _MODULES:
        from importlib import import_module

        value = getattr(import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module 'des' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
