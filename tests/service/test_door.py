"""Who may ask: Host, Origin and token; every other error is a problem too."""

import asyncio
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from des.service.bodies import EXAMPLE
from des.service.guard import Door, is_loopback

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def closed(service: Any) -> TestClient:
    return service(door=Door(hosts=frozenset({"des.example", "127.0.0.1"}), token=TOKEN))


@pytest.mark.parametrize("host", ["127.0.0.1:8731", "localhost", "LOCALHOST:80", "[::1]:8731", "localhost."])
def test_loopback_is_known_by_its_names(client: TestClient, host: str) -> None:
    assert client.get("/catalogue", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "[", "169.254.0.1"]
)
def test_another_host_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/catalogue", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_a_page_elsewhere_cannot_ask(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/catalogue", headers=headers).status_code == status


def test_a_link_from_elsewhere_opens_the_page(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "given", [None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"]
)
def test_without_the_token_nothing_is_told(closed: TestClient, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    for path in ("/catalogue", "/metrics", "/runs/0123456789abcdef01234567"):
        response = closed.get(path, headers=headers)  # type: ignore[arg-type]
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_with_the_token_everything_is_answered(closed: TestClient) -> None:
    for host in ("des.example", "127.0.0.1"):
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": host}
        assert closed.get("/catalogue", headers=headers).status_code == 200
    assert closed.get("/", headers={"Host": "des.example"}).status_code == 200
    assert closed.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h", False)]
)
def test_loopback_is_told_from_other_addresses(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/page/../application.py", 404),
        ("GET", "/page/nothing.js", 404),
        ("DELETE", "/simulate", 405),
        ("GET", "/runs", 405),
        ("GET", "/runs/0123456789abcdef01234567", 404),
        ("GET", "/runs/nonsense", 422),
        ("DELETE", "/runs/0123456789abcdef01234567", 404),
        ("GET", "/runs/0123456789abcdef01234567/events", 404),
        ("GET", "/runs/0123456789abcdef01234567/report", 404),
        ("GET", "/runs/0123456789abcdef01234567/traces/passwords", 422),
    ],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    if status == 405:
        assert response.headers["allow"]


def test_a_method_that_is_not_meant_is_answered_with_all_that_are(client: TestClient) -> None:
    assert client.put("/runs/0123456789abcdef01234567").headers["allow"] == "DELETE, GET, HEAD"
    assert client.put("/runs").headers["allow"] == "POST"
    assert client.put("/runs/0123456789abcdef01234567/events").headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/healthz", "/catalogue", "/nothing"])
def test_a_head_has_what_a_get_has(client: TestClient, path: str) -> None:
    one, other = client.head(path), client.get(path)
    assert one.status_code == other.status_code
    assert one.headers == other.headers


def test_a_parameter_of_an_address_is_refused_in_plain_words(client: TestClient) -> None:
    (fault,) = client.get("/runs/nonsense").json()["errors"]
    assert fault == {"pointer": "/key", "detail": "expected an id of 24 digits of 0-9 and a-f; got 'nonsense'"}
    long = {"Last-Event-ID": "1" * 21}
    (fault,) = client.get("/runs/0123456789abcdef01234567/events", headers=long).json()["errors"]
    assert fault["detail"] == "expected at most 20 characters; got 21"


def test_every_answer_has_headers_that_make_browsers_careful(client: TestClient) -> None:
    headers = client.get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_files_of_the_page_are_loaded_once(client: TestClient) -> None:
    first = client.get("/page/page.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = client.get("/page/page.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_metrics_count_what_was_answered(service: Any) -> None:
    fresh = service()
    fresh.get("/healthz")
    fresh.get("/nothing")
    text = fresh.get("/metrics").text
    assert 'des_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text
    assert 'des_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert "des_runs_queued 0.0" in text


def test_work_of_a_client_that_goes_is_given_up(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up: list[bool] = []

    async def answer(self: Any, body: Any) -> bytes:
        try:
            await asyncio.sleep(60.0)
        except asyncio.CancelledError:
            given_up.append(True)
            raise
        return b""

    monkeypatch.setattr("des.service.simulations.Simulations.answer", answer)
    opened = service()
    said = iter(
        [
            {"type": "http.request", "body": json.dumps(EXAMPLE).encode(), "more_body": False},
            {"type": "http.disconnect"},
        ]
    )
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/simulate", "headers": headers, "query_string": b""}

    async def receive() -> Any:
        return next(said)

    async def send(message: Any) -> None:
        return

    asyncio.run(opened.app(scope | {"raw_path": b"/simulate", "http_version": "1.1", "root_path": ""}, receive, send))
    assert given_up == [True]
    assert 'des_requests_total{method="POST",route="/simulate",status="499"} 1.0' in opened.get("/metrics").text


def test_open_requests_are_bounded(service: Any) -> None:
    refused = service(open_requests=0).get("/healthz")
    assert (refused.status_code, refused.json()["limit"]) == (503, "open_requests")
    assert refused.headers["retry-after"] == "1"


def test_a_failure_is_a_problem_and_is_logged(
    service: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("des.service.endpoints.simulations.catalogue", lambda bounds: 1 / 0)
    response = service().get("/catalogue")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "ZeroDivisionError" not in response.text
    assert any(record.exc_info for record in caplog.records)


def test_the_catalogue_has_prices_failures_and_presets_with_their_sources(client: TestClient) -> None:
    found = client.get("/catalogue").json()
    models = [model for provider in found["providers"] for model in provider["models"]]
    assert len(models) > 20
    for each in (*found["providers"], *models, *found["presets"]):
        assert each["source"]
        assert each["date"]
    assert found["limits"]["legs"] == 8
    names = [(each["title"], each["version"]) for each in found["presets"]]
    assert len(set(names)) == len(names), "a title and a version tell a preset from any other"
