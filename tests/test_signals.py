"""Signals that are held wait, whichever thread the system hands them to."""

import signal
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_S
from tests.signals import heed_signals

_CHILD = """
import contextlib, os, signal, sys, threading, time
from des.signals import signals_held, terminating_signals_raise
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()  # takes what the main thread has masked
number = getattr(signal, sys.argv[1])
with terminating_signals_raise() if sys.argv[2] == "raised" else contextlib.nullcontext():
    try:
        with signals_held():
            os.kill(os.getpid(), number)
            for _ in range(200_000):
                pass
            print("whole", flush=True)
        for _ in range(200_000):
            pass
        print("not reached", flush=True)
    finally:
        print("unwound", flush=True)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_that_another_thread_takes_is_held_too(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, name, "raised"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        preexec_fn=heed_signals,
    )
    assert done.stdout == "whole\nunwound\n"
    assert done.returncode == (-signal.SIGINT if name == "SIGINT" else 128 + getattr(signal, name))


def test_a_signal_that_nobody_handles_ends_the_process_after_the_block() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, "SIGTERM", "unhandled"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        preexec_fn=heed_signals,
    )
    assert (done.stdout, done.returncode) == ("whole\n", -signal.SIGTERM)


_NESTED = """
import os, signal
from des.signals import signals_held
caught = []
signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
with signals_held():
    with signals_held("SIGTERM"):
        os.kill(os.getpid(), signal.SIGTERM)
    assert not caught
assert caught == [signal.SIGTERM]
"""


def test_of_blocks_within_blocks_the_outermost_lets_go() -> None:
    done = subprocess.run([sys.executable, "-c", _NESTED], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stderr, done.returncode) == ("", 0)


_DROPPED = """
import os, signal, time, weakref
from des.signals import terminating_signals_raise

class Thing: ...

def gone(_):
    os.kill(os.getpid(), signal.{name})
    for _ in range(1000): ...  # the handler runs here, and Python drops what it raises

with terminating_signals_raise():
    thing = Thing()
    watched = weakref.ref(thing, gone)
    del thing
    time.sleep(60)
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", -signal.SIGINT)])
def test_a_signal_in_the_callback_of_a_weak_reference_is_not_lost(name: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DROPPED.format(name=name)],
        preexec_fn=heed_signals,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == code, done.stderr
