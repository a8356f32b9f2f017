"""Probes in a row decide whether a leg is healthy."""

from des.rules.guards import after_probe


def states(passes: str, *, unhealthy_after: int = 3, healthy_after: int = 2) -> str:
    """One letter a probe: `.` passed, `x` failed; the state after each, H or u."""
    healthy, streak, seen = True, 0, ""
    for one in passes:
        healthy, streak = after_probe(
            healthy, streak, passed=one == ".", unhealthy_after=unhealthy_after, healthy_after=healthy_after
        )
        seen += "H" if healthy else "u"
    return seen


def test_three_failures_take_a_leg_out_and_two_passes_bring_it_back() -> None:
    assert states("..xxx.x..x") == "HHHHuuuuHH"


def test_a_pass_forgives_the_failures_before_it() -> None:
    assert states("xx.xx.xxx") == "HHHHHHHHu"


def test_one_probe_may_be_enough() -> None:
    assert states("x.x", unhealthy_after=1, healthy_after=1) == "uHu"
