"""Both engines on scenarios drawn at random, each with features of its own switched on.

    python -m tests.compiled.differential COUNT [--first N] [--seed N] [--shipped] [--plain]

Each drawn scenario is simulated by both, and every bit of their rows is compared. A scenario in which they differ is
written to `difference-SEED-NUMBER.yaml`, which both engines of `des run` take. `--shipped` compares on the shipped ones
too, with two seeds each, and `--plain` takes the kernel as plain Python.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from des.compiled import reasons_against
from des.compiled.compiling import Kernel, interpreted
from des.errors import DesError
from des.scenario import Loaded, from_mapping, load_scenario, plans
from tests.compiled.agreement import difference
from tests.engine.traced import Collected
from tests.guard.drawing import SWITCHES, Entry
from tests.guard.drawn import Drawer
from tests.guard.shipped import GUARD, SHORTENED

MOST_REQUESTS = 5000
MOST_CALLS = 40_000


class TooManyError(Exception):
    """A scenario has more calls than are compared here."""


def scenario_of(seed: int, number: int) -> Entry:
    """The drawn scenario of a number."""
    return Drawer(np.random.default_rng([seed, number]), SWITCHES[number % len(SWITCHES)]).scenario()


def compared(loaded: Loaded, kernel: Kernel | None) -> Iterator[tuple[str, str]]:
    """(arm, difference) of each arm that the compiled engine has and that is small enough."""
    for arm, plan in plans(loaded).items():
        expected = plan.workload.arrivals.expected_requests(plan.horizon_s)
        if (expected or 0.0) > MOST_REQUESTS or reasons_against(plan):
            continue
        with contextlib.suppress(TooManyError):
            yield arm, difference(plan, 0, kernel, _Few)


class _Few(Collected):
    """Stops a simulation of too many calls."""

    def attempts(self, block: object) -> None:
        super().attempts(block)  # type: ignore[arg-type]
        if sum(len(each["leg"]) for each in self.blocks["attempts"]) > MOST_CALLS:
            raise TooManyError


def main() -> int:
    """Exit code 1 where the engines differ."""
    parser = argparse.ArgumentParser(description="both engines on drawn scenarios")
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--plain", action="store_true")
    asked = parser.parse_args()
    kernel = interpreted() if asked.plain else None
    differing = _shipped(kernel) if asked.shipped else 0
    agreed = refused = 0
    here = Path.cwd()
    for number in range(asked.first, asked.first + asked.count):
        scenario = scenario_of(asked.seed, number)
        try:
            with contextlib.chdir(GUARD / "replayed"):
                found = list(compared(from_mapping(scenario), kernel))
        except DesError:
            refused += 1
            continue
        for arm, what in found:
            agreed += not what
            differing += bool(what)
            if what:
                file = here / f"difference-{asked.seed}-{number}.yaml"
                file.write_text(json.dumps(scenario, indent=1))
                print(f"{file}: arm {arm}: {what}", flush=True)  # noqa: T201
    print(f"{asked.count} drawn, {refused} refused: {agreed} arms agree, {differing} differ")  # noqa: T201
    return 1 if differing else 0


def _shipped(kernel: Kernel | None) -> int:
    """Compare on the shipped scenarios; how many arms differ."""
    differing = 0
    for path in sorted((GUARD.parents[1] / "scenarios").glob("*.yaml")):
        for arm, plan in plans(load_scenario(path, SHORTENED.get(path.stem, []))).items():
            for seed in (plan.seed, plan.seed + 1):
                why = reasons_against(plan)
                what = "" if why else difference(replace(plan, seed=seed), 0, kernel)
                differing += bool(what)
                print(f"{path.stem} {arm} {seed}: {what or ', '.join(why) or 'the same'}", flush=True)  # noqa: T201
    return differing


if __name__ == "__main__":
    sys.exit(main())
