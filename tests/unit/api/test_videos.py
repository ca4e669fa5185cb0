"""Videos and speeches over the API: made by real jobs, shown by links that work, refused where nothing can be done."""

import asyncio
from contextlib import asynccontextmanager

import cv2
import httpx
import numpy as np
import pytest

from tests.receiver import answers, receiver
from tests.unit.api.server import server
from visavis.background import background_work
from visavis.videos.files import write_sound


@asynccontextmanager
async def working(here):
    """The server with its workers."""
    async with background_work(here.settings, here.store) as background:
        here.app.state.background = background
        try:
            yield here
        finally:
            here.app.state.background = None


async def finished(here, video_id, within_s=300.0):
    async with asyncio.timeout(within_s):
        while True:
            video = await here.get(f"videos/{video_id}")
            if video["status"] in ("ready", "error"):
                return video
            await asyncio.sleep(0.2)


@pytest.fixture
async def ready(here):
    """A video that is ready, whose files are short texts."""
    video = await here.create("videos", replica_id="rmira", script="Hello.", video_name="Été & more")
    files = {"video": "video.mp4", "still": "video.jpg", "preview": "video.gif"}
    for name in files.values():
        await here.store.blobs.write(f"videos/{video['video_id']}/{name}", b"0123456789" * 100)
    changes = {"files": files, "duration_s": 2.5}
    await here.store.videos.update(video["video_id"], status="ready", changes=changes)
    return await here.get(f"videos/{video['video_id']}")


@pytest.mark.slow
async def test_recording_becomes_a_video_and_the_callback_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("VISAVIS_ALLOW_PRIVATE_URLS", "127.0.0.1/32")
    times = np.arange(3 * 48_000) / 48_000
    write_sound(tmp_path / "a.wav", np.asarray(8000 * np.sin(2 * np.pi * 200 * times), np.int16))
    sound = (tmp_path / "a.wav").read_bytes()
    blue, red = (np.full((90, 160, 3), colour, np.uint8) for colour in ((200, 40, 20), (20, 20, 220)))
    async with (
        receiver(answers(200, sound, (("Content-Type", "audio/wav"),))) as files,
        receiver(answers(200, cv2.imencode(".png", blue)[1].tobytes())) as behind,
        receiver(answers(200, cv2.imencode(".png", red)[1].tobytes())) as marks,
        receiver() as told,
        server(tmp_path, allow_private_urls="127.0.0.1/32") as running,
        working(running) as here,
    ):
        created = await here.create(
            "videos",
            face_id="rmira",
            audio_url=files.url("/a.wav"),
            callback_url=told.url("/hook"),
            background_source_url=behind.url(),
            watermark_image_url=marks.url(),
            properties={"watermark_position": "top_left"},
        )
        assert created["status"] == "queued"
        video = await finished(here, created["video_id"])
        assert video["status"] == "ready", video
        [request] = await told.wait_for(1)
        film = await here.client.get(video["stream_url"])
        still = await here.client.get(video["still_image_thumbnail_url"])
        page = await here.client.get(video["hosted_url"])
        usage = await here.get("usage")
    body = httpx.Response(200, content=request.body).json()
    assert request.headers["visavis-event"] == "application.video_ready"
    assert body["video_id"] == video["video_id"]
    assert body["download_url"] == video["download_url"]
    assert body["generation_progress"] == "100/100"
    assert film.headers["content-type"] == "video/mp4"
    assert film.content[4:8] == b"ftyp"
    picture = cv2.imdecode(np.frombuffer(still.content, np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert np.abs(picture[20:40, 30:100] - red[0, 0]).max() < 25
    assert np.abs(picture[20:60, -60:-20] - blue[0, 0]).max() < 25
    assert "<video" in page.text
    assert abs(video["duration"] - 3.84) < 0.05
    assert usage["usage"]["video_seconds"]["times"] == 1


@pytest.mark.slow
async def test_recording_that_cannot_be_had_is_an_error_with_a_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("VISAVIS_ALLOW_PRIVATE_URLS", "127.0.0.1/32")
    async with (
        receiver(answers(404)) as nothing,
        receiver(answers(200, b"no sound")) as garbage,
        server(tmp_path, allow_private_urls="127.0.0.1/32") as running,
        working(running) as here,
    ):
        gone = await here.create("videos", replica_id="rmira", audio_url=nothing.url())
        bad = await here.create("videos", replica_id="rmira", audio_url=garbage.url())
        gone, bad = await finished(here, gone["video_id"]), await finished(here, bad["video_id"])
        page = await here.client.get(gone["hosted_url"])
    assert (gone["status"], gone["error_type"]) == ("error", "download_link")
    assert "answered 404" in gone["error_details"]
    assert gone["status_details"] == gone["error_details"]
    assert (bad["status"], bad["error_type"]) == ("error", "audio_file")
    assert gone["download_url"] is None
    assert "could not be made" in page.text


@pytest.mark.slow
@pytest.mark.models
async def test_script_becomes_a_speech(tmp_path):
    async with server(tmp_path) as running, working(running) as here:
        speech = await here.create("speech", replica_id="rmira", script="Hello, I am Mira.", speech_name="Greeting")
        async with asyncio.timeout(300):
            # On a machine that is busy it takes longer than the request waits.
            while speech["status"] not in ("ready", "error"):
                await asyncio.sleep(0.2)
                speech = await here.get(f"speech/{speech['speech_id']}")
        wav = await here.client.get(speech["speech_file_url"])
        mp3 = await here.client.get(speech["speech_mp3_url"])
        assert (await here.get("speech"))["total_count"] == 1
        assert (await here.get(f"speech/{speech['speech_id']}")) == speech
        response = await here.client.delete(f"/v2/speech/{speech['speech_id']}?hard=true")
        assert response.status_code == 200
        gone = await here.client.get(speech["speech_file_url"])
    assert wav.content[:4] == b"RIFF"
    assert mp3.headers["content-type"] == "audio/mpeg"
    assert speech["duration"] > 0.8
    assert gone.status_code == 404


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background_url", "https://example.com/"),
        ("background_source_url", "http://127.0.0.1/a.mp4"),
        ("watermark_image_url", "http://169.254.169.254/latest"),
        ("properties", {"background_color": "green"}),
        ("properties", {"watermark_position": "middle"}),
        ("properties", {"background_color": "#204060", "watermark_position": "top_left", "start_with_wave": True}),
        ("properties", {"background_scroll": True}),
        ("properties", {"background_scroll_type": "human"}),
        ("properties", {"start_with_wave": True}),
        ("audio_url", "http://127.0.0.1/a.wav"),
        ("audio_url", "http://169.254.169.254/latest"),
        ("callback_url", "http://localhost/"),
        ("replica_id", "r000000000000"),
        ("script", "   "),
        ("output_format", "avi"),
    ],
)
async def test_what_cannot_be_made_is_refused_by_field(refusing, field, value):
    body = {"replica_id": "rmira", "script": "Hello."} | {field: value}
    if field == "audio_url":
        del body["script"]
    response = await refusing.client.post("/v2/videos", json=body)
    assert response.status_code == 400
    assert response.json()["error"] == response.json()["message"]
    assert field in response.json()["error"]
    assert (await refusing.get("videos"))["total_count"] == 0


async def test_only_one_thing_is_behind_a_replica(here):
    body = {"replica_id": "rmira", "script": "Hello.", "transparent_background": True}
    for more in (
        {"properties": {"background_color": "#204060"}},
        {"background_source_url": "https://example.com/a.mp4"},
    ):
        response = await here.client.post("/v2/videos", json=body | more)
        assert response.status_code == 400
        assert "beside transparent_background" in response.json()["error"]


async def test_replica_that_keeps_its_background_gets_no_other(here):
    mine = await here.store.replicas.put(
        name="Ada", model_name="m", kind="user", status="completed", document={"background_is_replaceable": False}
    )
    body = {"replica_id": mine.replica_id, "script": "Hello.", "background_source_url": "https://example.com/a.mp4"}
    response = await here.client.post("/v2/videos", json=body)
    assert response.status_code == 400
    assert "own background" in response.json()["error"]


async def test_exactly_one_of_script_and_audio_is_needed(here):
    for body in ({}, {"script": "Hi.", "audio_url": "https://example.com/a.wav"}):
        response = await here.client.post("/v2/videos", json={"replica_id": "rmira", **body})
        assert response.status_code == 400
        assert "audio_url" in response.json()["error"]


async def test_what_asks_for_nothing_special_is_accepted(here):
    body = {"transparent_background": False, "properties": {"background_scroll": False}, "background_url": ""}
    created = await here.create("videos", replica_id="rmira", script="Hello.", fast=True, **body)
    assert set(created) >= {"video_id", "video_name", "status", "hosted_url", "created_at"}
    page = await here.client.get(created["hosted_url"])
    assert "being made: 0 %" in page.text


async def test_repeated_request_makes_one_video(here):
    body = {"replica_id": "rmira", "script": "Hello."}
    first, again = [await here.client.post("/v2/videos", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.json() == again.json()
    assert (await here.get("videos"))["total_count"] == 1


async def test_videos_are_listed_newest_first_from_page_zero(here):
    made = [(await here.create("videos", replica_id="rmira", script="Hello."))["video_id"] for _ in range(3)]
    first = await here.get("videos?limit=2")
    second = await here.get("videos?limit=2&page=1")
    assert [one["video_id"] for one in first["data"] + second["data"]] == made[::-1]
    assert first["total_count"] == 3


async def test_video_can_be_renamed(here, ready):
    response = await here.client.patch(f"/v2/videos/{ready['video_id']}/name", json={"video_name": "Other"})
    assert response.status_code == 200
    assert (await here.get(f"videos/{ready['video_id']}"))["video_name"] == "Other"


async def test_deleted_video_is_gone_with_its_job_and_with_hard_its_files(here, ready):
    waiting = await here.create("videos", replica_id="rmira", script="Hello.")
    for video_id in (waiting["video_id"], ready["video_id"]):
        assert (await here.client.delete(f"/v2/videos/{video_id}?hard=true")).status_code == 200
        response = await here.client.get(f"/v2/videos/{video_id}")
        assert response.status_code == 400
        assert "Invalid video_id" in response.json()["error"]
    [job] = await here.store.jobs.of(waiting["video_id"])
    assert job.status == "error"
    assert (await here.client.get(ready["stream_url"])).status_code == 404
    assert not await here.store.blobs.exists(f"videos/{ready['video_id']}/video.mp4")


async def test_verbose_shows_what_was_asked_for(here, ready):
    assert "request" not in ready
    assert (await here.get(f"videos/{ready['video_id']}?verbose=true"))["request"]["script"] == "Hello."


async def test_parts_of_a_file_can_be_asked_for(here, ready):
    for asked, status, content_range, length in (
        ("", 200, None, 1000),
        ("bytes=0-", 206, "bytes 0-999/1000", 1000),
        ("bytes=10-19", 206, "bytes 10-19/1000", 10),
        ("bytes=990-5000", 206, "bytes 990-999/1000", 10),
        ("bytes=-5", 206, "bytes 995-999/1000", 5),
        ("bytes=-5000", 206, "bytes 0-999/1000", 1000),
        ("bytes=1000-", 416, "bytes */1000", 0),
        ("bytes=-0", 416, "bytes */1000", 0),
        ("bytes=20-10", 200, None, 1000),
        ("bytes=0-1,5-6", 200, None, 1000),
        ("lines=1-2", 200, None, 1000),
        ("bytes=x-", 200, None, 1000),
    ):
        response = await here.client.get(ready["stream_url"], headers={"Range": asked} if asked else {})
        assert (response.status_code, asked) == (status, asked)
        assert response.headers.get("content-range") == content_range
        assert len(response.content) == length
        assert response.content in b"0123456789" * 100


async def test_files_are_validated_by_tag_and_downloaded_under_a_name(here, ready):
    response = await here.client.get(ready["download_url"])
    tag = response.headers["etag"]
    assert response.headers["content-disposition"] == 'attachment; filename="_t_ _ more.mp4"'
    assert (await here.client.get(ready["stream_url"], headers={"If-None-Match": tag})).status_code == 304
    other = {"Range": "bytes=0-1", "If-Range": '"other"'}
    assert (await here.client.get(ready["stream_url"], headers=other)).status_code == 200
    head = await here.client.head(ready["stream_url"])
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "1000", b"")


async def test_links_need_no_key_but_cannot_be_guessed(tmp_path):
    async with server(tmp_path, dev=False, api_key="test-key") as here:
        here.client.headers["x-api-key"] = "test-key"
        video = await here.create("videos", replica_id="rmira", script="Hello.")
        del here.client.headers["x-api-key"]
        assert (await here.client.get("/v2/videos")).status_code == 401
        assert (await here.client.get(video["hosted_url"])).status_code == 200
        guessed = video["hosted_url"][:-32] + "0" * 32
        unknown = guessed.replace(video["video_id"], "0" * 12)
        for url in (guessed, unknown, guessed + "/video.mp4", video["hosted_url"] + "/../../secret.key"):
            assert (await here.client.get(url)).status_code == 404


async def test_page_shows_names_as_text(here, ready):
    await here.client.patch(f"/v2/videos/{ready['video_id']}/name", json={"video_name": "<script>alert(1)</script>"})
    page = await here.client.get(ready["hosted_url"])
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
