"""The key of a run changes with everything that its traces depend on, and with nothing else."""

from typing import Any

import pytest

from des.study.key import run_key

SAME: dict[str, Any] = {
    "resolved": {"title": "a", "policy": {"rounds": 2, "billing": "provider"}},
    "seed": 7,
    "replications": 3,
    "arms": ["as_modelled", "other"],
    "traces": True,
    "files": {"incidents.csv": "ab" * 32},
}


def test_the_order_of_fields_is_no_part_of_the_key() -> None:
    reordered = SAME | {"resolved": {"policy": {"billing": "provider", "rounds": 2}, "title": "a"}}
    assert run_key(**SAME) == run_key(**reordered)


@pytest.mark.parametrize(
    "change",
    [
        {"resolved": {"title": "a", "policy": {"rounds": 3, "billing": "provider"}}},
        {"seed": 8},
        {"replications": 4},
        {"arms": ["as_modelled"]},
        {"traces": False},
        {"files": {"incidents.csv": "cd" * 32}},
    ],
)
def test_what_the_traces_depend_on_changes_the_key(change: dict[str, Any]) -> None:
    assert run_key(**SAME) != run_key(**(SAME | change))


def test_files_that_swap_their_contents_make_another_run() -> None:
    before = SAME | {"files": {"first.csv": "ab" * 32, "second.csv": "cd" * 32}}
    swapped = SAME | {"files": {"first.csv": "cd" * 32, "second.csv": "ab" * 32}}
    assert run_key(**before) != run_key(**swapped)
    listed_otherwise = SAME | {"files": dict(reversed(before["files"].items()))}
    assert run_key(**before) == run_key(**listed_otherwise)


def test_another_version_or_other_source_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_key(**SAME)
    monkeypatch.setattr("des.__version__", "999")
    assert run_key(**SAME) != before
    monkeypatch.undo()
    monkeypatch.setattr("des.study.key.source_digest", lambda: "another")
    assert run_key(**SAME) != before
