"""The installed command as a process, and what its errors have in common."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S

SCENARIOS = Path(__file__).parents[2] / "scenarios"
DES = str(Path(sys.executable).with_name("des"))
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "DES_DEBUG", "FORCE_COLOR")}

Done = subprocess.CompletedProcess[str]


def des(*arguments: object, folder: Path, **options: Any) -> Done:
    return subprocess.run(
        [DES, *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT | options.pop("env", {}),
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
