"""The OpenAPI document: its examples work as they stand, and each endpoint tells all its statuses."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from des.service.bounds import FIXED, Bounds


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_endpoint_documents_the_problems_that_any_may_have(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            statuses = set(operation["responses"])
            assert {"401", "403", "405", "421", "500"} <= statuses, f"{method} {path}"
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [each for value in part.values() for each in references(value)]
        return [each for value in part for each in references(value)] if isinstance(part, list) else []

    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


def test_examples_of_bodies_work_as_they_stand(client: TestClient, document: dict[str, Any]) -> None:
    sent = 0
    for path, methods in document["paths"].items():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {})
            for kind, of in content.items():
                texts = [each["value"] for each in of.get("examples", {}).values()] or [of["example"]]
                for each in texts:
                    body = {"json": each} if kind == "application/json" else {"content": each}
                    response = client.post(path, headers={"Content-Type": kind}, **body)
                    assert response.status_code in (200, 202), response.text
                    sent += 1
                    if path == "/runs":
                        client.delete(response.headers["location"])
    assert sent >= 6


def test_the_page_of_the_docs_names_every_limit() -> None:
    text = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    for name in {**Bounds().as_json(), **FIXED}:
        assert f"`{name}`" in text


def test_the_page_of_the_docs_names_every_endpoint(document: dict[str, Any]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8").replace("{id}", "{key}")
    for path in document["paths"]:
        assert f"/{path.rpartition('/')[2]}" in text
