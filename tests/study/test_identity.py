"""The key of a run changes with everything that its traces depend on, and with nothing else."""

from typing import Any

import pytest

from des.study.identity import Identity
from des.traces.levels import FULL, NONE, TraceLevel

SAME: dict[str, Any] = {
    "resolved": {"title": "a", "policy": {"rounds": 2, "billing": "provider"}},
    "seed": 7,
    "replications": 3,
    "arms": ["as_modelled", "other"],
    "traces": FULL,
    "files": {"incidents.csv": "ab" * 32},
}


def test_the_order_of_fields_is_no_part_of_the_key() -> None:
    reordered = SAME | {"resolved": {"policy": {"billing": "provider", "rounds": 2}, "title": "a"}}
    assert Identity(**SAME).key() == Identity(**reordered).key()


@pytest.mark.parametrize(
    "change",
    [
        {"resolved": {"title": "a", "policy": {"rounds": 3, "billing": "provider"}}},
        {"seed": 8},
        {"replications": 4},
        {"arms": ["as_modelled"]},
        {"traces": NONE},
        {"traces": TraceLevel("sampled", 0.01)},
        {"files": {"incidents.csv": "cd" * 32}},
    ],
)
def test_what_the_traces_depend_on_changes_the_key(change: dict[str, Any]) -> None:
    assert Identity(**SAME).key() != Identity(**(SAME | change)).key()


def test_files_that_swap_their_contents_make_another_run() -> None:
    before = SAME | {"files": {"first.csv": "ab" * 32, "second.csv": "cd" * 32}}
    swapped = SAME | {"files": {"first.csv": "cd" * 32, "second.csv": "ab" * 32}}
    assert Identity(**before).key() != Identity(**swapped).key()
    listed_otherwise = SAME | {"files": dict(reversed(before["files"].items()))}
    assert Identity(**before).key() == Identity(**listed_otherwise).key()


def test_another_version_or_other_source_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Identity(**SAME).key()
    monkeypatch.setattr("des.study.identity.package_version", lambda: "999")
    assert Identity(**SAME).key() != before
    monkeypatch.undo()
    monkeypatch.setattr("des.study.identity.source_digest", lambda: "another")
    assert Identity(**SAME).key() != before
