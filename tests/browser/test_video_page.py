"""The page behind a video's `hosted_url`, in a real browser: it plays, and one can jump in it."""

import asyncio
import threading

import numpy as np
import pytest
import uvicorn

from tests.unit.api.server import server
from tests.visitor import visitor
from visavis.layers.tts import Speech
from visavis.replica.stock import stock
from visavis.videos.rendering import render_film

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=[".mp4", ".webm"])
def hosted_url(request, tmp_path_factory):
    """The page of a video of five seconds."""
    folder = tmp_path_factory.mktemp("page")
    started, found = threading.Event(), {}

    async def serve():
        hum = np.asarray(6000 * np.sin(np.arange(5 * 48_000) / 30), np.int16)
        film = await render_film([Speech(hum, (), ())], stock().renderer(seed=1), folder / f"video{request.param}")
        async with server(folder) as here:
            video = await here.create("videos", replica_id="rmira", script="Hello.", video_name="Film")
            files = {"video": film.path.name, "still": film.still.name, "preview": film.moving_preview.name}
            for name in files.values():
                await here.store.blobs.write(f"videos/{video['video_id']}/{name}", folder / name)
            await here.store.videos.update(video["video_id"], status="ready", changes={"files": files})
            running = uvicorn.Server(uvicorn.Config(here.app, port=0, log_level="error", lifespan="off"))
            task = asyncio.create_task(running.serve())
            async with asyncio.timeout(30):
                while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.01)
            port = running.servers[0].sockets[0].getsockname()[1]
            found.update(url=video["hosted_url"].replace(":8770", f":{port}"), server=running)
            started.set()
            await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(120)
    yield found["url"]
    found["server"].should_exit = True
    thread.join(30)


def test_video_plays_and_can_be_jumped_in(hosted_url):
    with visitor("--autoplay-policy=no-user-gesture-required", recorder=False) as guest:
        complaints = []
        guest.page.on("console", lambda message: complaints.append(message.text))
        guest.page.goto(hosted_url)
        assert guest.page.title() == "Film"
        seen = guest.page.evaluate(
            """async () => {
                const video = document.querySelector("video");
                await video.play();
                while (video.currentTime < 0.3) await new Promise((done) => setTimeout(done, 50));
                video.pause();
                video.currentTime = 4;
                await new Promise((done) => (video.onseeked = done));
                const canvas = new OffscreenCanvas(512, 512), pen = canvas.getContext("2d");
                pen.drawImage(video, 0, 0);
                const face = [...pen.getImageData(256, 200, 1, 1).data];
                return {at: video.currentTime, duration: video.duration, width: video.videoWidth, face,
                        sound: video.webkitAudioDecodedByteCount > 0};
            }"""
        )
    assert abs(seen["at"] - 4) < 0.05
    assert abs(seen["duration"] - 5.84) < 0.05
    assert seen["width"] == 512
    assert seen["sound"]
    red, _, blue, _ = seen["face"]
    assert red > blue + 20  # skin
    assert complaints == []
