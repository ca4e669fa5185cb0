import asyncio
import itertools
import threading

import av
import numpy as np
import pytest
from aiortc import RTCPeerConnection

from tests.unit.transport.browser_stand_in import Microphone, Page, Plain
from visavis.errors import BadInputError
from visavis.transport import Picture, SightKind
from visavis.transport.aiortc_tuning import share_transport
from visavis.transport.webrtc import WebRtcCall

pytestmark = [pytest.mark.realtime, pytest.mark.filterwarnings("error")]


async def speak(call: WebRtcCall, seconds: float, hertz: float = 1_000) -> None:
    """A tone and its pictures, at the pace of a call; the picture's brightness counts the frames.

    As when they are rendered, each picture comes 20 ms after its sound.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    for position in range(0, int(seconds * 48_000), 960):
        tone = np.sin(2 * np.pi * hertz * (position + np.arange(960)) / 48_000) * 8_000
        call.send_audio(tone.astype(np.int16), position)
        if position % 1_920 == 960:
            call.send_frame(np.full((128, 128, 3), position // 1_920 * 5 % 250, np.uint8), position - 960)
        await asyncio.sleep(began + (position + 960) / 48_000 - loop.time())


async def test_the_voice_of_the_person_is_heard_from_the_first_packet_on() -> None:
    page = Page(Microphone(440))
    call = await page.call()
    pieces = call.hear()
    heard = np.concatenate([await anext(pieces) for _ in range(60)])
    spectrum = np.abs(np.fft.rfft(heard[3_200:]))
    assert abs(np.argmax(spectrum) * 16_000 / len(heard[3_200:]) - 440) < 5
    await call.close()
    await page.connection.close()


async def test_without_a_microphone_silence_is_heard() -> None:
    page = Page(None)
    call = await page.call()
    pieces = call.hear()
    heard = np.concatenate([await anext(pieces) for _ in range(20)])
    assert len(heard) == 20 * 320
    assert not heard.any()
    await call.close()
    await page.connection.close()


async def test_sound_and_pictures_arrive_with_timestamps_of_one_clock() -> None:
    page = Page(None)
    call = await page.call()
    assert await call.connected()
    speaking = asyncio.create_task(speak(call, 3))
    sounds = [await page.track("audio").recv() for _ in range(50)]
    pictures = [await page.track("video").recv() for _ in range(25)]
    assert all(isinstance(sound, av.AudioFrame) for sound in sounds)
    samples = np.concatenate([sound.to_ndarray().reshape(-1, 2)[:, 0] for sound in sounds[5:]])
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(np.argmax(spectrum) * 48_000 / len(samples) - 1_000) < 5
    assert {later.pts - earlier.pts for earlier, later in itertools.pairwise(sounds)} == {960}
    assert {later.pts - earlier.pts for earlier, later in itertools.pairwise(pictures)} == {3_600}
    brightness = [picture.to_ndarray(format="bgr24").mean() for picture in pictures]
    steps = np.diff(brightness)
    assert np.allclose(steps[steps > -100], 5, atol=1.5)
    await speaking
    statistics = call.statistics()
    assert statistics.audio_packets_sent >= 148
    assert statistics.frames_sent >= 73
    assert statistics.key_frames_sent >= 1
    assert statistics.video_bitrate > 0
    await call.close()
    await page.connection.close()


async def test_reports_put_both_tracks_on_one_time_line() -> None:
    page = Page(None)
    reports = {}
    call = await page.call()
    assert await call.connected()
    speaking = asyncio.create_task(speak(call, 3))
    await asyncio.gather(page.track("audio").recv(), page.track("video").recv())
    for receiver in page.connection.getReceivers():
        kind, handle = receiver.track.kind, receiver._handle_rtcp_packet

        async def note(packet, kind=kind, handle=handle):
            if hasattr(packet, "sender_info"):
                reports.setdefault(kind, packet.sender_info)
            await handle(packet)

        receiver._handle_rtcp_packet = note
    origins = {
        receiver.track.kind: receiver._RTCRtpReceiver__timestamp_mapper._origin
        for receiver in page.connection.getReceivers()
    }
    await speaking
    # Both streams began at position 0, so at one wall-clock time both must be equally far from their origins.
    began = {
        kind: report.ntp_timestamp / 2**32 - ((report.rtp_timestamp - origins[kind]) & 0xFFFFFFFF) / rate
        for kind, rate in (("audio", 48_000), ("video", 90_000))
        for report in (reports[kind],)
    }
    assert abs(began["audio"] - began["video"]) < 0.002
    await call.close()
    await page.connection.close()


async def test_a_key_frame_follows_a_lost_picture() -> None:
    page = Page(None)
    call = await page.call()
    assert await call.connected()
    speaking = asyncio.create_task(speak(call, 2))
    await page.track("video").recv()
    before = call.statistics().key_frames_sent
    await asyncio.sleep(0.4)
    (receiver,) = (r for r in page.connection.getReceivers() if r.track.kind == "video")
    (ssrc,) = receiver._RTCRtpReceiver__remote_streams
    await receiver._send_rtcp_pli(ssrc)
    await speaking
    assert call.statistics().key_frames_sent == before + 1
    await call.close()
    await page.connection.close()


async def test_messages_go_both_ways_and_garbage_is_passed_on_as_what_is_wrong_with_it() -> None:
    page = Page(None)
    call = await page.call()
    call.send_event({"event_type": "early"})
    assert await page.event("early")
    messages = call.messages()
    for garbage, value in (("garbage", "garbage"), (b"\x00\x01", "2 bytes of binary data")):
        page.channel.send(garbage)
        error = await anext(messages)
        assert isinstance(error, BadInputError)
        assert (error.field, error.value) == ("message", repr(value))
    page.channel.send('{"event_type": "system.pong"}')
    page.channel.send('{"event_type": "conversation.respond"}')
    assert await anext(messages) == {"event_type": "conversation.respond"}
    assert (await page.event("system.heartbeat"))["timestamp"] > 0
    await call.close()
    await page.connection.close()


async def test_a_page_that_leaves_politely_is_gone_at_once() -> None:
    page = Page(Microphone())
    call = await page.call(gone_after_s=60)
    await page.opened.wait()
    await page.connection.close()
    async with asyncio.timeout(60):
        async for _ in call.hear():
            pass
        async for _ in call.messages():
            pass
    await call.close()


async def test_a_page_that_vanishes_is_noticed_by_its_silence() -> None:
    page = Page(Microphone())
    call = await page.call(gone_after_s=1.5)
    await page.opened.wait()
    await page.vanish()
    async with asyncio.timeout(60):
        async for _ in call.hear():
            pass
    await call.close()
    await page.connection.close()


async def test_a_quiet_page_without_microphone_stays_connected() -> None:
    page = Page(None)
    call = await page.call(gone_after_s=2.5)
    await page.opened.wait()
    await asyncio.sleep(4)
    call.send_event({"event_type": "still here"})
    assert await page.event("still here")
    await call.close()
    await page.connection.close()


async def test_hanging_up_ends_everything_and_leaves_nothing_behind() -> None:
    page = Page(Microphone())
    call = await page.call()
    assert await call.connected()
    speaking = asyncio.create_task(speak(call, 0.5))
    await page.track("video").recv()
    await asyncio.gather(call.close(), call.close())
    await call.close()
    assert [piece async for piece in call.messages()] == []
    await speaking
    async with asyncio.timeout(60):
        await page.closed.wait()
    await page.connection.close()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [thread for thread in threading.enumerate() if "video-encoder" in thread.name]


async def test_a_call_that_is_ended_before_it_connects_leaves_nothing_behind() -> None:
    page = Page(None)
    call, _ = await WebRtcCall.answer(await page.offer(), ice_addresses=["127.0.0.1"])
    await call.close()
    assert not await call.connected()
    await page.connection.close()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_an_event_loop_that_is_cancelled_in_mid_call_ends() -> None:
    async def leave_without_closing() -> WebRtcCall:
        page = Page(Microphone())
        call = await page.call()
        assert await call.connected()
        return call

    call = asyncio.run(leave_without_closing())
    assert call._gone.is_set()


async def test_pictures_are_dropped_rather_than_late() -> None:
    page = Page(None)
    call = await page.call()
    assert await call.connected()
    for number in range(50):
        call.send_frame(np.zeros((64, 64, 3), np.uint8), number * 1_920)
        call.send_audio(np.zeros(960, np.int16), number * 960)
    statistics = call.statistics()
    assert statistics.frames_dropped == 48
    assert statistics.audio_packets_dropped == 47
    await call.close()
    await page.connection.close()


async def test_a_picture_that_cannot_be_encoded_does_not_end_the_call() -> None:
    page = Page(None)
    call = await page.call()
    assert await call.connected()
    call.send_frame(np.zeros((0, 0, 3), np.uint8), 0)
    await asyncio.sleep(0.1)
    call.send_frame(np.zeros((64, 64, 3), np.uint8), 1_920)
    await asyncio.sleep(0.1)
    assert call.statistics().frames_sent == 1
    await call.close()
    await page.connection.close()


async def test_only_the_addresses_given_are_offered() -> None:
    page = Page(None)
    call, answer = await WebRtcCall.answer(await page.offer(), ice_addresses=["127.0.0.1"])
    candidates = [line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate")]
    assert set(candidates) == {"127.0.0.1"}
    await call.close()
    await page.connection.close()


async def test_camera_and_screen_are_told_apart() -> None:
    page = Page(None)
    page.connection.getTransceivers()[1].sender.replaceTrack(Plain(60))
    page.connection.getTransceivers()[1].direction = "sendrecv"
    page.connection.addTransceiver(Plain(200, (96, 64)), "sendonly")
    call = await page.call()
    share_transport(page.connection)  # as browsers do; aiortc's own page would send the screen nowhere
    assert await call.connected()

    async def seen(kind: SightKind) -> Picture:
        sight = call.sight(kind)
        assert sight is not None
        async with asyncio.timeout(60):
            while (picture := sight.look(64)) is None:  # noqa: ASYNC110 - nothing tells of a new picture
                await asyncio.sleep(0.05)
        return picture

    for _ in range(3):
        camera, screen = await seen("camera"), await seen("screen")
        assert (camera.sent_size, screen.sent_size) == ((64, 64), (96, 64))
        assert abs(float(camera.pixels.mean()) - 60) < 12
        assert abs(float(screen.pixels.mean()) - 200) < 12
    await call.close()
    await page.connection.close()


@pytest.mark.parametrize(("offered", "answered"), [("sendrecv", "a=sendrecv"), ("recvonly", "a=sendonly")])
async def test_the_camera_of_the_person_is_taken_when_it_is_offered(offered: str, answered: str) -> None:
    page = Page(None)
    page.connection.getTransceivers()[1].direction = offered
    call, answer = await WebRtcCall.answer(await page.offer(), ice_addresses=["127.0.0.1"])
    video = answer[answer.index("m=video") :]
    assert answered in video[: video.find("m=", 1)]
    assert (call.sight("camera") is not None) == (offered == "sendrecv")
    assert ("b=AS:" in video) == (offered == "sendrecv")
    await call.close()
    await page.connection.close()


@pytest.mark.parametrize("offer", ["", "hello", "v=0\r\n", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "m=audio "])
async def test_an_offer_that_is_none_is_refused(offer: str) -> None:
    with pytest.raises(BadInputError, match="sdp"):
        await WebRtcCall.answer(offer)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_offer_without_a_common_codec_is_refused() -> None:
    page = Page(None)
    offer = (await page.offer()).replace("opus/48000", "speex/8000")
    with pytest.raises(BadInputError, match="Opus"):
        await WebRtcCall.answer(offer, ice_addresses=["127.0.0.1"])
    await page.connection.close()


async def test_a_data_channel_of_another_name_is_left_alone() -> None:
    page = Page(None)
    other = page.connection.createDataChannel("other")
    opened = asyncio.Event()
    other.on("open", opened.set)
    call = await page.call()
    await asyncio.gather(page.opened.wait(), opened.wait())
    other.send('{"event_type": "lost"}')
    page.channel.send('{"event_type": "found"}')
    assert await anext(call.messages()) == {"event_type": "found"}
    await call.close()
    await page.connection.close()


async def test_nobody_outside_is_asked_for_our_address(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[RTCPeerConnection] = []
    original = WebRtcCall.__init__

    def note(self: WebRtcCall, connection: RTCPeerConnection) -> None:
        made.append(connection)
        original(self, connection)

    monkeypatch.setattr(WebRtcCall, "__init__", note)
    page = Page(None)
    call, _ = await WebRtcCall.answer(await page.offer(), ice_addresses=["127.0.0.1"])
    agents = [t.receiver.transport.transport._connection for t in made[0].getTransceivers()]
    assert [(agent.stun_server, agent.turn_server) for agent in agents] == [(None, None)] * 2
    await call.close()
    await page.connection.close()
