"""The reference workload by hand as one function for Numba, without traces, costs or totals by cause.

The practical limit: what the compiled engine could reach if it knew this one model only. The model of
`handwritten_simpy.py`, event by event, with draws of Numba's own generator.

    python -m benchmarks.bare_numba_loop REQUESTS SEED
"""

import json
import sys
import time

import numpy as np
from numba import njit

RATE_PER_S = 50.0
UP_S, DOWN_S = 400.0, 100.0
REFILL_PER_S, BURST = 25.0, 50.0
ERROR_S, REFUSAL_S, TIMEOUT_S = 0.2, 0.05, 10.0
SIGMA = 0.8
MOST_OPEN = 1 << 16
ARRIVAL, CHANGE, CALL_ENDS, NEXT_CALL = range(4)


@njit(error_model="python")  # type: ignore[untyped-decorator]
def simulate(requests: int, seed: int) -> tuple[int, int, int, float]:
    """(ok, failed, calls, latency of the ok requests in all) once every request has ended."""
    np.random.seed(seed)
    time_s, what, who = np.empty(MOST_OPEN), np.empty(MOST_OPEN, np.int8), np.empty(MOST_OPEN, np.int32)
    free, left = np.arange(MOST_OPEN), MOST_OPEN
    arrived_s, leg, attempt = np.empty(MOST_OPEN), np.zeros(MOST_OPEN, np.int8), np.zeros(MOST_OPEN, np.int8)
    served = np.zeros(MOST_OPEN, np.bool_)
    up, tokens, refilled_s = np.empty(3, np.bool_), np.full(3, BURST), np.zeros(3)
    count = arrivals = ok = failed = calls = 0
    latency_s = 0.0
    for number in range(4):
        kind, at_s, of = ARRIVAL, np.random.exponential(1.0 / RATE_PER_S), 0
        if number < 3:
            up[number] = np.random.random() < UP_S / (UP_S + DOWN_S)
            kind, at_s, of = CHANGE, np.random.exponential(UP_S if up[number] else DOWN_S), number
        count = _push(time_s, what, who, count, at_s, kind, of)
    while ok + failed < requests:
        now_s, kind, of = time_s[0], what[0], who[0]
        count = _pop(time_s, what, who, count)
        if kind == CHANGE:
            up[of] = not up[of]
            count = _push(
                time_s, what, who, count, now_s + np.random.exponential(UP_S if up[of] else DOWN_S), CHANGE, of
            )
            continue
        if kind == ARRIVAL:
            arrivals += 1
            if arrivals < requests:
                at_s = now_s + np.random.exponential(1.0 / RATE_PER_S)
                count = _push(time_s, what, who, count, at_s, ARRIVAL, 0)
            left -= 1
            of = free[left]
            arrived_s[of], leg[of], attempt[of] = now_s, 0, 0
        elif kind == CALL_ENDS:
            if served[of]:
                ok += 1
                latency_s += now_s - arrived_s[of]
                free[left] = of
                left += 1
                continue
            attempt[of] += 1
            if attempt[of] < 3:
                wait_s = 0.5 if attempt[of] == 1 else 1.0
                count = _push(time_s, what, who, count, now_s + wait_s, NEXT_CALL, of)
                continue
            leg[of] += 1
            attempt[of] = 0
            if leg[of] == 3:
                failed += 1
                free[left] = of
                left += 1
                continue
        called = leg[of]
        calls += 1
        tokens[called] = min(BURST, tokens[called] + (now_s - refilled_s[called]) * REFILL_PER_S)
        refilled_s[called] = now_s
        served[of] = False
        if tokens[called] < 1.0:
            lasts_s = REFUSAL_S
        else:
            tokens[called] -= 1.0
            lasts_s = ERROR_S
            if up[called]:
                lasts_s = np.random.lognormal(0.0, SIGMA)
                served[of] = lasts_s <= TIMEOUT_S
                lasts_s = min(lasts_s, TIMEOUT_S)
        count = _push(time_s, what, who, count, now_s + lasts_s, CALL_ENDS, of)
    return ok, failed, calls, latency_s


@njit
def _push(time_s, what, who, count, at_s, kind, of):  # type: ignore[no-untyped-def]
    place = count
    while place > 0 and time_s[(place - 1) >> 1] > at_s:
        above = (place - 1) >> 1
        time_s[place], what[place], who[place] = time_s[above], what[above], who[above]
        place = above
    time_s[place], what[place], who[place] = at_s, kind, of
    return count + 1


@njit
def _pop(time_s, what, who, count):  # type: ignore[no-untyped-def]
    count -= 1
    at_s, kind, of = time_s[count], what[count], who[count]
    place = 0
    while 2 * place + 1 < count:
        below = 2 * place + 1
        if below + 1 < count and time_s[below + 1] < time_s[below]:
            below += 1
        if time_s[below] >= at_s:
            break
        time_s[place], what[place], who[place] = time_s[below], what[below], who[below]
        place = below
    time_s[place], what[place], who[place] = at_s, kind, of
    return count


def main() -> None:
    requests, seed = int(sys.argv[1]), int(sys.argv[2])
    simulate(1000, seed)
    wall, processor = time.perf_counter(), time.process_time()
    ok, failed, calls, latency_s = simulate(requests, seed)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(
        json.dumps(
            {
                "requests": requests,
                "attempts": calls,
                "wall_s": wall,
                "processor_s": processor,
                "availability": ok / (ok + failed),
                "latency_s_mean": latency_s / max(1, ok),
            }
        )
    )


if __name__ == "__main__":
    main()
