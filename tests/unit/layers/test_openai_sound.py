"""Voice and recogniser behind OpenAI's protocol, against a small server that speaks it, and the faults of vendors."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import numpy as np
import pytest
from openai.types.audio import SpeechCreateParams, Transcription
from pydantic import TypeAdapter

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Samples
from visavis.errors import EngineError
from visavis.layers.settings import SpeechSettings, TranscriptionSettings
from visavis.layers.stt.openai_transcription import OpenAITranscription
from visavis.layers.tts import Speech, TextToSpeech, Word
from visavis.layers.tts.dictionary import PronouncingVoice, rules_of
from visavis.layers.tts.fallback import FallbackVoice
from visavis.layers.tts.openai_speech import OpenAISpeech
from visavis.outbound import Outbound, PrivateAddresses

EVERYWHERE = Outbound(PrivateAddresses(every=True))


def tone(seconds: float, rate_hz: int) -> bytes:
    """A tone of 440 Hz, int16."""
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype("<i2").tobytes()


def wav(seconds: float, rate_hz: int, channels: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        mono = np.frombuffer(tone(seconds, rate_hz), "<i2")
        writer.writeframes(np.repeat(mono, channels).tobytes())
    return file.getvalue()


class Vendor:
    """Answers as it is told to; keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[tuple[str, bytes]] = []
        self.status = 200
        self.type = "audio/pcm"
        self.chunks: Sequence[bytes] = [tone(1.0, 24_000)]
        self.hangs = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = (line.partition(": ") for line in head.split("\r\n")[1:])
                headers = {name.lower(): value for name, _, value in lines}
                self.sent.append((head.split(" ")[1], await reader.readexactly(int(headers["content-length"]))))
                writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-type: {self.type}\r\n".encode())
                writer.write(b"transfer-encoding: chunked\r\n\r\n")
                for chunk in self.chunks:
                    writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    await writer.drain()
                if self.hangs:
                    await asyncio.sleep(30)
                writer.write(b"0\r\n\r\n")
                await writer.drain()


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    found = Vendor()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield found
    server.close()


async def speak(vendor: Vendor, text: str, **settings: object) -> list[Speech]:
    wanted = {"base_url": vendor.url, "first_sound_timeout_s": 0.3, "next_sound_timeout_s": 0.3, **settings}
    voice = OpenAISpeech(SpeechSettings.model_validate(wanted), EVERYWHERE)
    try:
        return [piece async for piece in voice.stream(text)]
    finally:
        await voice.aclose()


def pitch_hz(pieces: Sequence[Speech]) -> float:
    sound = np.concatenate([piece.pcm for piece in pieces]).astype(float)
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * PLAYOUT_RATE_HZ / len(sound))


async def test_speech_is_asked_for_in_openais_words_and_markdown_is_not_spoken(vendor: Vendor):
    pieces = await speak(vendor, "**Hello** there 😀", model="m", voice="v", speed=1.5, instructions="Cheerful.")
    path, body = vendor.sent[0]
    asked = TypeAdapter(SpeechCreateParams).validate_json(body)
    assert path == "/v1/audio/speech"
    assert asked["input"] == "Hello there" and asked["voice"] == "v" and asked["speed"] == 1.5
    assert json.loads(body)["response_format"] == "pcm"
    assert sum(len(piece.pcm) for piece in pieces) == pytest.approx(PLAYOUT_RATE_HZ, abs=100)
    words = [word for piece in pieces for word in piece.words]
    assert " ".join(word.text for word in words) == "**Hello** there 😀"


@pytest.mark.parametrize(
    ("kind", "sound"),
    [
        ("audio/pcm", tone(1.0, 24_000)),
        ("audio/pcm;rate=16000", tone(1.0, 16_000)),
        ("audio/wav", wav(1.0, 44_100, 2)),
        ("application/octet-stream", wav(1.0, 8_000, 1)),
        ("audio/L16; rate=48000", tone(1.0, 48_000)),
    ],
)
async def test_every_rate_sounds_at_its_own_pitch(vendor: Vendor, kind: str, sound: bytes):
    vendor.type, vendor.chunks = kind, [sound[at : at + 777] for at in range(0, len(sound), 777)]
    pieces = await speak(vendor, "A long sentence of several words for somebody to hear.")
    assert pitch_hz(pieces) == pytest.approx(440, abs=2)
    assert sum(len(piece.pcm) for piece in pieces) == pytest.approx(PLAYOUT_RATE_HZ, rel=0.01)
    words = [word for piece in pieces for word in piece.words]
    assert len(words) == 10
    assert all(word.start_s <= word.end_s for word in words)


async def test_sound_is_passed_on_before_all_of_it_has_come(vendor: Vendor):
    vendor.chunks, vendor.hangs = [tone(2.0, 24_000)], True
    voice = OpenAISpeech(SpeechSettings(base_url=vendor.url), EVERYWHERE)
    first = await anext(voice.stream("Hello there."))
    assert len(first.pcm) == pytest.approx(0.2 * PLAYOUT_RATE_HZ, abs=10)
    await voice.aclose()


@pytest.mark.parametrize(
    ("status", "kind", "chunks", "hangs", "said"),
    [
        (429, "application/json", [b'{"error": {"message": "slow down"}}'], False, "HTTP 429"),
        (500, "text/html", [b"<html>"], False, "HTTP 500"),
        (200, "application/json", [b'{"oops": 1}'], False, "instead of sound"),
        (200, "audio/mpeg", [b"\xff\xfb" + bytes(100)], False, "compressed"),
        (200, "audio/pcm", [], False, "no sound"),
        (200, "audio/pcm", [], True, "in time"),
        (200, "audio/pcm", [tone(0.3, 24_000)], True, "in time"),
    ],
)
async def test_faults_become_errors_for_people(
    vendor: Vendor, status: int, kind: str, chunks: list[bytes], hangs: bool, said: str
):
    vendor.status, vendor.type, vendor.chunks, vendor.hangs = status, kind, chunks, hangs
    with pytest.raises(EngineError, match=said):
        await speak(vendor, "Hello there.")


async def test_nobody_at_the_address_is_an_error():
    vendor = Vendor()
    vendor.url = "http://127.0.0.1:9/v1"
    with pytest.raises(EngineError, match="cannot be reached"):
        await speak(vendor, "Hello there.")


class Plain:
    """Speaks each word for 0.1 s."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def stream(self, text: str) -> AsyncIterator[Speech]:
        self.asked.append(text)
        words = tuple(Word(word, index / 10, (index + 1) / 10) for index, word in enumerate(text.split()))
        half = len(words) // 2
        yield Speech(np.ones(4800 * half, np.int16), words[:half], ())
        yield Speech(np.ones(4800 * (len(words) - half), np.int16), words[half:], ())


async def test_while_a_vendor_fails_the_built_in_voice_speaks(vendor: Vendor):
    vendor.status = 503
    first = OpenAISpeech(SpeechSettings(base_url=vendor.url), EVERYWHERE)
    second: TextToSpeech = Plain()
    voice = FallbackVoice(first, second)
    assert [piece async for piece in voice.stream("Hello there.")]
    assert [piece async for piece in voice.stream("And again.")]
    assert len(vendor.sent) == 1
    await first.aclose()


async def test_words_are_spoken_as_the_dictionary_says_and_shown_as_written():
    plain = Plain()
    voice = PronouncingVoice(plain, rules_of({"Nguyen": "win", "SQL": "see quell"}))
    pieces = [piece async for piece in voice.stream("Mr. Nguyen, do you know SQL?")]
    assert plain.asked == ["Mr. win, do you know see quell?"]
    shown = [word for piece in pieces for word in piece.words]
    assert [word.text for word in shown] == ["Mr.", "Nguyen,", "do", "you", "know", "SQL?"]


class Local:
    """A built-in recogniser that heard something else."""

    def utterance(self) -> "Local":
        return self

    def feed(self, samples: Samples) -> None:
        pass

    async def partial(self) -> str:
        return "so far"

    async def final(self) -> str:
        return "heard here"


async def heard(vendor: Vendor) -> tuple[str, str]:
    settings = TranscriptionSettings(base_url=vendor.url, timeout_s=0.3, hotwords="visavis")
    recogniser = OpenAITranscription(settings, Local(), EVERYWHERE)
    utterance = recogniser.utterance()
    utterance.feed(np.full(LISTEN_RATE_HZ, 0.5, np.float32))
    partial = await utterance.partial()
    final = await utterance.final()
    utterance.feed(np.zeros(LISTEN_RATE_HZ, np.float32))
    assert await utterance.final() == final
    await recogniser.aclose()
    return partial, final


async def test_final_words_come_from_the_vendor_and_are_asked_for_once(vendor: Vendor):
    vendor.type, vendor.chunks = "application/json", [Transcription(text=" Hello. ").model_dump_json().encode()]
    assert await heard(vendor) == ("so far", "Hello.")
    ((path, body),) = vendor.sent
    assert path == "/v1/audio/transcriptions"
    for part in (b"RIFF", b'name="prompt"', b"visavis", b'name="language"', b"whisper-1"):
        assert part in body


@pytest.mark.parametrize(
    ("status", "chunks", "hangs"),
    [(429, [b"{}"], False), (200, [b"no json"], False), (200, [b'{"tex'], True), (200, [], True)],
)
async def test_when_the_vendor_fails_the_built_in_recogniser_has_heard_it(
    vendor: Vendor, status: int, chunks: list[bytes], hangs: bool
):
    vendor.status, vendor.type, vendor.chunks, vendor.hangs = status, "application/json", chunks, hangs
    assert await heard(vendor) == ("so far", "heard here")


async def test_private_address_is_not_asked_unless_that_is_allowed(vendor: Vendor, caplog: pytest.LogCaptureFixture):
    voice = OpenAISpeech(SpeechSettings(base_url=vendor.url), Outbound())
    with pytest.raises(EngineError, match="VISAVIS_ALLOW_PRIVATE_URLS"):
        _ = [piece async for piece in voice.stream("Hello.")]
    await voice.aclose()
    recogniser = OpenAITranscription(TranscriptionSettings(base_url=vendor.url), Local(), Outbound())
    assert await recogniser.transcribe(np.zeros(LISTEN_RATE_HZ, np.float32)) is None
    await recogniser.aclose()
    assert "VISAVIS_ALLOW_PRIVATE_URLS" in caplog.text and not vendor.sent
