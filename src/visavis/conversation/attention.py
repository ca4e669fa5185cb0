"""Whether the replica listens to what is said: the phrases that send it to sleep and wake it."""

from visavis.conversation.words import words


class Attention:
    """Awake or asleep. Owner of which.

    With a wake phrase alone a conversation begins asleep; with a sleep phrase it begins awake.
    """

    def __init__(self, wake_phrase: str = "", sleep_phrase: str = "") -> None:
        self._wake, self._sleep = _padded(wake_phrase), _padded(sleep_phrase)
        self.awake = not self._wake or bool(self._sleep)

    def would_answer(self, text: str) -> bool:
        """Whether a turn of these words gets an answer. Changes nothing."""
        return self._after(text)

    def hear(self, text: str) -> bool:
        """Take the words of a turn; whether it gets an answer."""
        self.awake = self._after(text)
        return self.awake

    def _after(self, text: str) -> bool:
        said = _padded(text)
        if self.awake:
            return not (self._sleep and self._sleep in said)
        return bool(self._wake) and self._wake in said


def _padded(text: str) -> str:
    """`text` as ` word word `, so that a phrase is found as whole words only."""
    return f" {' '.join(found)} " if (found := words(text)) else ""
