"""Which tests run in one process where there are several."""

from typing import Final

from xdist.scheduler import LoadFileScheduling

TOGETHER: Final = {
    "compiled": "the first of them may compile the engine, for all of them",
    "oracles": "their scores are judged as one",
    "scenarios": "they share their runs",
}
"""Folders whose tests stay together, and why."""


def group_of(test: str) -> str:
    """Of a test's id, as pytest writes it: its file, or its folder."""
    file = test.split("::", 1)[0]
    folder = file.split("/")[-2] if "/" in file else ""
    return folder if folder in TOGETHER else file


class ByFileOrFolder(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """As `--dist loadfile`, with folders whose tests stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
