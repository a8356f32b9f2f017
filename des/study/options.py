"""The options of `run`, `compare` and `sweep`, each described once."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from des.errors import DesError
from des.pool import Where
from des.scenario import Loaded, Scenario, changed, from_mapping, load_scenario
from des.scenario.text.overrides import Assignment
from des.single_files import output_path
from des.storage import is_url
from des.words import did_you_mean

if TYPE_CHECKING:
    from des.study.precision import Precision

Source = str | Path | Mapping[str, Any] | Scenario | Loaded
"""A scenario: its file, its fields, or an already loaded one."""
Progress = Callable[[float, str], None]
"""Called with the share of the work done and the name of the current step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is about to be simulated, and about how many seconds that takes on `processes`.

    `finished` of the `replications` of all arms are kept already; of a sweep, `unit` says that these are points.
    `at_least`: it may take more, such as by a precision. `begun`: some of it was done to know how long it takes.
    `unread`: there are so many points that none but the first was read, so nothing is known to be right with them.
    `size`: about how many bytes of traces it writes, 0 where they are few or none. `free`: how many are left where they
    go, None where nobody knows.
    `untimed`: the engine has yet to be compiled, so `seconds` are not known. Such a forecast is made only where far
    more would be written than is free.
    """

    seconds: float
    processes: int = 1
    finished: int = 0
    replications: int = 0
    at_least: bool = False
    unit: str = "replications"
    begun: bool = False
    unread: bool = False
    size: float = 0.0
    free: int | None = None
    untimed: bool = False


Before = Callable[[Forecast], None]
"""Called before anything is simulated; an error that it raises ends the call."""

_Function = TypeVar("_Function", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a scenario is run. Raises DesError below one worker, OutputError for a home folder of nobody.

    `out`: where the run is written, a directory that does not exist or an address such as `s3://bucket/prefix`;
    otherwise `results/<scenario>-<key>/` below the current directory.
    `seed`, `replications`: replace the scenario's own.
    `overrides`: further changes of the scenario, such as `policy.rounds=3`.
    `traces`: which rows are kept. True: what the scenario's `traces` says, by default a row for every request, call,
    incident and change of state. False: none. Or a level as a scenario writes it: `full`, `requests` (no calls),
    `sampled: 1%` of the requests, `none`. Figures are of all requests.
    `force`: simulate again although the run exists.
    `workers`: processes that share the replications. Their number affects only the time taken.
    `cluster`: the address of a Dask scheduler, such as `tcp://host:8786`, whose workers share them instead.
    `engine`: what simulates: `auto` (the default), `simpy`, or `compiled`, which needs the extra `fast`. The traces are
    the same.
    `precision`: `{"availability": 0.1}` or `availability=0.1` replicates until the half-width of the 95 % interval is
    a tenth of the figure (for availability: of 1 - availability), or there are `max_replications` (1,000).
    `summary.json` says under `precision` how many replications it took and whether they were enough.
    `progress`: called with the share of the work done and the name of the current step.
    `before`: called with a `Forecast` before anything is simulated, and not where the run exists. What it raises ends
    the call. Where far more would be written than is free, it is called before the engine is compiled, and again after.
    """

    out: str | Path | None = None
    seed: int | None = None
    replications: int | None = None
    overrides: Sequence[str] = ()
    traces: bool | str = True
    force: bool = False
    workers: int = 1
    cluster: str | None = None
    engine: str | None = None
    precision: Mapping[str, float] | Sequence[str] = ()
    max_replications: int | None = None
    progress: Progress | None = None
    before: Before | None = None

    def __post_init__(self) -> None:
        if self.out is not None and not is_url(self.out):
            object.__setattr__(self, "out", output_path(self.out))
        if self.workers < 1:
            raise DesError(f"workers {self.workers}: at least 1 process is needed")

    @property
    def where(self) -> Where:
        """Where the tasks run."""
        return where(self.workers, self.cluster)

    @property
    def here(self) -> "RunOptions":
        """The same for a task of its own, which runs in one process."""
        return replace(self, workers=1, cluster=None, progress=None, before=None)

    def target(self) -> "Precision | None":
        """Raises DesError for an invalid precision."""
        from des.study.precision import Precision

        return Precision.of(self.precision, self.max_replications)

    def load(self, scenario: Source) -> Loaded:
        """The scenario with overrides, seed and replications applied.

        Raises ScenarioError with every problem of every arm.
        """
        changes: list[str | Assignment] = list(self.overrides)
        if self.seed is not None:
            changes.append(Assignment(f"seed={self.seed}", f"--seed {self.seed}"))
        if self.replications is not None:
            changes.append(Assignment(f"replications={self.replications}", f"--replications {self.replications}"))
        if isinstance(scenario, Scenario):
            scenario = scenario.loaded
        if isinstance(scenario, Mapping):
            scenario = from_mapping(scenario)
        if not isinstance(scenario, Loaded):
            return load_scenario(scenario, changes)
        return changed(scenario, changes) if changes else scenario


def where(workers: int, cluster: str | None) -> Where:
    """The workers of a cluster if one is named, else this number of processes here."""
    if cluster is None:
        return workers
    from des.study.cluster import Cluster

    return Cluster(cluster)


class RunKeywords(TypedDict, total=False):
    """The fields of RunOptions as keywords, for type checkers."""

    out: str | Path | None
    seed: int | None
    replications: int | None
    overrides: Sequence[str]
    traces: bool | str
    force: bool
    workers: int
    cluster: str | None
    engine: str | None
    precision: Mapping[str, float] | Sequence[str]
    max_replications: int | None
    progress: Progress | None
    before: Before | None


def with_run_keywords(**defaults: Any) -> Callable[[_Function], _Function]:
    """Decorates a function that takes `**options: Unpack[RunKeywords]`, so that `help` and completion list them.

    The function raises TypeError for another keyword, with the nearest one.
    """

    def decorated(function: _Function) -> _Function:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        keywords = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(field.name, field.default),
                annotation=field.type,
            )
            for field in fields(RunOptions)
        ]
        known = [each.name for each in (*own, *keywords)]

        @functools.wraps(function)
        def checked(*given: Any, **named: Any) -> object:
            for name in named:
                if name not in known:
                    raise TypeError(
                        f"{function.__name__}() got an unexpected keyword argument '{name}'{did_you_mean(name, known)}"
                        f"; help(des.{function.__name__}) lists all"
                    )
            return function(*given, **named)

        checked.__signature__ = signature.replace(parameters=[*own, *keywords])  # type: ignore[attr-defined]
        return cast(_Function, checked)

    return decorated
