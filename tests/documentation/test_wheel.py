"""A wheel of the project contains the shipped scenarios, and finds them there."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
BUILD = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
LOOK = "from des.scenario.shipped import scenario_file; print(scenario_file('two_stage'))"


def run(code: str, folder: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_wheel_has_every_scenario_and_an_installed_package_finds_them(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77", reason="an older setuptools cannot build this project")
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("des", "scenarios"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored, symlinks=True)
    run(BUILD, source)
    (wheel,) = (source / "dist").glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(installed)
    names = {path.name for path in (installed / "des" / "shipped").iterdir()}
    assert names == {path.name for path in (ROOT / "scenarios").glob("*.yaml")}
    assert (installed / "des" / "py.typed").exists()
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {"des"}
    found = run(LOOK, tmp_path, PYTHONPATH=str(installed)).strip()
    assert found == str(installed / "des" / "shipped" / "two_stage.yaml")
