"""How often intervals of windows contain what brute force finds, over a few small studies of fixed seeds.

`python -m benchmarks.coverage --only windows-limit` prints what brute force finds, and has many of these studies.
"""

from typing import Final

from benchmarks.coverage_windows import by_brute_force

TRUTH: Final = {"availability": 0.928426, "cost_usd_per_request": 0.0105087, "latency_s_p95": 5.88548}
HALF_WIDTH: Final = {"availability": 0.025, "cost_usd_per_request": 0.0003, "latency_s_p95": 1.0}
"""No wider than this by the median, or anything would be covered."""
STUDIES: Final = 12


def test_nearly_all_of_a_few_studies_cover() -> None:
    """Of intervals at 95 %, fewer than 10 of 12 cover with a chance of 1 in 50; of half as wide ones, with 4 in 5."""
    found: dict[str, list[tuple[float, float]]] = {figure: [] for figure in TRUTH}
    for number in range(STUDIES):
        for name, (low, _, high) in by_brute_force("windows-limit", number, TRUTH).items():
            found[name.rpartition(" ")[2]].append((low, high))
    for figure, ends in found.items():
        assert sum(low <= TRUTH[figure] <= high for low, high in ends) >= 10, figure
        assert sorted((high - low) / 2.0 for low, high in ends)[STUDIES // 2] < HALF_WIDTH[figure], figure
