"""Faces made from one photo: moved by the 52 ARKit weights, before their own background or another."""

from typing import cast

from visavis.replica import Background, Renderer
from visavis.replica.bundle import Bundle
from visavis.replica.photo.contents import read
from visavis.replica.photo.renderer import Face, PhotoRenderer


class PhotoReplica:
    """A `visavis.replica.Replica` whose bundle names the renderer `photo`."""

    def __init__(self, bundle: Bundle) -> None:
        """Load all of it. Raises `BundleError`."""
        self.name = bundle.manifest.name
        self._face = Face(read(bundle))

    def renderer(self, background: Background | None = None, *, seed: int | None = None) -> Renderer[object]:
        """Start a face for one call; see `PhotoRenderer` for `seed`."""
        return cast(Renderer[object], PhotoRenderer(self._face, background, seed))
