"""Discrete-event simulation of AI requests over several providers with fallback chains.

import des
found = des.answer("scenarios/two_stage.yaml")  # availability, cost and latency in the long run, in a minute
run = des.run("scenarios/two_stage.yaml")     # simulate every request, write traces and a summary
des.compare("scenarios/shared_cdn.yaml")      # with the twin in which nothing is shared
des.optimise("scenarios/two_stage.yaml", maximise="availability")   # the best chain, by an aim and under bounds
des.sweep("scenarios/two_stage.yaml", {"policy.rounds": [1, 2, 3]})
des.availability("scenarios/two_stage.yaml")  # without simulated requests
des.explain("scenarios/two_stage.yaml")       # what to expect before a run
des.validate("scenarios/two_stage.yaml")      # every problem, as a ScenarioError
des.fit("incidents.csv")                      # distributions of an incident history
run = des.load("results/two_stage-0123456789ab")
des.report(run, out="page.html")              # a page to forward
des.register("fibonacci", Fibonacci)          # a class of your own for scenarios to name (des.extend)
des.results()                                 # what is in results/: whole, unfinished or damaged
des.verify("results/two_stage-0123456789ab")   # digests, conservation, figures again from the traces
des.new(["claude-sonnet-4-6"], out="my.yaml")  # a commented scenario to start from
des.examples()                                # the shipped scenarios with their questions
des.catalogue()                               # known models with their prices
des.schema()                                  # the JSON Schema of scenario files
des.import_litellm("config.yaml")             # the scenario of a LiteLLM proxy
des.check()                                   # the simulator against closed forms
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from des.catalogue import models as catalogue
    from des.check.suite import check
    from des.errors import DesError, ScenarioError
    from des.report.page.write import write_report as report
    from des.scenario import Scenario
    from des.scenario.json_schema import json_schema as schema
    from des.scenario.schema.own_classes import register
    from des.service.serve import serve
    from des.study.answer import answer
    from des.study.availability import availability
    from des.study.compare import compare
    from des.study.explain import explain
    from des.study.fit import fit
    from des.study.optimise import optimise
    from des.study.recorded import load
    from des.study.run import run
    from des.study.scenario_files import litellm as import_litellm
    from des.study.scenario_files import new_scenario as new
    from des.study.scenario_files import shipped_questions as examples
    from des.study.store import results
    from des.study.sweep import sweep
    from des.study.validate import validate
    from des.study.verify import verify

__all__ = [
    "DesError",
    "Scenario",
    "ScenarioError",
    "__version__",
    "answer",
    "availability",
    "catalogue",
    "check",
    "compare",
    "examples",
    "explain",
    "fit",
    "import_litellm",
    "load",
    "new",
    "optimise",
    "register",
    "report",
    "results",
    "run",
    "schema",
    "serve",
    "sweep",
    "validate",
    "verify",
]

__version__: str

_MODULES = {
    "DesError": "des.errors",
    "Scenario": "des.scenario",
    "ScenarioError": "des.errors",
    "answer": "des.study.answer",
    "availability": "des.study.availability",
    "explain": "des.study.explain",
    "fit": "des.study.fit",
    "validate": "des.study.validate",
    "verify": "des.study.verify",
    "register": "des.scenario.schema.own_classes",
    "results": "des.study.store",
    "optimise": "des.study.optimise",
    "run": "des.study.run",
    "serve": "des.service.serve",
    "compare": "des.study.compare",
    "sweep": "des.study.sweep",
    "load": "des.study.recorded",
}
_UNDER_OTHER_NAMES = {
    "examples": ("des.study.scenario_files", "shipped_questions"),
    "import_litellm": ("des.study.scenario_files", "litellm"),
    "new": ("des.study.scenario_files", "new_scenario"),
    "schema": ("des.scenario.json_schema", "json_schema"),
}
_PACKAGES = ("catalogue", "check", "report")
"""Packages that can be called."""


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that `import des` and `des --help` are fast."""
    if name == "__version__":
        from des.study.identity import package_version

        value: Any = package_version()
    elif name in _PACKAGES:
        value = import_module(f"des.{name}")
    elif name in _MODULES:
        value = getattr(import_module(_MODULES[name]), name)
    elif name in _UNDER_OTHER_NAMES:
        module, attribute = _UNDER_OTHER_NAMES[name]
        value = getattr(import_module(module), attribute)
    else:
        raise AttributeError(f"module 'des' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
