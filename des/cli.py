"""The command line: parse, call the API, print."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, ParamSpec

import typer

import des
from des.errors import DesError, RunError, ScenarioError

if TYPE_CHECKING:  # what is imported inside the commands: `des --help` stays fast
    from rich.console import Console

    from des.study.run import Finished
    from des.study.study import Progress

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2
INCONCLUSIVE: Final = 3
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

STANDARD_ERROR: Final = 2
"""The last of the three numbers that the standard streams have."""

app = typer.Typer(
    name="des",
    help="Simulate AI requests over several providers with fallback chains: what uptime, cost and latency to expect.",
    epilog="Exit codes: 0 fine, 1 the run failed or an expect was missed, 2 wrong input, 3 an expect is inconclusive "
    "or a --precision not reached.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Arguments = ParamSpec("Arguments")


def main() -> None:
    """The `des` command."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a letter shows a question mark instead
    try:
        app()
    except KeyboardInterrupt:  # before or after a command's own work
        sys.exit(INTERRUPTED)


def _open_what_is_closed() -> None:
    """A standard stream closed by the caller goes nowhere, and no file of ours takes its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        os.set_inheritable(number, True)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def reported(command: Callable[Arguments, int]) -> Callable[Arguments, None]:
    """Turn a command's result into the exit code, and what it raises into one clear message and its code."""

    @wraps(command)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            _abandon_stdout()
            code = PIPE_CLOSED
        except KeyboardInterrupt:
            _complain("interrupted: nothing was kept")
            code = INTERRUPTED
        except DesError as error:
            _complain(str(error))
            code = _code(error)
        except SystemExit as stop:
            _complain("stopped by a signal: nothing was kept")
            code = stop.code if isinstance(stop.code, int) else FAILED
        except OSError as error:  # standard output on a full disk, say
            _abandon_stdout()
            _complain(_unexpected(error))
            code = FAILED
        except Exception as error:
            if os.environ.get("DES_DEBUG"):
                raise
            _complain(_unexpected(error))
            code = FAILED
        raise typer.Exit(code)

    return wrapper


def _code(error: DesError) -> int:
    from des.study.destination import WriteError

    return FAILED if isinstance(error, RunError | WriteError) else WRONG_INPUT


def _unexpected(error: Exception) -> str:
    what = " ".join(str(error).split()) or "no further words"
    return f"unexpected {type(error).__name__}: {what} (set DES_DEBUG=1 for where it came from)"


def _complain(message: str) -> None:
    with suppress(OSError):  # nobody is left to tell
        print(message, file=sys.stderr, flush=True)  # noqa: T201


def _abandon_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of failing a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    print(text)  # noqa: T201


def _version(wanted: bool) -> None:
    if wanted:
        _say(f"des {des.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of `des` itself."""


SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field, such as policy.rounds=3. Repeatable."),
]

WorkersOption = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, help="Processes that share the replications.")
]
PrecisionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        metavar="METRIC=SHARE",
        help="Replicate until the interval's half-width is this share of the figure. Repeatable.",
    ),
]
MaxReplicationsOption = Annotated[
    int | None,
    typer.Option("--max-replications", metavar="N", help="Where --precision gives up.  [default: 1000]"),
]


@app.command(
    short_help="Simulate a scenario: traces and a summary.",
    help="Simulate every request of a scenario; leave traces and a summary in results/.",
)
@reported
def run(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file, YAML or TOML.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; a directory that does not exist.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Seed of all randomness, instead of the scenario's.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option("--replications", metavar="N", help="Independent runs of each arm.")
    ] = None,
    changes: SetOption = None,
    workers: WorkersOption = 1,
    precision: PrecisionOption = None,
    max_replications: MaxReplicationsOption = None,
    no_traces: Annotated[bool, typer.Option("--no-traces", help="Keep the summary alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Simulate again what was run before.")] = False,
) -> int:
    from des.analysis.tables import print_run
    from des.study.run import ensure

    with _progress() as progress:
        finished = ensure(
            scenario,
            out=out,
            seed=seed,
            replications=replications,
            overrides=tuple(changes or ()),
            traces=not no_traces,
            force=force,
            workers=workers,
            precision=tuple(precision or ()),
            max_replications=max_replications,
            progress=progress,
        )
    return _conclude(finished, print_run, as_json)


def _conclude(finished: "Finished", show: Callable[..., None], as_json: bool) -> int:
    """Print a finished run; the exit code by what was expected of it."""
    from des.analysis import expectations
    from des.analysis.tables import expectation_sentence, precision_sentence

    summary = finished.run.summary
    verdicts = expectations.verdicts(finished.run.manifest, summary)
    amiss = [verdict for verdict in verdicts if verdict.result != expectations.MET]
    imprecise = not summary.get("precision", {"reached": True})["reached"]
    if as_json:
        _say((finished.run.path / "summary.json").read_text(encoding="utf-8").rstrip("\n"))
        for verdict in amiss:
            _complain(expectation_sentence(verdict))
        for sentence in precision_sentence(summary) if imprecise else ():
            _complain(sentence)
    else:
        show(finished.run, verdicts, reused=finished.reused, console=_console())
    if any(verdict.result == expectations.MISSED for verdict in amiss):
        return FAILED
    return INCONCLUSIVE if amiss or imprecise else DONE


@app.command(
    short_help="Compare the arms of a scenario.",
    help="Compare a scenario as modelled with its independent twin, and with its other arms: the same requests, "
    "incidents and luck in each.",
)
@reported
def compare(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file, YAML or TOML.")],
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="A,B", help="Which arms, the first being compared with.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; a directory that does not exist.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Seed of all randomness, instead of the scenario's.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option("--replications", metavar="N", help="Independent runs of each arm.")
    ] = None,
    changes: SetOption = None,
    workers: WorkersOption = 1,
    precision: PrecisionOption = None,
    max_replications: MaxReplicationsOption = None,
    no_traces: Annotated[bool, typer.Option("--no-traces", help="Keep the summary alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Simulate again what was run before.")] = False,
) -> int:
    from des.analysis.comparison_tables import print_comparison
    from des.study.compare import ensure_compared

    with _progress() as progress:
        finished = ensure_compared(
            scenario,
            arms=None if arms is None else [arm.strip() for arm in arms.split(",") if arm.strip()],
            out=out,
            seed=seed,
            replications=replications,
            overrides=tuple(changes or ()),
            traces=not no_traces,
            force=force,
            workers=workers,
            precision=tuple(precision or ()),
            max_replications=max_replications,
            progress=progress,
        )
    return _conclude(finished, print_comparison, as_json)


@app.command(
    short_help="Availability over years of incidents, without simulating requests.",
    help="Say how available a scenario's chain is: exactly where that is known, else over years of incidents or by "
    "making rare ones common.",
)
@reported
def availability(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file, YAML or TOML.")],
    years: Annotated[
        float, typer.Option("--years", metavar="N", help="Years of incidents to draw, where they are drawn.")
    ] = 10_000.0,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Seed of all randomness, instead of the scenario's.")
    ] = None,
    estimator: Annotated[
        str | None, typer.Option("--estimator", help="exact, timeline or 'rare events', instead of the one that suits.")
    ] = None,
    changes: SetOption = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Processes that share the years of incidents.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from des.analysis.availability_tables import print_availability
    from des.estimate.choice import availability as available
    from des.estimate.choice import check_years
    from des.scenario import plans
    from des.study.run import loaded as loaded_from

    check_years(years)
    loaded = loaded_from(scenario, tuple(changes or ()), seed, None)
    arms = plans(loaded)
    answers = {}
    with _progress() as progress:
        for number, (arm, plan) in enumerate(arms.items()):

            def told(share: float, arm: str = arm, number: int = number) -> None:
                if progress is not None:
                    progress((number + share) / len(arms), arm)

            told(0.0)
            answers[arm] = available(plan, years, estimator=estimator, workers=workers, progress=told)
    if as_json:
        _say_json({"arms": {arm: answer.as_dict() for arm, answer in answers.items()}})
    else:
        print_availability(loaded.scenario.title, answers, _console())
    return DONE


@app.command(
    short_help="What to expect of a scenario before it runs.",
    help="Say before a run how many requests and incidents to expect, what is known exactly, which estimator will "
    "serve and how long it will take.",
)
@reported
def explain(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file, YAML or TOML.")],
    precision: Annotated[
        float, typer.Option("--precision", metavar="SHARE", help="Of P(all down), for the years that it takes.")
    ] = 0.1,
    changes: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from des.analysis.availability_tables import print_explanation
    from des.scenario import load_scenario
    from des.study.explanation import check_precision, explain_all

    check_precision(precision)
    loaded = load_scenario(scenario, tuple(changes or ()))
    explained = explain_all(loaded, precision)
    if as_json:
        _say_json(explained.as_dict())
    else:
        print_explanation(loaded.scenario.title, explained, _console())
    return DONE


@app.command(
    short_help="Run a scenario over ranges of its fields.",
    help="Run a scenario at every combination of the values of some fields; one row a point. Points found in results/ "
    "are not simulated again.",
)
@reported
def sweep(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file, YAML or TOML.")],
    over: Annotated[
        list[str], typer.Option("--over", metavar="PATH=V1,V2", help="A field and its values. Repeatable: all pairs.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; a directory that does not exist.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Seed of all randomness, instead of the scenario's.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option("--replications", metavar="N", help="Independent runs of each arm.")
    ] = None,
    changes: SetOption = None,
    workers: WorkersOption = 1,
    precision: PrecisionOption = None,
    max_replications: MaxReplicationsOption = None,
    traces: Annotated[bool, typer.Option("--traces", help="Keep the traces of every point.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print sweep.json instead of a table.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Simulate again what was run before.")] = False,
) -> int:
    from des.analysis.sweep_table import print_sweep

    try:
        with _progress() as progress:
            finished = des.sweep(
                scenario,
                over,
                out=out,
                seed=seed,
                replications=replications,
                overrides=tuple(changes or ()),
                traces=traces,
                force=force,
                workers=workers,
                precision=tuple(precision or ()),
                max_replications=max_replications,
                progress=progress,
            )
    except (KeyboardInterrupt, SystemExit) as stop:
        if out is not None:
            raise
        _complain("stopped: the points that were finished are kept in results/; the same command goes on from there")
        return stop.code if isinstance(stop, SystemExit) and isinstance(stop.code, int) else INTERRUPTED
    if as_json:
        _say((finished.path / "sweep.json").read_text(encoding="utf-8").rstrip("\n"))
    else:
        print_sweep(finished, _console())
    reached = all(run.summary.get("precision", {"reached": True})["reached"] for run in finished.runs)
    return DONE if reached else INCONCLUSIVE


@app.command(
    short_help="Check scenario files.", help="Check scenario files and say everything that is wrong with them."
)
@reported
def validate(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    changes: SetOption = None,
) -> int:
    from des.scenario import load_scenario, plans

    wrong = 0
    for path in scenarios:
        try:
            plans(load_scenario(path, tuple(changes or ())))
        except ScenarioError as error:
            sys.stdout.flush()
            _complain(str(error))
            wrong += 1
        else:
            _say(f"{path}: ok")
    return WRONG_INPUT if wrong else DONE


@app.command(
    short_help="Print the JSON Schema of scenario files.", help="Print the JSON Schema of scenario files, for editors."
)
@reported
def schema() -> int:
    import json

    from des.scenario import json_schema

    _say(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return DONE


@app.command(
    short_help="List known providers, models and prices.",
    help="List the providers and models a scenario may name, with their prices.",
)
@reported
def catalogue(
    presets: Annotated[
        bool, typer.Option("--presets", help="List the policies of SDKs, gateways and resilience libraries instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> int:
    if as_json:
        import json
        from dataclasses import asdict

        from des.analysis.presets_table import as_json as presets_as_json
        from des.catalogue import models

        listed = presets_as_json() if presets else [asdict(model) for model in models()]
        _say(json.dumps(listed, indent=2, ensure_ascii=False))
        return DONE
    if presets:
        from des.analysis.presets_table import print_presets

        print_presets(_console())
        return DONE
    from des.analysis.catalogue_table import print_catalogue

    print_catalogue(_console())
    return DONE


imports = typer.Typer(
    help="Turn another program's configuration into a scenario.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(imports, name="import", short_help="Turn a LiteLLM configuration into a scenario.")


@imports.command(
    name="litellm",
    short_help="Of a LiteLLM proxy configuration.",
    help="Print the scenario of a LiteLLM proxy configuration, and on standard error what it could not carry over.",
)
@reported
def import_litellm(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The proxy's config.yaml.")],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Which model is asked for.  [default: the first with fallbacks]"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the scenario here.")] = None,
    changes: SetOption = None,
) -> int:
    from des.study import imported

    found = imported.litellm(config, model=model, assignments=tuple(changes or ()), out=out)
    _say(f"scenario: {out}" if out else found.text.rstrip())
    sys.stdout.flush()
    for remark in found.remarks:
        _complain(str(remark))
    return DONE


@app.command(
    short_help="Fit laws to an incident history.",
    help="Say what an incident history holds (how often, how long, when, together with what), and write it as YAML.",
)
@reported
def fit(
    history: Annotated[
        Path, typer.Argument(metavar="HISTORY", help="CSV, parquet, JSON lines, or a status page's incidents.json.")
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", metavar="ROLE=COLUMN,...", help="start, end, service, provider, severity, id."),
    ] = None,
    services: Annotated[
        list[str] | None, typer.Option("--service", metavar="NAME", help="Only this service. Repeatable.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Leave out what came before.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Leave out what came after.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows with missing, reversed or duplicate times.")
    ] = False,
    open_ends: Annotated[
        bool, typer.Option("--open-ends", help="A row without an end is an incident that is still open.")
    ] = False,
    between: Annotated[
        str | None, typer.Option("--between", metavar="LAW", help="Law of the times between incidents in the YAML.")
    ] = None,
    repair: Annotated[
        str | None, typer.Option("--repair", metavar="LAW", help="Law of the times to repair in the YAML.")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option("--permutations", metavar="N", help="So many of the whole-week shifts, not all.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the choice of shifts.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the YAML here.")] = None,
) -> int:
    from des.analysis import fit_tables
    from des.study.fit import as_json as fit_as_json
    from des.study.fit import fit as fit_history

    found = fit_history(
        history,
        columns=tuple(columns or ()),
        services=tuple(services or ()),
        since=since,
        until=until,
        skip_bad=skip_bad,
        open_ends=open_ends,
        between=between,
        repair=repair,
        permutations=permutations,
        seed=seed,
        out=out,
    )
    for row in found.history.skipped:
        _complain(f"skipped: {row}")
    if as_json:
        import json

        _say(json.dumps(fit_as_json(found), indent=2, ensure_ascii=False, allow_nan=False))
        return DONE
    for line in fit_tables.lines(found.calibration, found.cautions, found.history.source):
        _say(line)
    _say(f"\nscenario: {out}" if out else f"\n{found.fragment.rstrip()}")
    return DONE


@app.command(
    short_help="Hold simulator and theory against each other.",
    help="Simulate what has a closed form, and print simulated, exact and their distance in standard errors.",
)
@reported
def check(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this check. Repeatable.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Print the names of the checks and stop.")] = False,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes that share the checks.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from time import perf_counter

    from des.analysis.check_table import print_cases, print_check
    from des.check.suite import CASES, all_ok, as_dict
    from des.study.check import check as run_checks

    if list_them:
        print_cases(CASES, _console())
        return DONE
    started = perf_counter()
    with _progress() as progress:
        checked = run_checks(tuple(only or ()), workers=workers, progress=progress)
    if as_json:
        import json

        _say(json.dumps(as_dict(checked), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print_check(checked, _console(), wall_s=perf_counter() - started)
    return DONE if all_ok(checked) else FAILED


def _say_json(content: dict[str, Any]) -> None:
    import json

    _say(json.dumps(content, indent=2, ensure_ascii=False))


def _console() -> "Console":
    """Standard output; a pipe gets 120 plain columns, or what COLUMNS says."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # which `reported` knows; the library's way is to exit with code 1

    console = Output(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Output(highlight=False, width=120)
    return console


@contextmanager
def _progress() -> "Iterator[Progress | None]":
    """A bar over the simulated time of all arms and replications, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=1.0)

        def report(share: float, what: str) -> None:
            bar.update(task, completed=share, description=what)

        yield report
