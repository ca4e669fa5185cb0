"""Whose face a replica shows, and how it is known that they agreed. Kept in every bundle's manifest."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

STATEMENT = (
    "I, NAME, agree that a replica of me is made from the video and sound that I provide. "
    "I know that it can be used to make videos that look and sound like me."
)
"""What a person may say to agree; other words do as well, if they say that they agree."""

_PIECE = 1 << 20


class Consent(BaseModel):
    """Why a face may be used.

    A `statement` was spoken by the person and recorded; a `declaration` is somebody's word that the person agreed;
    a `synthetic` face shows nobody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["statement", "declaration", "synthetic"]
    by: Annotated[str, Field(min_length=1, max_length=200)]
    """Who agreed; of a synthetic face who made it."""
    text: Annotated[str, Field(max_length=4_000)]
    """What was said or declared."""
    recorded_at: AwareDatetime
    """When it was put on record here."""
    recording: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the file with the spoken statement."""


def declared(person: str) -> Consent:
    """The word of whoever trains the replica that `person` agreed."""
    text = f"{person} agreed that a replica of them is made and used, as declared by whoever trained this replica."
    return Consent(kind="declaration", by=person, text=text, recorded_at=datetime.now(UTC))


def synthetic(maker: str, text: str) -> Consent:
    """For a face that shows nobody; `text` says what it was made from."""
    return Consent(kind="synthetic", by=maker, text=text, recorded_at=datetime.now(UTC))


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
