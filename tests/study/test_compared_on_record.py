"""What incidents on record cost one arm and not another is told by replications, not by requests or windows."""

from typing import Any

import pytest

import des


def recorded(replications: int) -> dict[str, Any]:
    windows = [{"start": f"{day}d", "duration": "4h"} for day in (2, 9, 12, 25)]
    cloud = {"incidents": [{"kind": "schedule", "windows": windows}]}
    peer = {"depends_on": ["cloud"], "latency": "1s", "models": {"m": {"price": {"per_request": 0.01}}}}
    return {
        "title": "on record",
        "horizon": "28d",
        "seed": 3,
        "replications": replications,
        "workload": {"arrivals": {"kind": "poisson", "rate": "4/h"}},
        "components": {"cloud": cloud},
        "providers": {"a": peer, "b": peer, "c": {**peer, "depends_on": []}},
        "chain": [{"provider": "a"}, {"provider": "b"}],
        "arms": {"as_modelled": {}, "independent": {"shared": 0}},
    }


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The differences of every arm over three replications."""
    content = recorded(3)
    content["arms"]["with_third"] = {"chain": [{"provider": "a"}, {"provider": "b"}, {"provider": "c"}]}
    made = des.compare(content, out=tmp_path_factory.mktemp("recorded") / "run", traces=False)
    found: dict[str, Any] = made.figures["differences"]
    return found


def test_the_same_windows_each_time_are_compared_by_replication(compared: dict[str, Any]) -> None:
    found = compared["with_third"]["failure_share"]
    assert found["interval"] == "Student's t, paired"
    assert found["p_value"] > 1e-5  # 190 requests, taken for events, would make it 1e-57
    assert found["difference"]["high"] < 0.0


def test_two_or_three_shifts_by_weeks_tell_nothing_of_all_the_others(compared: dict[str, Any]) -> None:
    for metric in compared["independent"].values():
        assert metric["interval"] == "none: shifted weeks: fewer than 10 replications"
        assert (metric["p_value"], metric["difference"]["low"]) == (None, None)
