"""What every `.replica` file says about itself, whoever draws it."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from visavis.replica.consent import Consent

FORMAT: Final = 2
MANIFEST: Final = "manifest.json"
THUMBNAIL: Final = "thumbnail.jpg"
PREVIEW: Final = "preview.mp4"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Side = Annotated[int, Field(ge=16, le=4096)]


class Manifest(BaseModel):
    """The common part of a bundle; a renderer keeps what it needs besides in JSON parts of its own."""

    model_config = ConfigDict(frozen=True)

    format: Literal[2]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    version: Annotated[str, Field(min_length=1, max_length=40)]
    licence: Annotated[str, Field(min_length=1, max_length=200)]
    maker: Annotated[str, Field(min_length=1, max_length=400)]
    made_at: AwareDatetime
    renderer: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
    """What draws it: `key_frames`, `patches` or `photo`."""
    consent: Consent
    fps: Annotated[int, Field(gt=0, le=100)]
    size: tuple[_Side, _Side]
    """Width and height of the frames, pixels."""
    checksums: dict[str, Sha256]
    """SHA-256 of every part but the manifest, by the part's name."""
