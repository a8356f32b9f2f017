"""`des serve` refuses what would let others in, and says what is missing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from des.cli import app
from des.service.application import Settings
from des.service.serve import serve

runner = CliRunner()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, str, int]]:
    """What would be served, and where."""
    found: list[tuple[Settings, str, int]] = []

    def serve(settings: Settings, host: str, port: int, ready: Any) -> None:
        found.append((settings, host, port))
        ready(f"http://{host}:{port}")

    monkeypatch.setattr("des.service.server.serve_until_ended", serve)
    monkeypatch.delenv("DES_SERVE_TOKEN", raising=False)
    return found


def test_it_listens_on_loopback_and_says_where(served: list[Any], tmp_path: Path) -> None:
    result = runner.invoke(app, ["serve", "--state", str(tmp_path), "--workers", "3"])
    assert result.exit_code == 0
    assert result.stdout == "des serves http://127.0.0.1:8731\n"
    ((settings, host, port),) = served
    assert (host, port, settings.state, settings.bounds.simulations) == ("127.0.0.1", 8731, tmp_path, 3)
    assert settings.door.token is None


def test_off_loopback_a_token_is_required(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = runner.invoke(app, ["serve", "--host", "0.0.0.0", "--state", str(tmp_path)])
    assert refused.exit_code == 2
    assert "a token is required" in refused.output
    monkeypatch.setenv("DES_SERVE_TOKEN", "short")
    assert "at least 16" in runner.invoke(app, ["serve", "--host", "0.0.0.0"]).output
    monkeypatch.setenv("DES_SERVE_TOKEN", "long-enough-to-be-a-token")
    asked = ["serve", "--host", "0.0.0.0", "--allow-host", "Des.Example", "--state", str(tmp_path)]
    assert runner.invoke(app, asked).exit_code == 0
    assert served[0][0].door.hosts >= {"des.example", "127.0.0.1", "0.0.0.0"}
    assert served[0][0].door.token == "long-enough-to-be-a-token"


def test_a_token_may_be_in_a_file(served: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert "cannot be read" in runner.invoke(app, ["serve", "--token-file", str(file)]).output
    file.write_text("long-enough-to-be-a-token\n")
    assert runner.invoke(app, ["serve", "--token-file", str(file), "--state", str(tmp_path)]).exit_code == 0
    assert served[0][0].door.token == "long-enough-to-be-a-token"


def test_one_service_writes_into_a_state_directory(tmp_path: Path) -> None:
    from des.errors import DesError
    from des.service.server import _alone_in

    with _alone_in(tmp_path), pytest.raises(DesError, match="another service is at work"), _alone_in(tmp_path):
        pass
    with _alone_in(tmp_path):
        pass


@pytest.mark.parametrize("started", [True, False])
def test_a_signal_ends_it_and_a_taken_address_is_an_error(
    started: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import uvicorn

    from des.errors import DesError
    from des.service.server import serve_until_ended

    def run(server: uvicorn.Server, sockets: Any = None) -> None:
        server.started = started
        raise SystemExit(143 if started else 1)

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr("des.service.server.log_to_stderr", lambda: None)
    settings = Settings(state=tmp_path)
    if started:
        serve_until_ended(settings, "127.0.0.1", 0, lambda address: None)
    else:
        with pytest.raises(DesError, match="cannot listen"):
            serve_until_ended(settings, "127.0.0.1", 0, lambda address: None)


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n"])
def test_what_is_no_request_is_answered_with_a_problem(sent: bytes) -> None:
    import uvicorn
    from uvicorn.server import ServerState

    from des.service.protocol import Protocol

    class Wire(asyncio.Transport):
        written = b""

        def write(self, data: Any) -> None:
            self.written += data

        def close(self) -> None:
            self.closed = True

        def get_extra_info(self, name: str, default: Any = None) -> Any:
            return default

    async def answered() -> Wire:
        config = uvicorn.Config(lambda: None, http=Protocol, log_config=None)
        config.load()
        protocol, wire = Protocol(config, ServerState(), {}), Wire()
        protocol.connection_made(wire)
        protocol.data_received(sent)
        return wire

    wire = asyncio.run(answered())
    head, _, body = wire.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == 400
    assert wire.closed


def test_a_state_directory_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    from des.errors import DesError

    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(DesError, match=r"--state .*: cannot be used: File exists"):
        serve(state=tmp_path, port=0)


@pytest.mark.parametrize("name", ["des.example:8731", "https://des.example", "des.example/", "", "[::1]:80"])
def test_a_host_that_no_request_can_name_is_refused(served: list[Any], tmp_path: Path, name: str) -> None:
    from des.errors import DesError

    with pytest.raises(DesError, match="a name or an address, without scheme and port"):
        serve(state=tmp_path, allow_hosts=[name])
    serve(state=tmp_path, allow_hosts=["Des.example", "::1", "10.0.0.1"])
    assert served[0][0].door.hosts >= {"des.example", "::1", "10.0.0.1"}


def test_a_user_without_a_home_is_told_of_the_option(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from des.errors import DesError

    def nowhere(of: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(nowhere))
    with pytest.raises(DesError, match="--state DIR"):
        serve()
