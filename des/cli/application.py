"""The `des` command: its entry point, its output, and its exit codes.

Results go to standard output, complaints and progress to standard error.
"""

import gc
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, ParamSpec

import typer

from des.cli.printing import PrintError, ReaderLeftError, abandon_output, failures_of_output
from des.errors import DesError, RunError, WriteError, what_is_left
from des.signals import terminating_signals_raise
from des.single_files import reason_of
from des.words import printable

if TYPE_CHECKING:
    from rich.console import Console

    from des.study.options import Progress

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2
INCONCLUSIVE: Final = 3
NOT_RUN: Final = 4
INTERRUPTED: Final = 130
_PIPE_CLOSED: Final = 141

_Arguments = ParamSpec("_Arguments")
_STANDARD_ERROR: Final = 2
"""The last of the three descriptors of the standard streams."""

app = typer.Typer(
    name="des",
    help="Simulate AI requests over several providers with fallback chains to find uptime, cost and latency.",
    epilog="Exit codes: 0 success, 1 the run failed or an expect was missed, 2 invalid input, 3 an expect is "
    "inconclusive or a --precision was not reached, 4 not confirmed: nothing was run.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class DeclinedError(Exception):
    """Somebody was asked before work that takes long, or before something is removed, and did not say yes."""


def main() -> None:
    """The `des` command."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a question mark
    with failures_of_output():
        code = _main()
    _exit(code)


def _exit(code: int | None) -> NoReturn:
    """Ends the process. After Ctrl-C it does not wait for the engine to be compiled, which takes half a minute.

    Objects that refer to each other are left for the system to free. Looking for them here takes a tenth of a second.
    """
    loader = sys.modules.get("des.compiled.whole_runs")
    if loader is not None and loader.is_loading():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code or DONE)
    gc.freeze()
    sys.exit(code)


def _main() -> int:
    """The exit code. A command has reported its own errors; here are those before and after it, such as of help."""
    try:
        try:
            code: int = app(prog_name="des", standalone_mode=False)
        except SystemExit as stop:  # what the shell's completion ends with
            code = stop.code if isinstance(stop.code, int) else DONE
        sys.stdout.flush()
        return code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except PrintError as error:
        return _unprinted(error)
    except OSError as error:  # such as a file of the shell's that completion cannot be added to
        complain(f"{error.filename}: {reason_of(error)}" if error.filename else _unexpected(error))
        return FAILED
    except Exception as error:
        return _refused(error)


def _refused(error: Exception) -> int:
    """Reports an error in the command line, and where to find help."""
    show = getattr(error, "show", None)
    if show is None or not isinstance(getattr(error, "exit_code", None), int):
        raise error
    words = io.StringIO()
    show(words)
    complain(words.getvalue().rstrip("\n"))
    return int(error.exit_code)  # type: ignore[attr-defined]


def _unprinted(error: PrintError) -> int:
    """Standard output cannot be written, or nobody reads it any more."""
    abandon_output()
    if isinstance(error, ReaderLeftError):
        return _PIPE_CLOSED
    left = what_is_left(error)
    complain(f"{error}; {left}" if left else str(error))
    return FAILED


def _open_what_is_closed() -> None:
    """Opens standard streams that the caller closed on the null device, so that no file takes their descriptors."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(number, True)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _version(wanted: bool) -> None:
    if wanted:
        from des.study.identity import package_version

        say(f"des {package_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of `des` itself."""


def reported(command: Callable[_Arguments, int]) -> Callable[_Arguments, None]:
    """Turns a command's result into the exit code, and its exceptions into one message and a code."""

    @wraps(command)
    def wrapper(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        try:
            with terminating_signals_raise():
                code = command(*args, **kwargs)
                sys.stdout.flush()
        except KeyboardInterrupt as stop:
            complain(f"interrupted: {what_is_left(stop) or 'nothing was kept'}")
            code = INTERRUPTED
        except DeclinedError as answer:
            complain(str(answer))
            code = NOT_RUN
        except PrintError as error:
            code = _unprinted(error)
        except DesError as error:
            left = what_is_left(error)
            complain(f"{error}; {left}" if left else str(error))
            code = _code(error)
        except SystemExit as stop:
            complain(f"stopped by a signal: {what_is_left(stop) or 'nothing was kept'}")
            code = stop.code if isinstance(stop.code, int) else FAILED
        except Exception as error:
            if os.environ.get("DES_DEBUG"):
                raise
            complain(_unexpected(error))
            code = FAILED
        raise typer.Exit(code)

    return wrapper


def _code(error: DesError) -> int:
    return FAILED if isinstance(error, RunError | WriteError) else WRONG_INPUT


def _unexpected(error: Exception) -> str:
    what = " ".join(str(error).split()) or "without a message"
    return f"unexpected {type(error).__name__}: {what} (set DES_DEBUG=1 to see the traceback)"


def complain(message: str) -> None:
    with suppress(OSError):  # standard error cannot be written either
        print(printable(message), file=sys.stderr, flush=True)  # noqa: T201


def complain_of(remarks: Iterable[object]) -> None:
    """Print remarks, such as what an input leaves out, on standard error."""
    for remark in remarks:
        complain(str(remark))


def say(text: str) -> None:
    print(printable(text))  # noqa: T201


def say_json(content: Any) -> None:
    """Indented JSON. Raises ValueError for NaN and infinity, which JSON lacks."""
    import json

    say(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def console() -> "Console":
    """Standard output. Without a terminal it has 120 columns, or COLUMNS, and no colour."""
    from rich.console import Console

    output = Console(highlight=False)
    if not output.is_terminal and "COLUMNS" not in os.environ:
        output = Console(highlight=False, width=120)
    return output


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """Within it, objects that refer to each other are looked for once in 500,000 new ones instead of once in 700.

    For work that mostly makes what lasts until the end, such as modules and the schema of scenarios.
    """
    often = gc.get_threshold()
    gc.set_threshold(500_000, *often[1:])
    try:
        yield
    finally:
        gc.set_threshold(*often)


@contextmanager
def progress_bar() -> "Iterator[Progress | None]":
    """A bar over the simulated time of all arms and replications, if standard error is a terminal."""
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
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("simulating", total=1.0)

    def report(share: float, what: str) -> None:
        bar.start()  # now, so that whatever is asked before the work stands on lines of its own
        bar.update(task, completed=share, description=printable(what))

    try:
        yield report
    finally:
        bar.stop()
