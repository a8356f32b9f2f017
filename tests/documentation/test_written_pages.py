"""Pages that are written from the program are current, and the site has every page and no dead link."""

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documentation.pages.__main__ import FOLDER, PAGES

ROOT = Path(__file__).parents[2]
SITE = yaml.safe_load((ROOT / ".mkdocs.yml").read_text(encoding="utf-8"))


def listed(entries: Any) -> list[str]:
    """The pages of a navigation, those of its sections included."""
    if isinstance(entries, str):
        return [entries]
    return [page for entry in (entries.values() if isinstance(entries, dict) else entries) for page in listed(entry)]


@pytest.mark.parametrize("name", PAGES)
def test_a_written_page_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run python -m tests.documentation.pages"


def test_the_site_has_every_page() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(listed(SITE["nav"])) == sorted(pages)


def test_the_site_is_built_without_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("mkdocs", reason="the site is built with the extra docs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    with caplog.at_level(logging.WARNING):
        build(load_config(str(ROOT / ".mkdocs.yml"), site_dir=str(tmp_path)))
    assert caplog.messages == []
    page = (tmp_path / "reference" / "fields.html").read_text(encoding="utf-8")
    assert '<h2 id="policy">' in page
    assert 'src="https://' not in page
