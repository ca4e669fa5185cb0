"""A statement is listened to by the built-in recogniser; the voice here is the built-in one."""

from pathlib import Path

import numpy as np
import pytest

from visavis.layers.tts.hibari import Hibari
from visavis.replica.consent import checksum
from visavis.replica.statement import spoken_consent
from visavis.replica.train import TrainingError
from visavis.videos.files import write_sound
from visavis.videos.rendering import sound_of
from visavis.videos.sound import spoken

pytestmark = pytest.mark.models


async def test_only_a_recording_of_somebody_who_agrees_is_consent(tmp_path: Path) -> None:
    voice = Hibari()
    texts = {
        "statement": "My name is Ada. I agree that a replica of me is made from the video and sound that I provide.",
        "refusal": "My name is Ada. I do not agree that a replica of me is made.",
    }
    for name, text in texts.items():
        write_sound(tmp_path / f"{name}.wav", sound_of(await spoken(text, voice)))
    agreed = await spoken_consent(tmp_path / "statement.wav", "Ada", "--consent")
    assert (agreed.kind, agreed.by, agreed.recording) == ("statement", "Ada", checksum(tmp_path / "statement.wav"))
    assert "agree" in agreed.text.lower()
    with pytest.raises(TrainingError, match=r"not agree.*which is no consent; expected") as refused:
        await spoken_consent(tmp_path / "refusal.wav", "Ada", "--consent")
    assert refused.value.error_type == "consent"


async def test_silence_is_no_consent(tmp_path: Path) -> None:
    write_sound(tmp_path / "silence.wav", np.zeros(5 * 48_000, np.int16))
    with pytest.raises(TrainingError, match="nobody speaking"):
        await spoken_consent(tmp_path / "silence.wav", "Ada", "--consent")


async def test_file_without_sound_is_no_consent(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("I agree.")
    with pytest.raises(TrainingError, match=r"--consent: 'letter\.txt'"):
        await spoken_consent(tmp_path / "letter.txt", "Ada", "--consent")
