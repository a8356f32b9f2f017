"""The process of one run: simulates what `asked.json` in its directory asks for, and writes the report.

It says how far it is in lines of JSON. It ends with its standard input, so also where the service is killed. Started
again, it goes on from the replications that are finished.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from des.errors import DesError

ASKED: Final = "asked.json"
RESULT: Final = "result"
REPORT: Final = "report.html"
_SAID_EVERY_S: Final = 0.25


def simulate(directory: Path, say: "Say") -> None:
    """Leaves `result/` and, where its libraries are installed, `report.html` in the directory. Raises DesError."""
    asked = json.loads((directory / ASKED).read_text(encoding="utf-8"))
    result = directory / RESULT
    if not result.is_dir():
        make(asked, result, say)
    from des.report.charts.extra import missing
    from des.report.page import write_report

    if not missing() and not (directory / REPORT).exists():
        say(1.0, "report")
        write_report(result, out=directory / REPORT)


def make(asked: Mapping[str, Any], result: Path, say: "Say") -> None:
    """As `des run`, `des compare` or `des answer` do."""
    from des.study.answer import answer
    from des.study.compare import compare
    from des.study.run import run

    scenario = asked["scenario"]
    if asked["kind"] == "answer":
        answer(scenario, rounds=asked["rounds"], workers=1, out=result, progress=say)
    elif asked["kind"] == "compare":
        compare(scenario, out=result, workers=1, progress=say)
    else:
        run(scenario, out=result, workers=1, progress=say)


class Say:
    """Tells how far the work is, a few times a second, and every new step."""

    def __init__(self) -> None:
        self._last_s = 0.0
        self._step = ""

    def __call__(self, share: float, step: str) -> None:
        now_s = time.monotonic()
        if step != self._step or now_s - self._last_s >= _SAID_EVERY_S:
            self._last_s, self._step = now_s, step
            tell({"progress": round(min(1.0, max(0.0, share)), 4), "step": step})


def tell(what: Mapping[str, Any]) -> None:
    """One line."""
    try:
        sys.__stdout__.write(json.dumps(what, ensure_ascii=False) + "\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]
    except BrokenPipeError:
        os._exit(1)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> int:
    """0 when it is done, 2 where the scenario or the disk is at fault, which a line tells."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        simulate(Path(sys.argv[1]), Say())
    except DesError as error:
        tell({"error": str(error)})
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a normal exit would wait for the thread that reads the input
