"""How tests wait for other processes. No claim is about speed: patience only ends a test of something that hangs."""

import subprocess
import time
from collections.abc import Callable

PATIENCE_S = 240.0
"""Far more than a busy machine needs, and less than the limit of a test, so that a failure says what it waited for."""


def wait_until(reached: Callable[[], object], process: "subprocess.Popen[str] | None" = None) -> None:
    """Look again and again, as long as the process that is to bring it about is alive."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not reached():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
