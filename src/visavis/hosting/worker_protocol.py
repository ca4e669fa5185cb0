"""What a server and its worker processes say to each other: JSON objects over a socket that only they have.

Every message is one frozen model; `kind` tells them apart. A frame is its length, four bytes with the highest first,
and then the JSON text.
"""

import asyncio
import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from visavis.errors import VisavisError

MOST_BYTES = 8 << 20
"""Of one message: eight seconds of sound in base64, and room."""

_LENGTH = struct.Struct(">I")


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Begin(_Message):
    """To the worker, once: how it shall work."""

    kind: Literal["begin"] = "begin"
    settings: dict[str, Any]


class Connect(_Message):
    """To the worker: `Place.connect`; the `plan` is a `Plan` as JSON."""

    kind: Literal["connect"] = "connect"
    request: int
    plan: dict[str, Any]
    sdp_offer: str


class Interact(_Message):
    """To the worker: `Place.interact`."""

    kind: Literal["interact"] = "interact"
    request: int
    plan: dict[str, Any]
    message: dict[str, Any]


class Farewell(_Message):
    """To the worker: `Place.farewell`."""

    kind: Literal["farewell"] = "farewell"
    request: int
    conversation_id: str
    text: str


class End(_Message):
    """To the worker: `Place.end`."""

    kind: Literal["end"] = "end"
    request: int
    conversation_id: str
    reason: str


SharedModel: TypeAlias = Literal["language model", "words judge"]
"""What one process runs for all."""


class ModelIs(_Message):
    """To the worker: where a language model that all processes share answers; without an address, why not."""

    kind: Literal["model is"] = "model is"
    request: int
    model: SharedModel = "language model"
    base_url: str | None = None
    api_key: str = ""
    name: str = ""
    problem: str = ""


class Ready(_Message):
    """From the worker, once: it takes calls. With a `problem` it never will."""

    kind: Literal["ready"] = "ready"
    problem: str = ""


class Done(_Message):
    """From the worker: a request is done; `answer` is what it gave."""

    kind: Literal["done"] = "done"
    request: int
    answer: str | None = None


class Failed(_Message):
    """From the worker: a request failed with one of our errors, or with another one, of which its log tells."""

    kind: Literal["failed"] = "failed"
    request: int
    error: str
    text: str
    details: dict[str, Any] = Field(default_factory=dict)


class EventHappened(_Message):
    """From the worker: `visavis.hosting.place.Happened`."""

    kind: Literal["event"] = "event"
    conversation_id: str
    event: dict[str, Any]


class CallIsOver(_Message):
    """From the worker: `visavis.hosting.place.CallOver`."""

    kind: Literal["call over"] = "call over"
    conversation_id: str
    left: bool
    failed_step: str | None


class WhereIsModel(_Message):
    """From the worker: asks for `ModelIs`."""

    kind: Literal["where is model"] = "where is model"
    request: int
    model: SharedModel = "language model"


ToWorker = Begin | Connect | Interact | Farewell | End | ModelIs
FromWorker = Ready | Done | Failed | EventHappened | CallIsOver | WhereIsModel

_ANY: TypeAdapter[ToWorker | FromWorker] = TypeAdapter(Annotated[ToWorker | FromWorker, Field(discriminator="kind")])


class Line:
    """One end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: ToWorker | FromWorker) -> None:
        """Send without waiting; a line whose other end is gone drops it."""
        if not self._writer.is_closing():
            data = message.model_dump_json().encode()
            self._writer.write(_LENGTH.pack(len(data)) + data)

    async def receive(self) -> ToWorker | FromWorker | None:
        """The next message; None at the end."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MOST_BYTES:
                return None
            return _ANY.validate_json(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def failed(request: int, error: Exception) -> Failed:
    """The message that carries `error`."""
    if not isinstance(error, VisavisError):
        return Failed(request=request, error="", text="Something went wrong inside; the server's log says what.")
    details = {name: value for name, value in vars(error).items() if isinstance(value, str | int | None)}
    return Failed(request=request, error=type(error).__name__, text=str(error), details=details)


def raised(message: Failed) -> Exception:
    """The error that `failed` was given, as far as the message carries it."""
    kind = _kinds().get(message.error)
    if kind is None:
        return VisavisError(message.text) if message.error else RuntimeError(message.text)
    error = kind.__new__(kind)
    Exception.__init__(error, message.text)
    vars(error).update(message.details)
    return error


def _kinds() -> Mapping[str, type[VisavisError]]:
    """Every error of ours by its name; two of one name would be one too many."""
    found: dict[str, type[VisavisError]] = {}
    waiting = [VisavisError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting += kind.__subclasses__()
    return found
