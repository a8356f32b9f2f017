"""`des.validate`: whether a scenario can be run, and what in it does nothing."""

from collections.abc import Sequence

from des.scenario import plans
from des.scenario.plan import remarks_of
from des.study.options import RunOptions, Source


def validate(scenario: Source, *, overrides: Sequence[str] = ()) -> tuple[str, ...]:
    """Check a scenario with the recorded files that it names, and return remarks on settings that do nothing.

    A remark on what a file says begins with the file, the line and the column.

    Raises ScenarioError with every problem of every arm, as `des validate` prints them.
    """
    loaded = RunOptions(overrides=tuple(overrides)).load(scenario)
    return (*map(str, loaded.idle), *remarks_of(plans(loaded)))
