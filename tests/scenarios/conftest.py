"""Runs of the shipped scenarios, each made once for all tests."""

import subprocess
from collections.abc import Iterator
from functools import cache

import pytest

import des
from des.traces import Run
from tests.patience import PATIENCE_S
from tests.scenarios.shipped import DES, SHORTENED, Answer, lacks_data, path_of, plain


@pytest.fixture(scope="session")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """A shipped scenario's shortened run, made once by the installed command."""
    folder = tmp_path_factory.mktemp("shipped")

    @cache
    def run(name: str) -> Run:
        if reason := lacks_data(name):
            pytest.skip(reason)
        changes = [part for change in [*SHORTENED[name], "expect={}"] for part in ("--set", change)]
        out = folder / name
        done = subprocess.run(
            [DES, "run", str(path_of(name)), *changes, "--out", str(out)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        assert plain(des.load(out).manifest["scenario"]["question"]) in plain(done.stdout)
        return des.load(out)

    yield run
    run.cache_clear()
