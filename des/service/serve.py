"""`des.serve`: who may ask, where it listens and what it keeps, checked before anything is started."""

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from des.errors import DesError

PORT: Final = 8731
TOKEN: Final = "DES_SERVE_TOKEN"
"""The variable of the environment that the command reads the token from."""
_LIBRARIES: Final = ("fastapi", "uvicorn", "prometheus_client")
_SHORTEST_TOKEN: Final = 16


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    state: str | Path | None = None,
    token: str | None = None,
    allow_hosts: Sequence[str] = (),
    workers: int | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the page and the HTTP API until SIGINT or SIGTERM.

    `host` is where it listens; off loopback a `token` is required, which clients send. A `port` of 0 takes a free one.
    Runs and answers are kept in `state`, by default in the user's cache. `allow_hosts` are further names by which
    clients reach it. `workers` are the processes for figures, by default one for each processor. `ready` is called with
    the address once requests are answered.

    Raises DesError where libraries are missing, where others could reach it without a token, and where the address or
    the state directory is taken.
    """
    if absent := [name for name in _LIBRARIES if find_spec(name) is None]:
        raise DesError(f"des serve needs {', '.join(absent)}: pip install 'des-fallback[serve]'")
    from des.service.application import Settings
    from des.service.bounds import Bounds
    from des.service.guard import Door, host_of, is_loopback
    from des.service.server import serve_until_ended

    if token is not None and (len(token) < _SHORTEST_TOKEN or not (token.isascii() and token.isprintable())):
        raise DesError(f"the token has {len(token)} characters: at least {_SHORTEST_TOKEN} of printable ASCII")
    if not is_loopback(host) and token is None:
        raise DesError(f"--host {host}: others can reach it there, so a token is required: --token-file, or {TOKEN}")
    hosts = frozenset(name.lower() for name in allow_hosts)
    for name in hosts:
        known = host_of(f"[{name}]" if name.count(":") > 1 else name)
        if not name or known != name or name.count(":") == 1:
            raise DesError(f"--allow-host {name}: a name or an address, without scheme and port, such as des.example")
    if hosts or not is_loopback(host):
        hosts |= {"localhost", "127.0.0.1", "::1", host.lower()}
    bounds = Bounds() if workers is None else Bounds(simulations=workers)
    folder = _usual_state() if state is None else Path(state)
    settings = Settings(state=folder.absolute(), bounds=bounds, door=Door(hosts=hosts, token=token))
    serve_until_ended(settings, host, port, ready or (lambda address: None))


def _usual_state() -> Path:
    try:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise DesError("this user has no home: --state DIR says where runs and answers are kept") from None
    return Path(folder) / "des" / "service"
