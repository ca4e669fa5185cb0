"""The call as a real Chromium sees and hears it."""

import asyncio
import base64
import itertools
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from playwright.async_api import Page, async_playwright

from visavis.replica import Frame
from visavis.transport.webrtc import WebRtcCall

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
BEEP_HZ = 1_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.realtime,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@dataclass
class Server:
    """A page, and the calls that it made."""

    url: str = ""
    calls: list[WebRtcCall] = field(default_factory=list)

    async def call(self) -> WebRtcCall:
        """The call that the page has just joined."""
        assert await self.calls[0].connected()
        return self.calls[0]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    here = Server()
    app = FastAPI()

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(Path(__file__).with_name("browser_page.html"))

    @app.post("/offer")
    async def offer(request: Request) -> Response:
        call, answer = await WebRtcCall.answer((await request.body()).decode(), ice_addresses=["127.0.0.1"])
        here.calls.append(call)
        return Response(answer, media_type="application/sdp")

    uvicorn_server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    serving = asyncio.create_task(uvicorn_server.serve())
    while not uvicorn_server.started:  # noqa: ASYNC110, uvicorn has no event for it
        await asyncio.sleep(0.01)
    here.url = f"http://127.0.0.1:{uvicorn_server.servers[0].sockets[0].getsockname()[1]}/"
    yield here
    for call in here.calls:
        await call.close()
    uvicorn_server.should_exit = True
    await serving


async def open_page(server: Server, *flags: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        page = await browser.new_page()
        await page.goto(server.url)
        yield page
        await browser.close()


@pytest.fixture
async def page(server: Server) -> AsyncIterator[Page]:
    async for page in open_page(server, "--use-fake-ui-for-media-stream"):
        yield page


@pytest.fixture
async def page_without_permission(server: Server) -> AsyncIterator[Page]:
    async for page in open_page(server, "--deny-permission-prompts"):
        yield page


def picture(number: int, flash: bool, background: Frame) -> Frame:
    frame = background.copy()
    for cell in range(16):
        frame[:32, cell * 32 : cell * 32 + 32] = 255 if number >> (15 - cell) & 1 else 0
    frame[32:64] = 255 if flash else 0
    return frame


async def speak(call: WebRtcCall, seconds: float) -> int:
    """Every second a flash and a beep of 120 ms at the same sample; returns the number of pictures."""
    loop = asyncio.get_running_loop()
    noise = np.random.default_rng(3).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    background = cv2.GaussianBlur(noise, (0, 0), 12)
    began, number = loop.time(), 0
    for position in range(0, int(seconds * 48_000), 960):
        on = position >= 48_000 and position % 48_000 < 5_760
        tone = 12_000 * np.sin(2 * np.pi * BEEP_HZ * np.arange(960) / 48_000)
        call.send_audio((tone * on).astype(np.int16), position)
        if position % 1_920 == 0:
            await asyncio.sleep(0.01)  # a renderer takes its time
            call.send_frame(picture(number, on, background), position)
            number += 1
        await asyncio.sleep(began + (position + 960) / 48_000 - loop.time())
    return number


def beep_times_ms(collected: dict[str, Any], pcm: np.ndarray) -> list[float]:
    """When the page got each beep, on its performance clock."""
    loud = np.abs(pcm) > 3_000
    starts = [i for i in np.flatnonzero(loud) if not loud[max(0, i - 9_600) : i].any()]
    times = []
    for start in starts:
        context_s = (collected["block_frames"][start // 128] + start % 128) / 48_000
        near_s, near_ms = min(collected["clock"], key=lambda pair: abs(pair[0] - context_s))
        times.append(near_ms + 1_000 * (context_s - near_s))
    return times


def flash_times_ms(frames: list[dict[str, Any]]) -> list[float]:
    return [frame["shown_ms"] for before, frame in itertools.pairwise(frames) if frame["flash"] and not before["flash"]]


async def test_sound_and_pictures_arrive_whole_and_together(server: Server, page: Page) -> None:
    await page.evaluate("join(true)")
    call = await server.call()
    call.send_event({"event_type": "hello"})
    sent = await speak(call, 16)
    await asyncio.sleep(0.3)
    collected = await page.evaluate("collected()")
    assert any(event["event_type"] == "hello" for event in collected["events"])

    pcm = np.frombuffer(base64.b64decode(collected["pcm"]), np.int16).astype(float)
    loud = pcm[np.convolve(np.abs(pcm), np.ones(480) / 480, "same") > 4_000][:24_000]
    assert abs(np.argmax(np.abs(np.fft.rfft(loud))) * 48_000 / len(loud) - BEEP_HZ) < 10

    frames = [frame for frame in collected["frames"] if frame["rtp"] is not None][1:]
    origins = {(frame["rtp"] - 3_600 * frame["number"]) % 2**32 for frame in frames}
    assert len(origins) == 1, "a picture does not carry the number that its timestamp says"

    # Nothing gets lost on the way within one machine, unless it has no time to send or to play.
    if call.statistics().frames_sent < 0.98 * sent or collected["holes"] > 0.005:
        pytest.skip("this machine is too busy to judge rate and lip-sync")
    assert collected["decoded"] >= 24 / 25 * sent
    # Chromium moves sound and picture towards each other by steps, once a second, until less than 30 ms are left.
    # Viewers begin to notice at 45 (ITU-R BT.1359).
    beeps, flashes = beep_times_ms(collected, pcm), flash_times_ms(frames)
    offsets = [min((beep - flash for beep in beeps), key=abs) for flash in flashes]
    sound_at, picture_at = collected["playout_ms"]
    assert abs(sound_at - picture_at) <= 40
    assert abs(np.median(offsets[3:])) <= 45, f"sound after picture: {np.round(offsets)} ms"


async def test_the_microphone_of_the_page_is_heard(server: Server, page: Page) -> None:
    await page.evaluate("join(true)")
    call = await server.call()
    pieces = call.hear()
    heard = np.concatenate([await anext(pieces) for _ in range(150)])
    assert np.abs(heard).max() > 0.05, "Chromium's fake microphone beeps once a second"


async def test_a_page_without_permission_connects_and_is_silent(server: Server, page_without_permission: Page) -> None:
    await page_without_permission.evaluate("join(false)")
    call = await server.call()
    pieces = call.hear()
    heard = np.concatenate([await anext(pieces) for _ in range(50)])
    assert not heard.any()
    await page_without_permission.evaluate('channel.send(\'{"event_type": "conversation.respond"}\')')
    assert await anext(call.messages()) == {"event_type": "conversation.respond"}


@pytest.mark.parametrize("leave", ["connection.close()", "location.href = 'about:blank'"])
async def test_a_page_that_is_left_ends_the_call_at_once(server: Server, page: Page, leave: str) -> None:
    await page.evaluate("join(true)")
    call = await server.call()
    await page.evaluate(leave)
    async with asyncio.timeout(4):
        async for _ in call.hear():
            pass


async def test_a_server_that_hangs_up_is_noticed_by_the_page(server: Server, page: Page) -> None:
    await page.evaluate("join(true)")
    call = await server.call()
    await call.close()
    await page.wait_for_function("channel.readyState === 'closed'", timeout=3_000)
