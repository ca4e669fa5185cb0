"""A voice behind the OpenAI `/audio/speech` protocol: OpenAI, Kokoro-FastAPI, LocalAI, vLLM and others."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from urllib.parse import urlsplit

import numpy as np
import openai

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.errors import EngineError
from visavis.guarded_transport import guarded_client, refusal
from visavis.layers.settings import SpeechSettings
from visavis.layers.tts import Speech, Word
from visavis.layers.tts.spoken_text import spoken_text
from visavis.layers.tts.wave_stream import WaveStream
from visavis.outbound import Outbound

LAYER = "voice"

PIECE_S = 0.4
"""Sound is passed on in pieces of this length, the first in half of it."""

CHARACTERS_PER_S = 15.0
"""Of English speech; where the words are, is estimated, because the protocol does not tell."""

LONGEST_S = 120.0
"""Of one clause; a server that sends more has gone wrong."""


class OpenAISpeech:
    """A `visavis.layers.tts.TextToSpeech`. Owns its HTTP connections, which `aclose` ends."""

    def __init__(self, settings: SpeechSettings, outbound: Outbound) -> None:
        """`outbound` knows which addresses may be called."""
        self._settings = settings
        self._name = f"{settings.voice} at {urlsplit(settings.base_url).netloc}"
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            max_retries=0,
            http_client=guarded_client(outbound),
        )
        self._client.organization = self._client.project = None  # else taken from the environment

    async def aclose(self) -> None:
        """End all connections."""
        await self._client.close()

    async def stream(self, text: str) -> AsyncGenerator[Speech, None]:
        """Speak `text`, piece by piece as the sound arrives; see `visavis.layers.tts.TextToSpeech`.

        Raises `visavis.errors.EngineError`.
        """
        said = spoken_text(text)
        if not said:
            return
        words = EstimatedWords(text.split(), self._settings.speed)
        held: Pcm = np.zeros(0, np.int16)
        piece_s, total_s = PIECE_S / 2, 0.0
        async for pcm in self._sound(said):
            held = np.concatenate([held, pcm])
            while len(held) > 2 * piece_s * PLAYOUT_RATE_HZ:  # what follows may be the end, which takes all words
                size = round(piece_s * PLAYOUT_RATE_HZ)
                yield Speech(held[:size], tuple(words.until(size / PLAYOUT_RATE_HZ)), ())
                held, piece_s, total_s = held[size:], PIECE_S, total_s + piece_s
            if total_s > LONGEST_S:
                raise self._failure(f"sent more than {LONGEST_S:g} s of sound for one clause")
        if not len(held) and not total_s:
            raise self._failure("sent no sound")
        yield Speech(held, tuple(words.rest(len(held) / PLAYOUT_RATE_HZ)), ())

    async def _sound(self, text: str) -> AsyncGenerator[Pcm, None]:
        """The voice's sound at 48 kHz, without the silence before it."""
        settings = self._settings
        request = self._client.audio.speech.with_streaming_response.create(
            input=text,
            model=settings.model,
            voice=settings.voice,
            speed=settings.speed,
            response_format="pcm",
            instructions=settings.instructions or openai.omit,
        )
        now = asyncio.get_running_loop().time
        deadline = now() + settings.first_sound_timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                response = await request.__aenter__()
            try:
                wave = WaveStream(response.headers.get("content-type", ""), settings.sample_rate_hz)
                chunks = response.iter_bytes(4096)
                while True:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks, None)
                    pcm = wave.feed(chunk) if chunk is not None else wave.flush()
                    if len(pcm):
                        deadline = now() + settings.next_sound_timeout_s
                        yield pcm
                    if chunk is None:
                        return
            finally:
                await request.__aexit__(None, None, None)
        except TimeoutError:
            raise self._failure("sent no sound in time") from None
        except openai.APIStatusError as error:
            raise self._failure(f"refused to speak (HTTP {error.status_code})") from None
        except openai.OpenAIError as error:
            raise self._failure(refusal(error) or f"cannot be reached ({type(error).__name__})") from None
        except ValueError as error:
            raise self._failure(str(error)) from None
        except OSError as error:
            raise self._failure(f"broke the connection off ({type(error).__name__})") from None

    def _failure(self, reason: str) -> EngineError:
        return EngineError(LAYER, f"{self._name} {reason}")


class EstimatedWords:
    """When each word is heard, as far as its length tells. Owner of which are left."""

    def __init__(self, words: list[str], speed: float) -> None:
        self._words = words
        self._rate = CHARACTERS_PER_S * speed
        self._debt_s = 0.0

    def until(self, duration_s: float) -> Iterator[Word]:
        """Those that begin within the next `duration_s` of sound; at least one stays for the end."""
        at = self._debt_s
        while len(self._words) > 1 and at < duration_s:
            word = self._words.pop(0)
            lasts_s = (len(word) + 1) / self._rate
            yield Word(word, min(at, duration_s), min(at + lasts_s, duration_s))
            at += lasts_s
        self._debt_s = max(0.0, at - duration_s)

    def rest(self, duration_s: float) -> Iterator[Word]:
        """All that are left, within the last `duration_s` of sound."""
        characters = sum(len(word) + 1 for word in self._words)
        at = min(self._debt_s, duration_s)
        share = (duration_s - at) / max(characters, 1)
        for word in self._words:
            end = at + (len(word) + 1) * share
            yield Word(word, at, end)
            at = end
        self._words = []
