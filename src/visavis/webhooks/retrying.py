"""When a message that was not taken is sent again, and when it is given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Retrying:
    """Exponential back-off. With the defaults the ten attempts span about twenty hours."""

    attempts: int = 10
    first_s: float = 5.0
    factor: float = 4.0
    longest_s: float = 6 * 3600.0
    jitter: float = 0.2
    """Share by which a pause is longer or shorter, so that messages do not all come back in the same second."""

    def next_attempt(self, attempts: int, now: datetime, chance: float) -> datetime | None:
        """When to try again after `attempts` failed ones; None means never. `chance` is random, 0 to 1."""
        if attempts >= self.attempts:
            return None
        pause_s = min(self.first_s * self.factor ** (attempts - 1), self.longest_s)
        return now + timedelta(seconds=pause_s * (1 + self.jitter * (2 * chance - 1)))
