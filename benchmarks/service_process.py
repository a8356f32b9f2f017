"""A service in a process of its own, for benchmarks: started on a free port, its metrics and memory read, and ended."""

import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Service:
    """`log` is the file of its standard error."""

    host: str
    port: int
    process: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    def metrics(self) -> dict[str, float]:
        """The service's own, by name with labels."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory of the service, and of its processes together."""
        tasks = Path(f"/proc/{self.process}/task")
        children = [each for task in tasks.iterdir() for each in (task / "children").read_text().split()]
        return _resident_mb(self.process), sum(_resident_mb(int(child)) for child in children)

    def failures(self) -> list[str]:
        """Lines of the log that tell a failure of the service."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if '"level": "error"' in line]


def _resident_mb(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE_BYTES / 1e6
    except (OSError, ValueError):
        return 0.0


@contextmanager
def served(*options: str) -> Iterator[Service]:
    """`des serve` with a state directory of its own, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "des", "serve", "--port", "0", "--state", f"{folder}/state", *options]
        with log.open("wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://([\d.]+):(\d+)", said)
            if found is None:
                raise RuntimeError(f"the service did not start: {said}{log.read_text()}")
            yield Service(found[1], int(found[2]), process.pid, log)
        finally:
            process.terminate()
            process.wait(timeout=30)
