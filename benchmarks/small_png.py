"""Screenshots as small PNG files: of 256 colours, those that most pixels have. Others become the nearest of them."""

import base64
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_COLOURS: Final = 256
_PIXELS: Final = """
async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [image.width, image.height, btoa(text)];
}
"""


def write_small(shown: Any, png: bytes, file: Path, kept: Sequence[str] = ()) -> None:
    """Write a screenshot, which the browser's page `shown` decodes. Colours `kept` (`#0072B2`) are unchanged."""
    width, height, text = shown.evaluate(_PIXELS, base64.b64encode(png).decode())
    rgba = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height * width, 4)
    palette, places = quantised(rgba[:, :3], [int(colour[1:], 16) for colour in kept])
    file.write_bytes(indexed_png(palette, places.reshape(height, width)))


def quantised(pixels: NDArray[np.uint8], kept: Sequence[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The palette, with the colours `kept` that occur, and the place in it of each pixel."""
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    found, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    every = np.stack([found >> 16 & 255, found >> 8 & 255, found & 255], axis=1).astype(np.int64)
    palette = every[np.lexsort((-counts, ~np.isin(found, kept)))[:_COLOURS]]
    distance = ((every[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
    nearest = distance.argmin(axis=1).astype(np.uint8)
    return palette.astype(np.uint8), nearest[inverse.reshape(-1)]


def indexed_png(palette: NDArray[np.uint8], places: NDArray[np.uint8]) -> bytes:
    """A PNG file of a palette and the place of each pixel in it."""
    height, width = places.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), places], axis=1)  # each after its filter, which is none
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )
