"""Webhook deliveries over the API and on the command line."""

import asyncio

import pytest
from typer.testing import CliRunner

from visavis.config import settings
from visavis.store.configured import configured_store
from visavis.webhooks.cli import app
from visavis.webhooks.envelope import message


async def add(store, status="pending"):
    new = message("https://example.com/hook?token=t", "system.shutdown", {"a": 1}, conversation_id="c1")
    delivery_id = await store.webhooks.enqueue(new.url, new.event_type, new.body, new.conversation_id)
    if status == "dead":
        await store.webhooks.failed(delivery_id, "answered 500", None)
    return delivery_id


async def test_dead_letters_are_listed_shown_and_replayed(here):
    waiting, dead = await add(here.store), await add(here.store, "dead")
    listed = await here.get("webhooks/deliveries")
    assert [one["delivery_id"] for one in listed["data"]] == [dead]
    assert listed["data"][0]["last_error"] == "answered 500"
    assert listed["data"][0]["next_attempt_at"] is None
    assert [one["delivery_id"] for one in (await here.get("webhooks/deliveries?status=pending"))["data"]] == [waiting]
    assert (await here.get(f"webhooks/deliveries/{dead}"))["body"]["properties"] == {"a": 1}
    replayed = await here.client.post(f"/v2/webhooks/deliveries/{dead}/replay")
    assert replayed.status_code == 200
    assert (replayed.json()["status"], replayed.json()["attempts"]) == ("pending", 0)
    assert (await here.get("webhooks/deliveries"))["total_count"] == 0


async def test_unknown_deliveries_are_404(here):
    assert (await here.client.get("/v2/webhooks/deliveries/w0")).status_code == 404
    assert (await here.client.post("/v2/webhooks/deliveries/w0/replay")).status_code == 404
    assert (await here.client.get("/v2/webhooks/deliveries?status=lost")).status_code == 400


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs `visavis webhooks` on a data folder of its own."""
    monkeypatch.setenv("VISAVIS_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, arguments, catch_exceptions=False)


def in_store(work):
    async def run():
        async with configured_store(settings()) as store:
            return await work(store)

    return asyncio.run(run())


def test_secret_is_shown_and_changed_with_time_to_follow(command):
    first = command("secret").stdout.strip()
    assert first.startswith("whsec_")
    assert command("secret").stdout.strip() == first
    lines = command("secret", "--rotate").stdout.splitlines()
    assert lines[0] != first
    assert lines[1].startswith(f"{first}  # signs too until ")
    [only] = command("secret", "--rotate", "--keep-hours", "0").stdout.splitlines()
    assert only not in lines


def test_dead_letters_are_listed_and_replayed_on_the_command_line(command):
    dead = [in_store(lambda store: add(store, "dead")) for _ in range(2)]
    listed = command("list").stdout
    assert all(one in listed for one in dead)
    assert "token" not in listed
    assert '"last_error": "answered 500"' in command("show", dead[0]).stdout
    assert "1 message will" in command("replay", dead[0]).stdout
    assert "1 message will" in command("replay", "--all").stdout
    assert in_store(lambda store: store.webhooks.page(status="dead")).total == 0
