"""A server that is killed while it trains a replica trains it after its next start, and the replica can be used."""

import asyncio
import json
import os
import time
from contextlib import suppress

import av
import httpx
import pytest

from tests.portrait import portrait
from tests.receiver import answers, receiver
from tests.server import running_server

pytestmark = [pytest.mark.models, pytest.mark.slow]


async def test_replica_survives_a_killed_server_and_speaks_in_the_end(tmp_path):
    environment = {"VISAVIS_DATA": str(tmp_path / "data"), "VISAVIS_ALLOW_PRIVATE_URLS": "127.0.0.1/32"}
    async with receiver() as told:
        with running_server("--dev", "--quality", "tiny", **environment) as first:
            async with receiver(answers(200, portrait())) as files, api(first) as client:
                asked = {
                    "train_image_url": files.url("/photo.png"),
                    "replica_name": "Talker",
                    "callback_url": told.url("/told"),
                    "properties": {"consent_declaration": "Mira"},
                }
                replica_id = (await client.post("/v2/faces", json=asked)).json()["face_id"]
                await until(client, replica_id, lambda replica: percent(replica) > 0)
            assert first.killed_with_its_workers() == 1
        # Nobody serves the photo any more: what was downloaded is not downloaded again.
        with running_server("--dev", "--quality", "tiny", **environment) as second:
            async with api(second) as client:
                replica = await until(client, replica_id, lambda found: found["status"] != "started")
                assert replica["status"] == "completed", json.dumps(replica)
                assert replica["training_progress"] == "100/100"
                assert replica["properties"]["manifest"]["consent"]["by"] == "Mira"
                [call] = await told.wait_for(1)
                assert json.loads(call.body) == {"replica_id": replica_id, "face_id": replica_id, "status": "ready"}
                (tmp_path / "preview.mp4").write_bytes((await client.get(replica["thumbnail_video_url"])).content)
                said = {"replica_id": replica_id, "script": "Hello."}
                video = (await client.post("/v2/videos", json=said)).json()
                await until(client, video["video_id"], lambda found: found["status"] == "ready", "videos")
                made = await client.post("/v2/conversations", json={"replica_id": replica_id})
                assert made.status_code == 200, made.text
    with av.open(tmp_path / "preview.mp4") as preview:
        assert (preview.streams.video[0].width, preview.streams.video[0].height) == (512, 512)
        assert preview.streams.audio
    assert not os.listdir(tmp_path / "data" / "jobs" / "training")


def api(server):
    return httpx.AsyncClient(base_url=server.base_url, timeout=60)


def percent(replica):
    assert replica["status"] == "started", json.dumps(replica)
    return int(replica["training_progress"].partition("/")[0])


async def until(client, subject_id, condition, resource="replicas", within_s=900.0):
    """Ask until `condition` is true."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if condition(found := (await client.get(f"/v2/{resource}/{subject_id}")).json()):
                return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{subject_id} did not get there in {within_s} s")
