"""Paths to values within plain data, and the places in a text where they stand."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and list positions from the root to a value."""
Mark = tuple[int, int]
"""Line and column, counted from 1."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file with line and column, or words such as `--set policy.rounds=3`."""

    file: str = ""
    line: int | None = None
    column: int | None = None


def path_text(path: Path) -> str:
    """`chain[1].provider` of ("chain", 1, "provider")."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
