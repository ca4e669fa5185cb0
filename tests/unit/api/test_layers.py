"""Engines that a persona names, from its document to what a conversation runs."""

from typing import Any

import pytest

from visavis.api.runnable import runnable, warnings
from visavis.errors import BadInputError


def document(**layers: Any) -> dict[str, Any]:
    return {"persona_name": "Ines", "system_prompt": "You are Ines.", "layers": layers}


def test_voice_and_recogniser_behind_openais_protocol():
    tts = {
        "tts_engine": "openai",
        "base_url": "http://127.0.0.1:8880/v1",
        "api_key": "k",
        "tts_model_name": "kokoro",
        "external_voice_id": "af_heart",
        "voice_settings": {"speed": 1.1},
        "pronunciations": {"Nguyen": "win"},
    }
    stt = {"stt_engine": "openai", "stt_model_name": "whisper", "hotwords": "Mira", "api_key": "k"}
    given = document(tts=tts, stt=stt)
    layers = runnable(given).layers
    assert layers.tts.openai and layers.stt.openai
    assert (layers.tts.openai.voice, layers.tts.openai.speed) == ("af_heart", 1.1)
    assert layers.tts.pronunciations == {"Nguyen": "win"}
    assert layers.stt.openai.base_url == "https://api.openai.com/v1"
    assert layers.stt.openai.hotwords == "Mira"
    assert warnings(given) == []


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ({"tts": {"tts_engine": "openai", "voice_settings": {"speed": 9}}}, "layers.tts.speed"),
        ({"tts": {"tts_engine": "openai", "base_url": "ftp://x"}}, "layers.tts.base_url"),
        ({"stt": {"stt_engine": "openai", "base_url": "http://u:p@x"}}, "layers.stt.base_url"),
        ({"tts": {"pronunciations": {"two words": "x"}}}, "pronunciations"),
        ({"llm": {"tools": [{"type": "function", "function": {"name": "1"}}]}}, "layers.llm.tools.0.name"),
    ],
)
def test_bad_configuration_is_refused_with_the_fields_name(layers: dict[str, Any], field: str):
    with pytest.raises(BadInputError, match=field):
        runnable(document(**layers))


def test_engines_that_are_not_here_are_named_in_a_warning():
    named = " ".join(warnings(document(tts={"tts_engine": "cartesia"}, stt={"stt_engine": "tavus-whisper"})))
    assert "cartesia" in named and "tavus-whisper" in named
