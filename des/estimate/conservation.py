"""Conservation rules of every run's rows: nothing is lost or counted twice, money adds up, causes precede effects.

Rows are checked as they pass, in constant memory: what must agree request by request is compared by fingerprints of
per-request sums.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.errors import RunError
from des.estimate.sums import integer_sum, spread_sum, spread_sum_of_first
from des.tally import CallTally, RequestTally
from des.vocabulary import (
    ATTEMPT_OUTCOMES,
    PROBE,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_IN_FLIGHT,
    REQUEST_OK,
    REQUEST_OUTCOMES,
    REQUEST_REJECTED,
)

_Block = Mapping[str, NDArray[Any]]
_MODULUS: Final = 1 << 64
_LOST: Final = (REQUEST_FAILED, REQUEST_DEADLINE, REQUEST_REJECTED)


def is_lost(outcome: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether a request ended without being served."""
    lost: NDArray[np.bool_] = outcome == _LOST[0]
    for each in _LOST[1:]:
        lost |= outcome == each
    return lost


class Conservation:
    """Raises RunError, naming the broken rule and the first row or the figures that break it.

    A call cut off by the end of the run has no row. Its request does not count it or its cost.
    """

    def __init__(self) -> None:
        self._requests = 0
        self._ids = 0  # a fingerprint
        self._calls_counted = _PerRequest()  # by the requests' rows
        self._calls_seen = _PerRequest()  # as rows of attempts
        self._cost_counted = _PerRequest()
        self._cost_seen = _PerRequest()
        self.last_request = _Last()
        self.last_attempt = _Last()

    def requests(self, block: _Block) -> None:
        number, outcome = block["request_id"], block["outcome"]
        if not len(number):
            return
        start_s, end_s = block["arrival_s"], block["end_s"]
        never = np.isnan(end_s)
        _hold("every request has one known outcome", number, ~_known(outcome, REQUEST_OUTCOMES))
        _hold("no request ends before it arrives", number, end_s < start_s)
        _hold("a request that was served has an end, one in flight has none", number, _end_amiss(outcome, never))
        _hold("latency is end less arrival", number, _differ(block["latency_s"], end_s - start_s))
        _hold("no request wastes more than it costs", number, block["wasted_picousd"] > block["cost_picousd"])
        _hold("a lost request names what it was lost to", number, is_lost(outcome) & (block["lost_to"] < 0))
        out_of_order = self.last_request.disorder(end_s, number, np.zeros_like(number))
        _hold("requests come in order of their end, then their number", number, out_of_order)
        self._requests += len(number)
        self._ids = (self._ids + spread_sum(number)) % _MODULUS
        self._calls_counted.add(number, block["attempts"])
        self._cost_counted.add(number, block["cost_picousd"])

    def attempts(self, block: _Block) -> None:
        number, outcome = block["request_id"], block["outcome"]
        if not len(number):
            return
        start_s, end_s = block["start_s"], block["end_s"]
        probe = block["kind"] == PROBE
        _hold("every attempt has one known outcome", number, ~_known(outcome, ATTEMPT_OUTCOMES))
        _hold("no attempt ends before it starts", number, end_s < start_s)
        _hold("an attempt's duration is end less start", number, _differ(block["duration_s"], end_s - start_s))
        _hold("an attempt belongs to a request unless it is a probe", number, (number < 0) != probe)
        out_of_order = self.last_attempt.disorder(end_s, number, block["attempt"])
        _hold("attempts come in order of their end, then request and attempt number", number, out_of_order)
        calls = number[~probe]
        self._calls_seen.add(calls, np.ones_like(calls))
        self._cost_seen.add(calls, block["cost_picousd"][~probe])

    def add_requests(self, tally: RequestTally, block: _Block) -> None:
        """Add rows that were found to hold the rules and added up."""
        number = block["request_id"]
        self.last_request.row = (float(block["end_s"][-1]), int(number[-1]), 0)
        self._requests += len(number)
        self._ids = (self._ids + tally.ids) % _MODULUS
        self._calls_counted.add_sum(tally.calls, tally.call_marks)
        self._cost_counted.add_sum(tally.cost, tally.cost_marks)

    def add_attempts(self, tally: CallTally, block: _Block) -> None:
        """As `add_requests`."""
        self.last_attempt.row = (
            float(block["end_s"][-1]),
            int(block["request_id"][-1]),
            int(block["attempt"][-1]),
        )
        self._calls_seen.add_sum(tally.calls, tally.call_marks)
        self._cost_seen.add_sum(tally.cost, tally.cost_marks)

    def check(self, arrivals: int) -> None:
        if self._requests != arrivals:
            raise _broken("every arrival has one outcome", f"{arrivals} arrivals, {self._requests} outcomes")
        if self._ids != spread_sum_of_first(arrivals):
            raise _broken(
                "every arrival has one outcome", f"the request numbers are not 0 to {arrivals - 1}, once each"
            )
        seen, counted = self._calls_seen, self._calls_counted
        if seen != counted:
            detail = f"requests count {counted.total} attempts, {seen.total} were made"
            raise _broken(
                "every attempt belongs to the request that counts it", _or_moved(detail, counted.total - seen.total)
            )
        seen, counted = self._cost_seen, self._cost_counted
        if seen != counted:
            detail = f"requests cost {counted.total} picodollars, their attempts {seen.total}"
            raise _broken("a request costs what its attempts cost", _or_moved(detail, counted.total - seen.total))


class _PerRequest:
    """A sum over requests, with a fingerprint that tells whether two such sums agree request by request."""

    def __init__(self) -> None:
        self.total = 0
        self.fingerprint = 0

    def add(self, number: NDArray[Any], values: NDArray[Any]) -> None:
        self.add_sum(integer_sum(values), spread_sum(number, values))

    def add_sum(self, total: int, fingerprint: int) -> None:
        self.total += total
        self.fingerprint = (self.fingerprint + fingerprint) % _MODULUS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _PerRequest) and (self.total, self.fingerprint) == (other.total, other.fingerprint)

    __hash__ = None  # type: ignore[assignment]


class _Last:
    """The end, request and attempt number of the last row."""

    def __init__(self) -> None:
        self.row: tuple[float, int, int] = (-np.inf, -1, -1)

    def disorder(self, end_s: NDArray[Any], number: NDArray[Any], attempt: NDArray[Any]) -> NDArray[np.bool_]:
        """Rows that do not come after the row before them. Rows without an end come last, and probes may tie."""
        last_s, last_number, last_attempt = self.row
        ends = np.concatenate([[last_s], np.where(np.isnan(end_s), np.inf, end_s)])
        numbers = np.concatenate([[last_number], number])
        attempts = np.concatenate([[last_attempt], attempt])
        self.row = (float(ends[-1]), int(numbers[-1]), int(attempts[-1]))
        same_request = (numbers[1:] == numbers[:-1]) & (number >= 0)
        tie_amiss = (numbers[1:] < numbers[:-1]) | (same_request & (attempts[1:] <= attempts[:-1]))
        disorder: NDArray[np.bool_] = (ends[1:] < ends[:-1]) | ((ends[1:] == ends[:-1]) & tie_amiss)
        return disorder


def _known(codes: NDArray[Any], names: tuple[str, ...]) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (codes >= 0) & (codes < len(names))
    return known


def _end_amiss(outcome: NDArray[Any], never: NDArray[np.bool_]) -> NDArray[np.bool_]:
    amiss: NDArray[np.bool_] = ((outcome == REQUEST_OK) & never) | ((outcome == REQUEST_IN_FLIGHT) & ~never)
    return amiss


def _differ(stated: NDArray[Any], computed: NDArray[Any]) -> NDArray[np.bool_]:
    differ: NDArray[np.bool_] = (stated != computed) & ~(np.isnan(stated) & np.isnan(computed))
    return differ


def _hold(rule: str, number: NDArray[Any], broken: NDArray[np.bool_]) -> None:
    if broken.any():
        first = int(number[int(np.argmax(broken))])
        row = f"request {first}" if first >= 0 else "a probe"
        raise _broken(rule, f"broken by {int(np.count_nonzero(broken))} rows, the first of {row}")


def _or_moved(detail: str, difference: int) -> str:
    return detail if difference else f"{detail}, but of other requests"


def _broken(rule: str, detail: str) -> RunError:
    return RunError(f"the run broke a conservation rule, so its figures cannot be used: {rule} ({detail})")
