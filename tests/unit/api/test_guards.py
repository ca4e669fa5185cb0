"""Keys, limits, origins, sizes, headers, and the shapes of errors."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.api.server import Server, server
from visavis.api.errors import TooManyRequestsError
from visavis.api.limits import Limits
from visavis.store.keys import ApiKey

GUARDED = ["personas", "replicas", "conversations", "voices", "usage", "limits", "pals", "faces"]


@pytest.mark.parametrize("resource", GUARDED)
async def test_every_resource_asks_for_a_key(tmp_path: Path, resource):
    async with server(tmp_path, dev=False, api_key="secret-key") as here:
        for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer secret-key"}):
            response = await here.client.get(f"/v2/{resource}", headers=headers)
            assert response.status_code == 401
            assert response.json() == {"error": "Invalid access token", "message": "Invalid access token"}
        assert (await here.client.get(f"/v2/{resource}", headers={"x-api-key": "secret-key"})).status_code == 200
        assert "secret-key" not in repr(here.settings)


async def test_key_can_do_only_what_its_scopes_say(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        made = await here.store.keys.create("reader", scopes=["read"])
        assert made
        headers = {"x-api-key": made[0]}
        assert (await here.client.get("/v2/conversations", headers=headers)).status_code == 200
        writer = await here.store.keys.create("writer", scopes=["write"])
        assert writer
        written = (await here.client.post("/v2/conversations", headers={"x-api-key": writer[0]})).json()
        path = f"/v2/conversations/{written['conversation_id']}"
        assert (await here.client.get(path, headers={"x-api-key": writer[0]})).status_code == 403
        assert (await here.client.get(path, headers=headers)).status_code == 200
        refused = await here.client.post("/v2/conversations", headers=headers)
        assert refused.status_code == 403 and "write" in refused.json()["error"]


async def test_key_has_only_as_many_conversations_as_it_may(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        made = await here.store.keys.create("few", max_conversations=1)
        assert made
        headers = {"x-api-key": made[0]}
        first = (await here.client.post("/v2/conversations", headers=headers)).json()
        second = await here.client.post("/v2/conversations", headers=headers)
        assert second.status_code == 400
        assert second.json()["message"] == "User has reached maximum concurrent conversations"
        assert int(second.headers["retry-after"]) > 0
        limits = (await here.client.get("/v2/limits", headers=headers)).json()
        assert (limits["max_conversations"], limits["active_conversations"]) == (1, 1)
        await here.client.post(f"/v2/conversations/{first['conversation_id']}/end", headers=headers)
        assert (await here.client.post("/v2/conversations", headers=headers)).status_code == 200


async def test_key_makes_only_as_many_requests_as_it_may(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        made = await here.store.keys.create("slow", requests_per_minute=2)
        assert made
        headers = {"x-api-key": made[0]}
        answers = [await here.client.get("/v2/personas", headers=headers) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert 0 < int(answers[2].headers["retry-after"]) <= 30


def test_requests_come_back_with_time():
    now = 0.0
    limits = Limits(None, lambda: now)  # type: ignore[arg-type]
    key = ApiKey("k1", "", "", frozenset(), requests_per_minute=60)
    for _ in range(60):
        limits.spend_request(key)
    with pytest.raises(TooManyRequestsError) as refused:
        limits.spend_request(key)
    assert refused.value.retry_after_s == 1
    now = 1.5
    limits.spend_request(key)
    with pytest.raises(TooManyRequestsError):
        limits.spend_request(key)


async def test_usage_is_summed_over_a_span_of_time(here: Server):
    await here.store.usage.record("conversation_seconds", "c1", 90.0)
    found = await here.get("usage")
    assert found["conversation_minutes"] == 1.5
    assert found["usage"]["conversation_seconds"] == {"times": 1, "quantity": 90.0}
    assert (await here.get("usage?start=2020-01-01&end=2020-02-01T00:00:00Z"))["usage"] == {}
    for query in ("start=yesterday", "start=2026-01-02&end=2026-01-01", "key_id=%00"):
        assert (await here.client.get(f"/v2/usage?{query}")).status_code == 400


async def test_foreign_host_names_are_refused_on_loopback(here: Server):
    response = await here.client.get("/v2/conversations", headers={"host": "evil.example"})
    assert response.status_code == 400


async def test_other_sites_may_call_only_when_they_are_allowed(tmp_path: Path):
    origin = {"origin": "https://app.example"}
    async with server(tmp_path / "a") as here:
        assert "access-control-allow-origin" not in (await here.client.get("/v2/limits", headers=origin)).headers
    async with server(tmp_path / "b", dev=False, api_key="k", allowed_origins=["https://app.example"]) as here:
        allowed = await here.client.get("/v2/limits", headers=origin | {"x-api-key": "k"})
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        preflight = await here.client.options(
            "/v2/conversations",
            headers=origin | {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"},
        )
        assert preflight.status_code == 200
        other = await here.client.get("/v2/limits", headers={"origin": "https://evil.example", "x-api-key": "k"})
        assert "access-control-allow-origin" not in other.headers


async def test_answers_carry_security_headers(tmp_path: Path):
    async with server(tmp_path, public_url="https://calls.example.org") as here:
        api = (await here.client.get("/v2/limits")).headers
        page = (await here.client.get("/c/c1")).headers
        for headers in (api, page):
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "max-age" in headers["strict-transport-security"]
        assert "default-src 'none'" in api["content-security-policy"]
        assert "default-src 'self'" in page["content-security-policy"]
        assert api["cache-control"] == "no-store"


async def test_body_that_is_too_large_is_refused(tmp_path: Path):
    async def chunks():
        for _ in range(20):
            yield b" " * 100_000

    async with server(tmp_path, max_request_mb=1) as here:
        stated = await here.client.post("/v2/conversations", content=b" " * 1_100_000)
        streamed = await here.client.post("/v2/conversations", content=chunks())
        for response in (stated, streamed):
            assert response.status_code == 413 and "1 MiB" in response.json()["error"]
        odd = await here.client.get("/v2/limits", headers={"content-length": "9" * 5000})
        assert odd.status_code == 413


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/v2/nothing", 404, "/v2/nothing"),
        ("GET", "/nothing", 404, "/nothing"),
        ("GET", "/v2/documents", 404, "Documents: not available"),
        ("POST", "/v2/guardrails/", 404, "Guardrails: not available"),
        ("GET", "/v2/pals/ptutor/skills/", 404, "Skills: not available"),
        ("POST", "/v2/lipsync", 404, "Lip sync of other videos: not available"),
        ("GET", "/v2/builder", 404, "persona builder: not available"),
        ("PUT", "/v2/personas", 405, "PUT"),
        ("DELETE", "/v2/conversations", 405, "DELETE"),
    ],
)
async def test_what_is_not_there_is_said_in_the_usual_shape(refusing: Server, method, path, status, words):
    response = await refusing.client.request(method, path)
    assert response.status_code == status
    assert words in response.json()["error"]
    assert response.json()["error"] == response.json()["message"]
    if status == 405:
        assert response.headers["allow"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"null and void",
        b'{"conversation_name": "a\\u0000b"}',
        b'{"conversation_name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"metadata": {"x": NaN}}',
        b'{"metadata": {"x": 1e999}}',
        b'{"metadata": {"x": ' + b"9" * 400 + b"}}",
        b'{"metadata": ' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}",
        b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
async def test_json_that_cannot_be_kept_is_refused(refusing: Server, content):
    response = await refusing.client.post("/v2/conversations", content=content)
    assert response.status_code == 400, response.text
    assert response.json()["error"] == response.json()["message"]


async def test_failure_inside_is_told_without_its_details(here: Server):
    async def broken(**_: object) -> None:
        raise RuntimeError("sk-secret in here")

    here.store.personas.page = broken  # type: ignore[method-assign]
    response = await here.client.get("/v2/personas")
    assert response.status_code == 500
    assert "sk-secret" not in response.text and response.json()["error"] == response.json()["message"]


async def test_figures_for_prometheus_need_a_key(tmp_path: Path):
    async with server(tmp_path / "a") as here:
        response = await here.client.get("/metrics")
        assert response.status_code == 200 and "visavis_calls 0.0" in response.text
    async with server(tmp_path / "b", dev=False, api_key="secret") as here:
        assert (await here.client.get("/metrics")).status_code == 401
        assert (await here.client.get("/metrics", headers={"x-api-key": "secret"})).status_code == 200


async def test_openapi_document_names_every_error_and_the_key(here: Server):
    document = (await here.client.get("/openapi.json")).json()
    assert "422" not in document["paths"]["/v2/personas"]["get"]["responses"]
    assert "HTTPValidationError" not in json.dumps(document)
    keys = document["components"]["securitySchemes"]
    assert next(iter(keys.values())) | {"description": ""} == {
        "type": "apiKey", "in": "header", "name": "x-api-key", "description": "",
    }  # fmt: skip
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["tags"] and operation["description"], (method, path)
            assert "400" in operation["responses"], (method, path)


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [(None, None), ([], "frame-ancestors 'self'"), (["https://a.example"], "frame-ancestors 'self' https://a.example")],
)
async def test_calls_are_framed_only_by_the_sites_that_are_named(tmp_path: Path, origins, allowed):
    async with server(tmp_path, frame_origins=origins) as here:
        policy = (await here.client.get("/c/c1")).headers["content-security-policy"]
        assert [part.strip() for part in policy.split(";") if "frame-ancestors" in part] == (
            [allowed] if allowed else []
        )


async def test_usage_is_told_by_day(here: Server):
    for day, seconds in ((1, 90.0), (1, 30.0), (3, 10.0)):
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        await here.store.usage.record("conversation_seconds", "c1", seconds, at=at)
    found = await here.get("usage?start=2026-11-01&end=2026-11-04&by=day")
    assert found["days"] == [
        {"day": "2026-11-01", "usage": {"conversation_seconds": {"times": 2, "quantity": 120.0}}},
        {"day": "2026-11-03", "usage": {"conversation_seconds": {"times": 1, "quantity": 10.0}}},
    ]
    assert (await here.client.get("/v2/usage?start=2020-01-01&by=day")).status_code == 400


async def test_studio_is_served_to_everybody_and_framed_by_nobody(here: Server):
    page = await here.client.get("/studio")
    assert page.status_code == 200 and "static/studio/studio.js" in page.text
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "default-src 'self'" in policy
    assert (await here.client.get("/static/studio/studio.js")).status_code == 200
    assert (await here.client.get("/studio/")).headers["location"] == "../studio"
