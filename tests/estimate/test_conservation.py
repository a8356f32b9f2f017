"""Each rule is broken on purpose, and the run fails by its name."""

from collections.abc import Callable

import numpy as np
import pytest

from des.errors import RunError
from des.estimate.conservation import Conservation
from estimate import walks

SERVED_BY = [0, 1, -1, 0, 1]
Break = Callable[[walks.Block, walks.Block], None]


def checked(requests: walks.Block, attempts: walks.Block, arrivals: int = len(SERVED_BY), size: int = 2) -> None:
    books = Conservation()
    for block in walks.cut(attempts, size):
        books.attempts(block)
    for block in walks.cut(requests, size):
        books.requests(block)
    books.check(arrivals)


def test_a_lawful_run_passes_whatever_its_blocks() -> None:
    for size in (1, 2, 100):
        checked(*walks.run(SERVED_BY, probes=4), size=size)


def test_an_arrival_without_an_outcome_is_found() -> None:
    with pytest.raises(RunError, match="every arrival has one outcome"):
        checked(*walks.run(SERVED_BY), arrivals=6)


def set_request(column: str, value: float) -> Break:
    def change(requests: walks.Block, attempts: walks.Block) -> None:
        requests[column][1] = value

    return change


def set_attempt(column: str, value: float) -> Break:
    def change(requests: walks.Block, attempts: walks.Block) -> None:
        attempts[column][1] = value

    return change


def swap(table: int) -> Break:
    def change(requests: walks.Block, attempts: walks.Block) -> None:
        for column in (requests, attempts)[table].values():
            column[[2, 3]] = column[[3, 2]]

    return change


def count_a_request_twice(requests: walks.Block, attempts: walks.Block) -> None:
    requests["request_id"][0] = requests["request_id"][1]


def move_cost_between_requests(requests: walks.Block, attempts: walks.Block) -> None:
    requests["cost_picousd"][0] += 1
    requests["cost_picousd"][1] -= 1
    requests["wasted_picousd"][:] = 0


def lose_a_picodollar(requests: walks.Block, attempts: walks.Block) -> None:
    attempts["cost_picousd"][0] -= 1


def move_an_attempt_to_another_request(requests: walks.Block, attempts: walks.Block) -> None:
    attempts["request_id"][-1], attempts["attempt"][-1] = 3, 9
    attempts["cost_picousd"][:] = 0
    requests["cost_picousd"][:] = 0
    requests["wasted_picousd"][:] = 0


def lose_to_nothing(requests: walks.Block, attempts: walks.Block) -> None:
    requests["lost_to"][:] = -1


def lose_an_attempt(requests: walks.Block, attempts: walks.Block) -> None:
    requests["attempts"][0] += 1


def end_before_arrival(requests: walks.Block, attempts: walks.Block) -> None:
    requests["arrival_s"][1] = requests["end_s"][1] + 1.0


def end_before_start(requests: walks.Block, attempts: walks.Block) -> None:
    attempts["start_s"][1] = attempts["end_s"][1] + 1.0


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("every arrival has one outcome", count_a_request_twice),
        ("every request has one known outcome", set_request("outcome", 5)),
        ("every request has one known outcome", set_request("outcome", -1)),
        ("no request ends before it arrives", end_before_arrival),
        ("a request that was served has an end, one in flight has none", set_request("end_s", np.nan)),
        ("a request that was served has an end, one in flight has none", set_request("outcome", 4)),
        ("latency is end less arrival", set_request("latency_s", 0.1)),
        ("latency is end less arrival", set_request("latency_s", np.nan)),
        ("no request wastes more than it costs", set_request("wasted_picousd", 10**12)),
        ("a lost request names what it was lost to", lose_to_nothing),
        ("requests come in order of their end, then their number", swap(0)),
        ("every attempt has one known outcome", set_attempt("outcome", 9)),
        ("no attempt ends before it starts", end_before_start),
        ("an attempt's duration is end less start", set_attempt("duration_s", 0.1)),
        ("an attempt belongs to a request unless it is a probe", set_attempt("request_id", -1)),
        ("an attempt belongs to a request unless it is a probe", set_attempt("kind", 2)),
        ("attempts come in order of their end, then request and attempt number", swap(1)),
        ("every attempt belongs to the request that counts it", lose_an_attempt),
        ("every attempt belongs to the request that counts it", move_an_attempt_to_another_request),
        ("a request costs what its attempts cost", lose_a_picodollar),
        ("a request costs what its attempts cost", move_cost_between_requests),
    ],
)
def test_a_broken_rule_is_named(rule: str, broken: Break) -> None:
    requests, attempts = walks.run(SERVED_BY)
    checked(requests, attempts)
    broken(requests, attempts)
    with pytest.raises(RunError, match=rule):
        checked(requests, attempts)


def test_order_is_checked_across_blocks() -> None:
    requests, attempts = walks.run(SERVED_BY)
    swap(0)(requests, attempts)
    with pytest.raises(RunError, match="in order of their end"):
        checked(requests, attempts, size=3)


def test_an_attempt_is_not_listed_twice() -> None:
    requests, attempts = walks.run(SERVED_BY)
    attempts = {name: np.concatenate([column[:1], column]) for name, column in attempts.items()}
    with pytest.raises(RunError, match="in order of their end"):
        checked(requests, attempts)


def test_what_never_ends_comes_last() -> None:
    requests, attempts = walks.run([-1, -1, -1])
    for name in ("end_s", "latency_s"):
        requests[name][2] = np.nan
    for name in ("end_s", "duration_s"):
        attempts[name][-1] = np.nan
    checked(requests, attempts, arrivals=3)
    requests, attempts = walks.run([-1, -1, -1])
    for name in ("end_s", "latency_s"):
        requests[name][0] = np.nan
    with pytest.raises(RunError, match="in order of their end"):
        checked(requests, attempts, arrivals=3)
