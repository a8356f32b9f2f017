"""Options common to several commands, each described once."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from des.cli.completion import scenario_names
from des.cli.numbers import whole
from des.errors import DesError

if TYPE_CHECKING:
    from des.study.options import RunOptions

ScenarioArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SCENARIO",
        help="A scenario file, YAML or TOML, or the name of a shipped one.",
        autocompletion=scenario_names,
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", parser=whole(), help="Seed of all randomness, instead of the scenario's."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field, such as policy.rounds=3. Repeatable."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="N", parser=whole(1), help="Processes that share the work.  [default: one a processor]"
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="What simulates: auto, simpy or compiled. The traces are the same.  [default: DES_ENGINE, or auto]",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Share the work between the workers of a Dask scheduler: tcp://host:8786."
    ),
]
JunitOption = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write the verdicts on what the scenario expects as JUnit XML."),
]
TracesOption = Annotated[
    str | None,
    typer.Option(
        "--traces",
        metavar="LEVEL",
        help="Rows to keep: full, requests (no attempts), sampled:1% of the requests, or none. Figures are of all.",
    ),
]
NoTracesOption = Annotated[bool, typer.Option("--no-traces", help="Write the summary without traces: --traces none.")]


def listed(names: str | None) -> list[str] | None:
    """The names in a list with commas."""
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def traces_asked(level: str | None, no_traces: bool) -> bool | str:
    """`RunOptions.traces`. Raises DesError where the two options contradict each other."""
    if no_traces and level is not None:
        raise DesError(f"--no-traces and --traces {level}: give one of them")
    return not no_traces if level is None else level


def takes_run_options(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command with a parameter `options` (RunOptions) a command-line option for each field.

    The command defines the option for traces itself, since its default differs.
    """
    own = inspect.signature(command)
    shared = inspect.signature(_run_options).parameters
    parameters: list[inspect.Parameter] = []
    for each in own.parameters.values():
        parameters.extend(shared.values() if each.name == "options" else [each])

    @wraps(command)
    def wrapper(**given: Any) -> int:
        options = _run_options(**{name: given.pop(name) for name in shared})
        return command(**given, options=options)

    wrapper.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {}  # the signature has them, resolved
    return wrapper


def _run_options(
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Directory to write, which must not exist yet, or an address such as s3://bucket/prefix.",
        ),
    ] = None,
    seed: SeedOption = None,
    replications: Annotated[
        int | None, typer.Option("--replications", metavar="N", parser=whole(), help="Independent runs of each arm.")
    ] = None,
    changes: SetOption = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", parser=whole(1), help="Processes that share the replications.")
    ] = 1,
    cluster: ClusterOption = None,
    engine: EngineOption = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            "--precision",
            metavar="METRIC=SHARE",
            help="Replicate until the interval's half-width is this share of the figure. Repeatable.",
        ),
    ] = None,
    max_replications: Annotated[
        int | None,
        typer.Option(
            "--max-replications",
            metavar="N",
            parser=whole(),
            help="Most replications for --precision.  [default: 1000]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Simulate again even if the run exists.")] = False,
) -> "RunOptions":
    from des.study.options import RunOptions

    return RunOptions(
        out=out,
        seed=seed,
        replications=replications,
        overrides=tuple(changes or ()),
        force=force,
        workers=workers,
        cluster=cluster,
        engine=engine,
        precision=tuple(precision or ()),
        max_replications=max_replications,
    )
