"""A recogniser behind the OpenAI `/audio/transcriptions` protocol: OpenAI, Speaches, vLLM, LocalAI and others.

The protocol takes whole recordings, so it gives the final texts; words while the person still speaks come from the
built-in recogniser, which also takes over when the other one fails.
"""

import asyncio
import io
import logging
import time
import wave
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np
import openai

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.guarded_transport import guarded_client, refusal
from visavis.layers.settings import TranscriptionSettings
from visavis.layers.stt import SpeechToText, Utterance
from visavis.outbound import Outbound

_log = logging.getLogger(__name__)

LONGEST_S = 60.0
"""Of one turn's sound; who speaks for longer is understood by the built-in recogniser alone."""

REST_S = 30.0
"""How long a recogniser that has failed is not asked again."""

_VOICED = 0.01
"""A level that somebody who speaks exceeds: silence alone is no reason to ask again."""


class OpenAITranscription:
    """A `visavis.layers.stt.SpeechToText`. Owns its HTTP connections, which `aclose` ends."""

    def __init__(self, settings: TranscriptionSettings, built_in: SpeechToText, outbound: Outbound) -> None:
        """`outbound` knows which addresses may be called."""
        self.settings = settings
        self._built_in = built_in
        self._rests_until = 0.0
        self._name = f"{settings.model} at {urlsplit(settings.base_url).netloc}"
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            max_retries=0,
            timeout=settings.timeout_s,
            http_client=guarded_client(outbound),
        )
        self._client.organization = self._client.project = None  # else taken from the environment

    async def aclose(self) -> None:
        """End all connections."""
        await self._client.close()

    def utterance(self) -> "TranscribedUtterance":
        """Start recognising a new stretch of speech."""
        return TranscribedUtterance(self, self._built_in.utterance())

    async def transcribe(self, samples: Samples) -> str | None:
        """The words in `samples`; None when they cannot be had."""
        if time.monotonic() < self._rests_until:
            return None
        settings = self.settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                answer = await self._client.audio.transcriptions.create(
                    file=("speech.wav", as_wav(samples), "audio/wav"),
                    model=settings.model,
                    response_format="json",
                    language=settings.language or openai.omit,
                    prompt=settings.hotwords or openai.omit,
                )
            return str(answer.text).strip()
        except TimeoutError:
            reason = f"gave no text within {settings.timeout_s:g} s"
        except openai.APIStatusError as error:
            reason = f"refused (HTTP {error.status_code})"
        except openai.OpenAIError as error:
            reason = refusal(error) or f"cannot be reached ({type(error).__name__})"
        except Exception as error:  # an answer that is not what it should be
            reason = f"sent an answer that cannot be read ({type(error).__name__})"
        self._rests_until = time.monotonic() + REST_S
        _log.error("speech to text: %s %s; the built-in recogniser listens for %g s", self._name, reason, REST_S)
        return None


class Transcriber(Protocol):
    """A recogniser of whole recordings."""

    async def transcribe(self, samples: Samples) -> str | None:
        """The words in `samples` (float32[N], 16 kHz); None when they cannot be had."""
        ...


class TranscribedUtterance:
    """Recognition of one stretch of speech; see `visavis.layers.stt.Utterance`."""

    def __init__(self, recogniser: Transcriber, built_in: Utterance, *, shows_partial: bool = True) -> None:
        """`built_in` gives partial texts, where these are of use, and what `recogniser` cannot give."""
        self._recogniser = recogniser
        self._shows_partial = shows_partial
        self._built_in = built_in
        self._sound: list[Samples] = []
        self._voiced = False
        self._text: str | None = None

    def feed(self, samples: Samples) -> None:
        """Append 16 kHz sound. Never blocks."""
        self._sound.append(samples)
        if float(np.abs(samples).max(initial=0.0)) > _VOICED:
            self._voiced = True
        self._built_in.feed(samples)

    async def partial(self) -> str:
        """Text of everything fed so far, by the built-in recogniser."""
        return await self._built_in.partial() if self._shows_partial else self._text or ""

    async def final(self) -> str:
        """Text of everything fed so far. Raises `visavis.errors.EngineError` when the built-in one fails too."""
        if self._text is not None and not self._voiced:
            return self._text
        self._voiced = False
        sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)
        text = None
        if len(sound) <= LONGEST_S * LISTEN_RATE_HZ:
            text = await self._recogniser.transcribe(sound)
        if text is None:
            text = await self._built_in.final()
        self._text = text
        return text


def as_wav(samples: Samples) -> bytes:
    """`samples` as a 16-bit WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(LISTEN_RATE_HZ)
        writer.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
