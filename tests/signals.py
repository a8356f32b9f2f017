"""Signals for child processes, whatever the test runner was started with."""

import signal


def heed_signals() -> None:
    """For `preexec_fn`: a runner started in the background, or under nohup, hands down that it ignores them."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
