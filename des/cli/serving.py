"""The command that serves figures, runs and the page over HTTP."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from des.cli.application import DONE, app, reported, say
from des.errors import DesError

_TOKEN: Final = "DES_SERVE_TOKEN"
_LIBRARIES: Final = ("fastapi", "uvicorn", "prometheus_client")
_SHORTEST_TOKEN: Final = 16


@app.command(
    short_help="Serve the page and the HTTP API.",
    help="Serve a page to build a chain on, and an HTTP API with figures in a second and runs of whole scenarios. It "
    "listens on this machine alone, unless it is told otherwise and has a token. "
    "Needs the extra: pip install 'des-fallback[serve]'.",
)
@reported
def serve(
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen. Off loopback a token is required.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")] = 8731,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Where runs and answers are kept.  [default: des/service in the user's cache]",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help=f"A file with the token that clients must send; or {_TOKEN} has it."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name by which clients reach the service. Repeatable."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Processes for figures.  [default: one a processor]"),
    ] = None,
) -> int:
    if absent := [name for name in _LIBRARIES if find_spec(name) is None]:
        raise DesError(f"des serve needs {', '.join(absent)}: pip install 'des-fallback[serve]'")
    from des.service.application import Settings
    from des.service.bounds import Bounds
    from des.service.guard import Door, is_loopback
    from des.service.server import serve as serve_until_ended

    token = _token(token_file)
    if not is_loopback(host) and token is None:
        raise DesError(f"--host {host}: others can reach it there, so a token is required: --token-file, or {_TOKEN}")
    hosts = frozenset(name.lower() for name in allow_host or ())
    if hosts or not is_loopback(host):
        hosts |= {"localhost", "127.0.0.1", "::1", host.lower()}
    bounds = Bounds() if workers is None else Bounds(simulations=workers)
    settings = Settings(state=state or _usual_state(), bounds=bounds, door=Door(hosts=hosts, token=token))
    serve_until_ended(settings, host, port, lambda address: say(f"des serves {address}"))
    return DONE


def _token(file: Path | None) -> str | None:
    if file is None:
        token = os.environ.get(_TOKEN, "").strip() or None
    else:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DesError(f"--token-file {file}: cannot be read: {error}") from None
    if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise DesError(
            f"the token has {len(token)} characters: at least {_SHORTEST_TOKEN} of ASCII, without spaces around"
        )
    return token


def _usual_state() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "des" / "service"
