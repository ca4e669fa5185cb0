"""Videos and speeches that are ready have the fields of the reference."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compat.asks import ASKS, send
from tests.compat.checking import check, check_body
from tests.compat.conftest import serve
from tests.compat.shapes import ReadySpeech, ReadyVideo

LONGEST_S = 300

pytestmark = [pytest.mark.slow, pytest.mark.models]


def finished(look: Callable[[], httpx.Response]) -> Any:
    """What is made in the background, once it is."""
    for _ in range(LONGEST_S * 2):
        found = look().json()
        if found["status"] in ("ready", "error"):
            return found
        time.sleep(0.5)
    raise AssertionError(f"not finished in {LONGEST_S} s: {found}")


def test_video_and_speech_become_ready(tmp_path: Path):
    with (
        serve(tmp_path, "jobs") as serving,
        httpx.Client(base_url=serving.recorder.url, headers={"x-api-key": serving.key}, timeout=60) as client,
    ):
        video_id = send(client, "POST /v2/videos", ASKS["POST /v2/videos"][200]).json()["video_id"]
        speech_id = send(client, "POST /v2/speech", ASKS["POST /v2/speech"][200]).json()["speech_id"]
        check(serving.recorder.take())

        assert finished(lambda: client.get(f"/v2/videos/{video_id}"))["status"] == "ready"
        watched = serving.recorder.take()
        check(watched)
        check_body(watched[-1], ReadyVideo)

        assert finished(lambda: client.get(f"/v2/speech/{speech_id}"))["status"] == "ready"
        check_body(serving.recorder.take()[-1], ReadySpeech)
