"""The `des` command: in this very process for what it says and returns, as a process for what only a process shows."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO
from unittest.mock import patch

from des.cli import main
from tests.patience import PATIENCE_S

SCENARIOS = Path(__file__).parents[1] / "scenarios"
DES = str(Path(sys.executable).with_name("des"))
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if key not in ("COLUMNS", "DES_DEBUG", "FORCE_COLOR")},
    "DES_ENGINE": "simpy",  # whatever has been compiled on this machine
}

Done = subprocess.CompletedProcess[str]


def des(
    *arguments: object,
    folder: Path | str = ".",
    env: dict[str, str] | None = None,
    without: Sequence[str] = (),
    out: TextIO | None = None,
) -> Done:
    """What `main` makes of the arguments: its exit code and what it prints, with no interpreter to start.

    What goes to `out` is not among what it printed.
    """
    given = ["des", *map(str, arguments)]
    environment = {key: value for key, value in ENVIRONMENT.items() if key not in without} | (env or {})
    printed, err, code = io.StringIO(), io.StringIO(), None
    with (
        contextlib.chdir(folder),
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", given),
        contextlib.redirect_stdout(out or printed),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return Done(given, code if isinstance(code, int) else 0 if code is None else 1, printed.getvalue(), err.getvalue())


def des_process(*arguments: object, folder: Path, env: dict[str, str] | None = None, **options: Any) -> Done:
    """The installed command."""
    return subprocess.run(
        [DES, *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT | (env or {}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        **options,
    )


def is_a_clear_error(done: Done, code: int) -> None:
    assert done.returncode == code
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def left_in(folder: Path) -> list[str]:
    """What is in a folder beside the scenario."""
    return sorted(path.name for path in folder.rglob("*") if path.name not in ("small.yaml", "results"))
