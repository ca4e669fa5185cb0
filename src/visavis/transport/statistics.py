"""What a call knows about its own quality."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallStatistics:
    """Counts since the call began, and the latest measurements; `None` where nothing was reported yet."""

    heard_packets_lost: int
    """Voice packets of the person that never came, or too late to be used."""
    heard_packets_late: int
    """Those of them that came after all."""
    heard_pieces_dropped: int
    """20 ms pieces that nobody took from `hear` in time."""
    audio_packets_sent: int
    audio_packets_dropped: int
    """20 ms pieces given to `send_audio` that a newer one displaced."""
    audio_packets_lost: int | None
    """Our packets that did not reach the person."""
    audio_jitter_ms: float | None
    """Jitter of our sound where the person is (RFC 3550 section 6.4.1)."""
    frames_sent: int
    frames_dropped: int
    """Pictures given to `send_frame` that a newer one displaced."""
    key_frames_sent: int
    video_packets_lost: int | None
    video_bitrate: int
    """Bits per second that the encoder aims at."""
    round_trip_ms: float | None
    messages_dropped: int
    """Messages of the page that nobody took from `messages` in time."""
