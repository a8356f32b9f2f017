"""The files of the page: plain modules that need no build step, no network but the service, and no loosened policy."""

import hashlib
import re
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = Path(__file__).parents[2] / "des" / "service" / "page"
LIT_HTML: Final = PAGE / "lit-html.js"
OWN: Final = sorted(path for path in PAGE.glob("*.js") if path != LIT_HTML)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_document_has_no_script_or_style_of_its_own() -> None:
    document = text(PAGE / "index.html")
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", document) == []
    assert "<style" not in document
    assert re.findall(r"\s(?:style|on\w+)=", document) == []


def test_everything_that_the_document_names_is_a_file_of_the_page() -> None:
    named = re.findall(r'(?:src|href)="(/page/[^"]+)"', text(PAGE / "index.html"))
    assert named
    assert [name for name in named if not (PAGE / name.removeprefix("/page/")).is_file()] == []


@pytest.mark.parametrize("module", OWN, ids=lambda path: path.name)
def test_a_module_imports_only_its_neighbours_and_evaluates_nothing(module: Path) -> None:
    source = text(module)
    imported = re.findall(r'(?:from|import)\s*\(?\s*"([^"]+)"', source)
    assert [name for name in imported if not (name.startswith("./") and (PAGE / name).is_file())] == []
    assert re.findall(r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", source) == []
    assert re.findall(r"https?://(?!www\.w3\.org/)", source) == []


@pytest.mark.parametrize("module", OWN, ids=lambda path: path.name)
def test_templates_have_no_style_attributes_which_the_policy_refuses(module: Path) -> None:
    assert re.findall(r"<[^>]*\sstyle=", text(module)) == []


def test_lit_html_is_the_file_that_was_published() -> None:
    """Version 3.3.3 of the package lit-html, unchanged, with its licence beside it."""
    digest = hashlib.sha256(LIT_HTML.read_bytes()).hexdigest()
    assert digest == "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2"
    assert "BSD 3-Clause License" in text(PAGE / "lit-html.LICENSE.txt")
