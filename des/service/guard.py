"""The outermost layer: who may ask, what every answer carries, and a problem in place of every error.

A page elsewhere cannot drive the service: its requests have another Origin, and a name that was bound to this machine
to get round that (DNS rebinding) is not among the hosts that are answered.
"""

import hmac
import ipaddress
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from des.service.problems import MEDIA_TYPE, ProblemError, busy
from des.service.reading import GoneError
from des.service.telemetry import Telemetry

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN: Final = ("/", "/healthz", "/openapi.json", "/favicon.ico")
STREAMS: Final = "/events"
"""How the paths of answers end that go on for long."""
_OPEN_BELOW: Final = ("/page/", "/assets/")
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
GONE: Final = 499
"""In metrics and logs: the client left before its answer."""
FAILED: Final = ProblemError(500, "the service failed; its log says why")
_LOG: Final = logging.getLogger("des.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`hosts` are names, without ports, that the service is known by; empty: those of loopback. `token` may be None."""

    hosts: frozenset[str] = frozenset()
    token: str | None = None

    def check(self, method: str, path: str, headers: dict[str, str]) -> None:
        """Raises ProblemError for whoever may not ask."""
        host = host_of(headers.get("host", ""))
        if host not in (self.hosts or _LOOPBACK):
            raise ProblemError(421, "this service is not known by that Host; des serve --allow-host NAME adds one")
        origin = headers.get("origin")
        if origin is not None and not _same(origin, headers.get("host", "")):
            raise ProblemError(403, "requests of pages elsewhere are refused: the Origin is not this service")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not _visit(method, path, headers):
            raise ProblemError(403, "requests of pages elsewhere are refused")
        if self.token is not None and path not in _OPEN and not path.startswith(_OPEN_BELOW):
            scheme, _, given = headers.get("authorization", "").partition(" ")
            known = hmac.compare_digest(given.strip().encode(), self.token.encode())
            if scheme.lower() != "bearer" or not known:
                raise ProblemError(401, "send the token of this service: Authorization: Bearer TOKEN")


def host_of(header: str) -> str:
    """The name of a Host header, without its port; empty for what is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".").lower() if header else ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a server that listens there is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _same(origin: str, host: str) -> bool:
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and found.netloc.lower() == host.lower()


def _visit(method: str, path: str, headers: dict[str, str]) -> bool:
    """A link from elsewhere to the page itself, which changes nothing."""
    return method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate" and path == "/"


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: App, *, door: Door, telemetry: Telemetry, most_open: int) -> None:
        self._app = app
        self._most_open = most_open
        self._open = 0
        self._door = door
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        status, whole = [0], [False]

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), text.encode()) for name, text in _HEADERS.items()]
                message["headers"] = [*message["headers"], *(each for each in more if each[0] not in present)]
            elif message["type"] == "http.response.body":
                whole[0] = not message.get("more_body", False)
            await send(message)

        method, path = scope["method"], scope["path"]
        self._telemetry.open_requests.inc()
        self._open += 1
        try:
            if self._open > self._most_open:
                raise busy("open_requests", self._most_open, f"{self._most_open} are being answered", 1, status=503)
            headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
            self._door.check(method, path, headers)
            if method == "HEAD" and not path.endswith(STREAMS):  # as GET, but for the body
                scope = {**scope, "method": "GET"}
            await self._app(scope, receive, answered)
        except ProblemError as problem:
            await _refuse(problem, answered)
        except GoneError:
            status[0] = GONE
        except Exception:
            _LOG.exception("failed", extra={"method": method, "path": path})
            if not status[0]:
                await _refuse(FAILED, answered)
            elif not whole[0]:
                raise  # the connection is cut: half an answer must not look like one
        finally:
            self._telemetry.open_requests.dec()
            self._open -= 1
            route = getattr(scope.get("route"), "path", "") or "none"
            self._telemetry.answered(method, route, path, status[0], time.perf_counter() - started_s)


async def _refuse(problem: ProblemError, send: Send) -> None:
    body = json.dumps(problem.as_json(), ensure_ascii=False).encode()
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
    pairs = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
