"""Order of incoming voice packets, without waiting for any of them.

A conversation is better served by a 20 ms hole than by sound that comes 100 ms late, so nothing is held back:
a packet is used the moment it arrives, what is missing before it is reported as a gap, and a packet that comes
after its successor is dropped. On loopback this costs 12 ms from microphone to server where aiortc's own buffer,
which collects four packets, costs 98 ms (architecture.md).
"""

from dataclasses import dataclass

RESTART_DISTANCE = 100
"""A packet further behind than this (two seconds of 20 ms packets) is a sender that started anew, not a late one."""

MAX_OPUS_SAMPLES = 5_760


@dataclass(slots=True)
class _Place:
    sequence: int
    end: int
    """RTP timestamp just after the newest packet."""


class VoiceOrder:
    """Accepts the packets of one RTP stream and tells how much is missing before each."""

    def __init__(self) -> None:
        self._newest: _Place | None = None
        self.late = 0
        """Packets dropped because a later one had already been used, or that came twice."""
        self.lost = 0
        """Packets that had not arrived when their successor did."""

    def accept(self, sequence: int, timestamp: int, samples: int) -> int | None:
        """Take a packet of `samples` samples; both counters wrap, at 16 and 32 bits (RFC 3550 section 5.1).

        Returns the samples missing between the packet before and this one (0 in an unbroken stream), or None
        when the packet is to be dropped.
        """
        newest = self._newest
        if newest is None:
            missing = 0
        else:
            ahead = (sequence - newest.sequence + 0x8000) % 0x10000 - 0x8000
            if -RESTART_DISTANCE <= ahead <= 0:
                self.late += 1
                return None
            gap = (timestamp - newest.end + 0x80000000) % 0x100000000 - 0x80000000
            missing = max(0, gap) if ahead > 0 else 0
            self.lost += max(0, ahead - 1)
        self._newest = _Place(sequence, (timestamp + samples) % 0x100000000)
        return missing


def opus_samples(packet: bytes) -> int:
    """Samples per channel at 48 kHz that an Opus packet decodes to (RFC 6716 section 3.1).

    Raises `ValueError` for a packet that is empty, cut off, or longer than the 120 ms that Opus allows.
    """
    if not packet:
        raise ValueError("an Opus packet has at least one byte")
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config % 4]
    elif config < 16:
        frame = (480, 960)[config % 2]
    else:
        frame = (120, 240, 480, 960)[config % 4]
    if code == 3 and len(packet) < 2:
        raise ValueError("an Opus packet of code 3 has a frame count")
    samples = frame * ((1, 2, 2)[code] if code < 3 else packet[1] & 0x3F)
    if not 0 < samples <= MAX_OPUS_SAMPLES:
        raise ValueError(f"an Opus packet holds 1 to {MAX_OPUS_SAMPLES} samples, not {samples}")
    return samples
