"""What Ctrl-C and the signals that end a process do to work under way: unwind it, or wait a moment."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminating_signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit in the main thread, and SIGINT KeyboardInterrupt, unless they are handled.

    While one of these unwinds the block, further ones are passed over, as it is ending already.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised: list[BaseException] = []

    def leave(number: int, frame: FrameType | None) -> None:
        if not any(error in raised for error in _being_handled()):
            raised.append(KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number))
            raise raised[-1]

    former = {}
    for name, default in (
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
        ("SIGINT", signal.default_int_handler),
    ):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is default:
            signal.signal(number, leave)
            former[number] = default
    try:
        yield
    finally:
        for number, default in former.items():
            signal.signal(number, default)


def _being_handled() -> Iterator[BaseException]:
    """The exception that the interrupted code is dealing with, and those it came out of."""
    error = sys.exception()
    while error is not None:
        yield error
        error = error.__context__


@contextmanager
def signals_held(*names: str) -> Iterator[None]:
    """Signals such as SIGINT act after the block, not within it; SIGINT, SIGTERM and SIGHUP unless some are named.

    Processes started within inherit that and never see these signals, unless they decide otherwise.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = {getattr(signal, name) for name in names or ("SIGINT", "SIGTERM", "SIGHUP")}
    former = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
