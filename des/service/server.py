"""Serves the application until it is told to end."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from des.errors import DesError
from des.service.application import Settings, application
from des.service.telemetry import log_to_stderr

_ENDING_S: Final = 5


def serve_until_ended(settings: Settings, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Listen until SIGINT or SIGTERM. `ready` is called with the address once requests are answered.

    Raises DesError where the address or the state directory is taken.
    """
    import uvicorn

    from des.service.protocol import Protocol

    log_to_stderr()
    with _alone_in(settings.state):
        try:
            app = application(settings)
        except OSError as error:
            raise DesError(f"--state {settings.state}: cannot be used: {error.strerror or error}") from None

        class Server(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                if self.started:
                    listening = self.servers[0].sockets[0].getsockname()
                    shown = f"[{listening[0]}]" if ":" in listening[0] else listening[0]
                    ready(f"http://{shown}:{listening[1]}")

        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http=Protocol,
            ws="none",
            lifespan="on",
            timeout_keep_alive=10,
            timeout_graceful_shutdown=_ENDING_S,
        )
        server = Server(config)
        with suppress(SystemExit, KeyboardInterrupt):  # of the signal that ended it, which was handled
            server.run()
        if not server.started:
            raise DesError(f"{host}:{port}: cannot listen there; is another service at that port?")


@contextmanager
def _alone_in(state: Path) -> Iterator[None]:
    """One service writes into a state directory. Raises DesError where another one does."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DesError(f"--state {state}: cannot be used: {error.strerror or error}") from None
    try:
        _lock(file, state)
        yield
    finally:
        os.close(file)


def _lock(file: int, state: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not available on this system
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DesError(f"--state {state}: another service is at work there; give each its own") from None
