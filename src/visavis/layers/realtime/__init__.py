"""Voice-to-voice models: they hear the person and answer in sound. This file is the interface."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from visavis.audio import Pcm, Samples
from visavis.errors import EngineError
from visavis.layers.llm import Function, Message, ToolRequest


class RefusedError(EngineError):
    """Trying again is no use: a wrong key, address or model."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The model takes sound."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The model hears the person begin; what it is saying is over."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The model takes the person's turn for finished."""


@dataclass(frozen=True, slots=True)
class PersonSaid:
    """Words of the person's turn `item_id`: all of them when `final`, else the next piece."""

    item_id: str
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The model begins an answer; perhaps one of tools alone."""

    reply_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """The next sound of what the model says, `item_id`."""

    item_id: str
    pcm: Pcm
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Words:
    """The next words of what the model says, `item_id`; they may be ahead of its sound."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """No further sound or words of `item_id` will come."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The answer is complete, or was broken off; `requests` are the tools it wants used."""

    reply_id: str
    requests: tuple[ToolRequest, ...] = ()
    problem: str = ""
    """Why there is no answer, in words for people."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """The model did not like something; it goes on."""

    text: str


Event = Ready | SpeechBegan | SpeechEnded | PersonSaid | ReplyBegan | Sound | Words | Said | ReplyEnded | Complaint


@dataclass(frozen=True, slots=True)
class Part:
    """What a model is told of the conversation when it is connected."""

    instructions: str
    functions: tuple[Function, ...] = ()
    past: Sequence[Message] = ()
    """What was said before, where a connection was lost."""


class Session(Protocol):
    """A connection to a model. Its methods never block: what cannot be sent any more is dropped."""

    def events(self) -> AsyncIterator[Event]:
        """What the model does, until the connection is closed.

        Raises `visavis.errors.EngineError` when it is lost or what comes cannot be understood.
        """
        ...

    @property
    def answering(self) -> bool:
        """It makes an answer, or was asked for one."""
        ...

    def hear(self, samples: Samples) -> None:
        """Pass on sound of the person, at 16 kHz."""
        ...

    def describe(self, part: Part) -> None:
        """From now on it plays this part; `past` is left alone."""
        ...

    def say(self, text: str) -> None:
        """Have it say exactly `text`."""
        ...

    def answer(self, text: str) -> None:
        """Have it answer as if the person had said `text`."""
        ...

    def note(self, text: str) -> None:
        """Let it know something that nobody said."""
        ...

    def tell_results(self, results: Sequence[tuple[str, str]]) -> None:
        """What tools said: call ids and texts."""
        ...

    def go_on(self) -> None:
        """Have it answer from what it knows by now."""
        ...

    def cancel(self) -> None:
        """Stop the answer that is being made."""
        ...

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """The person heard only so much of what it said."""
        ...


class VoiceToVoice(Protocol):
    """A model; one instance serves one conversation."""

    name: str
    """For people: the model and where it is."""
    answer_timeout_s: float
    """Longest wait for the first sound of an answer."""

    def connect(self, part: Part) -> AbstractAsyncContextManager[Session]:
        """Connect to it. Raises `visavis.errors.EngineError`; `RefusedError` when trying again is no use."""
        ...
