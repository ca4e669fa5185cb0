"""API keys at the door: which are let in, for what, from where, and when none is asked for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.unit.api.server import Server, server
from visavis.api import auth
from visavis.api.auth import Gatekeeper, make_first_key
from visavis.config import Settings
from visavis.errors import BadInputError

LINKS_ARE_ENOUGH = {
    "/v2/conversations/{conversation_id}": {"get"},
    "/v2/conversations/{conversation_id}/end": {"post"},
    "/v2/conversations/{conversation_id}/offer": {"post"},
    "/v2/conversations/{conversation_id}/events": {"get"},
    "/v2/conversations/{conversation_id}/interactions": {"get"},
}
"""What the page of a call does, with nothing but the id in its link."""


async def key_of(here: Server, **what: object) -> dict[str, str]:
    made = await here.store.keys.create("test", **what)  # type: ignore[arg-type]
    assert made
    return {"x-api-key": made[0]}


async def status(here: Server, headers: dict[str, str], method: str = "GET") -> int:
    return (await here.client.request(method, "/v2/conversations", headers=headers)).status_code


async def test_everything_that_a_link_does_not_open_answers_401_without_a_key(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        refused = set()
        for path, operations in here.app.openapi()["paths"].items():
            for method in operations.keys() - LINKS_ARE_ENOUGH.get(path, set()):
                response = await here.client.request(method, path.replace("{", "").replace("}", ""), json={})
                assert response.status_code == 401, f"{method} {path}"
                refused.add((method, path))
        assert {("post", "/v2/conversations"), ("delete", "/v2/personas/{persona_id}")} <= refused


async def test_scopes_say_what_a_key_may_do(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        read, write = await key_of(here, scopes=["read"]), await key_of(here, scopes=["write"])
        admin = await key_of(here, scopes=["admin"])
        assert [await status(here, key) for key in (read, write, admin)] == [200, 403, 200]
        assert [await status(here, key, "POST") for key in (read, write, admin)] == [403, 200, 200]


async def test_expired_and_revoked_keys_are_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auth, "_REMEMBERED_S", 0)
    async with server(tmp_path, dev=False) as here:
        expired = await key_of(here, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert await status(here, expired) == 401
        valid = await key_of(here)
        assert await status(here, valid) == 200
        await here.store.keys.revoke((await here.store.keys.all())[1].key_id)
        assert await status(here, valid) == 401


async def test_key_is_looked_up_once_in_a_while(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        valid = await key_of(here)
        assert await status(here, valid) == 200
        await here.store.keys.revoke((await here.store.keys.all())[0].key_id)
        assert await status(here, valid) == 200


async def test_key_works_only_from_its_networks(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        office = await key_of(here, networks=["10.1.0.0/16", "2001:db8::/32"])
        for address, expected in (
            ("10.1.2.3", 200),
            ("::ffff:10.1.2.3", 200),
            ("2001:db8::5", 200),
            ("10.2.2.3", 403),
            ("127.0.0.1", 403),
            ("", 403),
        ):
            transport = httpx.ASGITransport(here.app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8770") as client:
                response = await client.get("/v2/conversations", headers=office)
            assert response.status_code == expected, address
            if expected == 403:
                assert address in response.json()["error"]


async def test_last_use_is_written_down_later_and_not_on_every_request(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        gatekeeper: Gatekeeper = here.app.state.gatekeeper
        async with gatekeeper.watching():
            headers = await key_of(here)
            for _ in range(3):
                assert await status(here, headers) == 200
            assert (await here.store.keys.all())[0].last_used_at is None
        used = (await here.store.keys.all())[0].last_used_at
        assert used is not None
        assert datetime.now(UTC) - used < timedelta(minutes=1)


async def test_development_mode_lets_this_machine_in_but_no_foreign_page(here: Server):
    assert await status(here, {}, "POST") == 200
    assert await status(here, {"origin": "http://127.0.0.1:8770"}, "POST") == 200
    for foreign in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
    ):
        assert await status(here, foreign, "POST") == 401


def test_development_mode_is_refused_where_others_can_reach_the_server():
    with pytest.raises(BadInputError, match="--dev"):
        Gatekeeper(None, Settings(dev=True, host="0.0.0.0"))  # type: ignore[arg-type]


async def test_standing_link_needs_a_key_beyond_loopback(tmp_path: Path):
    async with server(tmp_path / "here", dev=False) as here:
        assert (await here.client.get("/demo")).status_code == 307
    async with server(tmp_path / "beyond", dev=False, host="0.0.0.0") as beyond:
        assert (await beyond.client.get("/demo")).status_code == 401
        assert (await beyond.client.get("/demo", headers=await key_of(beyond, scopes=["read"]))).status_code == 403
        assert (await beyond.client.get("/demo", headers=await key_of(beyond))).status_code == 307


async def test_first_key_is_made_once_and_only_where_it_is_needed(tmp_path: Path):
    async with server(tmp_path, dev=False) as here:
        assert await make_first_key(here.store.keys, Settings(dev=True)) is None
        assert await make_first_key(here.store.keys, Settings(api_key="from the environment")) is None
        made = await make_first_key(here.store.keys, here.settings)
        assert made is not None
        assert await status(here, {"x-api-key": made}, "POST") == 200
        assert await make_first_key(here.store.keys, here.settings) is None


async def test_odd_keys_are_refused_like_any_other(tmp_path: Path):
    async with server(tmp_path, dev=False, api_key="sécret") as here:
        for odd in ("", " ", "vv_", "ÿ", "a" * 5000):
            assert (
                await here.client.get("/v2/usage", headers=[(b"x-api-key", odd.encode("latin-1"))])
            ).status_code == 401
