"""What is seen and heard of the person besides words. This file is the interface.

`local` sees with small networks on this machine, `voice` listens to how something is said. Only what a face, a head,
hands and a voice do is said, never what somebody feels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol

from visavis.layers.llm import Function, ToolRequest

if TYPE_CHECKING:  # transport imports the replica, and the replica a layer's types
    from visavis.replica import Frame
    from visavis.transport import Sight

View = Literal["clear", "dark", "covered", "frozen"]
"""Whether the camera shows anything: a picture too dark for faces, one of a single colour, one that does not change."""


@dataclass(frozen=True, slots=True)
class Face:
    """The face of the nearest person."""

    height: float
    """Share of the picture's longer side, forehead to chin; 0.1 is across a room, 0.5 very near."""
    yaw_deg: float
    """Turned towards the right of the picture where positive."""
    pitch_deg: float
    """Chin down where positive."""
    roll_deg: float
    """Clockwise in the picture where positive."""
    looking: bool
    """At the screen, as far as the eyes and the head tell."""
    eyes_closed: bool
    smile: float
    """0 to 1."""
    brows_up: float
    frown: float
    mouth_open: float
    """Distance of the lips as a share of the face's height."""
    speaking: bool | None
    """The mouth moves as in speech; None while too little was seen to tell."""
    expression: str = ""
    """What the face shows, smoothed: one of `expression.EXPRESSIONS`; empty at rest or while nothing is certain."""
    expression_certainty: float = 0.0
    mouth_moves: bool = False
    """The lips have opened or closed since the look before."""


class Behaviour(Enum):
    """Something the person did that has a beginning."""

    CAME = "came into view"
    LEFT = "is not in view any more"
    COMPANY = "somebody else came into view"
    ALONE = "the other person is gone"
    NODDED = "nodded"
    SHOOK_HEAD = "shook their head"
    SMILED = "smiled"
    RAISED_BROWS = "raised their eyebrows"
    FROWNED = "frowned"
    SURPRISED = "raised their eyebrows with an open mouth"
    SNEERED = "wrinkled their nose"
    LOOKED_AWAY = "looked away"
    LOOKED_BACK = "looked back at you"
    LEANED_IN = "leaned in"
    LEANED_BACK = "leaned back"
    CLOSED_EYES = "closed their eyes"
    THUMB_UP = "gave a thumbs-up"
    THUMB_DOWN = "gave a thumbs-down"
    OPEN_PALM = "held up an open palm"
    VICTORY = "made a victory sign"
    POINTED_UP = "pointed up"
    FIST = "showed a fist"
    LOVE = "made an I-love-you sign"
    WAVED = "waved"
    HELD_UP = "held up"
    """With the name of a thing."""
    DARK = "the camera's picture became too dark"
    COVERED = "the camera was covered"
    FROZEN = "the camera's picture froze"
    CLEAR = "the camera's picture is clear again"
    LAUGHED = "laughed"
    SIGHED = "sighed"
    HESITATED = "hesitated"
    LOUD = "spoke louder than usual"
    QUIET = "spoke more quietly than usual"
    FAST = "spoke faster than usual"
    SLOW = "spoke more slowly than usual"
    HIGH = "spoke in a higher voice than usual"
    LOW = "spoke in a lower voice than usual"
    LIVELY = "spoke with more melody than usual"
    FLAT = "spoke in a flatter voice than usual"


HEARD = frozenset(
    {Behaviour.LAUGHED, Behaviour.SIGHED, Behaviour.HESITATED, Behaviour.LOUD, Behaviour.QUIET, Behaviour.FAST}
    | {Behaviour.SLOW, Behaviour.HIGH, Behaviour.LOW, Behaviour.LIVELY, Behaviour.FLAT}
)
"""Behaviour that is heard; all else is seen."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """One behaviour."""

    behaviour: Behaviour
    at: float
    """When it was seen, seconds of the clock that pictures are stamped with."""
    certainty: float = 1.0
    thing: str = ""

    @property
    def phrase(self) -> str:
        """What the person did, in words that follow "the person"."""
        return f"{self.behaviour.value} {self.thing}".strip()


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to be seen at a moment."""

    at: float
    view: View = "clear"
    people: int = 0
    face: Face | None = None
    gestures: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    """Names of things in the picture, the surest first."""
    noticed: tuple[Noticed, ...] = ()
    """What began since the scene before."""
    fresh: bool = True
    """A new picture was looked at."""
    cost_s: float = 0.0
    """Processor time that it took."""


class Eyes(Protocol):
    """The eyes of one call, which remember what they saw."""

    async def look(self, sight: "Sight", now: float) -> Scene:
        """Look at the newest picture, off the event loop. One look at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Observed:
    """What a vision model says to one picture."""

    answers: tuple[str, ...] = ()
    """To the questions, in their order; empty where it gave none."""
    requests: tuple[ToolRequest, ...] = ()
    """Tools that it wants used because of what it sees."""


class Vision(Protocol):
    """Somebody who answers questions about a picture."""

    async def answer(self, question: str, picture: "Frame") -> str:
        """In words. Raises `visavis.errors.EngineError`."""
        ...

    async def observe(
        self, picture: "Frame", questions: Sequence[str], tools: Sequence[Function], prompt: str
    ) -> Observed:
        """Answer each question, and use `tools` where `prompt` and what is seen ask for it.

        Raises `visavis.errors.EngineError`.
        """
        ...


class Perception(Protocol):
    """Makes eyes."""

    rate_hz: float
    """How often they want to look."""
    budget: float
    """Share of one core that they may use."""

    @property
    def vision(self) -> Vision | None:
        """A vision-language model, where one is configured."""
        ...

    def eyes(self) -> Eyes:
        """For one call."""
        ...


class WithVision:
    """A `Perception` without a vision-language model, with somebody else's."""

    def __init__(self, perception: Perception, vision: Vision | None) -> None:
        self.rate_hz = perception.rate_hz
        self.budget = perception.budget
        self.vision = getattr(perception, "vision", None) or vision
        self.eyes = perception.eyes
