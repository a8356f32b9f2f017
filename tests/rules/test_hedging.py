"""Which copy of a hedged call wins."""

from des.rules.hedging import loser_end_s, sends_copy, winner


def test_the_first_to_serve_wins_whichever_was_sent_first() -> None:
    assert winner([9.0, 4.0], [True, True]) == 1
    assert winner([4.0, 9.0], [True, True]) == 0
    assert winner([4.0, 4.0], [True, True]) == 0


def test_a_failure_does_not_win_however_early() -> None:
    assert winner([1.0, 4.0], [False, True]) == 1
    assert winner([1.0, 4.0, 3.0], [False, True, True]) == 2


def test_where_all_fail_the_last_to_end_decides() -> None:
    assert winner([5.0, 3.0], [False, False]) == 0
    assert winner([5.0, 7.0], [False, False]) == 1
    assert winner([5.0, 5.0], [False, False]) == 0
    assert winner([5.0], [False]) == 0


def test_copies_go_while_the_call_is_open() -> None:
    assert sends_copy(0, 2, 5.0, 2.0)
    assert sends_copy(1, 2, 5.0, 4.0)
    assert not sends_copy(2, 2, 5.0, 4.0)
    assert not sends_copy(0, 2, 2.0, 2.0)


def test_a_loser_is_cancelled_or_runs_on() -> None:
    assert loser_end_s("cancel", 9.0, 4.0) == 4.0
    assert loser_end_s("cancel", 3.0, 4.0) == 3.0
    assert loser_end_s("run", 9.0, 4.0) == 9.0
