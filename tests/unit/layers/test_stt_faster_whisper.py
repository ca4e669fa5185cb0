"""Whisper on this machine: the settings, and a real network where it and the extra are installed."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import speech
from tests.sentences import SENTENCES, sentence
from visavis import models
from visavis.api.runnable import runnable
from visavis.api.runnable import warnings as persona_warnings
from visavis.audio import Samples
from visavis.errors import BadInputError
from visavis.layers.settings import FasterWhisperSettings
from visavis.layers.stt import faster_whisper
from visavis.layers.stt.faster_whisper import FasterWhisper
from visavis.models import State


class BuiltIn:
    """A recogniser that hears the same in everything."""

    def utterance(self) -> "BuiltIn":
        return self

    def feed(self, samples: Samples) -> None:
        pass

    async def partial(self) -> str:
        return "built in, so far"

    async def final(self) -> str:
        return "built in"


def document(**stt: Any) -> dict[str, Any]:
    layers = {"stt": {"stt_engine": "faster-whisper", **stt}}
    return {"persona_name": "W", "system_prompt": "x", "layers": layers}


def test_persona_is_refused_where_the_package_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faster_whisper, "is_installed", lambda: False)
    with pytest.raises(BadInputError, match=r"^layers\.stt\.stt_engine.*pip install"):
        runnable(document())


@pytest.mark.parametrize("name", ["../secrets", "/etc", "a/b", ""])
def test_a_model_is_named_and_never_a_path(name: str):
    with pytest.raises(BadInputError, match=r"^layers\.stt\.stt_model_name|^layers\.stt\.model"):
        runnable(document(stt_model_name=name))


needs_package = pytest.mark.skipif(not faster_whisper.is_installed(), reason="faster-whisper is not installed")


@needs_package
def test_models_and_languages_that_are_not_here_are_refused_with_the_field(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(faster_whisper, "folder", lambda: tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.bin").touch()
    assert persona_warnings(document(stt_model_name="mine")) == []
    assert runnable(document(stt_model_name="mine", language="de")).layers.stt.whisper
    with pytest.raises(BadInputError, match=r"^layers\.stt\.stt_model_name.*mine"):
        runnable(document(stt_model_name="large-v3"))
    with pytest.raises(BadInputError, match=r"^layers\.stt\.language.*de, .*zh"):
        runnable(document(stt_model_name="mine", language="klingon"))
    with pytest.raises(BadInputError, match=r"^layers\.stt\.beam_size"):
        runnable(document(stt_model_name="mine", beam_size=99))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for models besides the one that was pulled."""
    pytest.importorskip("faster_whisper")
    if models.status()["whisper-tiny.en"] is not State.READY:
        pytest.skip("whisper-tiny.en was not pulled")
    monkeypatch.setattr(faster_whisper, "folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.models
async def test_it_hears_what_was_said_and_the_built_in_one_shows_words_meanwhile(tiny: Path):
    recogniser = FasterWhisper(FasterWhisperSettings(timeout_s=60), BuiltIn())
    recogniser.warm_up()
    utterance = recogniser.utterance()
    utterance.feed(sentence("conf-full", 16_000))
    assert await utterance.partial() == "built in, so far"
    heard = await utterance.final()
    assert speech.word_errors(SENTENCES["conf-full"], heard) <= 1
    assert heard == await utterance.final()  # nothing new was said


@pytest.mark.models
async def test_the_built_in_one_takes_over_from_a_model_that_cannot_be_loaded(tiny: Path):
    shutil.copytree(models.path("whisper-tiny.en"), tiny / "broken", copy_function=shutil.copyfile)
    (tiny / "broken" / "model.bin").write_bytes(b"no network")
    recogniser = FasterWhisper(FasterWhisperSettings(model="broken", timeout_s=60), BuiltIn())
    utterance = recogniser.utterance()
    utterance.feed(np.full(16_000, 0.2, np.float32))
    assert await utterance.final() == "built in"


async def test_words_of_another_language_are_not_shown_by_the_english_one():
    utterance = FasterWhisper(FasterWhisperSettings(model="any", language="de"), BuiltIn()).utterance()
    assert await utterance.partial() == ""
