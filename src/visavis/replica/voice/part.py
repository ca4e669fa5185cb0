"""The voice as a part of a `.replica` file."""

import dataclasses
from pathlib import Path

from visavis.layers.tts.stock_voices import MADE_AT, stock_voice
from visavis.layers.tts.voice_file import AboutVoice, MannerOfVoice, Voice, read_voice
from visavis.replica.bundle import Bundle, add_parts, open_bundle
from visavis.replica.consent import Consent

VOICE = "own.voice"
"""The part's name; a whole `.voice` file."""


def voice_of(bundle: Bundle) -> Voice | None:
    """The replica's own voice, None if it has none. Raises `BundleError`, and `BadInputError` for a bad voice."""
    return read_voice(bundle.part(VOICE), f"{bundle.path}: {VOICE}") if VOICE in bundle else None


def voice_in(path: Path) -> Voice | None:
    """The same of a file."""
    with open_bundle(path) as bundle:
        return voice_of(bundle)


def put_into(path: Path, voice: Voice) -> None:
    """Give a replica this voice, instead of one that it may have. Raises `BundleError`."""
    add_parts(path, {VOICE: voice.packed()})


def stock(name: str) -> Voice:
    """A stock voice, to be put into a replica. Raises `BadInputError` for an unknown name."""
    chosen = stock_voice(name, "voice_name")
    manner = dataclasses.asdict(chosen.manner)
    consent = Consent(kind="synthetic", by="visavis", text="A stock voice; it is nobody's own.", recorded_at=MADE_AT)
    return Voice(
        AboutVoice(
            name=name,
            licence="Apache-2.0",
            consent=consent,
            made_at=MADE_AT,
            manner=MannerOfVoice(**{field: manner[field] for field in MannerOfVoice.model_fields}),
        ),
        None,
    )
