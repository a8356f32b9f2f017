"""The pictures of the documentation are those that the command makes, small, and shown somewhere."""

import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from benchmarks.small_png import indexed_png, quantised

ROOT: Final = Path(__file__).parents[2]
PICTURES: Final = sorted((ROOT / "docs" / "pictures").iterdir())
MOST_BYTES: Final = 200_000


def test_the_command_makes_all_of_them() -> None:
    from benchmarks.pictures import FOLDER, NAMES, REPORTS, SERVICE

    made = {report.file for report in REPORTS} | {FOLDER / f"{SERVICE}.png"}
    assert made == set(PICTURES)
    assert len(NAMES) == len(made)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < MOST_BYTES
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert any(f"pictures/{picture.name})" in page.read_text(encoding="utf-8") for page in pages)


def test_a_small_picture_has_the_colours_of_most_pixels_and_those_that_are_kept() -> None:
    shades = [[number, number, number] for number in range(256)]
    pixels = np.array([*shades, *shades, [0, 114, 178], [254, 254, 253]], np.uint8)
    palette, places = quantised(pixels, [0x0072B2])
    assert len(palette) == 256
    assert palette[places[-2]].tolist() == [0, 114, 178]
    assert palette[places[-1]].tolist() == [254, 254, 254]
    lost = [shade for shade in shades if shade not in palette.tolist()]
    assert len(lost) == 1


def test_a_png_of_a_palette_holds_its_pixels() -> None:
    palette, places = np.array([[255, 255, 255], [0, 0, 0]], np.uint8), np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    png = indexed_png(palette, places)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (3, 2)
    at = png.index(b"IDAT")
    (size,) = struct.unpack(">I", png[at - 4 : at])
    content = png[at + 4 : at + 4 + size]
    assert zlib.decompress(content) == b"\x00\x00\x01\x01\x00\x01\x00\x00"
    assert struct.unpack(">I", png[at + 4 + size : at + 8 + size]) == (zlib.crc32(b"IDAT" + content),)
