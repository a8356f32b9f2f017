"""A directory that is written whole, for the tests of `des.disk`."""

from pathlib import Path

from des.disk import written_whole


def write_run(target: Path, text: str = "x", *, replace: bool = False) -> None:
    with written_whole(target, replace=replace) as directory:
        (directory / "requests").mkdir()
        (directory / "requests" / "a.parquet").write_text(text)
