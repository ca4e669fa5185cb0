"""Faces of rendered key pictures with exact correspondences between them, such as the stock replicas."""

from typing import cast

from visavis.replica import Background, Renderer
from visavis.replica.bundle import Bundle
from visavis.replica.key_frames.arrays import read
from visavis.replica.key_frames.renderer import Face, KeyFrameRenderer


class KeyFrameReplica:
    """A `visavis.replica.Replica` whose bundle names the renderer `key_frames`."""

    def __init__(self, bundle: Bundle) -> None:
        """Load all of it. Raises `BundleError`."""
        self.name = bundle.manifest.name
        self._face = Face(read(bundle))

    def renderer(self, background: Background | None = None, *, seed: int | None = None) -> Renderer[object]:
        """Start a face for one call; see `KeyFrameRenderer` for `seed`."""
        return cast(Renderer[object], KeyFrameRenderer(self._face, background, seed))
