"""What operators see: metrics for Prometheus, and a line of JSON for each request and event."""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_LOG: Final = logging.getLogger("des.service")
_SECONDS: Final = (0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """Counts of one service; each has its own registry, so that tests can have several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self._requests = Counter("des_requests", "Requests answered", labels, registry=self.registry)
        self._seconds = Histogram(
            "des_request_seconds", "Time to answer", ("route",), buckets=_SECONDS, registry=self.registry
        )
        self.open_requests = Gauge("des_open_requests", "Requests being answered", registry=self.registry)

    def watch(self, name: str, about: str, read: Callable[[], float]) -> None:
        """A gauge that is read when the metrics are."""
        Gauge(name, about, registry=self.registry).set_function(read)

    def answered(self, method: str, route: str, path: str, status: int, seconds: float) -> None:
        """Count a request and write its line."""
        named = method if method in _METHODS else "other"
        self._requests.labels(named, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        told = {"method": named, "path": path[:200], "status": status, "ms": round(1000.0 * seconds, 1)}
        _LOG.info("request", extra=told)

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return generate_latest(self.registry)


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, event, and its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        found: dict[str, Any] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            found["error"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=True, default=str)


def log_to_stderr(level: int = logging.INFO) -> None:
    """All logs of this process as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
