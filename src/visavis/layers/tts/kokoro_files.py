"""What of Kokoro is on this server: its network and its voices."""

from pathlib import Path

from visavis import models
from visavis.config import settings as server_settings
from visavis.errors import BadInputError
from visavis.layers.settings import KokoroSettings
from visavis.models import State

NAME = "kokoro"
MODEL = "kokoro-82m"


def folder() -> Path:
    """Where whoever runs the server puts the voices."""
    return server_settings().data / "kokoro"


def checked(wanted: KokoroSettings, at: str) -> None:
    """Raise `BadInputError` for what this server cannot do; `at` is the layer's field."""
    if models.status().get(MODEL) is not State.READY:
        raise BadInputError(f"{at}.tts_engine", NAME, f"a voice that is here; `visavis models pull {MODEL}` fetches it")
    known = sorted(one.stem for one in folder().glob("*.bin"))
    if wanted.voice not in known:
        expected = f"a voice in the server's folder {folder().name}/: {', '.join(known) or 'none; see docs/layers.md'}"
        raise BadInputError(f"{at}.external_voice_id", wanted.voice, expected)
