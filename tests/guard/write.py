"""Writes the digests and figures, or compares with those written: `python -m tests.guard.write [--check]`."""

import argparse
import contextlib
import fnmatch
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib.metadata import version
from math import isclose
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.guard import figures
from tests.guard.shipped import GUARD, REPLAYED, SEEDS, SHORTENED, lacks_data, path_of
from tests.guard.simulator import simulate
from tests.guard.tables import digests_of_run

DIGESTS, FIGURES, DRAWN = GUARD / "digests.json", GUARD / "figures.json", GUARD / "drawn_scenarios.jsonl"

VERSIONS = "made with"
"""Under which the digests have the libraries that have a say in them."""
LIBRARIES = ("numpy", "pyarrow", "genai-prices", "scipy", "simpy")

QUICK_SHIPPED = {
    "two_stage",
    "shared_cdn",
    "silent_rot",
    "market_failover_surge",
    "rate_limit_cascade",
    "retry_storm",
    "nested_retries",
    "hedged",
    "litellm_router",
    "openai_sdk_hang",
    "four_hourly_batch",
    "status_page_replay",
}
QUICK_DRAWN = 90
"""The number of drawn scenarios among the quick ones: together they have every feature of them all."""


def names() -> list[str]:
    """Of everything that is guarded."""
    shipped = [f"shipped {name} seed {seed}" for name in SHORTENED for seed in SEEDS]
    drawn = [f"drawn {number:03d}" for number in range(len(documents()))]
    return [*shipped, *drawn, *(f"figures {case.name}" for case in figures.cases())]


def is_quick(name: str) -> bool:
    kind, what = name.split(" ", 1)
    if kind == "drawn":
        return int(what) < QUICK_DRAWN
    if kind == "shipped":
        return what.split()[0] in QUICK_SHIPPED and what.endswith(f"seed {SEEDS[0]}")
    return what in figures.QUICK


@cache
def documents() -> list[dict[str, Any]]:
    """The drawn scenarios."""
    return [json.loads(line) for line in DRAWN.read_text().splitlines()]


def skipped(name: str) -> str:
    """Why it cannot be had here; nothing where it can."""
    kind, what = name.split(" ", 1)
    if kind == "shipped":
        return lacks_data(REPLAYED.get(what.split()[0], ()))
    if kind == "figures":
        return next(figures.skipped(case) for case in figures.cases() if case.name == what)
    return ""


def found(name: str) -> dict[str, Any]:
    """What the package makes of it now."""
    kind, what = name.split(" ", 1)
    if kind == "figures":
        return figures.figures(next(case for case in figures.cases() if case.name == what))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(GUARD / "replayed"):
        out = Path(folder) / "run"
        if kind == "shipped":
            scenario, _, seed = what.split()
            run = simulate(path_of(scenario), out, SHORTENED[scenario], int(seed))
        else:
            run = simulate(documents()[int(what)], out, [], None)
        return digests_of_run(out, run.summary)


@cache
def written() -> dict[str, Any]:
    """What was written down, by name."""
    return {
        **(json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}),
        **(json.loads(FIGURES.read_text()) if FIGURES.exists() else {}),
    }


def differences(before: Any, now: Any, place: str = "", *, rounding: float = 0.0) -> Iterator[str]:
    """Every difference, with its place; words of refusals may change, and so may the bytes around equal content.

    Figures may differ by a share of `rounding`.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        if {"content", "columns"} <= before.keys() & now.keys():
            yield from _of_table(before, now, place)
            return
        if {"exact", "rounded"} <= before.keys() & now.keys():
            if before["rounded"] != now["rounded"]:
                yield f"{place}: figures"
            elif before["exact"] != now["exact"]:
                yield f"{place}: {LAST_DIGITS}"
            return
        for key in dict.fromkeys([*before, *now]):
            here = f"{place} / {key}" if place else key
            if key not in now or key not in before:
                yield f"{here}: {'gone' if key in before else 'new'}"
            elif not (key == "text" and before.get("refused") and now.get("refused")):
                yield from differences(before[key], now[key], here, rounding=rounding)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for position, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, f"{place} / {position}", rounding=rounding)
    elif isinstance(before, float) and isinstance(now, float) and isclose(before, now, rel_tol=rounding):
        return
    elif type(before) is not type(now) or before != now:
        yield f"{place}: {_short(before)} before, {_short(now)} now"


def _of_table(before: dict[str, Any], now: dict[str, Any], place: str) -> Iterator[str]:
    if before["content"] != now["content"]:
        rows = f"{before['rows']} rows before, {now['rows']} now; " if before["rows"] != now["rows"] else ""
        one, other = before["columns"].split(), now["columns"].split()
        columns = dict.fromkeys(each.rsplit(":", 1)[0] for each in [*one, *other] if (each in one) != (each in other))
        yield f"{place}: content; {rows}columns {', '.join(columns) or 'in another order'}"
    elif before["bytes"] != now["bytes"]:
        yield f"{place}: {BYTES_ALONE}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 90 else f"{text[:87]}..."


def versions() -> dict[str, str]:
    return {library: version(library) for library in LIBRARIES}


_ROUNDING = 1e-8
_LAST_DIGITS = 1e-12

BYTES_ALONE = "bytes alone, the content is the same"
LAST_DIGITS = "last digits of figures alone"


def compared(name: str, before: dict[str, Any], now: dict[str, Any] | None = None) -> list[str]:
    """How what the package makes of it, found anew unless it is given, differs from what was written down.

    Last digits of figures may differ: on another processor NumPy's sums and products do, and SciPy's quantiles with
    another SciPy. Traces may not.
    """
    if name not in before:
        return [f"{name}: never written down"]
    lines = [f"{name} / {line}" for line in differences(before[name], now or found(name), rounding=_ROUNDING)]
    ignored = [LAST_DIGITS]
    if before.get(VERSIONS, {}).get("pyarrow") != versions()["pyarrow"]:
        ignored.append(BYTES_ALONE)  # another pyarrow packs them otherwise
    return [line for line in lines if not line.endswith(tuple(ignored))]


def _dump(path: Path, content: dict[str, Any]) -> None:
    """A line for each table, so that a difference in a version control system is one of lines."""
    lines: list[str] = []
    for name in sorted(content):
        inner = content[name]
        if name == VERSIONS:
            lines.append(f" {json.dumps(name)}: {json.dumps(inner)}")
            continue
        if path == DIGESTS:
            arms = []
            for arm, tables in inner.items():
                rows = [f'   "{table}": {json.dumps(digests)}' for table, digests in tables.items()]
                arms.append(f"  {json.dumps(arm)}: {{\n" + ",\n".join(rows) + "\n  }")
            lines.append(f" {json.dumps(name)}: {{\n" + ",\n".join(arms) + "\n }")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(inner, ensure_ascii=False)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _made(chosen: list[str], workers: int) -> Iterable[dict[str, Any]]:
    if workers == 1:
        return map(found, chosen)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    return pool.map(found, chosen)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit code 1 on differences")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names with this in them; *, ? and [] are wild")
    parser.add_argument("--quick", action="store_true", help="a part that has something of everything")
    parser.add_argument("--content", action="store_true", help="let packing and last digits differ")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    given = parser.parse_args()
    chosen = [
        name for name in names() if fnmatch.fnmatch(name, f"*{given.only}*") and (is_quick(name) or not given.quick)
    ]
    for name in chosen:
        if reason := skipped(name):
            _say(f"{name}: skipped: {reason}")
    chosen = [name for name in chosen if not skipped(name)]
    before = written()
    if given.check and before.get(VERSIONS) != versions():
        _say(f"{VERSIONS} {before.get(VERSIONS)}, now {versions()}")
    amiss = 0
    made: dict[str, Any] = {}
    for name, now in zip(chosen, _made(chosen, given.workers), strict=True):
        made[name] = now
        if given.check:
            rounding = _ROUNDING if given.content else 0.0
            lines = [f"{name} / {line}" for line in differences(before.get(name, {}), now, rounding=rounding)]
            lines = [line for line in lines if not (given.content and line.endswith((BYTES_ALONE, LAST_DIGITS)))]
            amiss += bool(lines)
            for line in lines:
                _say(line)
    if given.check:
        _say(f"{len(chosen)} compared, {amiss} differ")
        return 1 if amiss else 0
    known = {VERSIONS, *names()}
    made[VERSIONS] = versions()
    kept = {name: value for name, value in {**before, **made}.items() if name in known}
    _dump(DIGESTS, {name: value for name, value in kept.items() if not name.startswith("figures ")})
    _dump(FIGURES, {name: value for name, value in kept.items() if name.startswith("figures ")})
    _say(f"{len(chosen)} written")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    os.environ.pop("COLUMNS", None)
    sys.exit(main())
