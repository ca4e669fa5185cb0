"""Kokoro: the settings, and the real network where it was pulled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visavis import models
from visavis.api.runnable import runnable
from visavis.audio import PLAYOUT_RATE_HZ
from visavis.errors import BadInputError, EngineError
from visavis.layers.settings import KokoroSettings
from visavis.layers.tts import kokoro, kokoro_files
from visavis.layers.tts.kokoro import ROWS, WIDTH, Kokoro
from visavis.models import State


def document(**tts: Any) -> dict[str, Any]:
    return {"persona_name": "K", "system_prompt": "x", "layers": {"tts": {"tts_engine": "kokoro", **tts}}}


@pytest.fixture
def voices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for module in (kokoro, kokoro_files):
        monkeypatch.setattr(module, "folder", lambda: tmp_path)
    # What real voices are like: values of some tenths.
    np.random.default_rng(0).normal(0, 0.15, (ROWS, WIDTH)).astype("<f4").tofile(tmp_path / "somebody.bin")
    return tmp_path


def test_persona_is_refused_where_the_network_was_not_pulled(monkeypatch: pytest.MonkeyPatch, voices: Path):
    monkeypatch.setattr(models, "status", lambda: {"kokoro-82m": State.MISSING})
    with pytest.raises(BadInputError, match=r"^layers\.tts\.tts_engine.*models pull kokoro-82m"):
        runnable(document(external_voice_id="somebody"))


def test_voices_are_those_of_the_folder(monkeypatch: pytest.MonkeyPatch, voices: Path):
    monkeypatch.setattr(models, "status", lambda: {"kokoro-82m": State.READY})
    found = runnable(document(external_voice_id="somebody", voice_settings={"speed": 1.2})).layers.tts.kokoro
    assert found == KokoroSettings(voice="somebody", speed=1.2)
    for given, field in (
        ({}, "external_voice_id"),
        ({"external_voice_id": "../somebody"}, "voice"),
        ({"external_voice_id": "somebody", "voice_settings": {"speed": 9}}, "speed"),
    ):
        with pytest.raises(BadInputError, match=rf"^layers\.tts\.{field}"):
            runnable(document(**given))


async def test_files_that_are_no_voices_are_the_voices_failure(voices: Path):
    (voices / "short.bin").write_bytes(b"1234")
    for name in ("short", "absent"):
        with pytest.raises(EngineError, match="voice"):
            kokoro._voice(name)


@pytest.mark.models
async def test_it_speaks_sentence_by_sentence_with_its_words_in_order(voices: Path):
    if models.status()["kokoro-82m"] is not State.READY:
        pytest.skip("kokoro-82m was not pulled")
    voice = Kokoro(KokoroSettings(voice="somebody"))
    pieces = [piece async for piece in voice.stream("Hello there. *Good day!*")]
    assert [[word.text for word in piece.words] for piece in pieces] == [["Hello", "there."], ["Good", "day!"]]
    for piece in pieces:
        lasts_s = len(piece.pcm) / PLAYOUT_RATE_HZ
        assert 0.2 < lasts_s < 10 and np.abs(piece.pcm).max() > 300
        assert piece.words[-1].end_s <= lasts_s + 1e-6
    assert [piece async for piece in voice.stream("...")] == []
