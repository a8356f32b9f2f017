"""What the README and the page on cascades show works: Python runs, scenarios are valid, links lead somewhere."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import des
from tests.command import des as des_command

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "results" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings: lower case, blanks as hyphens, no other signs."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    shortened: Callable[..., des.traces.Run] = partial(des.run, overrides=["horizon=10y", "replications=2"])
    monkeypatch.setattr(des, "run", shortened)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "primary_only" in printed
    assert "99%" in printed
    assert "anthropic" in printed.rpartition("99%")[2]  # the outages that cost most
    assert len(names["requests"]) > 1000  # type: ignore[arg-type]


def test_the_python_of_the_page_on_cascades_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(des, "run", partial(des.run, overrides=["horizon=15s", "replications=1", "expect={}"]))
    (block,) = blocks("python", (ROOT / "docs" / "cascades.md").read_text(encoding="utf-8"))
    exec(compile(block, "cascades.md", "exec"), {"des": des})
    printed = capsys.readouterr().out
    assert "goodput" in printed
    assert "\n0 " in printed


def test_its_scenario_is_valid(tmp_path: Path) -> None:
    for number, block in enumerate(blocks("yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        done = des_command("validate", path)
        assert done.returncode == 0, done.stderr


def test_it_names_every_shipped_scenario() -> None:
    for path in (ROOT / "scenarios").glob("*.yaml"):
        assert f"`{path.name}`" in README


def test_it_names_every_command_and_every_room() -> None:
    help_text = des_command("--help").stdout
    commands = re.findall(r"^  ([a-z]+)  ", help_text.partition("Commands:")[2], flags=re.MULTILINE)
    assert commands
    for command in commands:
        assert f"`{command}`" in README
    for room in (path.parent.name for path in (ROOT / "des").glob("*/__init__.py")):
        assert f"`des/{room}/`" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda path: os.path.relpath(path, ROOT))
def test_links_lead_to_files(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        assert (page.parent / target).exists(), target
        assert not heading or heading in headings(page.parent / target), f"{target}#{heading}"
