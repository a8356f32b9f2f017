"""What the README and the pages beside it show works: Python runs, scenarios are valid, links lead somewhere."""

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
PAGES = [ROOT / "README.md", ROOT / "results" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings: lower case, blanks as hyphens, no other signs."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_python_of_the_page_on_results_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    shortened: Callable[..., des.traces.Run] = partial(des.run, overrides=["horizon=10y", "replications=2"])
    monkeypatch.setattr(des, "run", shortened)
    names: dict[str, object] = {}
    for block in blocks("python", text_of("reading-results.md")):
        exec(compile(block, "reading-results.md", "exec"), names)
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
    (block,) = blocks("python", text_of("cascades.md"))
    exec(compile(block, "cascades.md", "exec"), {"des": des})
    printed = capsys.readouterr().out
    assert "goodput" in printed
    assert "\n0 " in printed


def test_the_first_scenario_is_valid(tmp_path: Path) -> None:
    (block,) = blocks("yaml", text_of("first-scenario.md"))
    path = tmp_path / "first.yaml"
    path.write_text(block, encoding="utf-8")
    done = des_command("validate", path)
    assert done.returncode == 0, done.stderr


def test_every_shipped_scenario_has_its_question() -> None:
    for path in (ROOT / "scenarios").glob("*.yaml"):
        assert f"`{path.name}`" in text_of("shipped-scenarios.md")


def test_every_command_and_every_room_is_named() -> None:
    help_text = des_command("--help").stdout
    commands = re.findall(r"^  ([a-z]+)  ", help_text.partition("Commands:")[2], flags=re.MULTILINE)
    assert commands
    for command in commands:
        assert f"`{command}`" in text_of("commands.md")
    for room in (path.parent.name for path in (ROOT / "des").glob("*/__init__.py")):
        assert f"`des/{room}/`" in text_of("design.md")


def test_the_readme_fits_on_two_screens() -> None:
    assert len(README.splitlines()) <= 100


def test_what_the_readme_shows_stands_in_the_page_on_results() -> None:
    whole = {" ".join(line.split()) for line in text_of("reading-results.md").splitlines()}
    shown = [" ".join(line.split()) for block in blocks("text", README) for line in block.splitlines()]
    assert len(shown) >= 8
    assert not [line for line in shown if line not in whole]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: os.path.relpath(path, ROOT))
def test_links_lead_to_files(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        assert (page.parent / target).exists(), target
        assert not heading or heading in headings(page.parent / target), f"{target}#{heading}"
