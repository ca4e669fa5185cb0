"""How many bits the pictures may take: a rule for the receiver's estimates (REMB)."""

START_BITRATE = 1_200_000
MIN_BITRATE = 250_000
MAX_BITRATE = 2_500_000

RAISE_BY = 1.4
RAISE_EVERY_S = 10.0
HEADROOM = 0.9
"""Share of an estimate that is used; the rest is left for sound and retransmissions."""


CONGESTED = 0.9
"""Estimate over sent bitrate below which the path is congested: libwebrtc starts an estimate at what it gets and, when
packets begin to queue, sets it to 0.85 times that (draft-ietf-rmcat-gcc-02 section 5.5)."""

CONGESTED_FOR_S = 1.0
"""A processor that is busy for a moment looks like a congested path; a real one stays congested."""


class BitrateRule:
    """Target bitrate of an encoder that can only change it by starting anew with a large key frame.

    A receiver estimates at most 1.5 times what it gets, so a face at rest, which takes few bits, makes every
    estimate small. An estimate therefore lowers the target only when it stays below what is really being sent.
    Raising waits for a clear gain and at least ten seconds.
    """

    def __init__(self, now: float) -> None:
        self.target = START_BITRATE
        self._changed_at = now
        self._congested_since: float | None = None

    def estimate(self, estimated: int, sent: int, now: float) -> bool:
        """Hear that the path carries `estimated` bit/s while `sent` bit/s are being sent; True if `target` changed."""
        if estimated >= sent * CONGESTED:
            self._congested_since = None
        elif self._congested_since is None:
            self._congested_since = now
        usable = int(min(MAX_BITRATE, max(MIN_BITRATE, estimated * HEADROOM)))
        stays = self._congested_since is not None and now - self._congested_since >= CONGESTED_FOR_S
        lower = stays and usable < self.target
        higher = usable >= self.target * RAISE_BY and now - self._changed_at >= RAISE_EVERY_S
        if not (lower or higher):
            return False
        self.target = usable
        self._changed_at = now
        self._congested_since = None
        return True
