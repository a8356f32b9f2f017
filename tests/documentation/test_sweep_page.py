"""The page on sweeps: its first command prints what it shows, and what `--over` takes is what it says."""

import re
from pathlib import Path

from des.study.sweep_ranges import grid
from tests.command import des

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sweep.md").read_text(encoding="utf-8")


def _comparable(printed: str) -> list[str]:
    without_key = re.sub(r"-sweep-\w+", "-sweep-...", printed)
    return [line.rstrip() for line in without_key.strip().splitlines()]


def test_the_page_shows_what_its_command_prints(tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (command,) = re.findall(r"^des (sweep .+)$", PAGE, flags=re.MULTILINE)
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    done = des(*command.split(), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert _comparable(done.stdout) == _comparable(shown)


def test_every_form_of_values_is_read_as_the_page_says() -> None:
    rows = re.findall(r"^\| `([^`]+=[^`]+)` \|", PAGE, flags=re.MULTILINE)
    assert [len(grid([row])) for row in rows] == [3, 11, 6, 7, 2]
