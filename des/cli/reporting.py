"""What a command says and how it ends: results on standard output, complaints and progress on standard error."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec

import typer

from des.errors import DesError, RunError

if TYPE_CHECKING:
    from rich.console import Console

    from des.study.study import Progress

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2
INCONCLUSIVE: Final = 3
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

Arguments = ParamSpec("Arguments")


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
            complain("interrupted: nothing was kept")
            code = INTERRUPTED
        except DesError as error:
            complain(str(error))
            code = _code(error)
        except SystemExit as stop:
            complain("stopped by a signal: nothing was kept")
            code = stop.code if isinstance(stop.code, int) else FAILED
        except OSError as error:  # standard output on a full disk, say
            _abandon_stdout()
            complain(_unexpected(error))
            code = FAILED
        except Exception as error:
            if os.environ.get("DES_DEBUG"):
                raise
            complain(_unexpected(error))
            code = FAILED
        raise typer.Exit(code)

    return wrapper


def _code(error: DesError) -> int:
    from des.study.destination import WriteError

    return FAILED if isinstance(error, RunError | WriteError) else WRONG_INPUT


def _unexpected(error: Exception) -> str:
    what = " ".join(str(error).split()) or "no further words"
    return f"unexpected {type(error).__name__}: {what} (set DES_DEBUG=1 for where it came from)"


def complain(message: str) -> None:
    with suppress(OSError):  # nobody is left to tell
        print(message, file=sys.stderr, flush=True)  # noqa: T201


def _abandon_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of failing a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    print(text)  # noqa: T201


def say_json(content: Any) -> None:
    """Indented JSON; NaN and infinity, which JSON has not, are errors of ours."""
    import json

    say(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def console() -> "Console":
    """Standard output; a pipe gets 120 plain columns, or what COLUMNS says."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # which `reported` knows; the library's way is to exit with code 1

    output = Output(highlight=False)
    if not output.is_terminal and "COLUMNS" not in os.environ:
        output = Output(highlight=False, width=120)
    return output


@contextmanager
def progress_bar() -> "Iterator[Progress | None]":
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
