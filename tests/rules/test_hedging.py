"""When a copy of a hedged call is sent."""

from des.rules.retry import sends_copy


def test_copies_go_while_the_call_is_open() -> None:
    assert sends_copy(0, 2, 5.0, 2.0)
    assert sends_copy(1, 2, 5.0, 4.0)
    assert not sends_copy(0, 2, 2.0, 2.0)
    assert not sends_copy(0, 2, 1.9, 2.0)


def test_no_more_copies_go_than_at_most() -> None:
    assert not sends_copy(2, 2, 5.0, 4.0)
    assert not sends_copy(0, 0, 5.0, 4.0)
