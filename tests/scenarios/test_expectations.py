"""What shipped scenarios expect is decided at their own horizon and replications, which the shortened runs lack."""

from pathlib import Path

import pytest

from des.scenario.text.strict_yaml import read_yaml
from tests.command import des
from tests.guard.shipped import path_of

RESTING_ON_FEW_OUTAGES = {
    "three_stage": [],
    "eu_only": ["workload.arrivals.rate=1/d", "arms.anywhere.workload.arrivals.rate=1/d"],
    "silent_rot": ["workload.arrivals.rate=2/d"],
    "history_fitted": [],
}
"""Those whose intervals of availability are wide, since several legs have to be lost together.

Some are run with fewer arrivals than shipped, which is faster and makes the intervals wider, never narrower.
"""


@pytest.mark.parametrize("name", RESTING_ON_FEW_OUTAGES)
def test_its_replications_are_enough_to_meet_what_it_expects(name: str, tmp_path: Path) -> None:
    content, _, _ = read_yaml(path_of(name).read_text(encoding="utf-8"))
    expected = {metric.rpartition(".")[0] or "as_modelled" for metric in content["expect"]}
    left_out = [part for arm in set(content["arms"]) - expected for part in ("--set", f"arms.{arm}=null")]
    fewer = [part for change in RESTING_ON_FEW_OUTAGES[name] for part in ("--set", change)]
    done = des("run", path_of(name), *left_out, *fewer, "--no-traces", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stdout + done.stderr
