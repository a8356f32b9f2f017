"""What ended of late, failed or not: by number of calls, or by time."""

from collections import deque


class Window:
    """Failed and all calls of the last so many calls, or of the last so many seconds."""

    def __init__(self, *, calls: int | None = None, window_s: float | None = None) -> None:
        self._calls = calls
        self._window_s = window_s
        self._ended: deque[tuple[float, bool]] = deque()
        self.failed = 0

    def __len__(self) -> int:
        return len(self._ended)

    def add(self, now_s: float, *, failed: bool) -> None:
        self._ended.append((now_s, failed))
        self.failed += failed
        if self._calls is not None and len(self._ended) > self._calls:
            self._drop()
        self.forget(now_s)

    def forget(self, now_s: float) -> None:
        """Leave out what ended before the window."""
        if self._window_s is not None:
            while self._ended and self._ended[0][0] <= now_s - self._window_s:
                self._drop()

    def clear(self) -> None:
        self._ended.clear()
        self.failed = 0

    def _drop(self) -> None:
        self.failed -= self._ended.popleft()[1]
