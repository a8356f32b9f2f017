"""How a failover grows."""

from des.rules.guards import admitted_share, begins_anew


def test_a_tenth_at_first_and_all_after_ten_minutes() -> None:
    shares = [admitted_share(100.0, now, 0.1, 600.0) for now in (100.0, 400.0, 700.0, 9000.0)]
    assert shares == [0.1, 0.55, 1.0, 1.0]
    assert admitted_share(100.0, 100.0, 0.1, 0.0) == 1.0


def test_a_quiet_minute_ends_a_failover() -> None:
    assert not begins_anew(100.0, 160.0, 60.0)
    assert begins_anew(100.0, 160.5, 60.0)
