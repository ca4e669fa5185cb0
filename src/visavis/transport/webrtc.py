"""A call with a browser over WebRTC."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from visavis.audio import Pcm, Samples
from visavis.errors import BadInputError
from visavis.replica import Frame
from visavis.transport import Sight, SightKind
from visavis.transport.aiortc_tuning import (
    hear_packets,
    limit_gathering,
    notice_life,
    send_from,
    share_transport,
    watch_packets,
)
from visavis.transport.ice import ice_servers as parse_ice_servers
from visavis.transport.ice import usable_offer
from visavis.transport.listening import Ear
from visavis.transport.messages import LABEL, Messages
from visavis.transport.queues import DropOldest
from visavis.transport.speaking import AudioSource, PositionClock, Track, VideoSource
from visavis.transport.statistics import CallStatistics
from visavis.transport.watching import Pictures

HEARD_PIECES = 100
"""Two seconds of sound may wait for the conversation."""

CONNECT_S = 15.0
GATHER_S = 1.0
HANG_UP_S = 2.0

GONE_AFTER_S = 5.0
"""A browser sends something at least every second or two, if only reports and acknowledgements; one that was silent
for so long is gone, while a hiccup of two seconds on top of that rhythm is not."""

CHECK_S = 0.25

_CODECS = {"audio": ("audio/opus",), "video": ("video/vp8", "video/rtx", "video/h264")}
_CAMERA_KBPS = 350
"""What a page may send of each video: enough for a face at 640 x 480 and 12 frames a second."""

_KINDS: tuple[SightKind, ...] = ("camera", "screen")
_RECEIVING = ("sendrecv", "recvonly")

log = logging.getLogger(__name__)


class WebRtcCall:
    """One browser. Made by `answer`; owns the peer connection, which one task opens, watches and closes.

    All methods belong to the event loop that `answer` ran on. Arrays given to the send methods are read later and
    must not be written to afterwards.
    """

    def __init__(self, connection: RTCPeerConnection) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._connection = connection
        self._gone = asyncio.Event()
        self._connected = asyncio.Event()
        self._last_sign_of_life = loop.time()
        self._pieces: DropOldest[Samples] = DropOldest(HEARD_PIECES)
        self._ear: Ear | None = None
        self._messages = Messages()
        self._clock = PositionClock(loop.time)
        self._audio = AudioSource(self._clock)
        self._video = VideoSource(self._clock, loop.time)
        self._pictures: dict[str, Pictures] = {}
        """By mid."""
        self._shown: dict[SightKind, str | None] = {"camera": None, "screen": None}
        self._life: asyncio.Task[None] | None = None

    @classmethod
    async def answer(
        cls,
        offer_sdp: str,
        *,
        ice_addresses: Sequence[str] | None = None,
        ice_servers: Sequence[str] = (),
        gone_after_s: float = GONE_AFTER_S,
    ) -> tuple["WebRtcCall", str]:
        """Take a browser's complete (non-trickle) offer; returns the call and the SDP answer for the browser.

        ice_addresses: own addresses to offer, None for those of all network interfaces.
        ice_servers: as in `Settings.ice_servers`.
        gone_after_s: seconds without any packet after which the person counts as gone.

        Raises `BadInputError` for an offer that is not one, or has nothing in common with this server.
        """
        servers = parse_ice_servers(ice_servers)
        kinds = _media_kinds(offer_sdp)
        # An empty list of servers is not the same as none: aiortc would ask a public STUN server.
        call = cls(RTCPeerConnection(RTCConfiguration(iceServers=servers)))
        try:
            await call._negotiate(usable_offer(offer_sdp), kinds, ice_addresses)
        except BaseException:
            await call._hang_up()
            raise
        call._life = asyncio.create_task(call._live(gone_after_s), name="call")
        return call, _limited(call._connection.localDescription.sdp, call._pictures)

    def hear(self) -> AsyncIterator[Samples]:
        """Sound from the person: float32[320], 20 ms at 16 kHz, from the moment the call is connected.

        Goes on in real time, with silence, while no sound comes; ends when the person is gone.
        """
        return self._pieces

    def messages(self) -> AsyncIterator[Mapping[str, Any] | BadInputError]:
        """Objects that the page sent, or what was wrong with it; ends when the person is gone."""
        return self._messages.inbox

    def send_audio(self, pcm: Pcm, position: int) -> None:
        """Send int16[960] at 48 kHz; `position` counts samples since the call began. Dropped until connected."""
        if self._connected.is_set():
            self._clock.sending(position)
            self._audio.queue.put((pcm, position))

    def send_frame(self, frame: Frame, position: int) -> None:
        """Send the picture, uint8[H, W, 3] BGR, of the sound at sample `position`. Dropped until connected."""
        if self._connected.is_set():
            self._video.queue.put((frame, position))

    def send_event(self, event: Mapping[str, Any]) -> None:
        """Send one JSON object to the page."""
        self._messages.send(event)

    def sight(self, kind: SightKind) -> Sight | None:
        """See `visavis.transport.VideoCall`."""
        mid = self._shown[kind]
        return self._pictures.get(mid) if mid is not None else None

    def assign(self, camera: str | None, screen: str | None) -> None:
        """See `visavis.transport.VideoCall`."""
        for name, mid in (("camera_mid", camera), ("screen_mid", screen)):
            if mid is not None and mid not in self._pictures:
                known = ", ".join(self._pictures) or "none"
                raise BadInputError(f"properties.{name}", mid, f"null or the mid of a video that we receive ({known})")
        self._shown = {"camera": camera, "screen": screen}

    async def connected(self) -> bool:
        """Wait until sound and pictures can flow; False when that did not come about."""
        waits = [asyncio.create_task(event.wait()) for event in (self._connected, self._gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._connected.is_set()

    async def close(self) -> None:
        """Hang up; returns when nothing of the call is left. May be called again."""
        self._gone.set()
        if self._life is not None:
            await asyncio.wait([self._life])

    def statistics(self) -> CallStatistics:
        """What has happened so far."""
        audio, video, ear = self._audio, self._video, self._ear
        round_trips_s = [r.round_trip_s for r in (audio.report, video.report) if r and r.round_trip_s is not None]
        return CallStatistics(
            heard_packets_lost=ear.lost if ear else 0,
            heard_packets_late=ear.late if ear else 0,
            heard_pieces_dropped=self._pieces.dropped,
            audio_packets_sent=audio.sent,
            audio_packets_dropped=audio.queue.dropped,
            audio_packets_lost=audio.report.packets_lost if audio.report else None,
            audio_jitter_ms=audio.report.jitter / 48 if audio.report else None,
            frames_sent=video.sent,
            frames_dropped=video.queue.dropped,
            key_frames_sent=video.key_frames,
            video_packets_lost=video.report.packets_lost if video.report else None,
            video_bitrate=video.bitrate,
            round_trip_ms=min(round_trips_s) * 1000 if round_trips_s else None,
            messages_dropped=self._messages.inbox.dropped,
        )

    async def _negotiate(self, offer: str, kinds: list[str], ice_addresses: Sequence[str] | None) -> None:
        connection = self._connection
        connection.on("datachannel", self._take_channel)
        connection.on("connectionstatechange", self._follow_state)
        ours: list[RTCRtpTransceiver] = []
        for kind in dict.fromkeys(kind for kind in kinds if kind in _CODECS):
            ours.append(self._offer_track(kind))
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        except Exception as error:
            # aiortc's parser raises whatever it stumbles over.
            log.info("offer refused: %r", error)
            raise BadInputError("sdp", offer, "a browser's SDP offer with Opus, VP8 or H.264, ICE and DTLS") from error
        for transceiver in connection.getTransceivers():
            if transceiver not in ours:
                transceiver.direction = "inactive"
        share_transport(connection)
        self._watch(connection.getTransceivers())
        notice_life(connection, self._sign_of_life)
        limit_gathering(connection, ice_addresses, GATHER_S)
        await connection.setLocalDescription(await connection.createAnswer())

    def _offer_track(self, kind: str) -> RTCRtpTransceiver:
        transceiver = self._connection.addTransceiver(Track(kind), direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities(kind).codecs
        wanted = _CODECS[kind]
        transceiver.setCodecPreferences(
            [codec for name in wanted for codec in codecs if codec.mimeType.lower() == name]
        )
        send_from(transceiver.sender, self._audio if kind == "audio" else self._video)
        if kind == "audio":
            self._ear = Ear(self._pieces, self._now)
            hear_packets(transceiver.receiver, self._ear)
        return transceiver

    def _watch(self, transceivers: Sequence[RTCRtpTransceiver]) -> None:
        """Take the camera, which is the first video that the offer sends, and one more, which is the screen."""
        sending = [one for one in transceivers if one.kind == "video" and one._offerDirection in _RECEIVING]
        for kind, transceiver in zip(_KINDS, sending, strict=False):
            if transceiver.direction == "inactive":
                transceiver.direction = "recvonly"
            assert transceiver.mid is not None
            pictures = Pictures(self._now)
            watch_packets(transceiver.receiver, pictures)
            self._pictures[transceiver.mid] = pictures
            self._shown[kind] = transceiver.mid

    def _take_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL:
            log.info("data channel %r ignored, expected %r", channel.label, LABEL)
            return
        channel.on("close", self._gone.set)
        self._messages.open(channel)

    def _follow_state(self) -> None:
        state = self._connection.connectionState
        log.debug("call is %s", state)
        if state == "connected":
            self._connected.set()
        elif state in ("failed", "closed"):
            self._gone.set()

    def _sign_of_life(self) -> None:
        self._last_sign_of_life = self._now()

    async def _live(self, gone_after_s: float) -> None:
        """From the answer to the end, however it comes."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.connected()
            if self._gone.is_set():
                return
            async with asyncio.TaskGroup() as tasks:
                company = [tasks.create_task(self._messages.heartbeat())]
                if self._ear is not None:
                    company.append(tasks.create_task(self._ear.keep_time()))
                await self._until_gone(gone_after_s)
                for task in company:
                    task.cancel()
        except TimeoutError:
            log.info("the browser did not connect within %g s", CONNECT_S)
        except Exception:
            log.exception("call failed")
        finally:
            await self._hang_up()

    async def _until_gone(self, gone_after_s: float) -> None:
        while not self._gone.is_set():
            silent_s = self._now() - self._last_sign_of_life
            if silent_s > gone_after_s:
                log.info("nothing came from the browser for %.1f s", silent_s)
                self._gone.set()
                return
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._gone.wait()
            except TimeoutError:
                continue

    async def _hang_up(self) -> None:
        self._gone.set()
        self._connected.clear()
        self._pieces.end()
        self._messages.inbox.end()
        self._video.close()
        try:
            async with asyncio.timeout(HANG_UP_S):
                await self._connection.close()
        except TimeoutError:
            # When a whole event loop is cancelled, aiortc may wait for a task of its own that no longer runs.
            log.debug("peer connection did not close within %g s", HANG_UP_S)


def _media_kinds(sdp: str) -> list[str]:
    """Kinds of an offer's media sections, in order; raises `BadInputError` for one without sound."""
    kinds = re.findall(r"^m=(\w+) ", sdp, re.MULTILINE)
    if not sdp.startswith("v=0") or "audio" not in kinds:
        raise BadInputError("sdp", sdp, "a browser's SDP offer that starts with v=0 and has an audio section")
    return kinds


def _limited(sdp: str, mids: Collection[str]) -> str:
    """The answer `sdp`, which asks the page to spend little on the videos `mids` (RFC 8866 section 5.8)."""
    first, *sections = re.split(r"(?m)^(?=m=)", sdp)
    for index, section in enumerate(sections):
        if any(f"\na=mid:{mid}\r" in section for mid in mids):
            sections[index] = re.sub(r"(?m)^(c=.*\r\n)", rf"\g<1>b=AS:{_CAMERA_KBPS}\r\n", section, count=1)
    return "".join([first, *sections])
