"""How many bits the pictures may take: a rule for the receiver's estimates (REMB)."""

START_BITRATE = 1_200_000
MIN_BITRATE = 250_000
MAX_BITRATE = 2_500_000

RAISE_BY = 1.4
RAISE_EVERY_S = 10.0
HEADROOM = 0.9
"""Share of an estimate that is used; the rest is left for sound and retransmissions."""


class BitrateRule:
    """Target bitrate of an encoder that can only change it by starting anew with a large key frame.

    A receiver estimates at most 1.5 times what it gets, so a face at rest, which takes few bits, makes every
    estimate small. An estimate therefore lowers the target only when it is below what is really being sent.
    Raising waits for a clear gain and at least ten seconds.
    """

    def __init__(self, now: float) -> None:
        self.target = START_BITRATE
        self._changed_at = now

    def estimate(self, estimated: int, sent: int, now: float) -> bool:
        """Hear that the path carries `estimated` bit/s while `sent` bit/s are being sent; True if `target` changed."""
        usable = int(min(MAX_BITRATE, max(MIN_BITRATE, estimated * HEADROOM)))
        congested = usable < self.target and estimated < sent
        gain = usable >= self.target * RAISE_BY and now - self._changed_at >= RAISE_EVERY_S
        if not (congested or gain):
            return False
        self.target = usable
        self._changed_at = now
        return True
