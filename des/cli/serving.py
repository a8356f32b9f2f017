"""The command that serves figures, runs and the page over HTTP."""

import os
from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import DONE, app, reported, say
from des.cli.numbers import whole
from des.errors import DesError
from des.service.serve import PORT, TOKEN
from des.service.serve import serve as serve_until_ended


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
    port: Annotated[
        int, typer.Option("--port", metavar="N", parser=whole(0, most=65535), help="0 takes a free one.")
    ] = PORT,
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
            "--token-file", metavar="FILE", help=f"A file with the token that clients must send; or {TOKEN} has it."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name by which clients reach the service. Repeatable."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", parser=whole(1), help="Processes for figures.  [default: one a processor]"
        ),
    ] = None,
) -> int:
    serve_until_ended(
        host=host,
        port=port,
        state=state,
        token=_token(token_file),
        allow_hosts=allow_host or (),
        workers=workers,
        ready=lambda address: say(f"des serves {address}"),
    )
    return DONE


def _token(file: Path | None) -> str | None:
    if file is None:
        token = os.environ.get(TOKEN, "").strip() or None
    else:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DesError(f"--token-file {file}: cannot be read: {error}") from None
    return token
