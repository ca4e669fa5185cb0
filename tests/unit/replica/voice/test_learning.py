"""From a recording to a voice: what is refused, what is cut out, and that training goes on where it was.

The recordings are spoken by a stock voice, whose words are known.
"""

import asyncio
import itertools
import wave
from pathlib import Path

import numpy as np
import pytest

from visavis.audio import Samples
from visavis.layers.tts.hibari import Hibari
from visavis.layers.tts.manner import PLAIN, Manner
from visavis.replica.consent import declared
from visavis.replica.train import TrainingError
from visavis.replica.voice import TrainingExtraMissingError, can_train, train_voice
from visavis.replica.voice.cleaning import clean, is_another
from visavis.replica.voice.part import put_into, voice_in
from visavis.replica.voice.recording import Recording, band_of, read

pytestmark = pytest.mark.models

TEXT = (
    "The early train was late again, so we walked along the river instead. "
    "Please choose a time that suits you, and I will put it in the calendar. "
    "Seven yellow boats drifted slowly past the quiet harbour. "
    "He measured the width of the garden wall and wrote it down. "
    "Would you rather have coffee, or should I boil some water for tea? "
    "A sudden storm shook the branches and frightened the young horses. "
    "Thick fog covered the valley until the sun came out around noon. "
    "His father was a baker, and his mother taught mathematics. "
)


@pytest.fixture(scope="module")
def speech() -> Samples:
    """About half a minute at 24 kHz, with pauses and the noise of a quiet room."""
    return spoken(Hibari(watermark=False), PLAIN)


def spoken(voice: Hibari, manner: Manner) -> Samples:
    async def said() -> list[Samples]:
        return [piece.pcm[::2] / np.float32(32768) async for piece in voice.stream(TEXT, manner)]

    pause = np.zeros(8_000, np.float32)
    sound = np.concatenate(list(itertools.chain.from_iterable((piece, pause) for piece in asyncio.run(said()))))
    return np.asarray(sound + np.random.default_rng(0).normal(0, 3e-4, len(sound)), np.float32)


def recording(samples: Samples) -> Recording:
    positions = np.arange(len(samples) * 2 // 3) * 1.5
    return Recording(samples, np.interp(positions, np.arange(len(samples)), samples).astype(np.float32))


def cleaned(samples: Samples) -> tuple[float, str]:
    found = clean(recording(samples), lambda share: None)
    return found.seconds, " ".join(found.warnings)


def refusal(samples: Samples) -> str:
    with pytest.raises(TrainingError) as refused:
        clean(recording(samples), lambda share: None)
    return str(refused.value)


def test_clear_speech_is_kept(speech: Samples) -> None:
    seconds, warnings = cleaned(speech)
    assert seconds > 0.7 * len(speech) / 24_000
    assert "two minutes or more" in warnings


def test_silence_is_refused() -> None:
    assert "Nobody is heard" in refusal(np.zeros(24_000 * 30, np.float32))


def test_too_little_speech_is_refused(speech: Samples) -> None:
    assert "Expected 25 s" in refusal(speech[: 24_000 * 12])


def test_noise_is_a_reason(speech: Samples) -> None:
    noise = np.random.default_rng(0).normal(0, 0.5 * float(np.std(speech)), len(speech))
    assert "noisy" in refusal((speech + noise).astype(np.float32))


def test_clipping_is_a_reason(speech: Samples) -> None:
    assert "too loud" in refusal(np.clip(speech * 12, -1, 1))


def test_music_is_a_reason(speech: Samples) -> None:
    time = np.arange(len(speech)) / 24_000
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (440.0, 554.4, 659.3))
    assert "music" in refusal((speech + 0.02 * np.asarray(chord)).astype(np.float32))


def test_another_speaker_is_cut_out(speech: Samples) -> None:
    guest = spoken(Hibari(voice="adam", watermark=False), PLAIN)[: 24_000 * 9]
    seconds, warnings = cleaned(np.concatenate([speech, guest]))
    assert "somebody else" in warnings
    assert seconds < len(speech) / 24_000 + 3


def test_a_statement_in_another_voice_is_noticed(speech: Samples) -> None:
    pieces = [piece.of(speech, 24_000) for piece in clean(recording(speech), lambda share: None).pieces]
    assert not is_another(pieces[:-1], pieces[-1])
    assert is_another(pieces, spoken(Hibari(voice="adam", watermark=False), PLAIN)[: 24_000 * 6])


def test_the_band_of_a_telephone_is_known(speech: Samples) -> None:
    spectrum = np.fft.rfft(speech)
    spectrum[round(len(spectrum) * 4 / 12) :] = 0
    assert 2_500 <= band_of(np.fft.irfft(spectrum, len(speech)).astype(np.float32)) <= 4_000
    assert band_of(speech) > 9_000


@pytest.fixture(scope="module")
def wav(speech: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("voice") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(np.rint(speech * 32767).astype("<i2").tobytes())
    return path


def test_a_recording_is_read_at_both_rates(wav: Path, speech: Samples) -> None:
    found = read(wav)
    assert found.seconds == pytest.approx(len(speech) / 24_000, abs=0.1)
    assert len(found.listened) == pytest.approx(len(found.samples) * 2 / 3, rel=0.01)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(TrainingError, match=r"text\.wav"):
        read(tmp_path / "text.wav")


@pytest.mark.skipif(can_train(), reason="the extra is installed")
def test_without_the_extra_it_is_said_what_to_install(wav: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingExtraMissingError, match=r"visavis\[train\]"):
        train_voice(wav, tmp_path, name="Ines", consent=declared("Ines"), report=lambda progress: None)


@pytest.mark.slow
def test_training_goes_on_where_it_was_and_makes_a_voice_that_speaks(wav: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    shares: list[float] = []

    def interrupted(progress: object) -> None:
        shares.append(progress.share)  # type: ignore[attr-defined]
        if progress.share > 0.5:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_voice(wav, tmp_path, name="Ines", consent=declared("Ines"), report=interrupted, steps=4)
    prepared_at = (tmp_path / "voice-material.npz").stat().st_mtime_ns
    voice, warnings = train_voice(
        wav, tmp_path, name="Ines", consent=declared("Ines"), report=lambda now: shares.append(now.share), steps=4
    )
    assert (tmp_path / "voice-material.npz").stat().st_mtime_ns == prepared_at
    assert shares[-1] == 1.0
    assert any("two minutes" in warning for warning in warnings)
    assert 0.8 < voice.about.manner.speed < 1.2
    assert voice.about.consent.by == "Ines"
    path = tmp_path / "ines.voice"
    voice.write(path)
    assert path.stat().st_size < 6_000_000
    said = asyncio.run(_said(Hibari(voice=voice)))
    assert len(said) > 24_000
    assert float(np.abs(said.astype(np.float64)).max()) > 1_000


async def _said(voice: Hibari) -> np.ndarray:
    return np.concatenate([piece.pcm async for piece in voice.stream("Hello, this is my own voice.")])


def test_a_replica_carries_its_voice(tmp_path: Path) -> None:
    from visavis.replica.stock import bundle_path
    from visavis.replica.voice.part import stock

    own = tmp_path / "own.replica"
    own.write_bytes(bundle_path("mira").read_bytes())
    assert voice_in(own) is None
    put_into(own, stock("leo"))
    found = voice_in(own)
    assert found and found.about.name == "leo"
    put_into(own, stock("nora"))
    replaced = voice_in(own)
    assert replaced and replaced.about.name == "nora"
