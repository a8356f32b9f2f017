"""Tasks on other machines, by Dask: a scheduler that somebody started, and the workers that are connected to it.

Why Dask: when a worker is killed, its scheduler gives the tasks to another one, and workers may come and go meanwhile.
The scheduler carries the job once, the numbers of tasks, and small answers. What is large, workers write themselves.
"""

import hashlib
import pickle
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import ceil, inf
from typing import Any, Final

from des.compiled import chosen, using
from des.errors import DesError, RunError

_BATCH_S: Final = 1.0
"""How long a batch of tasks should take at least. The scheduler spends about a millisecond on each batch."""
_CONNECT_S: Final = 10.0
_WORKERS_S: Final = 30.0
"""How long to wait for the first worker."""
_BY_PORT: Final = frozenset({"tcp", "tls", "ucx", "ws", "wss"})
"""Schemes of addresses that have a port."""
_COUNT_EVERY_S: Final = 2.0
_AHEAD: Final = 2
"""Batches given out for each processor, so that none waits for the next."""

Job = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines behind a scheduler, by its address such as `tcp://host:8786`.

    Raises DesError where Dask is missing, RunError where nothing answers there or no worker is connected to it.
    """

    address: str

    def processors(self) -> int:
        """Tasks that run at once. Waits for the first worker."""
        return _processors(_client(self.address), self.address)

    def map(self, job: Job, tasks: Sequence[Any], watch: Callable[[int, float], None] | None) -> Iterator[Any]:
        """The results of `job(task, None)` in the order of the tasks; `watch` learns of each task's end.

        Raises the error of a task as the local pool does, and RunError where the scheduler is lost, or several workers
        in the same task.
        """
        if not tasks:
            return
        work = _Work(_client(self.address), self.address, job, tasks)
        try:
            yield from work.results(watch)
        finally:
            work.stop()


class _Work:
    """Batches of tasks under way. Memory grows with results that wait for an earlier one."""

    def __init__(self, client: Any, address: str, job: Job, tasks: Sequence[Any]) -> None:
        self._client = client
        self._address = address
        self._waiting = deque(enumerate(tasks))
        self._many = len(tasks)
        self._name = uuid.uuid4().hex
        self._running: dict[Any, list[int]] = {}
        self._spent_s, self._done = 0.0, 0
        self._slots, self._counted_s = 1, -inf
        content = pickle.dumps(job)
        digest = hashlib.sha256(content).hexdigest()
        # a task of its own, not data: another worker makes it again where the one that has it is lost
        self._job = client.submit(_opened, content, key=f"des-job-{digest}-{self._name}", pure=False)

    def results(self, watch: Callable[[int, float], None] | None) -> Iterator[Any]:
        dask: Any = import_module("distributed")
        found: dict[int, Any] = {}
        with _told(self._address):
            ended = dask.as_completed(loop=self._client.loop)
            for number in range(self._many):
                while number not in found:
                    self._give_out(ended)
                    future = next(ended)
                    numbers = self._running.pop(future)
                    answers, error = self._answers(future)
                    for of, answer in zip(numbers, answers, strict=False):
                        found[of] = answer
                        if watch is not None:
                            watch(of, inf)
                    if error is not None:
                        raise error
                yield found.pop(number)

    def stop(self) -> None:
        """Give up what is under way."""
        if self._client.status == "running":
            with suppress(Exception):  # the scheduler may be lost at this moment
                self._client.cancel([self._job, *self._running], force=True)
        self._running.clear()

    def _answers(self, future: Any) -> tuple[list[Any], Exception | None]:
        answers, error, took_s = future.result()
        future.release()
        self._spent_s += took_s
        self._done += len(answers)
        return answers, error

    def _give_out(self, ended: Any) -> None:
        if not self._waiting or len(self._running) >= _AHEAD * self._slots:
            return
        now_s = time.monotonic()
        if now_s - self._counted_s > _COUNT_EVERY_S:
            self._slots, self._counted_s = _processors(self._client, self._address), now_s
        while self._waiting and len(self._running) < _AHEAD * self._slots:
            batch = [self._waiting.popleft() for _ in range(min(self._size(), len(self._waiting)))]
            numbers = [number for number, _ in batch]
            future = self._client.submit(
                _done,
                self._job,
                _version(),
                chosen(),
                [task for _, task in batch],
                key=f"des-tasks-{self._name}-{numbers[0]}",
                pure=False,
            )
            self._running[future] = numbers
            ended.add(future)

    def _size(self) -> int:
        """Enough tasks to take a second by the mean of those done, but few enough for all processors to have some."""
        if not self._done:
            return 1
        fair = ceil(len(self._waiting) / (_AHEAD * self._slots))
        each_s = max(self._spent_s / self._done, 1e-6)
        return max(1, min(fair, ceil(_BATCH_S / each_s)))


def _opened(content: bytes) -> Any:
    return pickle.loads(content)


def _done(job: Job, version: str, engine: str, tasks: Sequence[Any]) -> tuple[list[Any], Exception | None, float]:
    """On the worker: results up to the first error, that error, and the seconds taken."""
    from des.pool import portable

    started = time.perf_counter()
    answers: list[Any] = []
    host = socket.gethostname()
    try:
        if version != _version():
            raise DesError(f"the worker on {host} has another version of des or of its libraries; install the same one")
        with using(engine):
            for task in tasks:
                answers.append(job(task, None))
    except Exception as error:
        return answers, portable(error, f"on the worker at {host}"), time.perf_counter() - started
    return answers, None, time.perf_counter() - started


def _version() -> str:
    """Of everything on which bytes depend."""
    from des.study.identity import source_digest, versions

    return f"{source_digest()} {sorted(versions().items())}"


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turns Dask's own errors into words."""
    from concurrent.futures import CancelledError

    import distributed
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise RunError("a task ended several workers, perhaps because they ran out of memory") from error
    except (CommClosedError, CancelledError, distributed.CancelledError, ConnectionError, TimeoutError) as error:
        raise RunError(
            f"the scheduler at {address} is lost; start it and run the same command again to continue"
        ) from error


_clients: dict[str, Any] = {}
"""One connection to each scheduler, for as long as this process lives."""


def _client(address: str) -> Any:
    if find_spec("distributed") is None:
        raise DesError("--cluster needs Dask: pip install 'des-fallback[cluster]'")
    known = _clients.get(address)
    if known is not None and known.status == "running":
        return known
    _check_address(address)
    dask: Any = import_module("distributed")
    try:
        _clients[address] = dask.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RunError(f"--cluster {address}: no scheduler answers there ({_short(error)})") from None
    return _clients[address]


def _check_address(address: str) -> None:
    """Raises DesError for no address. A client of Dask that is made with one takes 20 seconds to be dropped."""
    addressing: Any = import_module("distributed.comm.addressing")
    try:
        scheme, place = addressing.parse_address(address)
        import_module("distributed.comm.registry").get_backend(scheme)
        if scheme in _BY_PORT:
            host, port = addressing.parse_host_port(place)
            if not host or not 0 < port < 65_536:
                raise ValueError("it needs a host and a port from 1 to 65535")
    except ValueError as error:
        raise DesError(f"--cluster {address}: is no address such as tcp://host:8786 ({_short(error)})") from None


def _processors(client: Any, address: str) -> int:
    with _told(address):
        found = sum(client.nthreads().values())
        if not found:
            with suppress(TimeoutError):
                client.wait_for_workers(1, timeout=_WORKERS_S)
            found = sum(client.nthreads().values())
    if not found:
        raise RunError(f"--cluster {address}: no worker is connected; start one with: dask worker {address}")
    return int(found)


def _short(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
