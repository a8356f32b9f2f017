"""The first table of the page on results is what `make demo` prints, but for the time and the key of the run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
DES = str(Path(sys.executable).with_name("des"))


def comparable(printed: str) -> list[str]:
    without_key = re.sub(r"results/two_stage-\w+", "results/two_stage-...", printed)
    without_time = re.sub(r"simulated in [\d.]+ s", "simulated in ... s", without_key)
    return [line.rstrip() for line in without_time.strip().splitlines()]


def test_the_page_on_results_shows_what_make_demo_prints(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reading-results.md").read_text(encoding="utf-8")
    shown = page.partition("## A run")[2].split("```")[1]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    scenario = re.search(r"^\t\$\(BIN\)/des run (\S+)$", makefile, flags=re.MULTILINE)
    assert scenario
    done = subprocess.run(
        [DES, "run", str(ROOT / scenario[1])],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert comparable(done.stdout) == comparable(shown)
