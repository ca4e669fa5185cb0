"""Listens to a recorded statement of consent, so that not just any recording passes for one."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from visavis.audio import LISTEN_RATE_HZ
from visavis.errors import BadInputError
from visavis.layers.stt.moonshine import Moonshine
from visavis.replica.consent import STATEMENT, Consent, checksum
from visavis.replica.train import TrainingError
from visavis.videos.sound import beginning

LISTENED_S = 60.0
"""The statement is looked for in this much of the beginning of a recording."""

_AGREES = re.compile(
    r"\b(i|we)\b(?P<between>[^.?!]{0,120}?)\b"
    r"(agree|consent|permit|allow|authori[sz]e|approve|(give|grant)\b[^.?!]{0,40}\b(consent|permission))",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\b(replica|clone|avatar|twin|double|likeness|face|voice|video|sound|audio|recording|picture|image|photo)s?\b",
    re.IGNORECASE,
)
_NEARBY = 200
"""Characters around the agreement in which it must be said what it is about."""
_NOT = re.compile(r"\b(not|never|cannot|refuse|refused)\b|n't\b", re.IGNORECASE)


def agrees(text: str) -> bool:
    """Whether somebody who says this agrees to something that has to do with pictures and sound of them."""
    return any(
        not _NOT.search(found["between"]) and _SUBJECT.search(text[max(found.start() - _NEARBY, 0) :][: 2 * _NEARBY])
        for found in _AGREES.finditer(text)
    )


async def spoken_consent(recording: Path, person: str, field: str) -> Consent:
    """The statement in a recording or video (English), by the built-in recogniser.

    Raises `TrainingError` where nobody is heard to agree, and `visavis.models.ModelMissingError`.
    """
    try:
        sound = beginning(recording, field, LISTENED_S, LISTEN_RATE_HZ)
    except BadInputError as error:
        raise TrainingError("consent", str(error)) from error
    text = await _heard(sound)
    if not agrees(text):
        shown = f'"{text[:200]}"' if text else "nobody speaking"
        raise TrainingError(
            "consent",
            f"{field}: what is heard in its first {LISTENED_S:g} s is {shown}, which is no consent; expected the "
            f"person saying in English that they agree, for example: {STATEMENT}",
        )
    return Consent(
        kind="statement", by=person, text=text[:4_000], recorded_at=datetime.now(UTC), recording=checksum(recording)
    )


async def _heard(sound: np.ndarray[tuple[int], np.dtype[np.int16]]) -> str:
    recogniser = Moonshine()
    try:
        utterance = recogniser.utterance()
        utterance.feed((sound / np.float32(32768)).astype(np.float32))
        return await utterance.final()
    finally:
        recogniser.close()
