"""Requests made up from the OpenAPI document, sent over HTTP: no failure inside, no answer that it does not name."""

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.unit.api.server import served
from visavis.replica.stock import bundle_path

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EFFORT = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
KEY = {"x-api-key": "test-key"}


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("openapi"), dev=False, api_key="test-key") as url:
        yield url


@pytest.fixture(scope="module")
def existing(base_url: str) -> dict[str, str]:
    """Ids that exist, by the name of their parameter."""
    with httpx.Client(base_url=base_url, headers=KEY) as client:
        persona = client.post("/v2/personas", json={"persona_name": "Ines", "system_prompt": "You are Ines."}).json()
        bundle = {"bundle": ("mira.replica", bundle_path("mira").read_bytes())}
        replica = client.post("/v2/replicas", files=bundle).json()
        conversation = client.post("/v2/conversations", json={"persona_id": persona["persona_id"]}).json()
    return {
        "persona_id": persona["persona_id"],
        "replica_id": replica["replica_id"],
        "conversation_id": conversation["conversation_id"],
    }


def send(base_url: str, headers: dict[str, str], ids: dict[str, str], effort: settings) -> list[str]:
    """Send requests of every kind; returns what was wrong with the answers."""
    document = schemathesis.openapi.from_url(f"{base_url}/openapi.json")
    wrong = []
    for found in document.get_all_operations():
        operation = found.ok()
        if ids and (operation.method == "delete" or not any(name in operation.path for name in ids)):
            continue

        @effort
        @given(operation.as_strategy())
        def check(case: schemathesis.Case) -> None:
            case.path_parameters |= {name: ids[name] for name in case.path_parameters if name in ids}
            if case.path.endswith("/events"):
                case.query["live"] = "false"
            case.call_and_validate(base_url=base_url, headers=headers, checks=CHECKS, timeout=30)

        try:
            check()
        except Exception as error:
            wrong.append(f"{operation.method.upper()} {operation.path}: {error}")
    return wrong


@pytest.mark.slow
def test_any_request_gets_an_answer_that_is_documented(base_url):
    assert send(base_url, KEY, {}, EFFORT) == []


@pytest.mark.slow
def test_any_request_for_what_exists_gets_an_answer_that_is_documented(base_url, existing):
    assert send(base_url, KEY, existing, EFFORT) == []


@pytest.mark.slow
def test_any_request_without_a_key_gets_an_answer_that_is_documented(base_url):
    assert send(base_url, {}, {}, settings(EFFORT, max_examples=5)) == []
