"""Every place where visavis reaches inside aiortc 1.16 and aioice 0.13; no other file touches their private parts.

All of it is done to single connections; nothing is patched for the process. What is replaced, and why:

- the sender's encoder: it encodes for several reasons at the wrong cost (see `vp8`, `opus`) and in a thread pool that
  it shares with everything else in the process;
- the sender reports: aiortc pairs the last RTP timestamp with the moment of its sending, so a frame that is sent
  later than its sound tells the browser to show it later than its sound;
- the receivers' jitter buffers and decoder threads (see `jitter` for sound, `watching` for pictures);
- the addresses and the patience of ICE gathering, which aioice does not let one choose.
"""

import struct
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aioice import Candidate
from aiortc import RTCDtlsTransport, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.clock import current_ntp_time
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one frame or 20 ms of sound became."""

    payloads: list[bytes]
    timestamp: int
    """RTP timestamp relative to the start of the call, in the codec's clock."""


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """How the person's side receives one of our streams (RFC 3550 section 6.4)."""

    packets_lost: int
    jitter: int
    """In the codec's clock."""
    round_trip_s: float | None


class Source(Protocol):
    """Encoded media of one track."""

    async def next(self, codec: str) -> Encoded:
        """The next frame to send, encoded as `codec` ("audio/opus", "video/VP8", ...)."""
        ...

    def timestamp_now(self) -> int:
        """RTP timestamp, relative as in `Encoded`, of what is being played at this moment."""
        ...

    def want_key_frame(self) -> None:
        """The receiver lost the picture."""
        ...

    def estimated(self, bitrate: int) -> None:
        """The receiver estimates that the path carries `bitrate` bit/s."""
        ...

    def reported(self, report: ReceiverReport) -> None:
        """The receiver tells how it fares."""
        ...


class VoicePackets(Protocol):
    """Somebody who takes RTP packets as they come."""

    def packet(self, sequence: int, timestamp: int, payload: bytes) -> None: ...


def send_from(sender: RTCRtpSender, source: Source) -> None:
    """Make `sender` send what `source` gives, and tell `source` what the receiver reports. Before it starts."""
    clock = _MediaClock(sender, source)
    handle_rtcp_packet = sender._handle_rtcp_packet

    async def next_encoded_frame(codec: RTCRtpCodecParameters) -> RTCEncodedFrame:
        await clock.sent_last()
        encoded = await source.next(codec.mimeType)
        clock.sends(encoded)
        return RTCEncodedFrame(encoded.payloads, encoded.timestamp, audio_level=None)  # type: ignore[arg-type]

    async def handle_rtcp_and_tell(packet: AnyRtcpPacket) -> None:
        await handle_rtcp_packet(packet)
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for block in packet.reports:
                if block.ssrc == sender._ssrc:
                    round_trip_s = sender._RTCRtpSender__rtt  # type: ignore[attr-defined]
                    source.reported(ReceiverReport(block.packets_lost, block.jitter, round_trip_s))
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate, ssrcs = unpack_remb_fci(packet.fci)
            except (ValueError, struct.error):
                return
            if sender._ssrc in ssrcs:
                source.estimated(bitrate)

    setattr(sender, "_next_encoded_frame", next_encoded_frame)  # noqa: B010
    setattr(sender, "_send_rtcp", clock.send_rtcp)  # noqa: B010
    setattr(sender, "_handle_rtcp_packet", handle_rtcp_and_tell)  # noqa: B010
    setattr(sender, "_send_keyframe", source.want_key_frame)  # noqa: B010


class _MediaClock:
    """Puts the same time line under the sender reports of all tracks of a call.

    A sender report says "this RTP timestamp is this wall-clock time" (RFC 3550 section 6.4.1). aiortc chooses a
    random first RTP timestamp inside a running coroutine; it shows as soon as one frame has been sent.
    """

    def __init__(self, sender: RTCRtpSender, source: Source) -> None:
        self._sender = sender
        self._source = source
        self._send = sender._send_rtcp
        self._last: Encoded | None = None
        self._origin: int | None = None

    def sends(self, encoded: Encoded) -> None:
        if encoded.payloads:
            self._last = encoded

    async def sent_last(self) -> None:
        """All packets of the last frame have left. The first report follows at once, so that lip-sync starts early."""
        if self._origin is not None or self._last is None:
            return
        sender: Any = self._sender
        self._origin = sender._RTCRtpSender__rtp_timestamp - self._last.timestamp
        counts = RtcpSenderInfo(
            ntp_timestamp=0,
            rtp_timestamp=0,
            packet_count=sender._RTCRtpSender__packet_count,
            octet_count=sender._RTCRtpSender__octet_count,
        )
        await self.send_rtcp([RtcpSrPacket(ssrc=self._sender._ssrc, sender_info=counts)])

    async def send_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                if self._origin is None:
                    return  # before the first frame there is nothing to report
                ntp = current_ntp_time()
                packet.sender_info.ntp_timestamp = ntp
                packet.sender_info.rtp_timestamp = (self._origin + self._source.timestamp_now()) & 0xFFFFFFFF
                # The sender recognises by these when a receiver answers, and so measures the round trip.
                sender: Any = self._sender
                sender._RTCRtpSender__lsr = ntp >> 16 & 0xFFFFFFFF
                sender._RTCRtpSender__lsr_time = time.time()
        await self._send(packets)


def hear_packets(receiver: RTCRtpReceiver, listener: VoicePackets) -> None:
    """Give every audio packet of `receiver` to `listener` as it arrives, and nothing to aiortc's decoder."""

    class PassOn:
        """Stands where aiortc keeps its jitter buffer."""

        def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
            listener.packet(packet.sequence_number, packet.timestamp, packet.payload)
            return False, None

    setattr(receiver, "_RTCRtpReceiver__jitter_buffer", PassOn())  # noqa: B010


def share_transport(connection: RTCPeerConnection) -> None:
    """Put every track of a bundle on the transport that is used (RFC 9143); after the offer was taken.

    aiortc 1.x moves only the first track of each kind there, and leaves the others on one that it has stopped: what
    comes for them was taken for the first one's. It does not know streams of retransmissions (RFC 4588) by their
    number either, once there are two tracks of a kind.
    """
    first: dict[str, RTCDtlsTransport] = {}
    for transceiver in connection.getTransceivers():
        transport = first.setdefault(transceiver.kind, transceiver.receiver.transport)
        if transceiver.receiver.transport is not transport:
            transceiver.receiver.setTransport(transport)
            transceiver.sender.setTransport(transport)
    for transport in set(first.values()):
        _route_retransmissions(transport)


def _route_retransmissions(transport: RTCDtlsTransport) -> None:
    register = transport._register_rtp_receiver

    def register_both(receiver: RTCRtpReceiver, parameters: RTCRtpReceiveParameters) -> None:
        register(receiver, parameters)
        for encoding in parameters.encodings:
            if encoding.rtx:
                transport._rtp_router.ssrc_table[encoding.rtx.ssrc] = receiver

    setattr(transport, "_register_rtp_receiver", register_both)  # noqa: B010


LEAST_BITRATE = 150_000
"""Of a person's picture, bit/s: with less there is no face in it worth looking at."""


class VideoPackets(Protocol):
    """Somebody who takes RTP packets of video as they come; says whether a key frame is needed."""

    def packet(self, sequence: int, timestamp: int, *, last: bool, codec: str, data: bytes) -> bool: ...


def watch_packets(receiver: RTCRtpReceiver, watcher: VideoPackets) -> None:
    """Give every video packet of `receiver`, unwrapped, to `watcher`, and nothing to aiortc's decoder."""

    class PassOn:
        """Stands where aiortc keeps its jitter buffer; True makes it ask for a key frame."""

        def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
            codecs: dict[int, RTCRtpCodecParameters] = getattr(receiver, "_RTCRtpReceiver__codecs")  # noqa: B009
            wanted = watcher.packet(
                packet.sequence_number,
                packet.timestamp,
                last=bool(packet.marker),
                codec=codecs[packet.payload_type].mimeType,
                data=packet._data,  # type: ignore[attr-defined]
            )
            return wanted, None

    class Floored:
        """Stands before aiortc's bandwidth estimator, which takes a server that is busy for a narrow path."""

        def __init__(self) -> None:
            self._estimator = getattr(receiver, "_RTCRtpReceiver__remote_bitrate_estimator")  # noqa: B009

        def add(self, **packet: int) -> tuple[int, list[int]] | None:
            estimate = self._estimator.add(**packet)
            return (max(estimate[0], LEAST_BITRATE), estimate[1]) if estimate else None

    setattr(receiver, "_RTCRtpReceiver__jitter_buffer", PassOn())  # noqa: B010
    setattr(receiver, "_RTCRtpReceiver__remote_bitrate_estimator", Floored())  # noqa: B010


def notice_life(connection: RTCPeerConnection, noticed: Callable[[], None]) -> None:
    """Call `noticed` for every datagram of the person's side, media or authenticated ICE check.

    aioice itself gives a silent peer up after 24 to 36 seconds.
    """
    for ice in _ice_transports(connection):
        _call_before(ice._connection, "data_received", noticed)
        _call_before(ice._connection, "check_incoming", noticed)


def limit_gathering(connection: RTCPeerConnection, own_addresses: Sequence[str] | None, patience_s: float) -> None:
    """Gather candidates on `own_addresses` only (None: on all interfaces), and wait `patience_s` for STUN and TURN."""

    def limited(gather: Callable[..., Coroutine[Any, Any, list[Candidate]]]) -> Callable[..., Any]:
        async def gather_within_limits(component: int, addresses: Sequence[str]) -> list[Candidate]:
            # A machine without network still reaches itself.
            chosen = list(own_addresses or addresses) or ["127.0.0.1"]
            return await gather(component=component, addresses=chosen, timeout=patience_s)

        return gather_within_limits

    for ice in _ice_transports(connection):
        agent = ice._connection
        setattr(agent, "get_component_candidates", limited(agent.get_component_candidates))  # noqa: B010


def _ice_transports(connection: RTCPeerConnection) -> set[RTCIceTransport]:
    transports = {transceiver.receiver.transport for transceiver in connection.getTransceivers()}
    if connection.sctp is not None:
        transports.add(connection.sctp.transport)
    return {transport.transport for transport in transports}


def _call_before(target: object, name: str, extra: Callable[[], None]) -> None:
    original = getattr(target, name)

    def both(*args: Any) -> Any:
        extra()
        return original(*args)

    setattr(target, name, both)
