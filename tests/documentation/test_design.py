"""The page on the design names files and folders that exist, each in its room."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = re.split(r"^#+ ", (ROOT / "docs" / "design.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def named(section: str) -> list[str]:
    """The files and folders that a section names, without patterns and addresses."""
    quoted = {name for name in re.findall(r"`([^`\n]+)`", section) if "://" not in name}
    return sorted(name for name in quoted if re.fullmatch(r"(?!_)[\w/]*\w(\.(py|md|yaml)|/)", name))


def title(section: str) -> str:
    return section.split("\n", 1)[0]


def has(folder: Path, name: str) -> bool:
    return (folder / name).exists() or any(folder.rglob(name.rstrip("/")))


@pytest.mark.parametrize("section", SECTIONS, ids=title)
def test_what_a_section_names_exists(section: str) -> None:
    room = ROOT / "des" / title(section)
    folder = room if room.is_dir() else ROOT / "des"
    assert not [name for name in named(section) if not (ROOT / name).exists() and not has(folder, name)]


def test_names_are_found_in_the_sections_of_rooms() -> None:
    assert sum(len(named(section)) > 3 for section in SECTIONS if (ROOT / "des" / title(section)).is_dir()) >= 5
