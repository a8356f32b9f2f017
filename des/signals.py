"""How Ctrl-C and terminating signals act on work in progress: they unwind it, or are held back for a moment."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def terminating_signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit in the main thread, and SIGINT KeyboardInterrupt, unless they are handled.

    While one of these unwinds the block, further ones are ignored, because the block is ending already. One that is
    raised where Python drops exceptions, in a weak reference's callback or in `__del__`, comes again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised: list[BaseException] = []

    def leave(number: int, frame: FrameType | None) -> None:
        if not any(error in raised for error in _being_handled()):
            raised.append(KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number))
            raise raised[-1]

    def come_again(unraisable: Any) -> None:
        error = unraisable.exc_value
        if not any(error is each for each in raised):
            report(unraisable)
            return
        raised.remove(error)
        number = signal.SIGINT if isinstance(error, KeyboardInterrupt) else error.code - 128
        left = threading.Event()

        def send() -> None:
            left.wait()
            time.sleep(0.05)  # not while Python is in here, where it would be dropped too
            os.kill(os.getpid(), number)

        threading.Thread(target=send, daemon=True).start()
        left.set()

    report, sys.unraisablehook = sys.unraisablehook, come_again
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
        sys.unraisablehook = report


def _being_handled() -> Iterator[BaseException]:
    """The exception that the interrupted code is handling, and the ones in its context."""
    error = sys.exception()
    while error is not None:
        yield error
        error = error.__context__


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """Terminating signals only add their numbers to the list that this gives, and come again at the end of the block.

    This is for compiled code that calls Python back. An exception cannot pass through it: Python drops the one that a
    handler raises at the beginning of the callback, and the compiled code goes on without its answer. The block has to
    look at the list and end. Unlike in `signals_held`, the main thread can be the only one.
    """
    came: list[int] = []
    former: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM"):
                number = getattr(signal, name, None)
                if number is not None and callable(signal.getsignal(number)):
                    former[number] = signal.signal(number, lambda number, frame: came.append(number))
        yield came
    finally:
        _reinstall(former)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


@contextmanager
def signals_held(*names: str) -> Iterator[None]:
    """Holds signals back until the end of the block: those named, or SIGINT, SIGTERM and SIGHUP.

    Processes started within the block inherit this and never see these signals, unless they change it. Masking one
    thread is not enough, because the system delivers the signal to another thread. The main thread therefore also
    catches signals that arrive through other threads. Any other thread can only mask its own.
    """
    held = {getattr(signal, name) for name in names or ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
    came: list[int] = []
    former: dict[int, Any] = {}
    masks = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held) if masks else set()
    try:
        if threading.current_thread() is threading.main_thread():
            for number in held:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    former[number] = signal.signal(number, lambda number, frame: came.append(number))
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)  # pending signals are caught now
        _reinstall(former)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


def _reinstall(handlers: dict[int, Any]) -> None:
    """Reinstalls all handlers, even if one that is back already raises meanwhile."""
    stop: BaseException | None = None
    while handlers:
        number = next(iter(handlers))
        try:
            signal.signal(number, handlers[number])
            del handlers[number]
        except (KeyboardInterrupt, SystemExit) as error:
            stop = error
    if stop is not None:
        raise stop
