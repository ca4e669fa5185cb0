"""A server that is killed while it makes a video makes it after its next start, and tells the callback."""

import json
import os
import time
from contextlib import suppress

import httpx
import pytest

from tests.server import running_server

pytestmark = [pytest.mark.models, pytest.mark.slow]


def test_video_survives_a_killed_server(tmp_path):
    environment = {"VISAVIS_DATA": str(tmp_path)}
    script = "This is said at some length, so that there is time to kill the server. " * 6
    with running_server("--dev", "--quality", "tiny", **environment) as first:
        with httpx.Client(base_url=first.base_url, timeout=60) as client:
            created = client.post("/v2/videos", json={"replica_id": "rmira", "script": script}).json()
            wait_for(
                client, created["video_id"], lambda video: int(video["generation_progress"].partition("/")[0]) > 20
            )
        assert first.killed_with_its_workers() == 1
    with (
        running_server("--dev", "--quality", "tiny", **environment) as second,
        httpx.Client(base_url=second.base_url, timeout=60) as client,
    ):
        video = wait_for(client, created["video_id"], lambda video: video["status"] in ("ready", "error"))
        assert video["status"] == "ready", json.dumps(video)
        film = client.get(video["stream_url"])
    assert film.content[4:8] == b"ftyp"
    assert not os.listdir(tmp_path / "jobs" / "long")


def wait_for(client, video_id, condition, within_s=400.0):
    """Ask until `condition` is true of the video."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if condition(video := client.get(f"/v2/videos/{video_id}").json()):
                return video
        time.sleep(0.3)
    raise AssertionError(f"the video did not get there in {within_s} s")
