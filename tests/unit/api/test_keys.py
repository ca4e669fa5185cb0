"""`/v2/keys` over HTTP on a real store."""

from pathlib import Path

import pytest

from tests.unit.api.server import Server, server
from tests.unit.api.test_auth import key_of


async def test_new_key_works_is_shown_once_and_can_be_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("visavis.api.auth._REMEMBERED_S", 0)
    async with server(tmp_path, dev=False) as here:
        admin = await key_of(here, scopes=["admin"])
        body = {"name": "website", "scopes": ["read"], "max_conversations": 2}
        made = (await here.client.post("/v2/keys", json=body, headers=admin)).json()
        website = {"x-api-key": made["key"]}
        assert made["key"].startswith(made["hint"]) and made["scopes"] == ["read"]
        current = (await here.client.get("/v2/keys/current", headers=website)).json()
        assert (current["key_id"], current["max_conversations"]) == (made["key_id"], 2)
        listed = (await here.client.get("/v2/keys", headers=admin)).json()
        assert [one["name"] for one in listed["data"]] == ["website", "test"] and listed["total_count"] == 2
        assert made["key"] not in str(listed)
        assert (await here.client.delete(f"/v2/keys/{made['key_id']}", headers=admin)).status_code == 204
        assert (await here.client.get("/v2/keys/current", headers=website)).status_code == 401
        [revoked] = (await here.client.get("/v2/keys?limit=1", headers=admin)).json()["data"]
        assert revoked["revoked_at"]


async def test_keys_are_only_for_admins(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        key = await key_of(here, scopes=["read", "write"])
        for method, path in (("GET", "/v2/keys"), ("POST", "/v2/keys"), ("DELETE", "/v2/keys/k1")):
            assert (await here.client.request(method, path, headers=key, json={"name": "x"})).status_code == 403
        assert (await here.client.get("/v2/keys/current", headers=key)).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a", "scopes": ["all"]}, "scopes.0"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "networks": ["office"]}, "networks"),
        ({"name": "a", "max_conversations": 0}, "max_conversations"),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "a", "expires_at": "2090-01-01T00:00:00"}, "expires_at"),
    ],
)
async def test_key_that_makes_no_sense_is_refused_by_field(refusing: Server, body, field):
    response = await refusing.client.post("/v2/keys", json=body)
    assert response.status_code == 400 and response.json()["error"].startswith(f"{field}: ")


async def test_unknown_key_cannot_be_revoked(here: Server):
    assert (await here.client.delete("/v2/keys/k404")).status_code == 404
