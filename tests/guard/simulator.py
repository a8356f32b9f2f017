"""All that the guard takes from the package: the public API, and the command line in this very process."""

import contextlib
import io
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import des
from des.cli import main


def simulate(scenario: Path | Mapping[str, Any], out: Path, overrides: Sequence[str], seed: int | None) -> Any:
    """One replication of every arm with its traces, in a new directory; anything raised is the package's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return des.run(scenario, out=out, overrides=list(overrides), seed=seed, replications=1)


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a `des` command."""
    out, err = io.StringIO(), io.StringIO()
    given, sys.argv = sys.argv, ["des", *arguments]
    code: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            main()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.argv = given
    return (code if isinstance(code, int) else 0 if code is None else 1), out.getvalue(), err.getvalue()
