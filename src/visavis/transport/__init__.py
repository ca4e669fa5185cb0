"""How sound, pictures and events travel between a person and a conversation. This file is the interface."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from visavis.audio import Pcm, Samples
from visavis.errors import BadInputError
from visavis.replica import Frame


class Call(Protocol):
    """One connected person, as the conversation sees them.

    The send methods never block and never raise: what cannot be sent any more is dropped, because the
    iterators below have ended or are about to.
    """

    async def connected(self) -> bool:
        """Wait until sound and pictures can flow; False when that did not come about."""
        ...

    def hear(self) -> AsyncIterator[Samples]:
        """Sound from the person: 16 kHz, 20 ms pieces, in real time; ends when the person is gone.

        Begins when the call is connected. Silence stands in for a microphone that is missing or switched off and
        for what the network lost, so that the pieces count the time.
        """
        ...

    def messages(self) -> AsyncIterator[Mapping[str, Any] | BadInputError]:
        """Decoded JSON objects that the page sent, or what was wrong with it; ends when the person is gone."""
        ...

    def send_audio(self, pcm: Pcm, position: int) -> None:
        """Send 20 ms of sound, int16[960] at 48 kHz; `position` counts samples since the call began."""
        ...

    def send_frame(self, frame: Frame, position: int) -> None:
        """Send the picture that belongs to the sound at sample `position`.

        `frame` is read later, so it must not be written to afterwards.
        """
        ...

    def send_event(self, event: Mapping[str, Any]) -> None:
        """Send one JSON object over the data channel."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What the person showed at one moment."""

    pixels: Frame
    """uint8[H, W, 3], BGR, upright; shrunk as far as was asked for."""
    sent_size: tuple[int, int]
    """Width and height as it came, pixels."""
    at: float
    """When it had come, seconds of the event loop's clock."""


class Sight(Protocol):
    """Something that the person shows: their camera or their screen."""

    def look(self, longest_side: int) -> Picture | None:
        """The newest picture, None when none has come since the last look.

        Decodes, so it is called on a worker thread. `longest_side` is how many pixels are enough.
        """
        ...


SightKind = Literal["camera", "screen"]


@runtime_checkable
class VideoCall(Protocol):
    """A call whose person can be seen."""

    def sight(self, kind: SightKind) -> Sight | None:
        """What the person shows of that kind; None while that is switched off or was never offered."""
        ...

    def assign(self, camera: str | None, screen: str | None) -> None:
        """The page says which of its video (by mid) is what; None is switched off.

        Raises `BadInputError` for a mid that carries no video to us.
        """
        ...
