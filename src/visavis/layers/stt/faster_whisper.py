"""Whisper of any size on this machine, by faster-whisper (extra `faster-whisper`): final texts in a hundred languages.

The words that are shown while somebody speaks are the built-in recogniser's where that is English; Whisper would take
too long for them. Nothing is fetched from a model hub: a model is one of `visavis models pull`, a folder, or in the
cache that faster-whisper keeps.
"""

import asyncio
import importlib.util
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.config import settings as server_settings
from visavis.errors import BadInputError, VisavisError
from visavis.layers.settings import FasterWhisperSettings
from visavis.layers.stt import SpeechToText
from visavis.layers.stt.openai_transcription import REST_S, TranscribedUtterance
from visavis.models import State

_log = logging.getLogger(__name__)

NAME = "faster-whisper"

_SILENCE: Samples = np.zeros(LISTEN_RATE_HZ, np.float32)
"""Heard once, so that the first turn finds everything warm."""

_PULLED = {"tiny.en": "whisper-tiny.en"}
"""Sizes that `visavis models pull` knows, and what they are called there."""


def folder() -> Path:
    """Where whoever runs the server puts models in CTranslate2's form, each in a folder of its own."""
    return server_settings().data / "whisper"


def is_installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec("faster_whisper") is not None


def checked(wanted: FasterWhisperSettings, at: str) -> None:
    """Raise `BadInputError` for what this server cannot do; `at` is the layer's field."""
    if not is_installed():
        expected = "the package faster-whisper on the server (pip install visavis[faster-whisper])"
        raise BadInputError(f"{at}.stt_engine", NAME, expected)
    try:
        _path(wanted.model)
    except (VisavisError, OSError, ValueError):
        here = [name for name, pulled in _PULLED.items() if models.status().get(pulled) is State.READY]
        here += sorted(one.parent.name for one in folder().glob("*/model.bin"))
        expected = f"a model that is on the server: {', '.join(here) or 'none; see docs/layers.md'}"
        raise BadInputError(f"{at}.stt_model_name", wanted.model, expected) from None
    if wanted.language:
        languages = ["en"] if wanted.model.endswith(".en") else _languages()
        if wanted.language not in languages:
            raise BadInputError(f"{at}.language", wanted.language, f"one of {', '.join(languages)}")


class FasterWhisper:
    """A `visavis.layers.stt.SpeechToText` for one conversation; the network is shared by those that want the same."""

    def __init__(self, settings: FasterWhisperSettings, built_in: SpeechToText) -> None:
        """`built_in` shows words while somebody speaks, and takes over when this one fails."""
        self.settings = settings
        self._built_in = built_in
        self._rests_until = 0.0
        english = settings.model.endswith(".en") or settings.language == "en"
        self._shows_partial = english

    def warm_up(self) -> None:
        """Begin to load the network, so that the first turn finds it; a failure is told there."""
        wanted = self.settings
        _network(wanted.model, wanted.device, wanted.compute_type).submit(wanted, _SILENCE, threading.Event())

    def utterance(self) -> TranscribedUtterance:
        """See `visavis.layers.stt.SpeechToText`."""
        return TranscribedUtterance(self, self._built_in.utterance(), shows_partial=self._shows_partial)

    async def transcribe(self, samples: Samples) -> str | None:
        """The words in `samples`; None when they cannot be had."""
        if time.monotonic() < self._rests_until:
            return None
        stop = threading.Event()
        settings = self.settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                network = _network(settings.model, settings.device, settings.compute_type)
                return await asyncio.wrap_future(network.submit(settings, samples, stop))
        except TimeoutError:
            reason = f"gave no text within {settings.timeout_s:g} s"
        except Exception as error:  # the library's errors have no common base
            reason = f"failed ({type(error).__name__}: {error})"
        finally:
            stop.set()
        self._rests_until = time.monotonic() + REST_S
        _log.error("speech to text: %s %s; the built-in recogniser listens for %g s", settings.model, reason, REST_S)
        return None


class _Network:
    """A network and its thread, which loads it first."""

    def __init__(self, model: str, device: str, compute_type: str) -> None:
        self._model = model
        self._device = device
        self._compute_type = compute_type
        self._loaded: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="faster-whisper")

    def submit(self, settings: FasterWhisperSettings, samples: Samples, stop: threading.Event) -> Any:
        return self._thread.submit(self._transcribe, settings, samples, stop)

    def _transcribe(self, settings: FasterWhisperSettings, samples: Samples, stop: threading.Event) -> str:
        if self._loaded is None:
            from faster_whisper import WhisperModel

            self._loaded = WhisperModel(
                str(_path(self._model)),
                device=self._device,
                compute_type=self._compute_type,
                cpu_threads=1,
                local_files_only=True,
            )
        if stop.is_set():
            return ""
        segments, _ = self._loaded.transcribe(
            samples,
            language=settings.language or None,
            beam_size=settings.beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            hotwords=settings.hotwords or None,
        )
        pieces = []
        for segment in segments:  # each is recognised when it is asked for
            pieces.append(segment.text.strip())
            if stop.is_set():
                break
        return " ".join(pieces)


@cache
def _network(model: str, device: str, compute_type: str) -> _Network:
    return _Network(model, device, compute_type)


def _path(model: str) -> Path:
    """The folder of a model. Raises `VisavisError`, `OSError` or `ValueError` where there is none."""
    own = folder() / model
    if (own / "model.bin").is_file():
        return own
    if model in _PULLED and models.status().get(_PULLED[model]) is State.READY:
        return models.path(_PULLED[model])
    from faster_whisper.utils import download_model

    return Path(download_model(model, local_files_only=True))


def _languages() -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    return sorted(_LANGUAGE_CODES)
