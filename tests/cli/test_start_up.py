"""What starting a command imports, and what it leaves for later. Which modules, since times differ between machines."""

import gc
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from study.small_scenario import write_small

from des.cli.application import rarely_collecting
from tests.command import SCENARIOS, des

HEAVY = ("pandas", "pyarrow", "scipy", "simpy", "numba", "des.engine", "des.compiled", "des.report", "des.estimate")
"""Nothing of these is needed to read a scenario."""
ONLY_IF_USED = (
    *HEAVY,
    "httpx2",
    "numpy",
    "des.files",
    "xml.etree.ElementTree",
    "xml.parsers.expat",
    "html",
    "tomllib",
)
PRICES = "genai_prices"


def imported(*words: str | Path) -> list[str]:
    """The modules that a command has imported when it ends; it has to succeed."""
    code = (
        "import sys\nfrom des.cli import main\ntry:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\nprint(*sys.modules, sep='\\n')"
    )
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_version_and_help_are_quick_to_say(tmp_path: Path) -> None:
    assert des("--version", folder=tmp_path).stdout.startswith("des ")
    assert "run" in des("--help", folder=tmp_path).stdout
    assert not {PRICES, *ONLY_IF_USED} & {*imported("--help")}


@pytest.mark.parametrize("name", ["two_stage", "forty_providers", "openai_sdk_hang"])
def test_validate_imports_what_a_scenario_needs_and_no_more(name: str) -> None:
    found = imported("validate", SCENARIOS / f"{name}.yaml")
    assert f"{SCENARIOS / name}.yaml: ok" in found
    assert "des.scenario.schema.scenario" in found
    assert not {*ONLY_IF_USED} & {*found}


def test_only_a_scenario_that_leaves_prices_to_the_catalogue_imports_them(tmp_path: Path) -> None:
    assert PRICES in imported("validate", SCENARIOS / "two_stage.yaml")
    found = imported("validate", write_small(tmp_path))
    assert "des.catalogue.price_table" in found
    assert PRICES not in found


def test_objects_are_collected_as_before_once_a_scenario_is_read() -> None:
    before = gc.get_threshold()
    gc.set_threshold(700, 11, 12)
    try:
        with suppress(LookupError), rarely_collecting():
            assert gc.isenabled()
            assert gc.get_threshold() == (500_000, 11, 12)
            raise LookupError
        assert gc.get_threshold() == (700, 11, 12)
    finally:
        gc.set_threshold(*before)


def test_no_command_ends_with_a_search_for_what_is_to_be_freed_anyway() -> None:
    code = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count())); from des.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) > 1000
