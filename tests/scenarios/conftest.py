"""Runs of the shipped scenarios, each made once for all tests."""

from collections.abc import Iterator
from functools import cache

import pytest

import des
from des.traces import Run
from tests.command import des as des_command
from tests.guard.shipped import REPLAYED, SEEDS, SHORTENED, lacks_data, path_of
from tests.scenarios.shipped import Answer, plain

ENDED = (0, 1, 3)
"""Exit codes of runs: what a scenario expects is met, is not, or cannot be told, as of a shortened run."""


@pytest.fixture(scope="session")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """A shipped scenario's run by the command, made once: as the guard shortens it, or with changes of a test."""
    folder = tmp_path_factory.mktemp("shipped")

    @cache
    def run(name: str, *changes: str) -> Run:
        if reason := lacks_data(REPLAYED.get(name, ())):
            pytest.skip(reason)
        given = [part for change in changes or SHORTENED[name] for part in ("--set", change)]
        out = folder / "".join(filter(str.isalnum, f"{name} {changes}"))
        done = des_command("run", path_of(name), *given, "--seed", SEEDS[0], "--replications", 1, "--out", out)
        assert done.returncode in ENDED, done.stderr
        assert plain(des.load(out).manifest["scenario"]["question"]) in plain(done.stdout)
        return des.load(out)

    yield run
    run.cache_clear()
