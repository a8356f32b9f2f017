"""The recipes work: their files are valid, their commands run, and each shown line and figure is what they print."""

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import des

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
FIGURE = re.compile(r"(?<![\w.,/@:-])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?![\w/:]|\.\d)")


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def write_files(page: Path, folder: Path) -> None:
    """Files of the page: a scenario or a module has its name in its first line, a table has it in the line above."""
    text = page.read_text(encoding="utf-8")
    for _, block in BLOCK.findall(text):
        if name := re.match(r"# (\S+\.(yaml|py))\n", block):
            (folder / name[1]).write_text(block, encoding="utf-8")
    for name, block in re.findall(r"`(\S+\.csv)`:\n\n```csv\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        (folder / name).write_text(block, encoding="utf-8")


def printed_by(commands: str, folder: Path) -> str:
    """What the commands of a block print. Each ends with 0, or with the code in its comment."""
    printed = ""
    for line in commands.splitlines():
        command, _, code = line.partition(" # exit code ")
        done = des(*_arguments(command), folder=folder)
        assert done.returncode == int(code or 0), done.stderr
        printed += done.stdout + done.stderr
    return printed


def _arguments(command: str) -> list[str]:
    name, *arguments = shlex.split(command)
    assert name == "des"
    # An answer is the same for any number of workers, and further processes only take time here.
    return [*arguments, "--workers", "1"] if arguments[0] == "answer" else arguments


def outputs(page: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Each block of output with what the commands or the Python above it printed."""
    printed = ""
    for language, block in blocks(page):
        if language == "sh":
            printed = printed_by(block, folder)
        elif language == "python" and not block.startswith("# "):
            out = io.StringIO()
            with contextlib.chdir(folder), contextlib.redirect_stdout(out):
                exec(compile(block, page.name, "exec"), {})
            printed = out.getvalue()
        elif language == "text":
            yield block, printed


def lines_in_order(shown: str, printed: str) -> list[str]:
    """The shown lines with which no printed line begins that follows the line before, however columns are spaced."""
    left = iter([_words(line) for line in printed.splitlines()])
    return [line for line in shown.splitlines() if not any(each.startswith(_words(line)) for each in left)]


def _words(line: str) -> str:
    return " ".join(line.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_recipe_prints_what_it_shows(page: Path, tmp_path: Path) -> None:
    write_files(page, tmp_path)
    shown = list(outputs(page, tmp_path))
    assert any(language == "sh" or language == "python" for language, _ in blocks(page))
    for block, printed in shown:
        assert lines_in_order(block, printed) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_figures_stand_in_what_it_shows(page: Path) -> None:
    shown = " ".join(block for _, block in blocks(page))
    prose = re.sub(r"\]\([^)]*\)|^\d\. ", "", BLOCK.sub("", page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    prose = re.sub(r"`[^`]*`", "", prose)
    assert [figure for figure in FIGURE.findall(prose) if figure not in FIGURE.findall(shown)] == []


def test_there_is_a_recipe_for_each_question() -> None:
    assert len(PAGES) >= 9


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert lines_in_order("a\nb\n", "a\nx\nb\n") == []
    assert lines_in_order("b\na\n", "a\nx\nb\n") == ["a"]
