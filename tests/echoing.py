"""A client that lets a replica echo, from within the page of a call; and what comes back of what it sent."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.visitor import RATE_HZ, Recording, Visitor
from visavis.audio import Samples

PERSONA = "persona_name: Echo\npipeline_mode: echo\n"

_PIECE = RATE_HZ // 4
_SEARCH = RATE_HZ // 5
_FOUND = 0.5
_LOUD = 0.02


def echo_persona(folder: Path) -> str:
    """A persona file for `visavis serve --persona`."""
    path = folder / "echo.yaml"
    path.write_text(PERSONA, encoding="utf-8")
    return str(path)


def chunks(samples: Samples, rate_hz: int, inference_id: str, chunk_s: float = 0.1) -> Iterator[str]:
    """The messages that send `samples`, the last of them 40 ms of silence that closes the utterance."""
    size = round(chunk_s * rate_hz)
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2")
    parts = [(pcm[start : start + size], False) for start in range(0, len(pcm), size)]
    for part, done in [*parts, (np.zeros(rate_hz // 25, "<i2"), True)]:
        properties = {
            "modality": "audio",
            "audio": base64.b64encode(part.tobytes()).decode(),
            "sample_rate": rate_hz,
            "inference_id": inference_id,
            "done": done,
        }
        yield json.dumps({"message_type": "conversation", "event_type": "conversation.echo", "properties": properties})


@dataclass(frozen=True)
class Begun:
    """When the first message was sent: seconds of the page's clock, and Unix."""

    at: float
    unix: float


def stream(person: Visitor, messages: Iterator[str], every_s: float) -> Begun:
    """Send one message every `every_s` from now on."""
    at, unix_ms = person.page.evaluate(
        """({messages, every}) => {
            const begun = [visitor.now(), performance.timeOrigin + performance.now()];
            visitor.send(messages[0]);
            messages.slice(1).forEach((message, i) => setTimeout(() => visitor.send(message), (i + 1) * every));
            return begun;
        }""",
        {"messages": list(messages), "every": 1000 * every_s},
    )
    return Begun(at, unix_ms / 1000)


def returned(recording: Recording, sent: Samples) -> tuple[float, Samples]:
    """When `sent` (48 kHz) began to be heard, and how like itself each quarter of a second was (correlation).

    Piece by piece, because a browser stretches and squeezes sound a little to keep its buffer short, and because a
    busy machine may send some of it late.
    """
    heard = recording.replica.astype(np.float64)
    start = _best_lag(heard, sent)
    alike = []
    lag = start
    for at in range(0, len(sent) - _PIECE, _PIECE):
        piece = sent[at : at + _PIECE]
        if np.linalg.norm(piece) < _LOUD * np.linalg.norm(sent):
            continue  # silence is like anything
        first = max(at + lag - _SEARCH // 8, 0)
        around = heard[first : first + _PIECE + _SEARCH]
        found = _best_lag(around, piece)
        part = around[found : found + _PIECE]
        if len(part) < _PIECE:
            alike.append(0.0)  # the recording ends before it was heard
            continue
        likeness = float(part @ piece / (np.linalg.norm(part) * np.linalg.norm(piece) + 1e-9))
        alike.append(likeness)
        if likeness > _FOUND:
            lag = first + found - at
    return recording.start + start / RATE_HZ, np.array(alike, np.float32)


def _best_lag(heard: np.ndarray, sent: Samples) -> int:
    size = len(heard) + len(sent)
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.fft.rfft(sent, size).conj(), size)
    return int(np.argmax(cross[: max(len(heard) - len(sent), 0) + 1]))
