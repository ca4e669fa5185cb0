"""A second peer: aiortc as an ordinary client stands in for a browser where the test needs no real one."""

import asyncio
import fractions
import json
from collections.abc import Mapping
from typing import Any

import aioice.ice
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from visavis.transport.webrtc import WebRtcCall


class Microphone(MediaStreamTrack):
    """A tone in real time."""

    kind = "audio"

    def __init__(self, hertz: float = 440) -> None:
        super().__init__()
        self._hertz = hertz
        self._sent = 0
        self._started: float | None = None

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._started = self._started or loop.time()
        await asyncio.sleep(self._started + self._sent / 48_000 - loop.time())
        tone = np.sin(2 * np.pi * self._hertz * (self._sent + np.arange(960)) / 48_000) * 8_000
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._sent, fractions.Fraction(1, 48_000)
        self._sent += 960
        return frame


class Plain(MediaStreamTrack):
    """A camera that shows one brightness, ten pictures a second."""

    kind = "video"

    def __init__(self, brightness: int, size: tuple[int, int] = (64, 64)) -> None:
        super().__init__()
        self._pixels = np.full((size[1], size[0], 3), brightness, np.uint8)
        self._sent = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.1)
        frame = av.VideoFrame.from_ndarray(self._pixels, format="bgr24")
        self._sent += 1
        frame.pts, frame.time_base = 9_000 * self._sent, fractions.Fraction(1, 90_000)
        return frame


class Page:
    """What the page does: offer sound both ways, pictures one way, and the channel."""

    def __init__(self, microphone: MediaStreamTrack | None) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.connection.createDataChannel("events")
        self.events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.channel.on("message", lambda text: self.events.put_nowait(json.loads(text)))
        self.opened = asyncio.Event()
        self.channel.on("open", self.opened.set)
        self.closed = asyncio.Event()
        self.channel.on("close", self.closed.set)
        if microphone is None:
            self.connection.addTransceiver("audio", "recvonly")
        else:
            self.connection.addTransceiver(microphone, "sendrecv")
        self.connection.addTransceiver("video", "recvonly")

    def track(self, kind: str) -> MediaStreamTrack:
        """What is received of `kind`."""
        return next(r.track for r in self.connection.getReceivers() if r.track and r.track.kind == kind)

    async def offer(self) -> str:
        """The offer's SDP, with loopback candidates."""
        hosts, aioice.ice.get_host_addresses = aioice.ice.get_host_addresses, lambda use_ipv4, use_ipv6: ["127.0.0.1"]
        try:
            await self.connection.setLocalDescription(await self.connection.createOffer())
        finally:
            aioice.ice.get_host_addresses = hosts
        return self.connection.localDescription.sdp

    async def call(self, **options: Any) -> WebRtcCall:
        """Call the server."""
        call, answer = await WebRtcCall.answer(await self.offer(), ice_addresses=["127.0.0.1"], **options)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return call

    async def event(self, event_type: str) -> Mapping[str, Any]:
        """The next event of this type."""
        while True:
            event = await self.events.get()
            if event["event_type"] == event_type:
                return event

    async def vanish(self) -> None:
        """Stop existing for the network, as when a machine loses power."""
        for transceiver in self.connection.getTransceivers():
            agent = transceiver.receiver.transport.transport._connection
            for protocol in agent._protocols:
                protocol.datagram_received = lambda data, address: None
                protocol.transport.sendto = lambda data, address: None
