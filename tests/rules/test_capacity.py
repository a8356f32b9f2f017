"""First come, first served, against a table worked by hand and a walk by single servers."""

import random
from collections import deque
from heapq import heapreplace

from des.rules.limits import queue_is_full, service_start_s, waiting_calls


def test_jobs_start_when_a_server_is_free() -> None:
    free_at_s = [0.0, 0.0]
    starts = []
    for now, service_s in ((1.0, 5.0), (2.0, 2.0), (3.0, 1.0), (3.5, 1.0), (9.0, 1.0)):
        start = service_start_s(free_at_s, now)
        heapreplace(free_at_s, start + service_s)
        starts.append(start)
    assert starts == [1.0, 2.0, 4.0, 5.0, 9.0]


def test_those_that_have_not_started_wait() -> None:
    starts = [1.0, 2.0, 4.0, 5.0]
    assert [waiting_calls(starts, now) for now in (0.5, 2.0, 3.5, 4.5, 5.0)] == [4, 2, 2, 1, 0]
    assert not queue_is_full(2, 3)
    assert queue_is_full(3, 3)
    assert queue_is_full(0, 0)


def test_many_servers_agree_with_looking_at_each_of_them() -> None:
    draw = random.Random(3)
    heap, servers, now = [0.0] * 7, [0.0] * 7, 0.0
    waited, starts = 0, deque[float]()
    for _ in range(3000):
        now += draw.expovariate(1.0)
        service_s = draw.expovariate(1.0 / 6.0)
        first = min(range(7), key=servers.__getitem__)
        expected = max(now, servers[first])
        servers[first] = expected + service_s
        start = service_start_s(heap, now)
        assert start == expected
        heapreplace(heap, start + service_s)
        starts.append(start)
        waited += start > now
        assert waiting_calls(starts, now) == sum(at_s > now for at_s in starts)
    assert sorted(heap) == sorted(servers)
    assert waited > 500
