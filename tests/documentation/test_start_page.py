"""The commands of the page for newcomers work as they stand, one after the other, in an empty folder."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from des.study.long_run import Attempt
from tests.command import des

PAGE = (Path(__file__).parents[2] / "docs" / "start.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
SHORTER = ("--rounds", "1", "--set", "horizon=5d", "--set", "replications=1", "--workers", "1")
"""An answer within seconds; the figures are rough."""


def write_history(folder: Path) -> None:
    """A status page with an incident every ten days, each sixth of them critical."""
    first = datetime(2024, 1, 1, 9, tzinfo=UTC)
    incidents = [
        {
            "id": f"i{number}",
            "created_at": (first + timedelta(days=10 * number, hours=number % 7)).isoformat(),
            "resolved_at": (first + timedelta(days=10 * number, hours=number % 7 + 1 + number % 3)).isoformat(),
            "impact": "critical" if number % 6 == 0 else "minor",
            "status": "resolved",
            "components": [{"name": "API"}],
        }
        for number in range(36)
    ]
    page = {"name": "Acme", "updated_at": "2025-01-01T00:00:00Z"}
    (folder / "history.json").write_text(json.dumps({"page": page, "incidents": incidents}))


@pytest.mark.usefixtures("rough_estimators")
@pytest.mark.parametrize("block", BLOCKS, ids=("first answer", "own chain", "history"))
def test_its_commands_work(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("des.study.answer.FIRST_ATTEMPT", Attempt(20.0, 30, 1_000))
    monkeypatch.setattr("des.study.long_run._SECOND", Attempt(20.0, 30, 1_000))
    write_history(tmp_path)
    for line in block.splitlines():
        name, *words = shlex.split(line)
        assert name == "des"
        done = des(*words, *(SHORTER if words[0] == "answer" else ()), folder=tmp_path)
        assert done.returncode == 0, (line, done.stderr)


def test_a_history_becomes_a_decision_in_five_commands() -> None:
    assert len(BLOCKS[-1].splitlines()) == 5
