"""What a reply costs in tokens of the language model, whether anybody hears it or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from visavis.layers.llm import Message, Piece, Tokens

CHARACTERS_OF_A_TOKEN = 4
"""Of English text, about (OpenAI's rule of thumb); for requests that were broken off before their cost was told."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The cost of one reply, its rounds of tools together."""

    tokens: Tokens
    requests: int
    """To the language model."""
    estimated: bool
    """At least one of them did not tell what it cost."""
    dropped: bool
    """Nobody heard the reply: it was begun before the person had finished, and then not wanted."""


class Bill:
    """Adds up what one reply costs, and reports it once when that and the reply's fate are known."""

    def __init__(self, report: Callable[[Spent], None]) -> None:
        self._report = report
        self._sum = Tokens(0, 0)
        self._requests = 0
        self._estimated = False
        self._asked: Sequence[Message] = ()
        self._pieces = 0
        self._open = False
        self._over = False
        self._heard: bool | None = None
        self._told = False

    def begin(self, asked: Sequence[Message]) -> None:
        """A request is sent."""
        self._close()
        self._asked, self._pieces, self._open = tuple(asked), 0, True

    def take(self, piece: Piece) -> None:
        """The next piece of its answer."""
        self._pieces += 1
        if isinstance(piece, Tokens):
            self._sum += piece
            self._requests += 1
            self._open = False

    def failed(self) -> None:
        """The request failed; without a piece of an answer it costs nothing."""
        self._open = self._open and self._pieces > 0

    def over(self) -> None:
        """No more requests will be sent."""
        self._close()
        self._over = True
        self._tell()

    def fate(self, *, heard: bool) -> None:
        """Whether anybody hears it; what was said of that first counts."""
        self._heard = heard if self._heard is None else self._heard
        self._tell()

    def _close(self) -> None:
        """Estimate a request that did not tell what it cost."""
        if self._open:
            characters = sum(len(message.content) for message in self._asked)
            self._sum += Tokens(characters // CHARACTERS_OF_A_TOKEN, self._pieces)
            self._requests += 1
            self._estimated, self._open = True, False

    def _tell(self) -> None:
        if self._over and self._heard is not None and self._requests and not self._told:
            self._told = True
            self._report(Spent(self._sum, self._requests, self._estimated, dropped=not self._heard))
