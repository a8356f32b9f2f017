"""What is said and asked before work that takes long."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from des.cli.application import DeclinedError, complain
from des.digits import size

if TYPE_CHECKING:
    from des.study.options import Before, Forecast

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before work that takes longer than five minutes.")]
_WORTH_SAYING_S: Final = 10.0
_WORTH_ASKING_S: Final = 300.0


def before(command: str, scenario: Path, *, yes: bool, quicker: str = "") -> "Before":
    """Says how long the command will take and how much it will write, and asks whether to go on where that is long.

    It asks too where less is free than will be written; where nobody is there to answer, that ends the command.
    `quicker` says what takes less time, by default `des answer`.

    Raises DeclinedError where the answer is not yes, and without asking where nobody can answer and nothing was read.
    """

    accepted: list[Forecast] = []

    def say_and_ask(forecast: "Forecast") -> None:
        if forecast.finished and not accepted:
            complain(
                f"continuing: {forecast.finished:,} of {forecast.replications:,} {forecast.unit} are finished already"
            )
        too_large = forecast.free is not None and forecast.size > forecast.free and not accepted
        if forecast.seconds < _WORTH_SAYING_S and not too_large:
            return
        complain(_sentence(command, forecast))
        if too_large:
            complain(_too_large(forecast))
        if forecast.seconds >= _WORTH_ASKING_S:
            complain(quicker or f"des answer {scenario} answers the same question within a minute")
        elif not too_large:
            return
        if forecast.untimed:
            accepted.append(forecast)  # unless what follows raises, which ends the command
        if yes:
            return
        if forecast.unread and not somebody_is_there():
            points = f"{forecast.replications:,} {forecast.unit}"
            raise DeclinedError(f"nothing was run: nobody is there to be asked, and --yes goes on with {points}")
        if too_large and not somebody_is_there():
            raise DeclinedError(f"{_declined(forecast)}; --yes goes on all the same")
        confirm("go on?", _declined(forecast))

    return say_and_ask


def _declined(forecast: "Forecast") -> str:
    if forecast.begun:
        return f"nothing more was run; finished {forecast.unit} are kept"
    still = f"; the {forecast.finished:,} finished {forecast.unit} are still kept" if forecast.finished else ""
    return f"nothing was run{still}"


def somebody_is_there() -> bool:
    """Whether standard input and standard error are a terminal, so that somebody can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, declined: str) -> None:
    """Ask, where standard input and standard error are a terminal. Raises DeclinedError unless the answer is yes."""
    if not somebody_is_there():
        return
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise DeclinedError(declined)


def _sentence(command: str, forecast: "Forecast") -> str:
    from des.report.figures import duration

    processes = "1 process" if forecast.processes == 1 else f"{forecast.processes} processes"
    about = "at least about" if forecast.at_least else "about"
    if forecast.untimed:
        return f"des {command} will write {about} {size(forecast.size)} here"
    written = f", and write {about} {size(forecast.size)}" if forecast.size else ""
    return f"des {command} will take {about} {duration(forecast.seconds)} here, on {processes}{written}"


def _too_large(forecast: "Forecast") -> str:
    return f"only {size(forecast.free or 0)} are free there: fewer rows take less room (--traces requests, --no-traces)"
